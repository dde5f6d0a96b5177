"""Small folders of files that a stranger may have written, and the commands that read them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cli.project import fresh
from tests.hostile import models, row_files
from tests.importers.test_harnesses import EUROEVAL, LM_EVAL, MTEB
from tests.submission import handmade


@dataclass(frozen=True)
class Target:
    """What is changed, and the command that then reads it."""

    name: str
    path: str | None
    """A file of the scene; None where a word of the command itself is changed."""
    words: tuple[str, ...]


Scene = Callable[[Path], list[Target]]
"""Fills an empty folder, and says what can be changed in it."""

_STUDY = ("study.yaml", "--cards", "cards", "--store", "store", "--offline")
_PLAN, _RUN = ("plan", *_STUDY), ("run", *_STUDY)


def project(folder: Path) -> list[Target]:
    """A study that was run: what its user was sent, and what is left of the run."""
    small = fresh(folder)
    small.study |= {"models": [{"name": "most", "backend": "majority"}], "targets": ["few"]}
    groups = "groups: {few: {title: Few, tasks: [{task: mood, languages: [en, de]}]}}\n"
    (folder / "cards" / "groups.yaml").write_text(groups, encoding="utf-8")
    (folder / "plugin.py").write_text("from xharness import hookimpl\n\nNAME = 'x'\n")
    (folder / "xharness.lock").write_text('{"datasets": {}, "urls": {}}\n')
    result = small.write().run("--offline")
    assert result.exit_code == 0, result.stderr
    shutil.copytree(folder, folder.with_name("other"))
    folder.with_name("other").rename(folder / "other")
    return [
        Target("study", "study.yaml", _PLAN),
        Target("study, run", "study.yaml", _RUN),
        Target("card", "cards/mood.yaml", ("cards", "validate", "cards/mood.yaml")),
        Target("card, planned", "cards/mood.yaml", _PLAN),
        Target("card, listed", "cards/mood.yaml", ("cards", "docs", "pages", "--cards", "cards")),
        Target("groups", "cards/groups.yaml", _PLAN),
        Target("groups, listed", "cards/groups.yaml", (*_LIST, "--group", "few")),
        Target("plugin", "plugin.py", ("plugins", "--plugin", "plugin.py")),
        Target("lock file", "xharness.lock", _PLAN),
        *_flags(),
        *_boards(),
        *_stored(folder),
    ]


_LIST = ("cards", "list", "--cards", "cards")


def _flags() -> Iterable[Target]:
    few = ("-l", "en,de", "--seed", "1,2", "--limit", "5", "--split", "test")
    yield Target("flags of plan", None, (*_PLAN, *few, "--budget", "20h", "--device", "h100"))
    yield Target("flags of run", None, (*_RUN, *few, "--executor", "sequential", "--device", "cpu"))
    model = ("--model", "majority", "--tasks", "mood", "--strategy", "single", "--seeds", "2")
    yield Target("flags of eval", None, ("eval", *model, "-l", "en,de", *_STUDY[1:]))
    yield Target("flags of compare", None, ("compare", "most:single", "most", "--run", "other"))
    yield Target("flags of cards", None, (*_LIST, "--group", "few", "--role", "target"))
    yield Target("flags of new", None, ("new", "card", "mine", "--task-type", "tagging"))


def _boards() -> Iterable[Target]:
    """A folder that somebody sent: rows, evidence, and the pages made of them."""
    board = "other/scores.jsonl"
    yield Target("board", board, ("leaderboard", "build", "other"))
    yield Target("board, checked", board, ("leaderboard", "check", "other"))
    yield Target("board, compared", board, ("compare", ".", "other"))
    yield Target("board, shown", board, ("show", "other"))
    for form in ("csv", "parquet", "every-eval-ever"):
        words = ("leaderboard", "export", "other", "--to", "exports", "--format", form)
        yield Target(f"board, exported as {form}", board, words)
    yield Target("evidence", "other/evidence.parquet", ("leaderboard", "build", "other"))
    yield Target("evidence, compared", "other/evidence.parquet", ("compare", ".", "other"))
    yield Target("page", "other/leaderboard.md", ("leaderboard", "check", "other"))


def _stored(folder: Path) -> Iterable[Target]:
    """What runs left in a store and a cache."""
    for receipt in sorted((folder / "store").glob("??/*/receipt*.json")):
        stage, stage_folder = json.loads(receipt.read_text())["facts"]["stage"], receipt.parent
        words = ("show", stage_folder.name[:8], "--items", "3", *_STUDY[1:])
        yield Target(f"receipt of {stage}", _name(receipt, folder), _RUN)
        yield Target(f"receipt of {stage}, shown", _name(receipt, folder), words)
        for file in sorted(stage_folder.rglob("*.parquet")):
            yield Target(f"{file.name} of {stage}, shown", _name(file, folder), words)
        for file in sorted(stage_folder.rglob("*.json")):
            if file != receipt:
                yield Target(f"{file.name} of {stage}", _name(file, folder), _RUN)
    yield Target("digests", "cache/digests.json", _PLAN)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def rows(folder: Path) -> list[Target]:
    """A card for each reader and task type, and the rows that it reads."""
    cards = row_files.write(folder)
    return [
        Target(f"rows of {card}", path, ("cards", "validate", f"cards/{card}.yaml", *_LOOK))
        for card, path in cards.items()
    ]


_LOOK = ("--rows", "1000", "--data-root", ".", "--offline")


def run_on_rows(folder: Path) -> list[Target]:
    """A study whose model learns from the rows that are changed."""
    small = fresh(folder)
    small.study["models"] = [{"name": "grams", "backend": "ngrams", "bits": 6}]
    small.write()
    return [
        Target(f"{name}, run", f"data/{name}", _RUN)
        for name in ("mood.en.train.jsonl", "mood.en.test.jsonl", "mood.sw.test.jsonl")
    ]


def clone(folder: Path) -> list[Target]:
    """A data set of the hub, as it is cloned into a data root."""
    files = row_files.write_clone(folder)
    return [
        Target(f"clone: {path}", f"org/{path}", ("cards", "validate", card, *_LOOK))
        for path, card in files
    ]


def submission(folder: Path) -> list[Target]:
    """Predictions in official formats, and the right answers."""
    handmade.write(folder)
    words = ("score", "--suite", "tiny", "--cards", "cards", "--predictions", "predictions")
    words = (*words, "--labels", "labels", "--json", "scores.json")
    files = {path.partition("/")[0]: path for path in handmade.LABELS}
    return [
        Target(f"{part}: {name}", f"{part}/{name}", words)
        for part in ("predictions", "labels")
        for name in files.values()
    ] + [Target("flags of score", None, (*words, "--tasks", "xnli,xquad", "-l", "en,de"))]


def imports(folder: Path) -> list[Target]:
    """Results as other tools write them."""
    table = "model,task,metric,language,score\nm,xnli,accuracy,de,70.5\nm,xnli,accuracy,,72\n"
    files = {
        "table.csv": table,
        "results_2026.json": json.dumps(LM_EVAL),
        "lines.jsonl": json.dumps(EUROEVAL) + "\n",
        "Tatoeba.json": json.dumps(MTEB),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    words = ("import", "table.csv", "--set", "seed=1", "--map", "score=score", "--to", "imported")
    return [
        *(Target(f"import: {name}", name, ("import", name, "--to", "imported")) for name in files),
        Target("flags of import", None, words),
    ]


def conversions(folder: Path) -> list[Target]:
    """Data that only its owner has, as its publisher hands it out."""
    return [
        Target(f"convert {name}", path, ("convert", name, name, "--to", "converted"))
        for name, path in row_files.write_private(folder).items()
    ]


def published_models(folder: Path) -> list[Target]:
    """Model folders that a study names."""
    return [Target(name, path, words) for name, path, words in models.write(folder)]


LIGHT: dict[str, Scene] = {
    "project": project,
    "rows": rows,
    "runs": run_on_rows,
    "clone": clone,
    "submission": submission,
    "imports": imports,
    "conversions": conversions,
}
ALL: dict[str, Scene] = LIGHT | {"models": published_models}
"""Those of models take seconds to import what reads them."""
