"""`xharness show`: what a run's folder or a stage in the store holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.gaps.scores import Row
    from xharness.store import Store


@flags.options_from("store")
def show(
    options: RunOptions,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A folder of a run, or the start of a stage's key."),
    ],
    json: flags.Json = False,
) -> None:
    """Show a run or a stage: facts and files.

    \b
    xharness show runs/demo
    xharness show 3f9a21
    """
    from xharness.session.environment import open_store

    if Path(name).is_dir():
        _show_run(Path(name), as_json=json)
    else:
        _show_stage(name, open_store(options.store, None, Path.cwd()), as_json=json)


def _show_run(folder: Path, *, as_json: bool) -> None:
    from xharness.console import show_json, show_table
    from xharness.gaps import scores
    from xharness.gaps.scores import MissingRow, ScoreRow, StatedAverage, record
    from xharness.leaderboard.board import SCORES

    if not (folder / SCORES).is_file():
        raise ConfigurationError(f"there is no {SCORES} here", where=str(folder))
    rows = list(scores.read(folder / SCORES))
    if as_json:
        show_json([record(row) for row in rows])
        return
    show_table(_scored_tasks(rows), title=str(folder), right=("languages",))
    notes = Counter(note for row in rows if isinstance(row, ScoreRow) for note in row.notes)
    note_rows = [{"scores": count, "note": note} for note, count in notes.items()]
    show_table(note_rows, title="notes", right=("scores",))
    means = [row for row in rows if isinstance(row, StatedAverage)]
    if means:
        print(f"{len(means)} stated averages of publications")
    missing = [record(row) for row in rows if isinstance(row, MissingRow)]
    show_table(missing, title="missing")


def _scored_tasks(rows: list[Row]) -> list[dict[str, Any]]:
    """One row an arm, seed and task: in how many languages it is scored, by which stage."""
    from xharness.gaps.scores import ScoreRow

    languages = Counter(
        (row.model, row.strategy, row.seed, row.task, row.stage)
        for row in rows
        if isinstance(row, ScoreRow) and row.main
    )
    return [
        {
            "model": model,
            "strategy": strategy,
            "seed": str(seed),
            "task": task,
            "languages": count,
            "score stage": stage[:12] if stage else "published",
        }
        for (model, strategy, seed, task, stage), count in languages.items()
    ]


def _show_stage(prefix: str, store: Store, *, as_json: bool) -> None:
    from xharness.console import show_json
    from xharness.spec import documents
    from xharness.stages.label import StageLabel

    key = _stage_key(prefix, store)
    folder = store.folder(key)
    facts: dict[str, Any] = {"key": key, "folder": str(folder), "finished": store.has_facts(key)}
    if store.has_facts(key):
        facts |= asdict(store.receipt(key))
    elif (folder / "failure.txt").is_file():
        facts["failure"] = (folder / "failure.txt").read_text(encoding="utf-8")
    if as_json:
        show_json(facts)
        return
    if "facts" in facts:
        facts["facts"]["label"] = str(StageLabel(**facts["facts"]["label"]))
    files = sorted(facts.pop("files", {}))
    print(documents.dump({**facts, "files": files}), end="")


def _stage_key(prefix: str, store: Store) -> str:
    """The key of the only stage whose key starts with `prefix`."""
    keys = []
    # It becomes part of a pattern, so nothing else may be in it.
    if prefix.isalnum():
        pattern = f"{prefix[:2]}/{prefix}*" if len(prefix) > 1 else f"{prefix}*/*"
        keys = sorted(path.name for path in store.root.glob(pattern) if path.is_dir())
    if len(keys) == 1:
        return keys[0]
    if keys:
        examples = ", ".join(name[:16] for name in keys[:4])
        raise ConfigurationError(f"'{prefix}' fits {len(keys)} stages", hint=f"such as {examples}")
    raise ConfigurationError(
        f"there is no folder '{prefix}', and no stage whose key starts so",
        where=str(store.root),
        hint="name the store with --store",
    )
