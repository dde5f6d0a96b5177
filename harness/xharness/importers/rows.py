"""From reported scores to score rows, each name checked against the cards, all mistakes at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps.scores import MissingRow, Row, ScoreRow, StatedAverage, columns
from xharness.importers import names
from xharness.importers.reported import ReportedScore
from xharness.phrases import counted, listed
from xharness.plugin.catalogue import Catalogue
from xharness.spec import registry
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split, split_name

_MISTAKES_SHOWN = 20  # mistakes that are listed before the rest is counted
_SPLITS: tuple[Split, ...] = get_args(Split)


def rows(
    reported_scores: Iterable[ReportedScore], catalogue: Catalogue
) -> list[ScoreRow | StatedAverage]:
    """The rows that reported scores stand for, marked published, sizes from the registry.

    Where both parts of a mean of two metrics are stated (exact match and F1), their mean is added.

    Raises:
        ConfigurationError: unknown tasks, metrics or languages, scores out of range, a cell stated
            twice; each with file and line.
    """
    row_of_cell: dict[tuple[Any, ...], tuple[ReportedScore, ScoreRow | StatedAverage]] = {}
    problems: dict[str, list[str]] = defaultdict(list)
    for reported in reported_scores:
        try:
            row = _row(reported, catalogue)
        # All mistakes are gathered: a table of a thousand rows is not mended one error at a time.
        except ConfigurationError as error:
            problems[str(error)].append(reported.location)
            continue
        # The first one counts; any later one about the same cell is a mistake, even an equal one.
        first_statement = row_of_cell.setdefault(cell(row), (reported, row))
        if first_statement[0] is not reported:
            problems[_repeated_cell(reported, row, *first_statement)].append(reported.location)
    if problems:
        raise ConfigurationError("\n".join(_mistakes(problems)))
    rows_in_order = [row for _, row in row_of_cell.values()]
    return [
        *rows_in_order,
        *_means_of_two([row for row in rows_in_order if isinstance(row, ScoreRow)]),
    ]


def cell(row: Row) -> tuple[Any, ...]:
    """What a row is about: two rows about the same cannot stand side by side."""
    if isinstance(row, ScoreRow):
        return (row.model, row.strategy, row.seed, row.task, row.language, row.metric, row.split)
    if isinstance(row, MissingRow):
        return (row.model, row.strategy, row.seed, row.task, row.language, "missing")
    average = (row.task, row.suite, row.metric, row.averaged_over, row.source, row.split)
    return (row.model, row.strategy, row.seed, *average, "mean")


def clashes(old: Iterable[Row], new: Iterable[Row]) -> list[str]:
    """New rows about cells that the old ones already fill with something else."""
    row_of_cell = {cell(row): row for row in old}
    pairs = [(row, row_of_cell.get(cell(row), row)) for row in new]
    return [
        f"{_cell_words(row)}: {_points(row)}, where {_points(old_row)} stands already"
        for row, old_row in pairs
        if old_row != row
    ]


def _row(reported: ReportedScore, catalogue: Catalogue) -> ScoreRow | StatedAverage:
    if not 0 <= reported.value <= 100:
        raise ConfigurationError(
            f"{reported.value:g} lies outside the metric's range", expected="points, 0 to 100"
        )
    name = names.task_name(reported.task, catalogue)
    if name in catalogue.groups.offers:
        return _suite_mean(reported, name, catalogue)
    card = catalogue.card(name)
    metric = names.metric_name(reported.metric, card)
    if reported.language is None:
        return _mean(reported, card, metric, catalogue)
    if metric not in card.metrics:
        raise ConfigurationError(
            f"'{reported.metric}' is no metric of {name}",
            hint=suggestion(reported.metric, card.metrics),
        )
    return _score(reported, card, metric, catalogue)


def _score(reported: ReportedScore, card: TaskCard, metric: str, catalogue: Catalogue) -> ScoreRow:
    language = names.language_code(reported.language or "")
    if language not in card.languages:
        raise ConfigurationError(
            f"'{reported.language}' is no language of {card.name}",
            hint=suggestion(language, card.languages),
        )
    split = _split(reported.split, card)
    # Published rows stand beside measured ones, so they need the same line of chance.
    chance = catalogue.task_types[card.task_type].chance(card)
    return ScoreRow(
        **_arm_names(reported),
        **_size(reported.model),
        seed=reported.seed,
        task=card.name,
        task_type=card.task_type,
        language=language,
        source_language=card.source_language,
        split=split,
        metric=metric,
        main=metric == card.metrics[0],
        value=reported.value,
        chance=None if chance is None else 100 * chance,
        n=reported.n or (card.expected_rows(language, split) if reported.whole_split else None),
        parallel=card.parallel,
        protocol=reported.protocol,
        notes=reported.notes,
        provenance="published",
        source=reported.source,
    )


def _split(name: str | None, card: TaskCard) -> Split:
    normalized = split_name(name or card.eval_split)
    split = next((split for split in _SPLITS if split == normalized), None)
    if split is None:
        raise ConfigurationError(f"'{name}' is no split", hint=suggestion(normalized, _SPLITS))
    return split


def _mean(
    reported: ReportedScore, card: TaskCard, metric: str, catalogue: Catalogue
) -> StatedAverage:
    suite = names.task_name(reported.suite, catalogue) if reported.suite else None
    if suite is not None and suite not in catalogue.groups.offers:
        hint = suggestion(suite, catalogue.groups)
        raise ConfigurationError(f"there is no group '{reported.suite}'", hint=hint)
    return StatedAverage(
        **_arm_names(reported),
        **_mean_values(reported),
        task=card.name,
        suite=suite,
        metric=metric,
        averaged_over="languages",
    )


def _suite_mean(reported: ReportedScore, suite: str, catalogue: Catalogue) -> StatedAverage:
    if reported.language is not None:
        raise ConfigurationError(
            f"'{suite}' is a group of tasks", hint="leave the language empty: it is an average"
        )
    families = tuple(catalogue.groups[suite].families.values())
    return StatedAverage(
        **_arm_names(reported),
        **_mean_values(reported),
        task=None,
        suite=suite,
        metric=reported.metric,
        averaged_over=reported.averaged_over or "tasks",
        families=families if reported.averaged_over == "families" else (),
    )


def _arm_names(reported: ReportedScore) -> dict[str, Any]:
    arm_names = {
        "model": names.arm_label(reported.model),
        "strategy": names.arm_label(reported.strategy),
    }
    for name, text in arm_names.items():
        if not text:
            raise ConfigurationError(f"the {name}'s name has neither ASCII letters nor digits")
    return arm_names


def _mean_values(reported: ReportedScore) -> dict[str, Any]:
    split = split_name(reported.split) if reported.split else None
    # An average has fewer columns than a score; what it lacks, such as the family, stays out.
    size = {
        key: value for key, value in _size(reported.model).items() if key in columns(StatedAverage)
    }
    return size | {
        "mean": reported.value,
        "seed": reported.seed,
        "split": split,
        "protocol": reported.protocol,
        "notes": reported.notes,
        "source": reported.source,
    }


def _size(model: str) -> dict[str, Any]:
    """What the registry knows of a model; nothing where it does not know it."""
    registered_model = registry.find_model(model)
    if registered_model is None:
        return {}
    sizes = {
        "parameters": registered_model.total,
        "embedding_parameters": registered_model.embedding,
    }
    return sizes | {"family": registered_model.family}


def _means_of_two(scores: Sequence[ScoreRow]) -> Iterator[ScoreRow]:
    """The mean of exact match and F1 where one source states both for a cell."""
    cells: dict[tuple[Any, ...], dict[str, ScoreRow]] = defaultdict(dict)
    for row in scores:
        cell = (row.model, row.strategy, row.seed, row.task, row.language, row.split, row.source)
        cells[cell][row.metric] = row
    for score_of_metric in cells.values():
        for mean, parts in names.PARTS_OF_MEAN.items():
            # Where the source states the mean itself, that one stands.
            if mean not in score_of_metric and all(part in score_of_metric for part in parts):
                first, second = (score_of_metric[part] for part in parts)
                yield replace(
                    first,
                    metric=mean,
                    main=True,
                    value=(first.value + second.value) / 2,
                    notes=(*first.notes, f"mean of the stated {listed(parts)}"),
                )


def _repeated_cell(reported: ReportedScore, row: Row, first: ReportedScore, old: Row) -> str:
    repeated = _points(row) == _points(old) and reported.source == first.source
    mistake = "stands a second time" if repeated else f"{_points(row)} contradicts {_points(old)}"
    return f"{_cell_words(row)}: {mistake}; first at {first.location}"


def _cell_words(row: Row) -> str:
    """A row's cell in words."""
    values = (getattr(row, name, None) for name in ("task", "language", "split", "metric"))
    words = [str(value) for value in values if value]
    seed = [f"seed {row.seed}"] if row.seed is not None else []
    return f"{row.model} × {row.strategy}, {', '.join([*words, *seed])}"


def _points(row: Row) -> str:
    if isinstance(row, ScoreRow):
        return f"{row.value:g}"
    return row.reason if isinstance(row, MissingRow) else f"{row.mean:g}"


def _mistakes(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Each mistake once, where it stands first and how often after that."""
    mistakes = []
    for problem, (first_place, *further_places) in problems.items():
        repetition = (
            f" (and in {counted(len(further_places), 'more row')})" if further_places else ""
        )
        mistakes.append(f"{first_place}: {problem.replace(chr(10) + '  ', '; ')}{repetition}")
    hidden_count = len(mistakes) - _MISTAKES_SHOWN
    return [
        *mistakes[:_MISTAKES_SHOWN],
        *([f"… and {hidden_count} more"] if hidden_count > 0 else []),
    ]
