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
from xharness.spec.fields import Strict
from xharness_mini.tasks import rows

_SIZE = 2000


class Options(Strict):
    rows: int = _SIZE


class WordTranslator(Translator):
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
        dictionary = _dictionary(options.rows, source == "en")

        def say(texts: Sequence[str]) -> list[str]:
            WordTranslator.asked += len(texts)
            return [
                re.sub(r"\w+", lambda word: dictionary.get(word[0], word[0]), text)
                for text in texts
            ]

        return say


@cache
def _dictionary(size: int, from_english: bool) -> dict[str, str]:
    """Each word to the one it stands beside most, by the Dice coefficient."""
    source_counts: Counter[str] = Counter()
    target_counts: Counter[str] = Counter()
    pair_counts: Counter[tuple[str, str]] = Counter()
    for row in rows("parallel", "de", "train", seed=0, size=size):
        sides = [{*re.findall(r"\w+", str(row[name]))} for name in ("source", "target")]
        source_words, target_words = sides if from_english else sides[::-1]
        source_counts.update(source_words)
        target_counts.update(target_words)
        pair_counts.update(
            (word, translation) for word in source_words for translation in target_words
        )
    best: dict[str, tuple[float, str]] = {}
    for (word, translation), count in pair_counts.items():
        candidate = 2 * count / (source_counts[word] + target_counts[translation]), translation
        best[word] = max(best.get(word, (0.0, word)), candidate)
    return {word: translation for word, (_, translation) in best.items()}


class Plugin:
    """Offers `words`."""

    @hookimpl
    def xharness_translators(self) -> Iterable[Translator]:
        return [WordTranslator()]
