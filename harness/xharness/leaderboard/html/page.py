"""The page put together from its parts: template, style sheet, scripts and the board's data.

The policy in its head allows exactly this style and these scripts, by their digests, and no
request. Text of the board stands in it as data or escaped, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.style import COLOURS
from xharness.leaderboard.html.data import data
from xharness.leaderboard.summary import HTML, sentences
from xharness.phrases import counted

_SCRIPTS = ("dom", "format", "keys", "tips", "chart", "table", "heatmap", "main")
_OPEN = 6  # models told of without being asked
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(board: Board) -> str:
    """The page; the same board gives the same bytes."""
    style = _colours() + _part("page.css")
    script = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    title = board.study.title or board.study.name
    parts = {
        "policy": _policy(style, script),
        "title": html.escape(title),
        "about": html.escape(board.study.about or "The study says nothing of itself."),
        "facts": html.escape(_facts(board)),
        "answer": _answer(board),
        "style": style,
        "data": _embedded(data(board)),
        "script": script,
    }
    return _PLACE.sub(lambda found: parts[found[1]], _part("page.html"))


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
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _colours() -> str:
    """The strategies' colours, as the figures have them: one property each, in both themes."""
    light, dark = (
        "".join(f"--s{place}:{colour};" for place, colour in enumerate(colours))
        for colours in (COLOURS.keys(), COLOURS.values())
    )
    return (
        f":root{{{light}}}\n"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
    )


def _facts(board: Board) -> str:
    models = len({model for model, _ in board.arms})
    languages = len({row.language for row in board.scores})
    return " · ".join(
        [
            counted(models, "model"),
            counted(len(board.tasks), "task"),
            counted(languages, "language"),
            counted(len(board.scores), "score"),
        ]
    )


def _answer(board: Board) -> str:
    """The answer as HTML: readable without any script."""
    found = sentences(board, HTML)
    models = [told for one in found.verdicts for told in one.models]
    limits = f"What limits this answer: {counted(len(found.limits), 'thing')} to know"
    return "\n".join(
        [
            *(f'<p class="verdict">{one.headline}</p>' for one in found.verdicts),
            _fold("With model size", found.sizes, is_open=True),
            _fold("Model by model", models, is_open=len(models) <= _OPEN),
            f'<p class="caution">{found.caution}</p>',
            _fold(limits, found.limits, is_open=False),
        ]
    )


def _fold(summary: str, items: Sequence[str], *, is_open: bool) -> str:
    if not items:
        return ""
    start = f"<details{' open' if is_open else ''}><summary>{summary}</summary><ul>"
    return "".join([start, *(f"<li>{one}</li>" for one in items), "</ul></details>"])
