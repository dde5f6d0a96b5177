"""LAReQA and BUCC as they are published: what the readers give, and a run from end to end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xharness.data.reader import DataReader
from xharness.executor import RunContext, collect
from xharness.executor.sequential import SequentialExecutor
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.planning import PlanningContext, compile_plan
from xharness.plugin import manager
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.spec.study import Study
from xharness.store import Store
from xharness.task_types import sentences
from xharness_hub import readers

LAREQA = "raw.githubusercontent.com/google-research-datasets/lareqa/master/xquad-r"
BUCC = "comparable.limsi.fr/bucc2018/bucc2018-zh-en.sample-gold.tar.bz2"

pytestmark = pytest.mark.data


def rows(path: Path, reader: Any) -> list[Any]:
    if not path.exists():
        pytest.skip(f"the data root has no {path.name}")
    return [*readers.read([path], readers.ReaderOptions(reader=reader), path.name)]


def test_the_pool_of_lareqa(data_root: Path) -> None:
    files = sorted((data_root / LAREQA).glob("*.json"))
    if len(files) < 11:
        pytest.skip("the data root has not all of LAReQA")
    answering: Counter[str] = Counter()
    candidates = 0
    for path in files:
        questions = rows(path, "squad")
        said = rows(path, "squad_sentences")
        assert len({row["id"] for row in questions}) == 1190
        assert {key for row in said for key in row["answers"]} == {row["id"] for row in questions}
        assert not any("\n" in row["text"] for row in said)
        assert len({row["id"] for row in said}) == len(said)
        candidates += len(said)
        answering.update(key for row in said for key in row["answers"])
    assert candidates == 13_014
    assert {*answering.values()} == {11}


def test_the_splitter_agrees_with_lareqas_sentences(data_root: Path) -> None:
    path = data_root / LAREQA / "en.json"
    if not path.is_file():
        pytest.skip("the data root has no LAReQA")
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    agreement_count = sum(
        len({*map(tuple, paragraph["sentence_breaks"])} & {*sentences.split(paragraph["context"])})
        for paragraph in paragraphs
    )
    assert (
        agreement_count / sum(len(paragraph["sentence_breaks"]) for paragraph in paragraphs) > 0.97
    )


def test_the_sample_of_bucc(data_root: Path) -> None:
    chinese, english = (rows(data_root / BUCC, side) for side in ("bucc", "bucc_english"))
    assert (len(chinese), len(english)) == (8624, 13_589)
    matches = [match for row in chinese for match in row["match"]]
    assert len(matches) == 257
    assert {*matches} <= {row["id"] for row in english}
    assert chinese[0]["id"] == "zh-000000001"


def run(data_root: Path, folder: Path, *targets: dict[str, Any]) -> list[ScoreRow | MissingRow]:
    """What character n-grams make of `targets`."""
    study = Study.model_validate(
        {
            "name": "found",
            "models": [{"name": "n", "backend": "ngrams", "bits": 8}],
            "strategies": ["single"],
            "targets": targets,
            "train_limit": 10,
        }
    )
    environment = RunEnvironment(data_root=data_root, offline=True, cache=folder, base=folder)
    catalogue = Catalogue(manager.load())
    data = DataReader(catalogue, environment)
    plan = compile_plan(PlanningContext(study, catalogue, data.data_slice, environment))
    context = RunContext(catalogue, data, Store(folder / "store"), environment, study.runtime)
    return collect(plan, context, SequentialExecutor().run(plan, context))


def test_lareqa_from_end_to_end(data_root: Path, tmp_path: Path) -> None:
    if not (data_root / LAREQA).is_dir():
        pytest.skip("the data root has no LAReQA")
    result = run(data_root, tmp_path, {"task": "lareqa", "languages": ["en", "de"], "limit": 50})
    scores = {row.language: row.value for row in result if isinstance(row, ScoreRow)}
    assert not [row for row in result if isinstance(row, MissingRow)]
    # n-grams find what shares a script with the question: its own language, and a little more
    assert 5 < scores["de"] < 20
    assert 5 < scores["en"] < 20


def test_bucc_from_end_to_end(data_root: Path, tmp_path: Path) -> None:
    if not (data_root / BUCC).is_file():
        pytest.skip("the data root has no BUCC")
    result = run(data_root, tmp_path, {"task": "bucc", "languages": ["zh"], "split": "validation"})
    (row,) = result
    assert isinstance(row, ScoreRow)
    assert (row.metric, row.n) == ("mining_f1", 8624)
    assert 0 < row.value < 10
    assert "tuned on the items that are scored" in row.notes
