"""The main scores of one arm on one task, as a grid of seeds x languages without holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xharness.errors import ConfigurationError
from xharness.gaps.scores import Missing, Score
from xharness.gaps.values import Seed
from xharness.spec.languages import name_of

_ALIKE = ("task_type", "metric", "split", "protocol", "provenance", "source_language", "chance")
_SHOWN = 6  # languages named in a note before it says how many more


@dataclass(frozen=True)
class Cells:
    """Rows by (seed, language), complete; `problem` says why there are none."""

    model: str
    strategy: str
    task: str
    rows: Mapping[tuple[Seed, str], Score] = field(default_factory=dict)
    seeds: tuple[Seed, ...] = ()
    languages: tuple[str, ...] = ()
    source_language: str | None = None
    problem: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def any_row(self) -> Score:
        """One of the rows: they agree in metric, split, protocol and chance."""
        return next(iter(self.rows.values()))

    @property
    def others(self) -> tuple[str, ...]:
        """The languages beside the source language."""
        return tuple(one for one in self.languages if one != self.source_language)


def arrange(
    rows: Iterable[Score | Missing], references: Mapping[str, str] | None = None
) -> dict[str, list[Cells]]:
    """The rows by task, in alphabetical order, each arm with its grid.

    `references` names, for a task without a test set in the source language, another task whose
    source-language score stands in.

    Raises:
        ConfigurationError: two rows for one cell.
    """
    scores: dict[tuple[str, str, str], list[Score]] = defaultdict(list)
    missing: dict[tuple[str, str, str], list[Missing]] = defaultdict(list)
    for row in _referred(list(rows), references or {}):
        place = (row.task, row.model, row.strategy)
        if isinstance(row, Missing):
            missing[place].append(row)
        elif row.main:
            scores[place].append(row)
    tasks: dict[str, list[Cells]] = defaultdict(list)
    for task, model, strategy in sorted(scores.keys() | missing.keys()):
        place = (task, model, strategy)
        tasks[task].append(_cells(Cells(model, strategy, task), scores[place], missing[place]))
    return dict(tasks)


def _referred(
    rows: Sequence[Score | Missing], references: Mapping[str, str]
) -> Iterator[Score | Missing]:
    """The rows, and the source-language scores that tasks borrow."""
    sources = {row.task: row.source_language for row in rows if isinstance(row, Score)}
    splits = {row.task: row.split for row in rows if isinstance(row, Score)}
    asked = {(row.model, row.strategy, row.task) for row in rows}
    for row in rows:
        reference = sources.get(references.get(row.task, ""))
        lacking = isinstance(row, Score) and row.source_language is None
        yield row.model_copy(update={"source_language": reference}) if lacking else row
        if not isinstance(row, Score) or row.language != row.source_language:
            continue
        for task in (one for one, other in references.items() if other == row.task):
            if (row.model, row.strategy, task) not in asked:
                continue
            note = f"{name_of(row.language)} is the {row.split} split of {row.task}"
            place = {"task": task, "split": splits.get(task, row.split)}
            yield row.model_copy(update={**place, "notes": (*row.notes, note)})


def _cells(empty: Cells, scores: Sequence[Score], missing: Sequence[Missing]) -> Cells:
    arm = (empty.model, empty.strategy, empty.task)
    gone = [row for row in missing if row.language is None]
    absent = {row.language: row.reason for row in missing if row.language is not None}
    problem = _conflict(scores) if scores else _reasons(missing)
    grid = _grid(scores)
    languages = sorted({language for _, language in grid})
    seeds = sorted({seed for seed, _ in grid}, key=_by_seed)
    whole = tuple(one for one in seeds if all((one, language) in grid for language in languages))
    if problem is None and not whole:
        problem = "no seed has a score in every language"
    if problem is not None:
        return Cells(*arm, problem=problem, absent=absent, notes=_lost(gone) if scores else ())
    rows = {place: row for place, row in grid.items() if place[0] in whole}
    notes = (*_said(list(rows.values())), *_partial(seeds, whole), *_lost(gone))
    absent = {language: why for language, why in absent.items() if language not in languages}
    notes += tuple(f"without {name_of(one)}: {why}" for one, why in sorted(absent.items()))
    source = scores[0].source_language
    return Cells(*arm, rows, whole, tuple(languages), source, None, absent, notes)


def _grid(scores: Sequence[Score]) -> dict[tuple[Seed, str], Score]:
    grid: dict[tuple[Seed, str], Score] = {}
    for row in scores:
        if (row.seed, row.language) in grid:
            raise ConfigurationError(
                f"two scores for one cell: {row.metric} of {row.language}, seed {row.seed}",
                where=f"{row.model}, {row.strategy}, {row.task}",
                hint="keep the one that counts",
            )
        grid[row.seed, row.language] = row
    return grid


def _conflict(scores: Sequence[Score]) -> str | None:
    """Why these rows must not be averaged, if they differ in what they measure."""
    for name in _ALIKE:
        found = {str(getattr(row, name)) for row in scores}
        if len(found) > 1:
            return f"unlike rows: {name.replace('_', ' ')} {' and '.join(sorted(found))}"
    return None


def _reasons(missing: Sequence[Missing]) -> str:
    return "; ".join(dict.fromkeys(row.reason for row in missing))


def _said(rows: Sequence[Score]) -> tuple[str, ...]:
    """What the rows note; a note that only some languages carry names them."""
    carriers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for note in row.notes:
            carriers[note].add(row.language)
    everywhere = {row.language for row in rows}
    return tuple(
        note if found == everywhere else f"{note} ({_named(sorted(found))})"
        for note, found in sorted(carriers.items())
    )


def _named(codes: Sequence[str]) -> str:
    more = len(codes) - _SHOWN
    return ", ".join(codes[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _partial(seeds: Sequence[Seed], whole: Sequence[Seed]) -> tuple[str, ...]:
    left = [str(seed) for seed in seeds if seed not in whole]
    return (f"seed {', '.join(left)} left out: not every language has a score",) if left else ()


def _lost(gone: Sequence[Missing]) -> tuple[str, ...]:
    """What is said of whole seeds that have no score."""
    told = (f"seed {row.seed}" if row.seed is not None else "a seed" for row in gone)
    return tuple(f"without {seed}: {row.reason}" for seed, row in zip(told, gone, strict=True))


def _by_seed(seed: Seed) -> tuple[bool, int]:
    return seed is not None, seed or 0
