"""A page of Markdown for each card, made from the card alone, and an index of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from xharness.files import write_changed
from xharness.leaderboard.text import prose
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.languages import find_language, name_of
from xharness.spec.published import PublishedRecipe
from xharness.spec.sources import SourceSpec, Split

_HEADER = "<!-- Made from the task cards by `xharness cards docs FOLDER`: edit the card. -->\n"
_ROLES = {
    "target": "Tasks that are scored in many languages",
    "intermediate": "English tasks to train on",
    "corpus": "Corpora, training sets and candidates",
}


def write(catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write every page and the index into `folder`; the files that changed.

    A page whose card is gone is deleted, if it was made here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages(catalogue)
    changed_files = []
    for path in sorted(folder.glob("*.md")):
        # A folder of documents may hold pages that people wrote.
        if path.name not in texts and path.read_text(encoding="utf-8").startswith(_HEADER):
            path.unlink()
            changed_files.append(path)
    changed_files += [
        folder / name for name, text in texts.items() if write_changed(folder / name, text)
    ]
    return changed_files


def pages(catalogue: Catalogue) -> dict[str, str]:
    """File name to text."""
    cards = [catalogue.card(name) for name in catalogue.card_files]
    return {"README.md": index(cards)} | {
        f"{card.name}.md": page(card, catalogue) for card in cards
    }


def index(cards: Sequence[TaskCard]) -> str:
    """The list of all pages, by role."""
    parts = [_HEADER, "# Tasks\n"]
    for role, title in _ROLES.items():
        rows = [
            (
                f"[{card.name}]({card.name}.md)",
                prose(card.about.title),
                card.task_type,
                len(card.languages),
            )
            for card in cards
            if card.role == role
        ]
        parts.append(f"## {title}\n\n{_table(('card', 'task', 'task type', 'languages'), rows)}")
    return "\n".join(parts)


def page(card: TaskCard, catalogue: Catalogue) -> str:
    """Everything the card says, for reading."""
    about = card.about
    example = f"> {prose(about.example)}\n" if about.example else ""
    sections = [
        _HEADER,
        f"# {prose(about.title)}\n",
        f"{prose(about.summary)}\n",
        *([example] if example else []),
        _facts(card, catalogue),
        _metrics(card, catalogue),
        _rows(card),
        _recipes(card),
        _results(card),
        _list_section("Caveats", tuple(map(prose, about.caveats))),
        f"## Citation\n\n{prose(about.citation)}\n",
    ]
    return "\n".join(section for section in sections if section)


def _facts(card: TaskCard, catalogue: Catalogue) -> str:
    groups = [
        name
        for name in catalogue.groups
        if card.name in (member.task for member in catalogue.groups[name].tasks)
    ]
    facts = {
        "card": f"`{card.name}`",
        "also called": _names(card.aliases),
        "task type": f"`{card.task_type}`",
        "groups": _names(groups),
        "source": "<br>".join(dict.fromkeys(map(_source, card.sources))),
        "license": prose(card.about.license),
        "home page": f"<{card.about.homepage}>" if card.about.homepage else "",
        "training sets, in order": ", ".join(
            _training_set(name, catalogue) for name in card.train_on
        ),
        "candidates": _index(card),
        "gap measured from": _source_language(card),
        "split scored": card.eval_split if card.role != "corpus" else "",
    }
    return _table(("", ""), [(key, value) for key, value in facts.items() if value])


def _training_set(name: str, catalogue: Catalogue) -> str:
    rows = _count(catalogue.card(name).expected_rows("en", "train"))
    return f"[{name}]({name}.md) (English" + (f", {rows} rows)" if rows else ")")


def _source_language(card: TaskCard) -> str:
    if card.role != "target":
        return ""
    if card.source_language is None:
        return "nothing: there is no English test set"
    return name_of(card.source_language)


def _source(spec: SourceSpec) -> str:
    options = spec.source_options
    if spec.source == "hub":
        config = f", config `{options['config']}`" if "config" in options else ""
        text = (
            f"data set [{options['id']}](https://huggingface.co/datasets/{options['id']}){config}"
        )
    else:
        option = options.get("url") or options.get("path") or spec.source
        # One address for all splits, or one or a list of them for each.
        entries = option.values() if isinstance(option, dict) else (option,)
        lists = ((entry,) if isinstance(entry, str) else entry for entry in entries)
        text = ", ".join(f"`{address}`" for addresses in lists for address in addresses)
    instructions = prose(spec.download_instructions or "")
    return text + (f" ({instructions})" if instructions else "")


def _index(card: TaskCard) -> str:
    if card.index is None:
        return ""
    is_shared = card.index.languages != "own"
    candidates = "one index of all languages" if is_shared else "each language's own"
    return f"[{card.index.card}]({card.index.card}.md), {candidates}"


def _metrics(card: TaskCard, catalogue: Catalogue) -> str:
    metrics = catalogue.task_types[card.task_type].metrics
    lines = [
        f"`{name}`: {metrics[name].description}; from sums over the items: "
        + ", ".join(metrics[name].statistics)
        for name in card.metrics
    ]
    score = "The first one is a language's score; their mean over the languages is the task's.\n"
    return _list_section("Metrics", lines, score if len(card.languages) > 1 else "")


def _rows(card: TaskCard) -> str:
    splits = [split for split in get_args(Split) if split in card.rows]
    table = [
        (
            code,
            *(find_language(code) or (code, code, "", ""))[1:],
            *(_count(card.expected_rows(code, split)) for split in splits),
        )
        for code in card.languages
    ]
    heads = ("code", "language", "family", "script", *splits)
    return f"## Languages and rows\n\n{_table(heads, table)}"


def _recipes(card: TaskCard) -> str:
    parts = ["## Recipes\n"] if card.recipes else []
    for name, recipe in card.recipes.items():
        parts += [f"`recipe: {name}` ({recipe.source})\n", _columns(recipe)]
    return "\n".join(parts)


def _columns(recipe: PublishedRecipe) -> str:
    base, large = recipe.fields("base"), recipe.fields("large")
    if base == large:
        return _table(("field", "value"), [(f"`{name}`", value) for name, value in base.items()])
    return _table(
        ("field", "`size: base`", "`size: large`"),
        [(f"`{name}`", base.get(name, ""), large[name]) for name in large],
    )


def _results(card: TaskCard) -> str:
    if not card.published_results:
        return ""
    rows = [
        (
            result.model,
            f"`{result.metric}`",
            "" if result.score is None else result.score,
            result.scores.get(card.source_language or "", ""),
            result.source,
            result.note or "",
        )
        for result in card.published_results
    ]
    heads = ("model", "metric", "mean", card.source_language or "", "source", "note")
    return f"## Published results\n\n{_table(heads, rows)}"


def _list_section(title: str, lines: Iterable[str], closing: str = "") -> str:
    bullets = [f"- {line}" for line in lines]
    end = ["", closing] if closing else [""]
    return "\n".join([f"## {title}\n", *bullets, *end]) if bullets else ""


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}".replace(",", " ")


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    return "\n".join(_lines(heads, rows)) + "\n"


def _lines(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        # A bar within a cell would begin another one.
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
