"""`xharness show`: what a run's folder or a stage in the store holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError, nearest
from xharness.phrases import counted
from xharness.session.options import RunOptions

_FEW = 5  # items, where no number is asked for
_NAMED = 8  # stages of a run, where one is to be named
_PUBLISHED = "published"
_MARKS = ("item", "language", "right")

if TYPE_CHECKING:
    from xharness.gaps.scores import Row
    from xharness.store import Store


ItemCount = Annotated[
    int,
    typer.Option("--items", metavar="N", min=0, help="Show the first N items of each language."),
]
OnlyWrong = Annotated[bool, typer.Option("--wrong", help="Only items that are answered wrong.")]
Against = Annotated[
    str | None,
    typer.Option("--against", metavar="STAGE", help="Put the answers of another stage beside."),
]


@flags.options_from("store", "data_root", "plugins", "cards", "languages", "offline")
def show(
    options: RunOptions,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A folder of a run, or the start of a stage's key."),
    ],
    items: ItemCount = 0,
    wrong: OnlyWrong = False,
    against: Against = None,
    json: flags.Json = False,
) -> None:
    """Show a run or a stage: facts and files; of a stage that predicts or scores, its items.

    \b
    xharness show runs/demo
    xharness show 3f9a21
    xharness show 3f9a21 --items 5 --language sw --wrong --against 81c04d
    xharness show runs/mine --wrong
    """
    folder = Path(name) if Path(name).is_dir() else None
    if items or wrong or against:
        request = ItemRequest(items or _FEW, only_wrong=wrong, against=against)
        stage = name if folder is None else _only_stage(folder)
        _show_items(stage, request, options, _store(options, folder), as_json=json)
    elif folder is not None:
        _show_run(folder, as_json=json)
    else:
        _show_stage(name, _store(options, None), as_json=json)


def _store(options: RunOptions, folder: Path | None) -> Store:
    """The store that the options name, else the one of the study in a run's folder."""
    from xharness.leaderboard.board import STUDY
    from xharness.session.environment import open_store
    from xharness.spec import study

    if folder is None or not (folder / STUDY).is_file():
        return open_store(options.store, None, Path.cwd())
    return open_store(options.store, study.load(folder / STUDY)[0], folder)


@dataclass(frozen=True)
class ItemRequest:
    """Which items of a stage are shown."""

    count: int
    """Of each language."""
    only_wrong: bool
    against: str | None


def _only_stage(folder: Path) -> str:
    """The key of the stage that scored all of a run.

    Raises:
        ConfigurationError: there are several, or none, and which one is meant is not said.
    """
    rows = _scored_tasks(_rows(folder))
    stages = [row for row in rows if row["score stage"] != _PUBLISHED]
    if len(stages) == 1:
        return str(stages[0]["score stage"])
    names = [
        f"{row['score stage']}  {row['model']} · {row['strategy']} · {row['task']} · "
        f"seed {row['seed']}"
        for row in stages[:_NAMED]
    ]
    more = len(stages) - len(names)
    lines = [*names, *([f"… and {more} more: xharness show {folder}"] if more else [])]
    raise ConfigurationError(
        f"{counted(len(stages), 'stage')} scored this run, and items are those of one",
        where=str(folder),
        hint="\n  ".join(["name it:", *lines]) if stages else None,
    )


def _show_items(
    prefix: str, request: ItemRequest, options: RunOptions, store: Store, *, as_json: bool
) -> None:
    from xharness.console import show_json
    from xharness.session.items import open_items, paired

    stage_items = open_items(options, store)
    keys = [stage_key(name, store) for name in (prefix, request.against) if name is not None]
    rows: list[dict[str, Any]] = []
    for language in stage_items.chosen_languages(keys[0], options.languages):
        answered = [
            row
            for row in paired(stage_items, keys, language)
            if not (request.only_wrong and row["right"])
        ]
        rows += answered[: request.count]
        if not as_json:
            noun = "wrong items" if request.only_wrong else "items"
            print(f"# {language}: {min(len(answered), request.count)} of {len(answered)} {noun}\n")
            print("\n".join(map(_item_text, answered[: request.count])))
    if as_json:
        show_json(rows)


def _item_text(row: dict[str, Any]) -> str:
    mark = "right" if row["right"] else "wrong"
    lines = [f"item {row['item']}, {mark}"]
    lines += [f"  {name:<8} {text}" for name, text in row.items() if name not in _MARKS and text]
    return "\n".join(lines) + "\n"


def _show_run(folder: Path, *, as_json: bool) -> None:
    from xharness.console import show_json, show_table
    from xharness.gaps.scores import MissingRow, ScoreRow, StatedAverage, record

    rows = _rows(folder)
    if as_json:
        show_json([record(row) for row in rows])
        return
    tasks = _scored_tasks(rows)
    show_table(tasks, title=str(folder), right=("languages",))
    # Published rows have no stage, and so no items.
    stages = [row["score stage"] for row in tasks if row["score stage"] != _PUBLISHED]
    if stages:
        print(f"its items: xharness show {stages[0]} --items 5 --wrong")
    notes = Counter(note for row in rows if isinstance(row, ScoreRow) for note in row.notes)
    note_rows = [{"scores": count, "note": note} for note, count in notes.items()]
    show_table(note_rows, title="notes", right=("scores",))
    means = [row for row in rows if isinstance(row, StatedAverage)]
    if means:
        print(f"{counted(len(means), 'stated average')} of publications")
    missing = [record(row) for row in rows if isinstance(row, MissingRow)]
    show_table(missing, title="missing")


def _rows(folder: Path) -> list[Row]:
    from xharness.gaps import scores
    from xharness.leaderboard.board import SCORES

    if not (folder / SCORES).is_file():
        raise ConfigurationError(f"there is no {SCORES} here", where=str(folder))
    return list(scores.read(folder / SCORES))


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
            "score stage": stage[:12] if stage else _PUBLISHED,
        }
        for (model, strategy, seed, task, stage), count in languages.items()
    ]


def _show_stage(prefix: str, store: Store, *, as_json: bool) -> None:
    from xharness.console import show_json
    from xharness.spec import documents
    from xharness.stages.label import StageLabel
    from xharness.store import FAILURE

    key = stage_key(prefix, store)
    folder = store.folder(key)
    facts: dict[str, Any] = {"key": key, "folder": str(folder), "finished": store.has_facts(key)}
    if store.has_facts(key):
        facts |= asdict(store.receipt(key))
    elif (folder / FAILURE).is_file():
        facts["failure"] = (folder / FAILURE).read_text(encoding="utf-8")
    if as_json:
        show_json(facts)
        return
    if "facts" in facts:
        # Stored as fields, which programs read; people read it as one line.
        facts["facts"]["label"] = str(StageLabel(**facts["facts"]["label"]))
    files = sorted(facts.pop("files", {}))
    print(documents.dump({**facts, "files": files}), end="")


def stage_key(prefix: str, store: Store) -> str:
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
    folder = Path(prefix)
    neighbours = [str(path) for path in folder.parent.glob("*") if path.is_dir()]
    near = nearest(str(folder), neighbours)
    raise ConfigurationError(
        f"there is no folder '{prefix}', and no stage whose key starts so",
        where=str(store.root),
        hint=f"did you mean '{near}'?" if near else "name the store with --store",
    )
