"""Which files of two folders belong together, and what is missing or does not belong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xharness.errors import ConfigurationError, suggestion
from xharness.languages import check_choice
from xharness.languages import chosen as chosen_languages
from xharness.submission.formats import format_of
from xharness.submission.layout import Task, chosen
from xharness.suites import Benchmark, listed


@dataclass(frozen=True)
class Found:
    """The two files of one task in one language."""

    task: Task
    language: str
    labels: Path
    predictions: Path


@dataclass(frozen=True)
class Wanted:
    """What is to be scored: all that is there, unless tasks or languages are chosen."""

    predictions: Path
    labels: Path
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def find(wanted: Wanted, benchmark: Benchmark, tasks: Mapping[str, Task]) -> list[Found]:
    """The files to score, task by task, before any is opened.

    Raises:
        ConfigurationError: a folder or file that is missing or unknown.
    """
    for folder in (wanted.predictions, wanted.labels):
        if not folder.is_dir():
            raise ConfigurationError("there is no such folder", where=str(folder))
    _check_languages(wanted.languages, benchmark)
    picked = chosen(wanted.tasks, tasks)
    if not wanted.tasks:
        picked = _there(wanted.predictions, picked)
    found = [one for name, task in picked.items() for one in _files(wanted, benchmark, name, task)]
    if not found:
        what = f"{listed([*picked])}: no such language among theirs"
        raise ConfigurationError(what, where="--languages")
    return found


def _check_languages(words: Sequence[str], benchmark: Benchmark) -> None:
    known = {code for languages in benchmark.tasks.values() for code in languages}
    for word in words:
        try:
            check_choice(word)
        except ValueError as error:
            raise ConfigurationError(str(error), where="--languages") from None
        if not chosen_languages([word], known):
            what = f"no task of {benchmark.name} has the language '{word}'"
            raise ConfigurationError(what, where="--languages", hint=suggestion(word, known))


def _there(root: Path, tasks: Mapping[str, Task]) -> dict[str, Task]:
    """The tasks that have a folder under `root`."""
    folders = {path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "."}
    known = {task.folder for task in tasks.values()}
    for name in sorted(folders - known):
        raise ConfigurationError(
            "this is no task of the suite",
            where=str(root / name),
            hint=f"{suggestion(name, known)}; or name the tasks to score with --tasks",
        )
    if not folders:
        expected = f"some of: {', '.join(sorted(known))}"
        raise ConfigurationError("there are no tasks here", where=str(root), expected=expected)
    return {name: task for name, task in tasks.items() if task.folder in folders}


def _files(wanted: Wanted, benchmark: Benchmark, name: str, task: Task) -> Iterator[Found]:
    languages = benchmark.tasks[name]
    if wanted.languages:
        languages = chosen_languages(wanted.languages, languages)
    ending = format_of(task).ending
    for root in (wanted.predictions, wanted.labels):
        _check_folder(root, task, ending, languages)
    for code in languages:
        files = (task.file(root, code, ending) for root in (wanted.labels, wanted.predictions))
        yield Found(task, code, *files)


def _check_folder(root: Path, task: Task, ending: str, languages: Sequence[str]) -> None:
    """Refuse a task's folder that lacks a language, or holds a file of none of the task's."""
    folder = root / task.folder
    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    names = {path.name for path in folder.iterdir() if path.name[0] != "."}
    known = {task.file(root, code, ending).name for code in task.card.languages}
    for name in sorted(names - known):
        what = f"'{name}' is no file of this task"
        expected = f"test-<language>.{ending}"
        hint = suggestion(name, known)
        raise ConfigurationError(what, where=str(folder), expected=expected, hint=hint)
    missing = [code for code in languages if task.file(root, code, ending).name not in names]
    if missing:
        what = f"no file for {len(missing)} of {len(languages)} languages: {listed(missing)}"
        expected = task.file(root, missing[0], ending).name
        hint = "to score some languages alone, name them with --languages"
        raise ConfigurationError(what, where=str(folder), expected=expected, hint=hint)
