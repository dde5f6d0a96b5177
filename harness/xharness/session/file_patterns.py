"""Files whose names say language and split: which there are, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xharness.errors import ConfigurationError, UnavailableError, suggestion
from xharness.spec.languages import is_code

_READERS = {".jsonl": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv"}
_BLANKS = ("{language}", "{split}")


@dataclass(frozen=True)
class FilePattern:
    """A path with `{split}`, and `{language}` where there are several, in place of their names."""

    text: str

    @property
    def reader(self) -> str:
        """The reader that the ending stands for.

        Raises:
            ConfigurationError: none does.
        """
        name = self.text.removesuffix(".gz")
        reader = _READERS.get(PurePosixPath(name).suffix)
        if reader is None:
            raise ConfigurationError(
                "its ending names no format of rows",
                where=self.text,
                expected=", ".join(_READERS),
                hint="'xharness new card NAME' writes a card; its 'reader' has more formats",
            )
        return reader

    def languages(self, folder: Path) -> list[str]:
        """The languages that files below `folder` have, English first; English where all are one.

        Raises:
            ConfigurationError: the pattern does not say where the split's name stands.
            UnavailableError: there is no such file.
        """
        if "{split}" not in self.text:
            raise ConfigurationError(
                "does not say which split a file holds",
                where=self.text,
                expected="{split} in place of train, dev or test: reviews.{language}.{split}.csv",
            )
        matches = [*self._matches(folder)]
        if not matches:
            names = [path.name for path in (folder / self.text).parent.glob("*")]
            near = suggestion(PurePosixPath(self.text).name, names) if names else None
            raise UnavailableError("there is no such file", where=self.text, hint=near)
        codes = {match.groupdict().get("language", "en") for match in matches}
        return sorted(
            (code for code in codes if is_code(code)), key=lambda code: (code != "en", code)
        )

    def in_language(self, language: str) -> str:
        """The path of that language's files, `{split}` still open."""
        return self.text.replace("{language}", language)

    def _matches(self, folder: Path) -> Iterator[re.Match[str]]:
        expression = re.escape(self.text)
        for blank in _BLANKS:
            group = f"(?P<{blank[1:-1]}>[\\w-]+)"
            # A name that stands in two places, such as a folder and a file, is the same in both.
            expression = expression.replace(re.escape(blank), group, 1)
            expression = expression.replace(re.escape(blank), f"(?P={blank[1:-1]})")
        glob = self.text
        for blank in _BLANKS:
            glob = glob.replace(blank, "*")
        for path in sorted(folder.glob(glob)):
            match = re.fullmatch(expression, path.relative_to(folder).as_posix())
            if match is not None and path.is_file():
                yield match
