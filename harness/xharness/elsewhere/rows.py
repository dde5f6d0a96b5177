"""From entries to score rows: every name checked against the cards, every mistake told at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from xharness import registry
from xharness.cards import Split, TaskCard
from xharness.catalogue import Catalogue
from xharness.elsewhere import names
from xharness.elsewhere.entries import Entry
from xharness.errors import ConfigurationError, suggestion
from xharness.scores import Mean, Missing, Row, Score

_SHOWN = 20  # mistakes that are listed before the rest is counted
_SPLITS: tuple[Split, ...] = get_args(Split)


def rows(entries: Iterable[Entry], catalogue: Catalogue) -> list[Score | Mean]:
    """The rows that the entries stand for, marked published, sizes from the registry.

    Where both parts of a mean of two metrics are stated (exact match and F1), their mean is added.

    Raises:
        ConfigurationError: unknown tasks, metrics or languages, scores out of range, a cell stated
            twice; each with file and line.
    """
    made: dict[tuple[Any, ...], tuple[Entry, Score | Mean]] = {}
    problems: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        try:
            row = _row(entry, catalogue)
        except ConfigurationError as error:
            problems[str(error)].append(entry.where)
            continue
        before = made.setdefault(cell(row), (entry, row))
        if before[0] is not entry:
            problems[_twice(entry, row, *before)].append(entry.where)
    if problems:
        raise ConfigurationError("\n".join(_listed(problems)))
    found = [row for _, row in made.values()]
    return [*found, *_means_of_two([one for one in found if isinstance(one, Score)])]


def cell(row: Row) -> tuple[Any, ...]:
    """What a row is about: two rows about the same cannot stand side by side."""
    if isinstance(row, Score):
        return (row.model, row.strategy, row.seed, row.task, row.language, row.metric, row.split)
    if isinstance(row, Missing):
        return (row.model, row.strategy, row.seed, row.task, row.language, "missing")
    place = (row.task, row.suite, row.metric, row.over, row.source, row.split)
    return (row.model, row.strategy, row.seed, *place, "mean")


def clashes(old: Iterable[Row], new: Iterable[Row]) -> list[str]:
    """New rows about cells that the old ones already fill with something else."""
    known = {cell(row): row for row in old}
    return [
        f"{_told(row)}: {_value(row)}, where {_value(known[cell(row)])} stands already"
        for row in new
        if known.get(cell(row), row) != row
    ]


def _row(entry: Entry, catalogue: Catalogue) -> Score | Mean:
    if not 0 <= entry.value <= 100:
        raise ConfigurationError(
            f"{entry.value:g} lies outside the metric's range", expected="points, 0 to 100"
        )
    name = names.task(entry.task, catalogue)
    if name in catalogue.groups.offers:
        return _suite_mean(entry, name, catalogue)
    card = catalogue.card(name)
    metric = names.metric(entry.metric, card)
    if entry.language is None:
        return _mean(entry, card, metric, catalogue)
    if metric not in card.metrics:
        raise ConfigurationError(
            f"'{entry.metric}' is no metric of {name}", hint=suggestion(entry.metric, card.metrics)
        )
    return _score(entry, card, metric, catalogue)


def _score(entry: Entry, card: TaskCard, metric: str, catalogue: Catalogue) -> Score:
    language = names.code(entry.language or "")
    if language not in card.languages:
        raise ConfigurationError(
            f"'{entry.language}' is no language of {card.name}",
            hint=suggestion(language, card.languages),
        )
    split = _split(entry.split, card)
    chance = catalogue.kinds[card.kind].chance(card)
    return Score(
        **_arm(entry),
        **_size(entry.model),
        seed=entry.seed,
        task=card.name,
        kind=card.kind,
        language=language,
        source_language=card.source_language,
        split=split,
        metric=metric,
        main=metric == card.metrics[0],
        value=entry.value,
        chance=None if chance is None else 100 * chance,
        n=entry.n or card.expected_rows(language, split),
        parallel=card.parallel,
        protocol=entry.protocol,
        notes=entry.notes,
        provenance="published",
        source=entry.source,
    )


def _split(name: str | None, card: TaskCard) -> Split:
    found = names.split(name or card.scored)
    known = next((one for one in _SPLITS if one == found), None)
    if known is None:
        raise ConfigurationError(f"'{name}' is no split", hint=suggestion(found, _SPLITS))
    return known


def _mean(entry: Entry, card: TaskCard, metric: str, catalogue: Catalogue) -> Mean:
    suite = names.task(entry.suite, catalogue) if entry.suite else None
    if suite is not None and suite not in catalogue.groups.offers:
        hint = suggestion(suite, catalogue.groups)
        raise ConfigurationError(f"there is no group '{entry.suite}'", hint=hint)
    return Mean(
        **_arm(entry), **_stated(entry), task=card.name, suite=suite, metric=metric,
        over="languages",
    )  # fmt: skip


def _suite_mean(entry: Entry, suite: str, catalogue: Catalogue) -> Mean:
    if entry.language is not None:
        raise ConfigurationError(
            f"'{suite}' is a group of tasks", hint="leave the language empty: it is an average"
        )
    families = tuple(catalogue.groups[suite].families.values())
    return Mean(
        **_arm(entry), **_stated(entry), task=None, suite=suite, metric=entry.metric,
        over=entry.over or "tasks", families=families if entry.over == "families" else (),
    )  # fmt: skip


def _arm(entry: Entry) -> dict[str, str]:
    found = {"model": names.label(entry.model), "strategy": names.label(entry.strategy)}
    for name, text in found.items():
        if not text:
            raise ConfigurationError(f"the {name}'s name has neither ASCII letters nor digits")
    return found


def _stated(entry: Entry) -> dict[str, Any]:
    split = names.split(entry.split) if entry.split else None
    size = {key: value for key, value in _size(entry.model).items() if key in Mean.model_fields}
    return size | {
        "mean": entry.value, "seed": entry.seed, "split": split, "protocol": entry.protocol,
        "notes": entry.notes, "source": entry.source,
    }  # fmt: skip


def _size(model: str) -> dict[str, Any]:
    """What the registry knows of a model; nothing where it does not know it."""
    known = registry.find(model)
    if known is None:
        return {}
    sizes = {"parameters": known.total, "embedding_parameters": known.embedding}
    return sizes | {"family": known.family}


def _means_of_two(scores: Sequence[Score]) -> Iterator[Score]:
    """The mean of exact match and F1 where one source states both for a cell."""
    cells: dict[tuple[Any, ...], dict[str, Score]] = defaultdict(dict)
    for row in scores:
        place = (row.model, row.strategy, row.seed, row.task, row.language, row.split, row.source)
        cells[place][row.metric] = row
    for found in cells.values():
        for mean, parts in names.MEANS.items():
            if mean not in found and all(part in found for part in parts):
                first, second = (found[part] for part in parts)
                yield first.model_copy(
                    update={
                        "metric": mean,
                        "main": True,
                        "value": (first.value + second.value) / 2,
                        "notes": (*first.notes, f"mean of the stated {' and '.join(parts)}"),
                    }
                )


def _twice(entry: Entry, row: Row, first: Entry, old: Row) -> str:
    same = _value(row) == _value(old) and entry.source == first.source
    what = "stands a second time" if same else f"{_value(row)} contradicts {_value(old)}"
    return f"{_told(row)}: {what}; first at {first.where}"


def _told(row: Row) -> str:
    """A row's cell in words."""
    values: Mapping[str, Any] = row.model_dump(include={"task", "language", "metric", "split"})
    place = [str(one) for one in values.values() if one]
    seed = [f"seed {row.seed}"] if row.seed is not None else []
    return f"{row.model} × {row.strategy}, {', '.join([*place, *seed])}"


def _value(row: Row) -> str:
    if isinstance(row, Score):
        return f"{row.value:g}"
    return row.reason if isinstance(row, Missing) else f"{row.mean:g}"


def _listed(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Each mistake once, where it stands first and how often after that."""
    told = []
    for problem, (first, *others) in problems.items():
        again = f" (and in {len(others)} more rows)" if others else ""
        told.append(f"{first}: {problem.replace(chr(10) + '  ', '; ')}{again}")
    more = len(told) - _SHOWN
    return [*told[:_SHOWN], *([f"… and {more} more"] if more > 0 else [])]
