"""From a cell of a served board to its items: a page made when it is asked for, from the store.

The committed page holds none of it. While a board is served, the page that is sent gets one script
more, which leads from a cell of the map of languages to the items behind it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from xharness.errors import ConfigurationError, XharnessError
from xharness.gaps import scores
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard.board import SCORES, STUDY
from xharness.session.environment import open_store
from xharness.session.items import StageItems, open_items, paired
from xharness.session.options import RunOptions
from xharness.spec import study

ADDRESS = "/items"
_MOST = 50  # items of a page
_CELL = ("model", "strategy", "task", "language")
_STYLE = """body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
article{border-top:1px solid #8886;padding:.7rem 0}dl{margin:0;display:grid;
grid-template-columns:max-content 1fr;gap:0 1rem}dt{opacity:.7}dd{margin:0;white-space:pre-wrap}
h2{font-size:1rem;margin:.2rem 0}
:root{color-scheme:light dark}"""
_SCRIPT = """
const openItems = (event) => {
  const cell = event.target instanceof Element ? event.target.closest("#map tbody td") : null;
  if (!cell || cell.cellIndex < 2 || (event.key ?? "Enter") !== "Enter") return;
  const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  location.href = "/items?" + new URLSearchParams({
    model: head.firstChild.textContent,
    strategy: head.querySelector("small").textContent,
    task: document.getElementById("filter-map-task").selectedOptions[0].label,
    language: cell.parentElement.querySelector(".tag").textContent,
  });
};
document.addEventListener("click", openItems);
document.addEventListener("keydown", openItems);
document.getElementById("map").style.cursor = "pointer";
const way = document.createElement("p");
way.className = "note";
way.textContent = "A click on a score, or Enter, leads to its items.";
document.getElementById("map-note").after(way);
"""


def with_script(page: bytes) -> bytes:
    """The board's page with the script that leads to items, which its policy then allows."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest())
    allowed = page.replace(b"script-src ", b"script-src 'sha256-" + digest + b"' ", 1)
    before, end, after = allowed.rpartition(b"</body>")
    return before + f"<script>{_SCRIPT}</script>".encode() + end + after


@dataclass(frozen=True)
class ItemPages:
    """The pages of items of one board."""

    folder: Path
    stages: tuple[StageItems, ...]
    """The same stages read from several bases: a card's relative path counts from the folder that
    the study was typed in, which may be the board's or not."""

    def page(self, query: str) -> str:
        """The page that a query such as `model=...&task=...&wrong=1` asks for; else what is wrong.

        Raises:
            ConfigurationError: it names no cell of the board.
        """
        words = {name: values[0] for name, values in parse_qs(query).items()}
        keys = [self._key(words)]
        if "against" in words:
            # No name has a line feed in it.
            model, _, strategy = words["against"].partition("\n")
            keys.append(self._key({**words, "model": model, "strategy": strategy}))
        try:
            rows = self._rows(keys, words["language"])
        except XharnessError as error:
            return _html(words, f"<p>{escape(str(error))}</p>")
        only_wrong = "wrong" in words
        chosen = [row for row in rows if not (only_wrong and row["right"])]
        count = f"{len(chosen)} of {len(rows)} items" + (" are wrong" if only_wrong else "")
        shown = "".join(map(_item, chosen[:_MOST]))
        more = f"; the first {_MOST} are shown" if len(chosen) > _MOST else ""
        other = words.get("against", "").replace("\n", " · ")
        against = f"; against: {escape(other)}" if other else ""
        return _html(words, f"<p>{count}{more}{against}. {self._links(words)}</p>{shown}")

    def _rows(self, keys: list[str], language: str) -> list[dict[str, object]]:
        error: XharnessError | None = None
        for stage_items in self.stages:
            try:
                return paired(stage_items, keys, language)
            except XharnessError as failure:
                error = error or failure
        assert error is not None
        raise error

    def _links(self, words: Mapping[str, str]) -> str:
        """To the wrong ones or to all, and to the other arms that answered the same."""
        cell = {name: words[name] for name in (*_CELL, "against") if name in words}
        links = [("all", cell) if "wrong" in words else ("only wrong", {**cell, "wrong": "1"})]
        if "against" in words:
            alone = {name: text for name, text in words.items() if name != "against"}
            links.append(("alone", alone))
        here = (words["model"], words["strategy"])
        for model, strategy in self._arms(words):
            against = f"{model}\n{strategy}"
            if (model, strategy) != here and against != words.get("against"):
                links.append((f"beside {model} · {strategy}", {**words, "against": against}))
        return " · ".join(
            f'<a href="{ADDRESS}?{escape(urlencode(target))}">{escape(name)}</a>'
            for name, target in links
        )

    def _scores(self, words: Mapping[str, str]) -> Iterable[ScoreRow]:
        return (
            row
            for row in scores.read(self.folder / SCORES)
            if isinstance(row, ScoreRow)
            and row.main
            and row.stage is not None
            and (row.task, row.language) == (words.get("task"), words.get("language"))
        )

    def _arms(self, words: Mapping[str, str]) -> list[tuple[str, str]]:
        return [*dict.fromkeys((row.model, row.strategy) for row in self._scores(words))]

    def _key(self, words: Mapping[str, str]) -> str:
        """The score stage of the cell's first seed."""
        arm = (words.get("model"), words.get("strategy"))
        stages = (row.stage for row in self._scores(words) if (row.model, row.strategy) == arm)
        stage = next(stages, None)
        if stage is None:
            raise ConfigurationError("no measured score of the board is asked for")
        return stage


def open_item_pages(folder: Path, options: RunOptions) -> ItemPages | None:
    """The pages of items of the board in `folder`; None where it holds no scores.

    Raises:
        ConfigurationError: a broken study, or a plugin or folder that is not there.
    """
    if not (folder / SCORES).is_file() or not (folder / STUDY).is_file():
        return None
    store = open_store(options.store, study.load(folder / STUDY)[0], folder)
    return ItemPages(
        folder, tuple(open_items(options, store, base) for base in (folder, Path.cwd()))
    )


def _item(row: dict[str, object]) -> str:
    verdict = "right" if row["right"] else "wrong"
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd dir=auto>{escape(str(text))}</dd>"
        for name, text in row.items()
        if name not in ("item", "language", "right")
    )
    title = f"{escape(str(row['item']))} · {verdict}"
    return f'<article class="{verdict}"><h2>{title}</h2><dl>{facts}</dl></article>'


def _html(words: Mapping[str, str], body: str) -> str:
    title = escape(" · ".join(words[name] for name in _CELL))
    # No icon is asked for, which would be a request that fails.
    return (
        f'<!doctype html><html lang=en><meta charset=utf-8><link rel="icon" href="data:,">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style>"
        f'<p><a href="/">the board</a></p><h1>{title}</h1>{body}</html>'
    )
