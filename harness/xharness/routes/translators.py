"""Translators as the plan knows them: which one says what in which language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xharness.catalogue import Catalogue, validated
from xharness.digest import canonical
from xharness.extend import Surroundings
from xharness.routes.once import Once
from xharness.stages import Start


class Translators:
    """Finds translators and what they stand for, each once however many arms translate."""

    def __init__(self, catalogue: Catalogue, surroundings: Surroundings) -> None:
        self._catalogue, self._surroundings = catalogue, surroundings
        self._known: Once[Start] = Once()

    def start(self, name: str, options: Mapping[str, Any], source: str, target: str) -> Start:
        """The translator `name` from one language into another.

        Raises:
            ConfigurationError: no such translator, an impossible option, or languages it lacks.
            UnavailableError: its model cannot be had.
        """
        asked = (name, canonical(dict(options)), source, target)
        return self._known.of(asked, lambda: self._find(name, options, source, target))

    def _find(self, name: str, options: Mapping[str, Any], source: str, target: str) -> Start:
        translator = self._catalogue.translators[name]
        own = validated(translator.options, dict(options), f"translator '{name}'")
        text = canonical(own.model_dump(mode="json", exclude_defaults=True)).decode()
        return Start(name, text, translator.fingerprint(own, source, target, self._surroundings))
