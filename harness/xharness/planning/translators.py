"""Translators as the plan knows them: which one says what in which language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xharness.digests import canonical
from xharness.planning.memo import Memo
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue, validated
from xharness.stages import Start


class TranslatorStarts:
    """Finds translators and what they stand for, each once however many arms translate."""

    def __init__(self, catalogue: Catalogue, environment: RunEnvironment) -> None:
        self._catalogue, self._environment = catalogue, environment
        self._known: Memo[Start] = Memo()

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
        return Start(name, text, translator.fingerprint(own, source, target, self._environment))
