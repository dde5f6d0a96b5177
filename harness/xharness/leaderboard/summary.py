"""The answer first: what the rows say about the question, and what they can't say."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from xharness.gaps import Arm, Average, Change, Estimate, TaskGap, Trend
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import escape, parameters, points, rounded, with_interval
from xharness.phrases import counted, listed

_NAMED = 3  # arms named in a remark before it counts them
_FEW_SEEDS = 5  # below it, the t quantile makes an interval a third wider or more


@dataclass(frozen=True)
class Markup:
    """How a page writes: a name so that it stays text, and words that stand out."""

    name: Callable[[str], str]
    strong: Callable[[str], str]
    weak: Callable[[str], str]


@dataclass(frozen=True)
class Verdict:
    """What one strategy does: one sentence in all, one for each model."""

    headline: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a reader is told first, as sentences in the markup of the page."""

    verdicts: tuple[Verdict, ...]
    sizes: tuple[str, ...]
    """What model size does to the gap of each strategy, and to its change."""
    caution: str
    limits: tuple[str, ...]


MARKDOWN = Markup(escape, "**{}**".format, "*{}*".format)
HTML = Markup(html.escape, "<strong>{}</strong>".format, "<em>{}</em>".format)


def answer(board: Board, figures: Sequence[str] = ()) -> list[str]:
    """The section of the Markdown page: one sentence in all, one for each comparison, limits."""
    found = sentences(board, MARKDOWN)
    lines = ["## Answer", ""]
    for one in found.verdicts:
        lines += [MARKDOWN.strong(one.headline), ""]
    models = [told for one in found.verdicts for told in one.models]
    lines += [*_bullets("With model size:", found.sizes), *_bullets("Model by model:", models)]
    return [
        *lines,
        found.caution,
        "",
        *figures,
        *_bullets("What limits this answer:", found.limits),
    ]


def _bullets(heading: str, items: Sequence[str]) -> list[str]:
    return [heading, "", *(f"- {one}" for one in items), ""] if items else []


def sentences(board: Board, markup: Markup) -> Answer:
    """The answer in sentences, for a page that writes with `markup`."""
    compared = board.against_baseline
    verdicts = [
        Verdict(
            _in_all(board, strategy, arms, markup),
            tuple(_of_one(board, arm, markup) for arm in arms),
        )
        for strategy in dict.fromkeys(strategy for _, strategy in compared)
        if (arms := [arm for arm in compared if arm[1] == strategy])
    ]
    nothing = Verdict(f"The rows compare no strategy with {markup.name(board.gaps.baseline)}.", ())
    caution = (
        "A smaller gap is not better by itself: it also shrinks when the "
        f"{board.source} score falls. Read it beside the two scores it is the difference of."
    )
    sizes = tuple(markup.name(one.answer) for one in _pooled(board))
    return Answer(tuple(verdicts or [nothing]), sizes, caution, tuple(_limits(board, markup)))


def _pooled(board: Board) -> list[Trend]:
    """The trends over all models: of changes, and of gaps where there is something to say."""
    every = [
        one
        for one in board.gaps.trends
        if one.axis == "non-embedding" and one.family is None and len(one.points) > 1
    ]
    changes = [one for one in every if one.of == "change"]
    return [one for one in every if one.of == "change" or one.slope is not None or not changes]


def direction(estimate: Estimate | None) -> int:
    """-1 or 1 where the interval, as it is shown, lies below or above zero; else 0."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return 0
    return (rounded(estimate.low) > 0) - (rounded(estimate.high) < 0)


def _in_all(board: Board, strategy: str, arms: Sequence[Arm], markup: Markup) -> str:
    """`multitask` against `single`, counted over models."""
    changes = [_gap(board.gaps.change(arm)) for arm in arms]
    ways = [direction(one) for one in changes if one is not None]
    undefined = len(arms) - len(ways)
    tasks = next((one.tasks for one in board.gaps.averages if one.tasks), ())
    over = (
        f"over {counted(len(tasks), 'task')} ({listed(map(markup.name, tasks))})"
        if tasks
        else "here"
    )
    told = [
        f"{verb} the gap for {count} of {counted(len(arms), 'model')}"
        for verb, count in (("narrows", ways.count(-1)), ("widens", ways.count(1)))
        if count
    ]
    against = f"against {markup.name(board.gaps.baseline)}, {over}"
    rest = f"; for {undefined} it is undefined" if undefined else ""
    if not ways:
        return f"What {markup.name(strategy)} changes {against}, is undefined."
    if not told:
        return (
            f"Whether {markup.name(strategy)} changes the gap {against}, the data can't tell{rest}."
        )
    rest = f"; for {ways.count(0)} the data can't tell{rest}" if ways.count(0) else rest
    return f"{markup.name(strategy)}, {against}, {listed(told)}{rest}."


def _gap(change: Change | None) -> Estimate | None:
    return change.gap if change is not None else None


def _of_one(board: Board, arm: Arm, markup: Markup) -> str:
    change, own = board.gaps.change(arm), board.gaps.average(arm)
    base = board.gaps.average((arm[0], board.gaps.baseline))
    name = f"{_sized(board, arm[0], markup)}, {markup.name(arm[1])}"
    if change is None or change.gap is None or change.mean is None or change.source is None:
        why = change.undefined if change is not None and change.undefined else "no rows"
        return f"{name}: {markup.weak('undefined')} ({markup.name(why)})."
    return (
        f"{name}: {_verdict(change)}{_from_to(base, own)}. "
        f"Change of the gap {with_interval(change.gap, change=True)} points; "
        f"{board.source} {with_interval(change.source, change=True)}, "
        f"mean of the others {with_interval(change.mean, change=True)}. "
        f"{_judgement(change, board.source)}"
    )


def _sized(board: Board, model: str, markup: Markup) -> str:
    total, body = board.sizes.get(model, (None, None))
    if total is None:
        return markup.strong(markup.name(model))
    inner = f", {parameters(body)} outside the embedding" if body is not None else ""
    return f"{markup.strong(markup.name(model))} ({parameters(total)} parameters{inner})"


def _verdict(change: Change) -> str:
    verbs = {-1: "narrows the gap", 1: "widens the gap", 0: "leaves open whether the gap changes"}
    return verbs[direction(change.gap)]


def _from_to(base: Average | None, own: Average | None) -> str:
    if base is None or own is None or base.gap is None or own.gap is None:
        return ""
    return f" ({points(base.gap.value)} → {points(own.gap.value)})"


def _judgement(change: Change, source: str) -> str:
    """What the change of the gap is made of; a narrower gap can be a loss."""
    if change.gap is not None and change.gap.low is None:
        return "There is no interval, so this may be chance."
    gap, mean = direction(change.gap), direction(change.mean)
    if gap == 0:
        return "The interval of the change includes zero."
    return {
        (-1, 1): "The other languages gained.",
        (-1, 0): "Whether the other languages gained, the data can't tell.",
        (-1, -1): f"The other languages lost as well: {source} lost more.",
        (1, 1): f"The other languages gained as well: {source} gained more.",
        (1, 0): "Whether the other languages lost, the data can't tell.",
        (1, -1): "The other languages lost.",
    }[gap, mean]


def _limits(board: Board, markup: Markup) -> Iterator[str]:
    yield from _seeds(board)
    for pool in board.gaps.pools:
        which = (
            "" if pool is board.gaps.pools[0] else f" of {pool.provenance}, {pool.protocol} rows"
        )
        for task, reason in pool.left_out.items():
            yield f"{markup.name(task)} is in no average{which}: {markup.name(reason)}."
    scored = [one for one in board.gaps.tasks if one.scores]
    for task in board.tasks:
        of_task = [one for one in scored if one.task == task]
        near = [one for one in of_task if one.near_chance]
        if near:
            floor = near[0].chance
            chance = "near zero" if floor is None else f"near chance ({points(floor)})"
            who = _who(near, of_task, markup)
            yield f"{markup.name(task)}: {chance}, so a small gap says little ({who})."
    for note in dict.fromkeys(note for one in scored for note in one.notes):
        whose = _whose([one for one in scored if note in one.notes], scored, markup)
        yield f"{whose}: {markup.name(note)}."


def _whose(said: Sequence[TaskGap], scored: Sequence[TaskGap], markup: Markup) -> str:
    """The tasks a note speaks of, and for each the arms where it is not all of them."""
    arms: dict[str, set[Arm]] = defaultdict(set)
    for one in said:
        arms[one.task].add(one.arm)
    whole = {task: {one.arm for one in scored if one.task == task} for task in arms}
    tasks: dict[frozenset[Arm], list[str]] = defaultdict(list)
    for task, some in arms.items():
        tasks[frozenset() if some == whole[task] else frozenset(some)].append(task)
    every = len({one.task for one in scored})
    return "; ".join(_of(own, some, every, markup) for some, own in tasks.items())


def _of(tasks: Sequence[str], arms: Collection[Arm], every: int, markup: Markup) -> str:
    """`udpos and wikiann (2 arms)`; no arms stand for all of them."""
    named = "every task" if len(tasks) == every > 1 else listed(map(markup.name, tasks))
    if not arms:
        return named
    if len(arms) > _NAMED:
        return f"{named} ({len(arms)} arms)"
    return f"{named} ({listed(markup.name(' × '.join(arm)) for arm in sorted(arms))})"


def _who(some: Sequence[TaskGap], scored: Sequence[TaskGap], markup: Markup) -> str:
    """Which arms: their names while they are few."""
    if len(some) == len(scored):
        return "every arm"
    if len(some) > _NAMED:
        return f"{len(some)} of {len(scored)} arms"
    return listed(markup.name(" × ".join(one.arm)) for one in some)


def _seeds(board: Board) -> Iterator[str]:
    counts = {len(one.seeds) for one in board.gaps.tasks if one.seeds and one.seeds != (None,)}
    if not any(one.seeds for one in board.gaps.tasks):
        yield "Nothing was scored."
    elif not counts:
        yield "No source says of how many seeds its numbers are."
    elif counts == {1}:
        yield (
            "One seed: the intervals cover the choice of test items, not the luck of training; "
            "another seed may well change the answer."
        )
    elif min(counts) < _FEW_SEEDS:
        fewest = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else str(min(counts))
        yield (
            f"{fewest} seeds: the intervals allow for how little so few say about the luck of "
            "training, so they are wide; more seeds would narrow them."
        )
