"""The page put together from its parts: template, style sheet, scripts and the board's data.

The policy in its head allows exactly this style and these scripts, by their digests, and no
request. Text of the board stands in it as data or escaped, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.style import BASELINE, COLOURS, COMPARED
from xharness.leaderboard.first_table import Line
from xharness.leaderboard.html.data import data
from xharness.leaderboard.sections.limits import limits
from xharness.leaderboard.standing import is_warning
from xharness.leaderboard.summary import Summary, summarize
from xharness.phrases import counted

_SCRIPTS = ("dom", "format", "keys", "tips", "chart", "sizes", "table", "heatmap", "main")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_WORDS = 2  # columns of words before the numbers


def page(board: Board) -> str:
    """The page; the same board gives the same bytes."""
    style = _colours() + _part("page.css")
    script = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    summary = summarize(board)
    parts = {
        "policy": _policy(style, script),
        "title": escape(summary.question),
        "answer": _answer(summary),
        "about": _background_folds(board),
        "style": style,
        "data": _embedded(data(board)),
        "script": script,
    }
    # In one pass: text of the board that looks like a slot is never filled in again.
    return _SLOT.sub(lambda slot: parts[slot[1]], _part("page.html"))


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(values: dict[str, Any]) -> str:
    """JSON that no parser of HTML mistakes for a tag or the end of a script."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # `</script>` inside a name would end the element; the last two end a line in older scripts.
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _colours() -> str:
    """The colours of the figures, in both themes."""
    names = {"baseline": BASELINE, "compared": COMPARED}
    light, dark = (
        "".join(f"--{name}:{shade(colour)};" for name, colour in names.items())
        for shade in (str, COLOURS.__getitem__)
    )
    return (
        f":root{{{light}}}\n"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
    )


def _answer(summary: Summary) -> str:
    """The first screen as HTML: readable without any script."""
    remarks = f'<p class="remarks">{escape(" ".join(summary.remarks))}</p>'
    still_open = f'<p class="note">{escape(summary.open_line)}</p>'
    return "\n".join(
        [
            f'<p class="headline">{escape(summary.headline)}</p>',
            remarks if summary.remarks else "",
            f'<p class="badges">{"".join(map(_badge, summary.badges))}</p>',
            '<div class="scroll first" role="region" aria-label="What was measured" tabindex="0">',
            _table(summary),
            "</div>",
            f'<p class="note">{escape(summary.caption)}</p>',
            still_open if summary.still_open else "",
            _legend(summary),
        ]
    )


def _legend(summary: Summary) -> str:
    entries = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(about)}</dd></div>"
        for name, about in summary.legend
    )
    return f'<dl class="legend">{entries}</dl>' if entries else ""


def _badge(badge: str) -> str:
    attribute = ' class="warning"' if is_warning(badge) else ""
    return f"<span{attribute}>{escape(badge)}</span>"


def _table(summary: Summary) -> str:
    header = summary.table.header
    heads = "".join(
        f'<th scope="col"{_class_attribute(index, name)}>{escape(name)}</th>'
        for index, name in enumerate(header)
    )
    rows, model = [], None
    for line in summary.table.lines:
        rows.append(_row(line, header, is_first=line.model != model))
        model = line.model
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(line: Line, header: tuple[str, ...], *, is_first: bool) -> str:
    names = [name for name, holds in (("starts", is_first), ("claim", line.is_claim),
             ("base", line.is_baseline)) if holds]  # fmt: skip
    cells = []
    for index, (name, text) in enumerate(zip(header, line.words, strict=True)):
        if index == 0:
            model = escape(text) if is_first else ""
            cells.append(f'<th scope="row"{_class_attribute(index, name)}>{model}</th>')
        else:
            label = f' data-label="{escape(name)}"' if index >= _WORDS else ""
            attribute = ' class="none"' if text == "—" else _class_attribute(index, name)
            cells.append(f"<td{attribute}{label}>{_interval_apart(escape(text))}</td>")
    attribute = f' class="{" ".join(names)}"' if names else ""
    return f"<tr{attribute}>{''.join(cells)}</tr>"


def _class_attribute(index: int, name: str) -> str:
    return ' class="word"' if index < _WORDS or name == columns.READS_AS else ""


def _interval_apart(text: str) -> str:
    """`+3.2 [+0.1, +6.3]` with the interval in small letters."""
    return re.sub(r" (\[[^\]]*\])$", r" <small>\1</small>", text)


def _background_folds(board: Board) -> str:
    """What was run, what limits the answer, how to read it: folds at the end."""
    limit_items = list(limits(board, escape))
    words = {"source": board.source_name, "baseline": board.gaps.baseline}
    meanings = [
        f"<b>{escape(name)}</b>: {_code(escape(meaning.format(**words)))}"
        for name, meaning in columns.MEANINGS
    ]
    introduction = escape(board.study.about or "The study says nothing of itself.")
    return "\n".join(
        [
            "<details><summary>What was run</summary>",
            f'<p class="prose">{introduction}</p></details>',
            _fold(
                f"What limits this answer: {counted(len(limit_items), 'thing')} to know",
                limit_items,
            ),
            _fold("How to read it", meanings),
        ]
    )


def _code(text: str) -> str:
    """The two marks that meanings use: `code` and *emphasis*."""
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", re.sub(r"`(.+?)`", r"<code>\1</code>", text))


def _fold(title: str, items: Iterable[str]) -> str:
    entries = "".join(f"<li>{item}</li>" for item in items)
    return f"<details><summary>{title}</summary><ul>{entries}</ul></details>" if entries else ""
