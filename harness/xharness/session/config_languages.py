"""Configurations of a data set that are named after languages, as most multilingual ones have them:
`en`, `PAN-X.de`, `mlqa.sw.sw`, `eng_Latn`, `en-US`, `english`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xharness.spec.language_names import code_of_name, normal_code
from xharness.spec.languages import LANGUAGES, find_language

_WORD = re.compile(r"(?<![A-Za-z0-9])[a-z]{2,3}(?:[-_](?:[A-Z][a-z]{3}|[A-Z]{2}))?(?![A-Za-z0-9])")
_BARE = re.compile(r"[a-z]{2,3}")
_ALL = "all"  # of the languages, and not the one that has this code
_BLANK = "{}"


@dataclass(frozen=True)
class ConfigLanguages:
    """What stands for a language in the names of configurations that differ in it alone."""

    pattern: str
    """Their common name, `{}` in the language's place."""
    words: Mapping[str, str]
    """Language to what the data set calls it, the source language first."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a configuration."""
        return tuple(self.words)

    @property
    def codes(self) -> dict[str, str]:
        """The languages whose word is another than their code."""
        return {language: word for language, word in self.words.items() if word != language}

    @property
    def template(self) -> str:
        """The name as a card writes it."""
        return self.pattern.replace(_BLANK, "{code}" if self.codes else "{language}")

    def config(self, language: str) -> str:
        """The configuration of a language."""
        return self.pattern.replace(_BLANK, self.words[language])


def config_languages(configs: Sequence[str], example: str | None) -> ConfigLanguages | None:
    """The languages among `configs`, of those that are like `example`, where one is given.

    None where their names say none.
    """
    examples = configs if example is None else [example]
    names = dict.fromkeys([*configs, *examples])
    patterns = dict.fromkeys(pattern for name in examples for pattern in _patterns(name))
    candidates = [ConfigLanguages(pattern, _words(pattern, names)) for pattern in patterns]
    best = max(candidates, key=lambda candidate: len(candidate.words), default=None)
    if best is None:
        return None
    # Names of tasks can look like codes of languages that few have heard of: `sst`, `rte`.
    if not any(language in LANGUAGES for language in best.words):
        return None
    # Without an example, only what most of them are: benchmarks have several tasks in one place.
    is_usual = len(best.words) > (1 if example else max(1, len(names) // 2))
    return best if is_usual or example in LANGUAGES else None


def _patterns(config: str) -> Iterator[str]:
    """What `config` may be an example of; where it names a language twice, first for both."""
    if code_of_name(config) is not None:
        yield _BLANK
    words = _WORD.findall(config)
    for word in dict.fromkeys(words):
        if words.count(word) > 1:
            yield re.sub(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])", _BLANK, config)
    for match in _WORD.finditer(config):
        yield f"{config[: match.start()]}{_BLANK}{config[match.end() :]}"


def _words(pattern: str, configs: Iterable[str]) -> dict[str, str]:
    first, *others = map(re.escape, pattern.split(_BLANK))
    expression = re.compile(f"{first}(?P<word>.+?){'(?P=word)'.join(others)}")
    words = [match["word"] for name in configs if (match := expression.fullmatch(name))]
    tags = {word: tag for word in words if (tag := _language_tag(word)) is not None}
    # A script or a region stays only where it tells two apart: `zh-Hans`, `zh-Hant`.
    counts = Counter(tag.partition("-")[0] for tag in tags.values())
    languages = {
        (tag if counts[base := tag.partition("-")[0]] > 1 else base): word
        for word, tag in tags.items()
    }
    return dict(sorted(languages.items(), key=lambda item: (item[0] != "en", item[0])))


def _language_tag(word: str) -> str | None:
    """The code of a language that is written so; None where none is."""
    if _BARE.fullmatch(word):
        return word if word != _ALL and find_language(word) is not None else None
    if _WORD.fullmatch(word):
        return normal_code(word)
    return code_of_name(word)
