"""The account against what studies took: time within a factor of 1.5, disk within 1.2.

The records are those of `python -m benchmarks.accounts`. Neither data nor weights are needed: of
a model there is its configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.accounts import part_of
from xharness import open_study
from xharness.plugin.api import Pace
from xharness.session.account.pace import keep_measured

RECORDS = sorted(Path(__file__).parent.glob("accounts/*.json"))
ROOT = Path(__file__).parents[2]
CONFIGURATIONS = {
    "minilm-l6": {
        "model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "vocab_size": 30522,
        "num_attention_heads": 12, "intermediate_size": 1536, "max_position_embeddings": 512,
    },
}  # fmt: skip


def _study(record: dict[str, Any], folder: Path) -> Path:
    part = {name: record[name] for name in ("models", "strategies", "seeds")}
    document = part_of(ROOT / record["study"], **part)
    for model in document["models"]:
        if "path" in model:
            model["path"] = _configuration(Path(model["path"]).name, folder)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _configuration(name: str, folder: Path) -> str:
    (folder / name).mkdir()
    text = json.dumps(CONFIGURATIONS[name])
    (folder / name / "config.json").write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_the_account_is_right_about_a_study(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    cache = tmp_path / "cache"
    monkeypatch.setenv("XHARNESS_CACHE", str(cache))
    paces = {name: Pace(**values) for name, values in record["paces"].items()}
    keep_measured(cache, "cpu", paces)
    session = open_study(
        _study(record, tmp_path), store=tmp_path / "store", output=tmp_path / "out", offline=True
    )
    account = session.account()
    assert len(account.seconds) == record["stages"]
    seconds = sum(record["seconds"].values())
    assert 1 / 1.5 < account.total.seconds / seconds < 1.5, (account.total.seconds, seconds)
    # What is left at the end: checkpoints, which the peak allows for, come and go.
    written = account.total.written
    assert 1 / 1.2 < written / record["bytes"] < 1.2, (written, record["bytes"])


def test_there_are_records_of_small_and_of_real_studies() -> None:
    assert [path.stem for path in RECORDS] == ["demo", "first-light", "strategies"]
