"""A translator for tests: word for word, by a dictionary counted in the mini parallel corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from xharness.errors import ConfigurationError
from xharness.plugin.api import RunEnvironment, TranslateTexts, Translator
from xharness.plugin.hookspecs import hookimpl
from xharness.spec.documents import Strict
from xharness_mini.tasks import rows

_SIZE = 2000


class Options(Strict):
    rows: int = _SIZE


class Words:
    """Knows English and German."""

    name = "words"
    options: type[BaseModel] = Options
    asked = 0

    def fingerprint(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> str:
        if {source, target} != {"en", "de"}:
            raise ConfigurationError(f"'words' does not translate {source} into {target}")
        return f"{options.rows} {source} {target}"

    def open(
        self,
        options: Any,
        source: str,
        target: str,
        environment: RunEnvironment,
        device: str | None,
    ) -> TranslateTexts:
        known = _dictionary(options.rows, source == "en")

        def say(texts: Sequence[str]) -> list[str]:
            Words.asked += len(texts)
            return [re.sub(r"\w+", lambda one: known.get(one[0], one[0]), text) for text in texts]

        return say


@cache
def _dictionary(size: int, from_english: bool) -> dict[str, str]:
    """Each word to the one it stands beside most, by the Dice coefficient."""
    left: Counter[str] = Counter()
    right: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for row in rows("parallel", "de", "train", seed=0, size=size):
        sides = [{*re.findall(r"\w+", str(row[name]))} for name in ("source", "target")]
        here, there = sides if from_english else sides[::-1]
        left.update(here)
        right.update(there)
        both.update((one, other) for one in here for other in there)
    best: dict[str, tuple[float, str]] = {}
    for (one, other), count in both.items():
        found = 2 * count / (left[one] + right[other]), other
        best[one] = max(best.get(one, (0.0, one)), found)
    return {one: other for one, (_, other) in best.items()}


class Plugin:
    """Offers `words`."""

    @hookimpl
    def xharness_translators(self) -> Iterable[Translator]:
        return [Words()]
