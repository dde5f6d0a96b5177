"""What others published: every such row with its source, and stated averages beside their cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from xharness.gaps.cells import levels, notes_of
from xharness.gaps.scores import ScoreRow, StatedAverage
from xharness.leaderboard.board import Board, is_published
from xharness.leaderboard.published_averages import CheckedAverage, check_averages
from xharness.leaderboard.text import Footnotes, escape, known_points, points, table
from xharness.phrases import counted, listed


def section(board: Board) -> list[str]:
    """The section of published rows; empty where a board has none."""
    rows = [row for row in board.scores if is_published(row)]
    if not rows and not board.stated_averages:
        return []
    intro = (
        "Measured by others, at the sources named; aggregated by the same code as measured rows, "
        "and never averaged with them."
    )
    checked = check_averages(board.stated_averages, board.scores)
    if contradicted := [average for average in checked if average.contradicted]:
        model_names = listed(
            f"{escape(average.stated.model)} ({_subject(average.stated)})"
            for average in contradicted
        )
        intro += f" Averages that the source's own cells contradict: {model_names}."
    lines = ["## Published rows", "", intro, "", *_by_task(board, rows)]
    return [*lines, *_language_averages(checked), *_suites(checked)]


def _by_task(board: Board, rows: Sequence[ScoreRow]) -> list[str]:
    """One line for each arm, task, metric and source."""
    grouped: dict[tuple[str, ...], list[ScoreRow]] = defaultdict(list)
    for row in rows:
        key = (row.task, row.metric, row.model, row.strategy, row.split, row.protocol)
        grouped[*key, row.source or "no source given"].append(row)
    if not grouped:
        return []
    order = {task: index for index, task in enumerate(board.tasks)}
    # By source within a metric: rows of one paper stand together.
    keys = sorted(grouped, key=lambda key: (order[key[0]], key[1], key[6], key[2:]))
    notes = Footnotes()
    lines = [_line(key, grouped[key], notes) for key in keys]
    header = [
        "task", "metric", "model", "strategy", "split", "protocol", "source", "seeds",
        "languages", board.source_name, "others", "gap",
    ]  # fmt: skip
    return [*table(header, lines, 7), *notes.lines(), ""]


def _line(key: tuple[str, ...], rows: Sequence[ScoreRow], notes: Footnotes) -> list[str]:
    task, metric, model, strategy, split, protocol, source = key
    row_notes = notes_of(rows)
    seeds = len({row.seed for row in rows if row.seed is not None})
    languages = {row.language for row in rows}
    numbers = levels(rows)
    return [
        *map(escape, (task, metric, model, strategy)),
        escape(split), escape(protocol) + notes.mark(*row_notes), f"*published*: {escape(source)}",
        str(seeds) if seeds else "—", str(len(languages)),
        known_points(numbers.source), known_points(numbers.others),
        "*undefined*" if numbers.gap is None else points(numbers.gap),
    ]  # fmt: skip


def _language_averages(checked: Iterable[CheckedAverage]) -> list[str]:
    """Averages over languages whose cells are here, and whether these agree."""
    with_cells = [
        average
        for average in checked
        if average.derived is not None and average.stated.task is not None
    ]
    if not with_cells:
        return []
    notes = Footnotes()
    lines = [
        [
            *map(escape, (average.stated.task or "", average.stated.metric, average.stated.model)),
            escape(average.stated.source),
            _as_stated(average.stated.mean), _verdict(average, notes),
        ]
        for average in with_cells
    ]  # fmt: skip
    wrong = sum(average.contradicted for average in with_cells)
    intro = f"{counted(len(with_cells), 'average')} over languages as stated, beside what the same "
    intro += f"source's cells give; {wrong or 'none'} of them contradicted."
    header = ["task", "metric", "model", "source", "stated", "from its cells"]
    return ["### Stated averages", "", intro, "", *table(header, lines, 4), *notes.lines(), ""]


def _suites(checked: Sequence[CheckedAverage]) -> list[str]:
    """A table for each suite and source: models down, tasks across, one number a task."""
    lines: list[str] = []
    suite_sources = dict.fromkeys(
        (average.stated.suite, average.stated.source) for average in checked if average.stated.suite
    )
    for suite, source in suite_sources:
        averages_there = [
            average
            for average in checked
            if (average.stated.suite, average.stated.source) == (suite, source)
        ]
        lines += [f"### {escape(suite or '')}: {escape(source)}", "", *_suite(averages_there), ""]
    return lines


def _suite(averages_there: Sequence[CheckedAverage]) -> list[str]:
    notes = Footnotes()
    columns = list(dict.fromkeys(_column(average.stated) for average in averages_there))
    columns.sort(key=lambda column: column[0] == "")  # the averages over tasks come last
    arms = dict.fromkeys(
        (average.stated.model, average.stated.strategy, average.stated.protocol)
        for average in averages_there
    )
    lines = []
    for model, strategy, protocol in arms:
        averages_of_arm = {
            _column(average.stated): average
            for average in averages_there
            if (average.stated.model, average.stated.strategy) == (model, strategy)
        }
        cells = [_stated_cell(averages_of_arm.get(column), notes) for column in columns]
        lines.append([escape(model), escape(strategy), escape(protocol), *cells])
    names = [f"{task} {metric}".strip() if task else metric for task, metric in columns]
    header = ["model", "strategy", "protocol", *map(escape, names)]
    return [*table(header, lines, 3), *notes.lines()]


def _subject(stated: StatedAverage) -> str:
    """What it is an average of, in a few words."""
    return escape(stated.task or f"{stated.suite}, {_column(stated)[1]}")


def _column(stated: StatedAverage) -> tuple[str, str]:
    if stated.task is not None:
        return stated.task, stated.metric
    return "", "mean of tasks" if stated.averaged_over == "tasks" else "mean of families"


def _stated_cell(average: CheckedAverage | None, notes: Footnotes) -> str:
    if average is None:
        return "—" + notes.mark("not published there")
    text = _as_stated(average.stated.mean) + notes.mark(*average.stated.notes)
    if average.stated.task is not None or average.derived is None:
        return text
    if average.contradicted:
        return text + notes.mark(_contradiction(average))
    return text + notes.mark(average.reading)


def _as_stated(value: float) -> str:
    """With the decimals that the source gives, two at most."""
    return str(round(value, 2))


def _verdict(average: CheckedAverage, notes: Footnotes) -> str:
    if average.derived is None:
        return "—"
    text = f"{average.derived:.2f}"
    return f"**{text}**{notes.mark(_contradiction(average))}" if average.contradicted else text


def _contradiction(average: CheckedAverage) -> str:
    stated_value = _as_stated(average.stated.mean)
    subject = f"{average.stated.model}: its own cells contradict the stated {stated_value}"
    return f"{subject}: {average.reading} gives {average.derived:.2f}"
