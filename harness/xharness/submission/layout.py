"""What the official evaluator calls things: the one place where its names meet those of cards.

Folders as in `evaluate.py` of google-research/xtreme at 838c13b: `<task>/test-<language>.<ending>`,
in a folder of predictions and likewise in one of labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.card_files import normal_spelling
from xharness.spec.cards import TaskCard

_FOLDERS: Mapping[str, str] = MappingProxyType({"wikiann": "panx", "bucc": "bucc2018"})
"""Card to folder, where the two are not called the same."""
_SPELLINGS: Mapping[str, tuple[str, ...]] = MappingProxyType({"pawsx": ("0", "1")})
"""Card to its labels as the official files spell them, where not as the card does."""
_RULES: Mapping[str, str] = MappingProxyType(
    {"udpos": "as seqeval counts since 0.0.16, CCONJ and SCONJ being one type"}
)
"""Card to the rule behind its score, where the official code leaves it to a package's version."""


@dataclass(frozen=True)
class SuiteTask:
    """A card, and what the layout makes of it."""

    card: TaskCard

    @property
    def folder(self) -> str:
        """The name of the task's folder."""
        return _FOLDERS.get(self.card.name, self.card.name)

    @property
    def labels(self) -> tuple[str, ...]:
        """How files spell the card's labels, in the card's order."""
        return _SPELLINGS.get(self.card.name, self.card.label_names)

    @property
    def rule(self) -> str | None:
        """What a reader must know to compare the score with one from elsewhere."""
        return _RULES.get(self.card.name)

    @property
    def first_label_counts(self) -> bool:
        """Whether of several right ids only the first is one, as in `utils_mewslix.evaluate`."""
        return self.card.name == "mewslix"

    def file(self, root: Path, language: str, ending: str) -> Path:
        """Where the task's file for `language` is under `root`."""
        return root / self.folder / f"test-{language}.{ending}"


def select_tasks(names: Iterable[str], tasks: Mapping[str, SuiteTask]) -> dict[str, SuiteTask]:
    """The tasks that the user names, by card, alias or folder; all where nothing is named.

    Raises:
        ConfigurationError: a name that is none of these.
    """
    task_names = tuple(names)
    labels = {
        normal_spelling(label): name
        for name, task in tasks.items()
        for label in (*task.card.aliases, task.folder, name)
    }
    for name in task_names:
        if normal_spelling(name) not in labels:
            hint = suggestion(name, {*tasks, *(task.folder for task in tasks.values())})
            raise ConfigurationError(f"the suite has no task '{name}'", where="--tasks", hint=hint)
    selected = {labels[normal_spelling(name)] for name in task_names} or {*tasks}
    return {name: task for name, task in tasks.items() if name in selected}
