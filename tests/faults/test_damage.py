"""What is damaged in the store is told and done again; no number comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.cli.project import Project, fresh
from tests.faults.flipping import flip_bits
from tests.faults.flips import flip_a_bit, stage_folders, without_scores
from xharness.store import RECEIPT, DamagedStageError, Receipt
from xharness.store.parts import Parts

SLUGGISH = ("--plugin", str(Path(__file__).parents[1] / "cli" / "sluggish.py"))


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Project, str]:
    """A project that was run, and its scores."""
    project = fresh(tmp_path)
    project.study["runtime"] = {"keep": "all"}
    result = project.write().run()
    assert result.exit_code == 0, result.stderr
    return project, project.scores


def _changed(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    change(receipt)
    (folder / RECEIPT).write_text(json.dumps(receipt), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: receipt["facts"]["sizes"].update(total=7),
        lambda receipt: receipt["facts"]["data"][0].update(used=3),
        lambda receipt: receipt["facts"].update(empty={"sw": "none"}),
        lambda receipt: receipt.pop("digest"),
        lambda receipt: receipt.update(facts=[]),
        lambda receipt: receipt.update(files={"scores.json": 7}),
        lambda receipt: receipt.update(facts="x"),
    ],
)
def test_no_fact_of_a_receipt_can_be_changed(
    finished: tuple[Project, str], change: Callable[[dict[str, Any]], Any]
) -> None:
    project, scores = finished
    for folder in stage_folders(project, "score"):
        _changed(folder, change)
    result = project.run()
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("damaged; moved to") == 2
    assert project.scores == scores
    assert project.run().stderr.count("damaged") == 0
    assert len([*(project.folder / "store" / "damaged").iterdir()]) == 2


def test_damage_in_a_stage_that_others_need_is_found_when_they_read_it(
    finished: tuple[Project, str],
) -> None:
    project, scores = finished
    without_scores(project, "score", "predict")
    for folder in stage_folders(project, "train"):
        flip_a_bit(next((folder / "model").iterdir()), Random(3))
    for folder in stage_folders(project, "train"):
        _changed(folder, lambda receipt: receipt["facts"].update(seconds=1))
    result = project.run()
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("damaged; moved to") == 2
    assert project.scores == scores


@pytest.mark.parametrize("text", ["", "\0" * 300, "[]", "{", "[" * 100_000, '{"facts": {}}'])
def test_a_receipt_of_another_shape_is_done_again(finished: tuple[Project, str], text: str) -> None:
    project, scores = finished
    (folder, _) = stage_folders(project, "score")
    (folder / RECEIPT).write_text(text, encoding="utf-8")
    result = project.run()
    assert result.exit_code == 0, result.stderr
    assert "damaged; moved to" in result.stderr
    assert project.scores == scores


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_scores_do_not_hang_on_the_receipts_of_trainings(
    tmp_path: Path, content: bytes | None
) -> None:
    project = fresh(tmp_path)
    assert project.run().exit_code == 0
    scores, receipts = project.scores, [*tmp_path.glob("store/??/*/receipt-without-weights.json")]
    assert len(receipts) == 2
    without_scores(project, "score")
    for path in receipts:
        path.unlink() if content is None else path.write_bytes(content)
    result = project.run()
    assert result.exit_code == 0, result.stderr
    assert project.scores == scores


def test_another_text_of_the_same_facts_is_no_receipt(tmp_path: Path) -> None:
    Receipt.write(tmp_path, {"rate": 1e-05})
    path = tmp_path / RECEIPT
    assert Receipt.read(tmp_path).facts == {"rate": 1e-05}
    text = path.read_text(encoding="utf-8")
    for other in (text.replace("1e-05", "1E-05"), text.replace("1e-05", "0.1e-04"), f"{text} "):
        path.write_text(other, encoding="utf-8")
        with pytest.raises(DamagedStageError, match="not the one that was stored"):
            Receipt.read(tmp_path)


def test_flipped_bits_anywhere_are_told(tmp_path: Path) -> None:
    report = flip_bits(tmp_path, 12, Random(13))
    assert not report.faults, report.faults


class _Interrupted:
    """Has the command interrupted before the part with this number is written."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self._write, self._left = Parts.write, number
        patch.setattr(Parts, "write", lambda parts, path: self.write(parts, path))

    def write(self, parts: Parts, path: Path) -> Any:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return self._write(parts, path)


def test_parts_of_other_items_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fresh(tmp_path)
    project.study["runtime"] = {"shard": 7}
    project.study["models"] = [{"name": "most", "backend": "majority"}]
    project.write()
    assert project.run("--store", "calm", "-o", "calm").exit_code == 0
    calm = (project.folder / "calm" / "scores.jsonl").read_text(encoding="utf-8")
    with monkeypatch.context() as patch:
        _Interrupted(patch, 2)
        assert project.run().exit_code == 130
    first, second = sorted((project.folder / "store").glob("??/*/unfinished/en/*.parquet"))
    with Parts(first.parents[2]).write(first) as partial:
        partial.write_bytes(second.read_bytes())
    result = project.run()
    assert result.exit_code == 0, result.stderr
    assert project.scores == calm


@pytest.mark.parametrize("number", range(1, 12, 2))
def test_parts_of_an_interrupted_stage_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    project = fresh(tmp_path)
    project.study |= {"models": [{"name": "slow", "backend": "sluggish"}], "runtime": {"shard": 7}}
    project.write()
    assert project.run(*SLUGGISH, "--store", "calm", "-o", "calm").exit_code == 0
    calm = (project.folder / "calm" / "scores.jsonl").read_text(encoding="utf-8")
    with monkeypatch.context() as patch:
        _Interrupted(patch, number)
        assert project.run(*SLUGGISH).exit_code == 130
    random = Random(number)
    tables = sorted((project.folder / "store").glob("??/*/**/*.parquet"))
    path = random.choice(tables)
    flip_a_bit(path, random)
    result = project.run(*SLUGGISH)
    assert result.exit_code == 0, result.stderr
    assert f"{path.name}: damaged or half written, made again" in result.stderr
    assert result.stderr.count("damaged") == 1
    assert project.scores == calm
