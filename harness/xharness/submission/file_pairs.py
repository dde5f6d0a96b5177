"""Which files of two folders belong together, and what is missing or does not belong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xharness.errors import ConfigurationError, nearest, suggestion
from xharness.gaps.suites import Benchmark
from xharness.phrases import listed
from xharness.spec.languages import check_selector, select_languages
from xharness.submission.formats import format_of
from xharness.submission.layout import SuiteTask, select_tasks


@dataclass(frozen=True)
class FilePair:
    """The two files of one task in one language."""

    task: SuiteTask
    language: str
    labels: Path
    predictions: Path


@dataclass(frozen=True)
class ScoringRequest:
    """What is to be scored: all that is there, unless tasks or languages are chosen."""

    predictions: Path
    labels: Path
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def find_pairs(
    request: ScoringRequest, benchmark: Benchmark, tasks: Mapping[str, SuiteTask]
) -> list[FilePair]:
    """The files to score, task by task, before any is opened.

    Raises:
        ConfigurationError: a folder or file that is missing or unknown.
    """
    for folder in (request.predictions, request.labels):
        if not folder.is_dir():
            raise ConfigurationError("there is no such folder", where=str(folder))
    # All names are checked before any file is opened, the quick mistakes first.
    _check_languages(request.languages, benchmark)
    selected = select_tasks(request.tasks, tasks)
    if not request.tasks:
        selected = _tasks_at_hand(request.predictions, selected)
    pairs = [
        pair for name, task in selected.items() for pair in _files(request, benchmark, name, task)
    ]
    if not pairs:
        problem = f"{listed(selected, limit=4)}: no such language among theirs"
        raise ConfigurationError(problem, where="--languages")
    return pairs


def _check_languages(words: Sequence[str], benchmark: Benchmark) -> None:
    suite_languages = {code for languages in benchmark.tasks.values() for code in languages}
    for word in words:
        try:
            check_selector(word)
        except ValueError as error:
            raise ConfigurationError(str(error), where="--languages") from None
        if not select_languages([word], suite_languages):
            problem = f"no task of {benchmark.name} has the language '{word}'"
            raise ConfigurationError(
                problem, where="--languages", hint=suggestion(word, suite_languages)
            )


def unnamed_folders(request: ScoringRequest, tasks: Mapping[str, SuiteTask]) -> list[str]:
    """The folders of predictions that no task of the suite is called like, with a nearest name.

    They are left out: the official data holds the tasks of two suites side by side.
    """
    if request.tasks:
        return []
    task_folders = {task.folder for task in tasks.values()}
    names = sorted(_folder_names(request.predictions) - task_folders)
    close_names = {name: nearest(name, task_folders) for name in names}
    return [f"{name} (did you mean '{close}'?)" if close else name
            for name, close in close_names.items()]  # fmt: skip


def _tasks_at_hand(root: Path, tasks: Mapping[str, SuiteTask]) -> dict[str, SuiteTask]:
    """The tasks that have a folder under `root`."""
    folders = _folder_names(root)
    selected = {name: task for name, task in tasks.items() if task.folder in folders}
    if not selected:
        expected = f"some of: {', '.join(sorted(task.folder for task in tasks.values()))}"
        raise ConfigurationError("there are no tasks here", where=str(root), expected=expected)
    return selected


def _folder_names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "."}


def _files(
    request: ScoringRequest, benchmark: Benchmark, name: str, task: SuiteTask
) -> Iterator[FilePair]:
    languages = benchmark.tasks[name]
    if request.languages:
        languages = select_languages(request.languages, languages)
    ending = format_of(task).ending
    for root in (request.predictions, request.labels):
        _check_folder(root, task, ending, languages)
    for code in languages:
        files = (task.file(root, code, ending) for root in (request.labels, request.predictions))
        yield FilePair(task, code, *files)


def _check_folder(root: Path, task: SuiteTask, ending: str, languages: Sequence[str]) -> None:
    """Refuse a task's folder that lacks a language, or holds a file of none of the task's."""
    folder = root / task.folder
    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    names = {path.name for path in folder.iterdir() if path.name[0] != "."}
    # Languages of the card, not of the suite: one folder may serve two suites.
    expected_names = {task.file(root, code, ending).name for code in task.card.languages}
    for name in sorted(names - expected_names):
        problem = f"'{name}' is no file of this task"
        expected = f"test-<language>.{ending}"
        hint = suggestion(name, expected_names)
        raise ConfigurationError(problem, where=str(folder), expected=expected, hint=hint)
    # All that are missing in one message: they seldom lack one by one.
    missing = [code for code in languages if task.file(root, code, ending).name not in names]
    if missing:
        problem = (
            f"no file for {len(missing)} of {len(languages)} languages: {listed(missing, limit=4)}"
        )
        expected = task.file(root, missing[0], ending).name
        hint = "to score some languages alone, name them with --languages"
        raise ConfigurationError(problem, where=str(folder), expected=expected, hint=hint)
