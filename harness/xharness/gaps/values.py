"""What is known about the transfer gap of a study, as values. Scores and gaps are in points.

Numbers carry full precision; `rounding.rounded` is the one way to show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from xharness.gaps.verdicts import Verdict
from xharness.phrases import html_table

# None for published rows that name none.
Seed = int | None
Axis = Literal["non-embedding", "total"]
"""Which parameters count as a model's size."""
Quantity = Literal["source", "others", "gap"]
Learning = Literal["learnt", "barely learnt", "unstable", "not learnt", "unknown"]


class ArmName(NamedTuple):
    """What a line of the board stands for."""

    model: str
    strategy: str

    @property
    def label(self) -> str:
        """`model × strategy`, as headings and sentences name the arm."""
        return f"{self.model} × {self.strategy}"


# Slots here and below: a large board holds hundreds of thousands of these.
@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95% interval; no interval where nothing is known of what varies."""

    value: float
    low: float | None = None
    high: float | None = None
    error: float | None = None
    """Standard error."""
    p: float | None = None
    """Two-sided, of no difference from zero, before any correction; of changes and slopes alone."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true change that four in five such studies would tell from zero (80% power, one
    test at 5%, no correction); the true one lies between `low` and `high` in 80% of studies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Some of the languages of a task: one family, one script, or those seen in pretraining.

    The source language is never among them; `gap` is its score minus their mean.
    """

    languages: tuple[str, ...]
    mean: Estimate
    gap: Estimate | None = None


@dataclass(frozen=True, slots=True)
class LearningCheck:
    """Whether an arm has learnt a task, judged in the source language alone.

    *learnt*: the mean over seeds lies above `floor`, tested at 1%; *barely learnt* by less than
    5 points; *unstable*: so, but not every seed alone; *unknown*: there is no source score.
    """

    status: Learning = "unknown"
    floor: float | None = None
    """Points that the best answer gets which doesn't look at the item, in the source language."""
    failed_seeds: tuple[Seed, ...] = ()
    """Seeds that are not above the floor, or answer the same in 95% of the items or more."""
    constant_answer: str | None = None
    """The answer that some seed gives in at least 95% of the source language's items."""
    constant_share: float | None = None
    """In how many percent of them."""

    @property
    def passed(self) -> bool:
        """Whether averages may hold the task: it was learnt, or nothing is known against it."""
        # Unstable ones stay in: no word is said of them, and the seeds that failed are shown.
        return self.status != "not learnt"


@dataclass(frozen=True, slots=True)
class TrainingBudget:
    """What an arm was trained with on one task; None where the rows don't say."""

    target_steps: int | None = None
    """Optimizer steps on this task's examples."""
    steps: int | None = None
    """Optimizer steps of all trainings behind the weights, those on other tasks included."""
    examples: int | None = None
    """Different training examples of this task."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The three numbers, in points, without intervals; None where there is no score for one."""

    source: float | None
    others: float | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class TaskGap:
    """One arm on one task: source-language score, mean of the others, and their difference.

    `undefined` is the reason why `gap` is None.
    """

    model: str
    strategy: str
    task: str
    metric: str | None = None
    provenance: str | None = None
    protocol: str | None = None
    seeds: tuple[Seed, ...] = ()
    source_language: str | None = None
    languages: tuple[str, ...] = ()
    """The languages of the mean: all that were scored, but the source language."""
    source: Estimate | None = None
    others: Estimate | None = None
    """The unweighted mean over `languages`."""
    gap: Estimate | None = None
    retention: Estimate | None = None
    """(others - floor) / (source - floor), each language less its own floor; of learnt tasks."""
    learning: LearningCheck = LearningCheck()
    zero_shot: bool = True
    """Whether no language of `languages` was trained on for this task."""
    trained_languages: tuple[str, ...] = ()
    """The languages of the mean that were trained on."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """Language to its chance floor in points, the source language included."""
    at_floor: tuple[str, ...] = ()
    """The languages of the mean whose score is not above their floor."""
    worst: str | None = None
    """The language of the mean with the lowest score."""
    families: Mapping[str, Breakdown] = field(default_factory=dict)
    """Language family to its part of the mean; languages outside the table have none."""
    scripts: Mapping[str, Breakdown] = field(default_factory=dict)
    """ISO 15924 script to its part of the mean."""
    pretraining: Mapping[str, Breakdown] = field(default_factory=dict)
    """'seen' and 'unseen' languages of the model's pretraining, where the rows know it."""
    budget: TrainingBudget = TrainingBudget()
    by_seed: Mapping[Seed, Levels] = field(default_factory=dict)
    undefined: str | None = None
    covers: tuple[str, ...] = ()
    """What the intervals count in: 'items', 'seeds', both or nothing."""
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    """Language to score, averaged over the seeds."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Language to the reason why it has no score."""
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> ArmName:
        return ArmName(self.model, self.strategy)


@dataclass(frozen=True, slots=True)
class LanguageTest:
    """One language's change against the baseline, and how likely it is where there is none."""

    difference: Estimate
    adjusted: float | None
    """The p value of `difference` after Holm's correction over the languages of the task."""
    method: str
    """'Tango' or 'Welch'."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a strategy changes against the baseline: same model, same items.

    Each of `source`, `others` and `gap` is the strategy's number minus the baseline's; `undefined`
    is the reason why `gap` is None. `task` is None for the average over `tasks`.
    """

    model: str
    strategy: str
    against: str
    task: str | None
    tasks: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    """The strategy's seeds that it has in all of `tasks`."""
    baseline_seeds: tuple[Seed, ...] = ()
    paired_seeds: bool = False
    """Whether both score one trained model, or one goes on from the other's: seeds are pairs."""
    source: Estimate | None = None
    others: Estimate | None = None
    gap: Estimate | None = None
    detectable: Mapping[Quantity, Detectable] = field(default_factory=dict)
    adjusted: Mapping[Quantity, float] = field(default_factory=dict)
    """'gap' and 'others' to their p values after Holm's correction over the board's words."""
    verdict: Verdict | None = None
    """Of averages alone; None for a single task and where there is no average."""
    reads_as: str = ""
    """The verdict in words, its source language by name: 'narrows, English fell'."""
    equal_budget: bool | None = None
    """Whether both have as many steps on each target; None where the rows don't say."""
    more_steps: int | None = None
    """The strategy's steps of all trainings minus the baseline's, each training counted once."""
    tests: Mapping[str, LanguageTest] = field(default_factory=dict)
    """Language to its paired test; empty for the average."""
    undefined: str | None = None
    covers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> ArmName:
        return ArmName(self.model, self.strategy)


@dataclass(frozen=True, slots=True)
class Average:
    """One arm over all tasks of its pool; `undefined` says which of them it lacks."""

    model: str
    strategy: str
    provenance: str | None = None
    protocol: str | None = None
    tasks: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    """Those that the arm has in all of `tasks`."""
    source: Estimate | None = None
    others: Estimate | None = None
    gap: Estimate | None = None
    retention: Estimate | None = None
    undefined: str | None = None
    covers: tuple[str, ...] = ()
    not_learnt: tuple[str, ...] = ()
    """Tasks of the pool that the arm has not learnt: why it has no average."""
    barely_learnt: tuple[str, ...] = ()
    unstable: Mapping[str, tuple[Seed, ...]] = field(default_factory=dict)
    """Task to the seeds that have not learnt it."""
    constant: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Task to the answer given in 95% of the source language's items or more, and the percent."""
    at_floor: int = 0
    """Languages of the tasks whose score is not above their floor, out of `cells`."""
    cells: int = 0
    steps: int | None = None
    """Optimizer steps of all the arm's trainings, each counted once whatever it is scored on."""
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> ArmName:
        return ArmName(self.model, self.strategy)


@dataclass(frozen=True, slots=True)
class Headline:
    """One strategy averaged over the models, Holm-corrected over two tests a strategy."""

    strategy: str
    against: str
    models: tuple[str, ...]
    """The models averaged: those whose change may carry a word."""
    left_out: Mapping[str, str]
    """Model to the reason why it is not in it."""
    tasks: tuple[str, ...] = ()
    source: Estimate | None = None
    others: Estimate | None = None
    gap: Estimate | None = None
    detectable: Mapping[Quantity, Detectable] = field(default_factory=dict)
    adjusted: Mapping[Quantity, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    reads_as: str = ""
    undefined: str | None = None
    """Why there is no headline: no model may carry a word, or budgets differ."""


@dataclass(frozen=True, slots=True)
class TaskPool:
    """Arms whose numbers may stand beside each other: of one provenance and one protocol."""

    provenance: str
    protocol: str
    arms: tuple[ArmName, ...]
    tasks: tuple[str, ...]
    """The tasks averaged: those that the baselines of at least half of the models have learnt."""
    languages: Mapping[str, tuple[str, ...]]
    """Task to the languages of its mean; arms with others, or without a gap, have no average."""
    left_out: Mapping[str, str]
    """Task to the reason why it is not in the pool's averages."""
    sourceless: tuple[str, ...] = ()
    """Tasks without a source score: their mean stands in a column of its own."""


@dataclass(frozen=True, slots=True)
class Point:
    """One model in a trend: its size, family, and what was measured of it over the tasks."""

    model: str
    parameters: int
    family: str | None
    value: Estimate


@dataclass(frozen=True, slots=True)
class FamilySlope:
    """The slope within one family alone; None where it has fewer than two sizes."""

    family: str
    models: tuple[str, ...]
    slope: Estimate | None


@dataclass(frozen=True, slots=True)
class Trend:
    """How one strategy's gap, or its change against the baseline, moves with model size.

    `slope` is in points for each doubling of the parameters, within families: each has its own
    level. It speaks of `families` and of no other models.
    """

    of: Literal["gap", "change"]
    strategy: str
    against: str
    axis: Axis
    points: tuple[Point, ...] = ()
    """By size."""
    tasks: tuple[str, ...] = ()
    """Those that the baseline of each of the models has learnt."""
    families: tuple[FamilySlope, ...] = ()
    """Those of two sizes or more."""
    alone: tuple[str, ...] = ()
    """Models that are alone in their family: they add nothing to a slope within families."""
    slope: Estimate | None = None
    adjusted: float | None = None
    """p after Holm's correction over the strategies; of changes on the first axis alone."""
    word: Literal["narrower", "wider", "open"] | None = None
    """Which way the gap, or its change, moves with size; None where no word is tested."""
    undefined: str | None = None
    """Why there is no slope."""
    answer: str = ""
    """What the rows say about the effect of size, in one sentence."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How many tests each of the three families has, all at 5%."""

    headlines: int = 0
    words: int = 0
    sizes: int = 0
    # pytest collects classes named Test….
    __test__ = False


@dataclass(frozen=True, slots=True)
class Gaps:
    """Everything measured, ordered by task, model and strategy."""

    baseline: str
    tasks: tuple[TaskGap, ...]
    changes: tuple[Change, ...]
    averages: tuple[Average, ...]
    average_changes: tuple[Change, ...]
    sourceless_changes: tuple[Change, ...]
    """Each arm's `others` averaged over its pool's tasks without a source score; no words."""
    headlines: tuple[Headline, ...]
    """One a strategy that the first pool's arms use, in alphabetical order."""
    pools: tuple[TaskPool, ...]
    """The largest pool of measured numbers first."""
    trends: tuple[Trend, ...]
    """Changes before gaps, non-embedding before total parameters."""
    tests: TestCounts = TestCounts()

    def _repr_html_(self) -> str:
        """How a notebook shows it: one row an arm and task."""
        return html_table(
            [
                {
                    "model": task_gap.model,
                    "strategy": task_gap.strategy,
                    "task": task_gap.task,
                    "source": _in_words(task_gap.source),
                    "others": _in_words(task_gap.others),
                    "gap": _in_words(task_gap.gap),
                }
                for task_gap in self.tasks
            ]
        )

    def task(self, arm: ArmName, task: str) -> TaskGap | None:
        """The arm on one task; None where the rows never speak of it."""
        return next((gap for gap in self.tasks if gap.arm == arm and gap.task == task), None)

    def average(self, arm: ArmName) -> Average | None:
        """The arm over the tasks of its first pool; None where the rows never speak of it."""
        return next((average for average in self.averages if average.arm == arm), None)

    def change(self, arm: ArmName, task: str | None = None) -> Change | None:
        """The arm against the baseline, on one task or on average; None for the baseline itself."""
        changes = self.average_changes if task is None else self.changes
        return next(
            (change for change in changes if change.arm == arm and change.task == task), None
        )

    def headline(self, strategy: str) -> Headline | None:
        """The strategy averaged over the models."""
        return next(
            (headline for headline in self.headlines if headline.strategy == strategy), None
        )


def _in_words(estimate: Estimate | None) -> str:
    """`10.4 [8.9, 11.8]`, or a dash."""
    from xharness.gaps.rounding import rounded  # which speaks of these values itself

    if estimate is None:
        return "—"
    value, *ends = (
        f"{rounded(number, 1):.1f}"
        for number in (estimate.value, estimate.low, estimate.high)
        if number is not None
    )
    return f"{value} [{', '.join(ends)}]" if len(ends) == 2 else value
