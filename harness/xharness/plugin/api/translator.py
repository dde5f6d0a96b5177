"""Translators put training sets, or test items, into another language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from xharness.plugin.api.backend import NoOptions
from xharness.plugin.api.source import Download, RunEnvironment

TranslateTexts = Callable[[Sequence[str]], Sequence[str]]
"""Translates each text, in order."""


class Translator(ABC):
    """Makes translations; what it translates is stored, and never translated twice."""

    name: str
    options: type[BaseModel] = NoOptions
    """What a study may write about it."""

    @abstractmethod
    def fingerprint(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> str:
        """What translates from `source` into `target`, known without loading it.

        Raises:
            ConfigurationError: it does not know one of the languages.
            UnavailableError: its model cannot be had.
        """

    @abstractmethod
    def open(
        self,
        options: Any,
        source: str,
        target: str,
        environment: RunEnvironment,
        device: str | None,
    ) -> TranslateTexts:
        """What translates; equal texts give equal translations, whatever texts come with them."""

    def downloads(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> Iterable[Download]:
        """As `Backend.downloads`."""
        return ()

    def fetch(self, options: Any, source: str, target: str, environment: RunEnvironment) -> None:
        """As `Backend.fetch`."""
        return

    def check_device(self, device: str | None, precisions: Collection[str]) -> None:
        """As `Backend.check_device`."""
        return
