"""The first screen: the answer in one sentence, what it stands on, one table, what is open.

Values of plain text: the Markdown, the page, the data and the terminal write them each in its way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from xharness.gaps import ArmName, Change, Headline, Verdict
from xharness.gaps.averages import FEWEST_SEEDS
from xharness.gaps.scores import MissingRow
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.first_table import FirstTable, first_table
from xharness.leaderboard.standing import badges, budgets_text
from xharness.leaderboard.text import points, signed, with_interval
from xharness.phrases import counted, listed

_CLAIMS = 3  # strategies that the headline spells out
_SEED_SD, _ITEM_SD = 0.9, 25.0
"""Points by which the gap of one training on one task is off for its seed, and for each item (over
the root of their number): docs/statistics.md, luck alone."""
_LOUD = 1.0  # points a task without a source score must change by to be told of first


@dataclass(frozen=True)
class Summary:
    """What a reader sees first; nothing in it is marked up."""

    question: str
    headline: str
    """One sentence: what holds, or why nothing can be said."""
    is_claim: bool
    """Whether the headline says a direction that corrected tests allow."""
    remarks: tuple[str, ...]
    """Sentences that belong to the headline, in ordinary type."""
    badges: tuple[str, ...]
    """What the numbers stand on; warnings are in capitals."""
    table: FirstTable
    caption: str
    """What the table's columns are, and of what level its intervals."""
    still_open: tuple[str, ...]
    """What the table leaves open or out, as parts of one line."""
    legend: tuple[tuple[str, str], ...]
    """Strategies and what the study says that they are."""

    @property
    def open_line(self) -> str:
        """What the table leaves open or out, in one line; empty where that is nothing."""
        return f"Open and left out: {' · '.join(self.still_open)}." if self.still_open else ""


def summarize(board: Board) -> Summary:
    """The first screen of a board, whatever it holds."""
    return board.once("summary", _summarize)


def _summarize(board: Board) -> Summary:
    headline, is_claim = _headline(board)
    table = first_table(board)
    return Summary(
        question=board.study.title or board.study.name,
        headline=headline,
        is_claim=is_claim,
        remarks=tuple(_remarks(board)),
        badges=tuple(badges(board)),
        table=table,
        caption=_caption(board, table),
        still_open=tuple(_open_points(board, table)),
        legend=tuple(_legend(board)),
    )


def _caption(board: Board, table: FirstTable) -> str:
    meanings = [
        f"{columns.OTHERS}: mean of the other languages",
        f"{columns.GAP}: {board.source_name} minus {columns.OTHERS}",
        f"Δ: strategy minus {board.gaps.baseline}",
    ]
    known = meanings if columns.CHANGE_OF_GAP in table.header else meanings[:-1]
    return f"Points, 0 to 100; {'; '.join(known)}; [low, high]: 95% interval."


def _legend(board: Board) -> Iterator[tuple[str, str]]:
    for strategy in board.study.strategies:
        if strategy.about is not None and strategy.name in board.strategies:
            yield strategy.name, " ".join(strategy.about.split())


def _headline(board: Board) -> tuple[str, bool]:
    """The sentence, and whether it claims something."""
    headlines = _by_study_order(board)
    claims = [
        headline
        for headline in headlines
        if headline.verdict is not None and headline.verdict.is_claim
    ]
    if not board.scores:
        return "Nothing was scored.", False
    if not _is_comparison(board):
        return _levels(board), False
    if claims:
        return _claims(claims), True
    tested = [
        headline
        for headline in headlines
        if headline.verdict is not None and not headline.verdict.is_status
    ]
    if tested:
        return (
            f"Not shown: {_scope(tested[0])}, no strategy moves the gap or the other "
            "languages further than luck may have done."
        ), False
    # Nothing was tested: why that is says more than that nothing was shown.
    return f"Not shown: {_why_untested(board, headlines)}.", False


def _is_comparison(board: Board) -> bool:
    """Whether some model stands there under the baseline and under another strategy."""
    arms, base = {*board.pool_arms}, board.gaps.baseline
    return any(strategy != base and (model, base) in arms for model, strategy in arms)


def _by_study_order(board: Board) -> list[Headline]:
    position = {strategy: index for index, strategy in enumerate(board.strategies)}
    return sorted(
        board.gaps.headlines, key=lambda headline: position.get(headline.strategy, len(position))
    )


def _scope(headline: Headline) -> str:
    """`over 4 tasks of small and large`: the models are named, as the sentence holds for these."""
    names = headline.models if len(headline.models) <= _CLAIMS else ()
    models = listed(names) if names else f"these {len(headline.models)} models"
    return f"over {counted(len(headline.tasks), 'task')} of {models}"


def _claims(headlines: Sequence[Headline]) -> str:
    """Strategies of one reading together, those over most models first, each scope said once."""
    groups: dict[tuple[str, str], list[Headline]] = defaultdict(list)
    for headline in sorted(headlines, key=_most_models_first):
        groups[_scope(headline), headline.reads_as].append(headline)
    sentences: list[str] = []
    last_scope = ""
    for (scope, _), group in [*groups.items()][:_CLAIMS]:
        sentence = _claim(group)
        sentences.append(sentence if scope == last_scope else f"{scope}, {sentence}")
        last_scope = scope
    surplus = len(headlines) - sum(map(len, [*groups.values()][:_CLAIMS]))
    text = "; ".join([*sentences, *([f"{surplus} more in the table"] if surplus else [])])
    return f"{text[0].upper()}{text[1:]}."


def _most_models_first(headline: Headline) -> tuple[int, str]:
    return -len(headline.models), headline.reads_as


def _claim(headlines: Sequence[Headline]) -> str:
    """`multitask: widens, English gained (Δ gap +5.1 [+2.8, +7.5], Δ others +3.2 [+1.5, +4.8])`;
    several strategies of one reading share it, without intervals."""
    changes = (
        (columns.CHANGE_OF_GAP, [headline.gap for headline in headlines]),
        (columns.CHANGE_OF_OTHERS, [headline.others for headline in headlines]),
    )
    numbers = []
    for name, values in changes:
        estimates = [estimate for estimate in values if estimate is not None]
        if len(estimates) == 1:
            numbers.append(f"{name} {with_interval(estimates[0], change=True)}")
        elif estimates:
            numbers.append(f"{name} {listed([signed(estimate.value) for estimate in estimates])}")
    separator = ", " if len(headlines) == 1 else "; "
    strategies = listed([headline.strategy for headline in headlines])
    return f"{strategies}: {headlines[0].reads_as} ({separator.join(numbers)})"


def _why_untested(board: Board, headlines: Sequence[Headline]) -> str:
    """The reason that most strategies share; fewer than three seeds before all else."""
    verdicts = {change.verdict for change in _changes(board)}
    # More seeds are the one thing that helps here, so other reasons come after it.
    if Verdict.EXPLORATORY in verdicts:
        seeds = min(_seed_counts(board), default=1)
        if seeds >= FEWEST_SEEDS:
            return "languages with so few items can't tell what a strategy changes from luck"
        return (
            f"{'one seed' if seeds == 1 else f'{seeds} seeds'} of training can't tell what a "
            "strategy changes from luck; three can"
        )
    reasons = Counter(headline.undefined for headline in headlines if headline.undefined)
    reason = f" ({reasons.most_common(1)[0][0]})" if reasons else ""
    return f"no strategy can be compared with {board.gaps.baseline}{reason}"


def _seed_counts(board: Board) -> list[int]:
    changes = [change for change in _changes(board) if change.verdict is Verdict.EXPLORATORY]
    return [min(len(change.seeds), len(change.baseline_seeds)) for change in changes]


def _changes(board: Board) -> list[Change]:
    """The averaged changes of the first pool's arms, in the board's order."""
    changes = (board.changes.get((arm, None)) for arm in board.pool_arms)
    return [change for change in changes if change is not None]


def _levels(board: Board) -> str:
    """Of a board that compares nothing: between what gaps its arms lie."""
    gaps = {
        arm: average.gap.value
        for arm in board.pool_arms
        if (average := board.averages.get(arm)) is not None and average.gap is not None
    }
    start = f"No strategy is compared with {board.gaps.baseline} here"
    if len(gaps) < 2:
        return f"{start}: gaps stand task by task."
    low, high = min(gaps, key=gaps.__getitem__), max(gaps, key=gaps.__getitem__)
    return (
        f"{start}: gaps lie between {points(gaps[low])} ({low[0]}) and "
        f"{points(gaps[high])} ({high[0]})."
    )


def _remarks(board: Board) -> list[str]:
    """What one training showed, single models' words, tasks without a source score, size."""
    return [
        *_in_one_training(board),
        *_equal_strategies(board),
        *_single_models(board),
        *_sourceless(board),
        *_size_sentences(board),
    ]


def _equal_strategies(board: Board) -> list[str]:
    """Strategies whose gap and others were shown to stay within a point of the baseline's."""
    names = [
        headline.strategy for headline in _by_study_order(board) if headline.verdict is Verdict.SAME
    ]
    within = f"within one point of {board.gaps.baseline}, in the gap and in the others"
    return [f"{listed(names)}: {within}."] if names else []


def _in_one_training(board: Board) -> list[str]:
    """The ends of what exploratory arms measured: numbers, and no words of direction."""
    changes = {
        change.arm: change.others.value
        for change in _changes(board)
        if change.verdict is Verdict.EXPLORATORY and change.others is not None
    }
    if not changes:
        return []
    top, bottom = max(changes, key=changes.__getitem__), min(changes, key=changes.__getitem__)
    ends = [f"{signed(changes[arm])} ({arm.label})" for arm in dict.fromkeys((top, bottom))]
    return [
        f"In the trainings that were run, Δ others is {' to '.join(ends)}; luck alone moves "
        f"a Δ gap by up to about {_luck(board):.0f} points here."
    ]


def _luck(board: Board) -> float:
    """Points within which 95% of Δ gaps stay that no strategy changed, with one seed each."""
    items = min((row.n for row in board.scores if row.n is not None), default=1)
    tasks = len(board.pool.tasks) if board.pool is not None else 1
    # Twice: an arm and its baseline are each trained once.
    variance = 2 * (_SEED_SD**2 + _ITEM_SD**2 / items) / max(1, tasks)
    return 1.96 * sqrt(variance)  # the 97.5% quantile of a normal distribution


def _single_models(board: Board) -> list[str]:
    """Where single models carry a word that their average does not: `3 of 4 models`."""
    # Where the average speaks, its sentence is the better one: more models, less luck.
    silent = {
        headline.strategy
        for headline in board.gaps.headlines
        if headline.verdict is None or not headline.verdict.is_claim
    }
    readings = Counter(
        (change.strategy, change.reads_as)
        for change in _changes(board)
        if change.strategy in silent and change.verdict is not None and change.verdict.is_claim
    )
    arms = Counter(strategy for _, strategy in board.pool_arms)
    return [
        f"{strategy}, model by model: {reading} for {count} of {counted(arms[strategy], 'model')}."
        for (strategy, reading), count in readings.items()
    ]


def _sourceless(board: Board) -> list[str]:
    """The largest change on tasks that no gap is defined on: it may be the largest of all."""
    changes = {
        change.arm: change
        for change in board.gaps.sourceless_changes
        if change.others is not None and abs(change.others.value) >= _LOUD
    }
    if not changes or board.pool is None:
        return []
    largest = max(changes.values(), key=lambda change: abs(_value(change)))
    tasks = listed(board.pool.sourceless)
    has, changes_most = (
        ("has", "changes") if len(board.pool.sourceless) == 1 else ("have", "change")
    )
    return [
        f"{tasks}, which {has} no {board.source_name} score, {changes_most} most under "
        f"{largest.arm.label}: {signed(_value(largest))}."
    ]


def _value(change: Change) -> float:
    return change.others.value if change.others is not None else 0.0


def _size_sentences(board: Board) -> list[str]:
    """What size does to the changes, where a corrected test has a word for it."""
    return [
        trend.answer
        for trend in board.gaps.trends
        if trend.of == "change"
        and trend.axis == "non-embedding"
        and trend.word in ("narrower", "wider")
    ]


def _open_points(board: Board, table: FirstTable) -> list[str]:
    """What the table leaves open or out, each as a part of one line."""
    parts = []
    if table.other_arms:
        total = sum(table.other_arms.values())
        parts.append(f"{counted(total, 'more arm')}: {_reading_counts(table.other_arms)}")
    if tests := board.gaps.tests.words:
        parts.append(f"words are corrected for {counted(tests, 'test')}, intervals are not")
    if board.pool is not None:
        parts += [
            f"{task} is in no average: {reason}"
            for task, reason in board.pool.left_out.items()
            if task not in board.pool.sourceless
        ]
    silent = [arm for arm in board.arms if arm not in board.scored_arms]
    arms_elsewhere = len(board.arms) - len({*board.pool_arms, *silent})
    if board.pool is not None and arms_elsewhere:
        parts.append(f"{counted(arms_elsewhere, 'arm')} of other protocols or sources: details")
    parts += _without_scores(board, silent)
    if budget := budgets_text(board):
        parts.append(f"budgets: {budget}")
    changes = [trend for trend in board.gaps.trends if trend.of == "change"]
    # Of one model there is no size to ask about.
    if any(len(trend.points) > 1 for trend in changes) and not _size_sentences(board):
        parts.append("what model size does is open")
    if any(change.verdict is Verdict.EXPLORATORY for change in _changes(board)):
        parts.append("next: three seeds to look, five to publish")
    return parts


def _without_scores(board: Board, silent: Sequence[ArmName]) -> Iterator[str]:
    """Arms that have no score at all, by reason."""
    arms: dict[str, list[str]] = defaultdict(list)
    for row in board.rows:
        arm = ArmName(row.model, row.strategy)
        if isinstance(row, MissingRow) and arm in silent:
            name = arm.label
            if name not in arms[row.reason]:
                arms[row.reason].append(name)
    for reason, names in arms.items():
        arm_names = listed(names) if len(names) <= _CLAIMS else counted(len(names), "arm")
        yield f"{arm_names}: {reason}"


def _reading_counts(other_arms: dict[str, int]) -> str:
    return ", ".join(f"{reading} ({count})" for reading, count in other_arms.items())
