"""Markdown, safely: names stay text, numbers are rounded in one place, tables carry footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xharness.gaps import Estimate
from xharness.spec.languages import LANGUAGES, name_of

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}
_SPECIAL = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def escape(text: str) -> str:
    """`text` as it reads, on one line, in a table or outside, whatever is in it."""
    one_line = "".join(_ENTITIES.get(letter, letter) for letter in " ".join(text.split()))
    return _SPECIAL.sub(lambda match: "\\" + match[0], one_line)


def prose(text: str) -> str:
    """The study's own paragraphs: Markdown stays, HTML becomes text."""
    return text.strip().replace("&", "&amp;").replace("<", "&lt;")


def rounded(value: float) -> float:
    """To the one decimal that is shown; never -0.0."""
    return round(value, 1) + 0.0


def points(value: float) -> str:
    """One decimal, with a real minus sign."""
    return f"{rounded(value):.1f}".replace("-", "−")


def signed(value: float) -> str:
    """A change in points: with a plus where it is one."""
    return f"+{points(value)}" if rounded(value) > 0 else points(value)


def with_interval(estimate: Estimate, *, change: bool = False) -> str:
    """`10.4 [8.9, 11.8]`; without an interval, the number alone."""
    show = signed if change else points
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return f"{show(estimate.value)} [{show(estimate.low)}, {show(estimate.high)}]"


def ratio(estimate: Estimate) -> str:
    """`0.80 [0.75, 0.84]`."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}".replace("-", "−")
    text = f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
    return text.replace("-", "−")


def parameters(count: int | None) -> str:
    """`21.3M`, `118M`, `1.2B`, or a dash where nobody said."""
    if count is None:
        return "—"
    for unit, size in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            scaled = count / size
            return f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}"
    return str(count)


def language(code: str) -> str:
    """`sw Swahili`; the bare code for a language outside the table."""
    return f"{code} {name_of(code)}" if code in LANGUAGES else escape(code)


@dataclass
class Footnotes:
    """The notes of one table: one number per text, listed below the table."""

    texts: list[str] = field(default_factory=list)

    def mark(self, *texts: str) -> str:
        """The marks of these notes, new ones being added at the end."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
        numbers = sorted({self.texts.index(text) + 1 for text in texts})
        return f"<sup>{', '.join(map(str, numbers))}</sup>" if numbers else ""

    def lines(self) -> list[str]:
        """What stands below the table."""
        notes = [f"<sup>{number}</sup> {escape(text)}" for number, text in enumerate(self.texts, 1)]
        return ["", "<br>\n".join(notes)] if notes else []


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> list[str]:
    """A table whose first `words` columns are words; numbers stand to the right."""
    rules = [":--" if column < words else "--:" for column in range(len(header))]
    return [f"| {' | '.join(cells)} |" for cells in (header, rules, *rows)]
