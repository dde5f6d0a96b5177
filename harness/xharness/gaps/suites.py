"""Suite scores: from languages to tasks, from tasks to families and to the whole benchmark.

Aggregation is that of the official evaluator of XTREME and XTREME-R (Hu et al. 2020, Ruder et al.
2021; `evaluate.py`): a task's score is the unweighted mean over all its languages, English
included; a family's the unweighted mean over its tasks; the suite's the unweighted mean over all
tasks, not over families. Each task counts once. An aggregate that lacks a part is undefined, with
the reason, and never the mean of what happens to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean

from xharness.phrases import listed
from xharness.spec.cards import TaskCard
from xharness.spec.groups import TaskGroup

_NAMED = 4  # languages or tasks told by name before they are counted
_QA = "extractive_qa"


class Variant(Enum):
    """What stands for a task of extractive question answering; the two never share a table."""

    OFFICIAL = "mean of EM and F1"
    F1_ONLY = "F1 only"

    def metric(self, task_type: str, metrics: Sequence[str]) -> str:
        """The metric of a task whose card lists `metrics`, the task's score first."""
        if self is Variant.F1_ONLY and task_type == _QA:
            return next((name for name in metrics if name.endswith("f1")), metrics[0])
        return metrics[0]


def variants(task_types: Iterable[str]) -> tuple[Variant, ...]:
    """The variants that differ for tasks of these types, the official one first."""
    return tuple(Variant) if _QA in task_types else (Variant.OFFICIAL,)


@dataclass(frozen=True)
class Benchmark:
    """A suite with an official score: its tasks, each in its languages, and their families."""

    name: str
    title: str
    tasks: Mapping[str, tuple[str, ...]]
    families: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, name: str, suite: TaskGroup, card: Callable[[str], TaskCard]) -> Benchmark:
        """The suite with the languages of its cards, where it names none of its own."""
        tasks = {
            member.task: member.languages or card(member.task).languages for member in suite.tasks
        }
        return cls(name, suite.title, tasks, suite.families)


@dataclass(frozen=True)
class Aggregate:
    """A family's or the suite's score in points; `undefined` is the reason why there is none."""

    name: str
    tasks: tuple[str, ...]
    value: float | None = None
    undefined: str | None = None


@dataclass(frozen=True)
class TaskScore:
    """A task: points by language, and `value`, their mean over the languages that were scored."""

    task: str
    scores: Mapping[str, float]
    languages: tuple[str, ...]
    """Those that the suite asks for."""

    @property
    def value(self) -> float | None:
        return fmean(self.scores.values()) if self.scores else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The suite's languages without a score."""
        return tuple(code for code in self.languages if code not in self.scores)


@dataclass(frozen=True)
class SuiteScore:
    """A benchmark's scores under one variant, in points."""

    benchmark: Benchmark
    variant: Variant
    tasks: tuple[TaskScore, ...]
    families: tuple[Aggregate, ...]
    whole: Aggregate

    @property
    def scored(self) -> tuple[TaskScore, ...]:
        """The tasks with at least one language."""
        return tuple(task_score for task_score in self.tasks if task_score.scores)


def aggregate(
    benchmark: Benchmark, variant: Variant, scores: Mapping[str, Mapping[str, float]]
) -> SuiteScore:
    """Aggregate `scores`, task to language to points; what the suite does not ask for is left out.

    The caller takes each task's points from `variant.metric`.
    """
    tasks = {
        task: TaskScore(task, _suite_languages(scores.get(task, {}), languages), languages)
        for task, languages in benchmark.tasks.items()
    }
    families = tuple(_aggregate(name, names, tasks) for name, names in benchmark.families.items())
    suite_average = _aggregate(benchmark.name, tuple(tasks), tasks)
    return SuiteScore(benchmark, variant, tuple(tasks.values()), families, suite_average)


def _suite_languages(scores: Mapping[str, float], languages: Sequence[str]) -> dict[str, float]:
    return {code: scores[code] for code in languages if code in scores}


def _aggregate(name: str, members: tuple[str, ...], tasks: Mapping[str, TaskScore]) -> Aggregate:
    """The mean over the member tasks; undefined where one of them lacks a language."""
    unscored = [task for task in members if not tasks[task].scores]
    problems = [f"not scored: {listed(unscored, limit=_NAMED)}"] if unscored else []
    for task_score in (tasks[task] for task in members if tasks[task].scores):
        if task_score.missing:
            share = f"{len(task_score.missing)} of {len(task_score.languages)} languages"
            problems.append(
                f"{task_score.task} lacks {share}: {listed(task_score.missing, limit=_NAMED)}"
            )
    # A mean of what happens to be there would look like the official number.
    if problems:
        return Aggregate(name, members, undefined="; ".join(problems))
    values = [fmean(tasks[task].scores.values()) for task in members]
    return Aggregate(name, members, fmean(values))
