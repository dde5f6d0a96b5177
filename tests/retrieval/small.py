"""A small world of retrieval tasks: cards, files with their rows, and runs of studies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import xharness_baselines.plugin
import xharness_hub.plugin
import xharness_strategies.plugin
from tests.toy import _BuiltinTaskTypes
from xharness.data.reader import DataReader
from xharness.executor import RunContext, RunReport, collect
from xharness.executor.sequential import SequentialExecutor
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin import manager as plugin_loading
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Provider
from xharness.spec.study import Study
from xharness.store import Store

ABOUT = {"title": "t", "summary": "s.", "license": "CC0-1.0", "citation": "c"}
WORDS = {
    "en": ["house", "river", "stone", "cloud", "bird", "road"],
    "de": ["hausen", "rivers", "steine", "clouds", "birde", "roads"],
}


class _Cards:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @hookimpl
    def xharness_task_cards(self) -> Iterable[Traversable]:
        return [self._folder]


def catalogue(folder: Path) -> Catalogue:
    """The built-in task types, strategies, sources and baselines, and the cards in `folder`."""
    loaded = plugin_loading.load(installed=False)
    loaded.add(_BuiltinTaskTypes(), Provider("builtin"))
    loaded.add(xharness_strategies.plugin, Provider("strategies"))
    loaded.add(xharness_hub.plugin, Provider("hub"))
    loaded.add(xharness_baselines.plugin, Provider("baselines"))
    loaded.add(_Cards(folder), Provider("cards"))
    assert not loaded.broken, loaded.broken
    return Catalogue(loaded)


def card(
    folder: Path, name: str, task_type: str, fields: Mapping[str, Any], **options: Any
) -> None:
    """Write a card whose rows are read from `<name>-<language>-<split>.jsonl`."""
    path = f"{name}-{{language}}-{{split}}.jsonl"
    values = {
        "name": name,
        "task_type": task_type,
        "role": "target",
        "sources": [{"from": "file", "reader": "jsonl", "path": path, "splits": {"test": "test"}}],
        "languages": ["en", "de"],
        "fields": fields,
        "about": ABOUT,
        **options,
    }
    (folder / f"{name}.yaml").write_text(json.dumps(values))


def rows(folder: Path, name: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Write `<name>.jsonl`."""
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in values))


def retrieval(folder: Path, languages: str = "all") -> None:
    """Questions, and passages that answer them: number n of either language answers question n."""
    card(
        folder, "asks", "retrieval", {"id": "id", "query": "text"}, metrics=["map_at_20"],
        index={"card": "says", "languages": languages}, parallel=True,
    )  # fmt: skip
    card(
        folder, "says", "corpus", {"id": "id", "text": "text", "answers": "answers"},
        role="corpus", rows={"test": 6},
    )  # fmt: skip
    for language, words in WORDS.items():
        candidate_rows = [
            {"id": n, "text": word, "answers": [str(n)]} for n, word in enumerate(words)
        ]
        rows(folder, f"asks-{language}-test", candidate_rows)
        rows(
            folder,
            f"says-{language}-test",
            [row | {"text": row["text"] + "."} for row in candidate_rows],
        )


def mining(folder: Path) -> None:
    """A German text of which every second sentence has a translation, for tuning and for test."""
    splits = {"validation": "validation", "test": "test"}
    path = "{name}-{{language}}-{{split}}.jsonl"
    for name, task_type, fields, options in (
        ("mined", "bitext_mining", {"id": "id", "text": "text", "match": "match"},
         {"metrics": ["mining_f1"], "index": {"card": "english"}, "threshold_split": "validation"}),
        ("english", "corpus", {"id": "id", "text": "text"}, {"role": "corpus"}),
    ):  # fmt: skip
        source = {"from": "file", "reader": "jsonl", "path": path.format(name=name)}
        card(
            folder, name, task_type, fields, languages=["de"], source_language=None,
            sources=[source | {"splits": splits}], **options,
        )  # fmt: skip
    for split, turn in (("validation", 0), ("test", 1)):
        pairs, lines = [], []
        for n, (word, english) in enumerate(zip(WORDS["de"], WORDS["en"], strict=True)):
            right = n % 2 == turn
            pairs.append({"id": f"d{n}", "text": f"{word} {n}", "match": f"e{n}" if right else ""})
            lines.append({"id": f"e{n}", "text": f"{english} {n}" if right else f"nothing{n}{n}"})
        rows(folder, f"mined-de-{split}", pairs)
        rows(folder, f"english-de-{split}", lines)


def plan(folder: Path, **changes: Any) -> tuple[Plan, RunContext]:
    """The plan of a study in that world."""
    values = {
        "name": "small",
        "models": [{"name": "m", "backend": "ngrams", "bits": 10}],
        "strategies": ["single"],
        "targets": ["asks"],
    }
    study = Study.model_validate(values | changes)
    environment = RunEnvironment(base=folder, cache=folder / "cache", offline=True)
    shelves = catalogue(folder)
    data = DataReader(shelves, environment)
    compiled = compile_plan(PlanningContext(study, shelves, data.data_slice, environment))
    return compiled, RunContext(shelves, data, Store(folder / "store"), environment, study.runtime)


def run(
    folder: Path, **changes: Any
) -> tuple[Plan, RunContext, RunReport, list[ScoreRow | MissingRow]]:
    """What a study in that world comes to."""
    compiled, work = plan(folder, **changes)
    report = SequentialExecutor().run(compiled, work)
    return compiled, work, report, collect(compiled, work, report)
