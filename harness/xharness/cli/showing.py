"""`xharness show`: what a run's folder or a stage in the store tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xharness.console import show_json, show_table
from xharness.errors import ConfigurationError
from xharness.gaps import scores
from xharness.gaps.scores import Mean, Missing, Score
from xharness.leaderboard.board import SCORES
from xharness.session.session import open_store
from xharness.spec import documents
from xharness.store import Store


def show(what: str, store: Path | None, *, as_json: bool) -> None:
    """Print a run's scores and stages, or one stage's receipt."""
    if Path(what).is_dir():
        _show_run(Path(what), as_json=as_json)
    else:
        _show_stage(what, open_store(store, None, Path.cwd()), as_json=as_json)


def _show_run(folder: Path, *, as_json: bool) -> None:
    if not (folder / SCORES).is_file():
        raise ConfigurationError(f"there is no {SCORES} here", where=str(folder))
    rows = list(scores.read(folder / SCORES))
    if as_json:
        show_json([row.model_dump(mode="json") for row in rows])
        return
    found = Counter(
        (row.model, row.strategy, row.seed, row.task, row.stage)
        for row in rows
        if isinstance(row, Score) and row.main
    )
    table = [
        {
            "model": model,
            "strategy": strategy,
            "seed": str(seed),
            "task": task,
            "languages": count,
            "score stage": stage[:12] if stage else "published",
        }
        for (model, strategy, seed, task, stage), count in found.items()
    ]
    show_table(table, title=str(folder), right=("languages",))
    notes = Counter(note for row in rows if isinstance(row, Score) for note in row.notes)
    told = [{"scores": count, "note": note} for note, count in notes.items()]
    show_table(told, title="notes", right=("scores",))
    stated = [row for row in rows if isinstance(row, Mean)]
    if stated:
        print(f"{len(stated)} stated averages of publications")
    absent = [row.model_dump() for row in rows if isinstance(row, Missing)]
    show_table(absent, title="missing")


def _show_stage(prefix: str, store: Store, *, as_json: bool) -> None:
    key = _find(prefix, store)
    folder = store.folder(key)
    told: dict[str, Any] = {"key": key, "folder": str(folder), "finished": store.has(key)}
    if store.has(key):
        told |= asdict(store.receipt(key))
    elif (folder / "failure.txt").is_file():
        told["failure"] = (folder / "failure.txt").read_text(encoding="utf-8")
    if as_json:
        show_json(told)
        return
    files = sorted(told.pop("files", {}))
    print(documents.dump({**told, "files": files}), end="")


def _find(prefix: str, store: Store) -> str:
    """The one stage whose key starts with `prefix`."""
    found = []
    if prefix.isalnum():
        pattern = f"{prefix[:2]}/{prefix}*" if len(prefix) > 1 else f"{prefix}*/*"
        found = sorted(path.name for path in store.root.glob(pattern) if path.is_dir())
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(name[:16] for name in found[:4])
        raise ConfigurationError(f"'{prefix}' fits {len(found)} stages", hint=f"such as {shown}")
    raise ConfigurationError(
        f"there is no folder '{prefix}', and no stage whose key starts so",
        where=str(store.root),
        hint="name the store with --store",
    )
