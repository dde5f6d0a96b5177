"""Markdown, safely: names stay text, numbers are rounded in one place, tables carry footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xharness.gaps import Detectable, Estimate, detectable_text, rounded
from xharness.spec.languages import name_of

# GitHub reads a pair of dollar signs as a formula, and no backslash keeps it from that.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}
_INTERVAL = re.compile(r"\[[+−]?[\d.]+, [+−]?[\d.]+\](?![(\[:])")
# An underscore inside a word marks nothing, and `xlm_r` reads better without a backslash.
_SPECIAL = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def escape(text: str) -> str:
    """`text` as it reads, on one line, in a table or outside, whatever is in it."""
    one_line = "".join(_ENTITIES.get(letter, letter) for letter in " ".join(text.split()))
    safe, end = [], 0
    # An interval is no link, and reads better in the source without backslashes.
    for interval in _INTERVAL.finditer(one_line):
        safe += [_marked(one_line[end : interval.start()]), interval[0]]
        end = interval.end()
    return "".join([*safe, _marked(one_line[end:])])


def _marked(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)


def prose(text: str) -> str:
    """The study's own paragraphs: Markdown stays, HTML becomes text."""
    return text.strip().replace("&", "&amp;").replace("<", "&lt;")


def points(value: float) -> str:
    """One decimal, with a real minus sign."""
    return f"{rounded(value):.1f}".replace("-", "−")


def known_points(value: float | None) -> str:
    """As `points`; a dash where there is no number."""
    return "—" if value is None else points(value)


def signed(value: float) -> str:
    """A change in points: with a plus where it is one."""
    # Rounded first: `+0.0` would say a direction that its digits don't.
    return f"+{points(value)}" if rounded(value) > 0 else points(value)


def with_interval(estimate: Estimate, *, change: bool = False) -> str:
    """`10.4 [8.9, 11.8]`; without an interval, the number alone."""
    show = signed if change else points
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return f"{show(estimate.value)} [{show(estimate.low)}, {show(estimate.high)}]"


def ratio(estimate: Estimate) -> str:
    """`0.80 [0.75, 0.84]`."""
    ends = (estimate.value, estimate.low, estimate.high)
    value, *interval = (_two_decimals(end) for end in ends if end is not None)
    return f"{value} [{', '.join(interval)}]" if len(interval) == 2 else value


def _two_decimals(value: float) -> str:
    return f"{rounded(value, 2):.2f}".replace("-", "−")


def known_detectable(detectable: Detectable | None) -> str:
    """`about 4 (3 to 8)`; a dash where nothing is known."""
    return "—" if detectable is None else detectable_text(detectable)


def p_text(p: float) -> str:
    """Three decimals, never zero."""
    return "< 0.001" if rounded(p, 3) < 0.001 else f"{rounded(p, 3):.3f}"


def thousands(count: int) -> str:
    """`1,000`."""
    return f"{count:,}"


def parameters(count: int | None) -> str:
    """`21.3M`, `118M`, `1.2B`, or a dash where nobody said."""
    if count is None:
        return "—"
    for unit, size in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            scaled = count / size
            # Three digits everywhere; 99.95 would be rounded to a fourth.
            return f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}"
    return str(count)


def language(code: str) -> str:
    """`sw Swahili`; the bare code where no registry knows it."""
    name = name_of(code)
    return escape(code if name == code else f"{code} {name}")


def shortened(text: str, letters: int) -> str:
    """`text`, its end cut off where it has more than so many letters."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


@dataclass
class Footnotes:
    """The notes of one table: one number per text, listed below the table."""

    texts: list[str] = field(default_factory=list)

    def mark(self, *texts: str) -> str:
        """The marks of these notes, new ones being added at the end."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
        # A text is added once: two cells with the same reason share a mark.
        numbers = sorted({self.texts.index(text) + 1 for text in texts})
        return f"<sup>{', '.join(map(str, numbers))}</sup>" if numbers else ""

    def lines(self) -> list[str]:
        """What stands below the table."""
        notes = [f"<sup>{number}</sup> {escape(text)}" for number, text in enumerate(self.texts, 1)]
        return ["", "<br>\n".join(notes)] if notes else []


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> list[str]:
    """A table whose first `words` columns are words; numbers stand to the right."""
    rules = [":--" if column < words else "--:" for column in range(len(header))]
    lines = (f"| {' | '.join(cells)} |" for cells in (header, rules, *rows))
    return [_INTERVAL.sub(_unbroken, line) for line in lines]


def _unbroken(interval: re.Match[str]) -> str:
    # A narrow column breaks before an interval, never within it.
    return interval[0].replace(" ", "\N{NO-BREAK SPACE}")
