"""A page of Markdown for each card, made from the card alone, and an index of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from xharness.files import write_text
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.languages import LANGUAGES, name_of
from xharness.spec.published import PublishedRecipe
from xharness.spec.sources import SourceSpec, Split

_MADE = "<!-- Made from the task cards by `xharness cards docs FOLDER`: edit the card. -->\n"
_ROLES = {
    "target": "Tasks that are scored in many languages",
    "intermediate": "English tasks to train on",
    "corpus": "Corpora, training sets and candidates",
}


def write(catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write every page and the index into `folder`; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages(catalogue)
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def pages(catalogue: Catalogue) -> dict[str, str]:
    """File name to text."""
    cards = [catalogue.card(name) for name in catalogue.card_files]
    return {"README.md": index(cards)} | {
        f"{card.name}.md": page(card, catalogue) for card in cards
    }


def index(cards: Sequence[TaskCard]) -> str:
    """The list of all pages, by role."""
    parts = [_MADE, "# Tasks\n"]
    for role, title in _ROLES.items():
        rows = [
            (
                f"[{card.name}]({card.name}.md)",
                card.about.title,
                card.task_type,
                len(card.languages),
            )
            for card in cards
            if card.role == role
        ]
        parts.append(f"## {title}\n\n{_table(('card', 'task', 'kind', 'languages'), rows)}")
    return "\n".join(parts)


def page(card: TaskCard, catalogue: Catalogue) -> str:
    """Everything the card says, for reading."""
    about = card.about
    example = f"> {about.example}\n" if about.example else ""
    sections = [
        _MADE,
        f"# {about.title}\n",
        f"{about.summary}\n",
        *([example] if example else []),
        _facts(card, catalogue),
        _metrics(card, catalogue),
        _rows(card),
        _recipes(card),
        _results(card),
        _listed("Traps", about.caveats),
        f"## Citation\n\n{about.citation}\n",
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
        "task_type": f"`{card.task_type}`",
        "groups": _names(groups),
        "source": "<br>".join(dict.fromkeys(map(_source, card.sources))),
        "license": card.about.license,
        "home page": f"<{card.about.homepage}>" if card.about.homepage else "",
        "training sets, in order": ", ".join(
            _training_set(one, catalogue) for one in card.train_on
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
    none = "nothing: there is no English test set"
    return none if card.source_language is None else name_of(card.source_language)


def _source(spec: SourceSpec) -> str:
    own = spec.source_options
    if spec.source == "hub":
        config = f", config `{own['config']}`" if "config" in own else ""
        text = f"data set [{own['id']}](https://huggingface.co/datasets/{own['id']}){config}"
    else:
        places = own.get("url") or own.get("path") or spec.source
        several = places.values() if isinstance(places, dict) else (places,)
        flat = (one for some in several for one in ((some,) if isinstance(some, str) else some))
        text = ", ".join(f"`{one}`" for one in flat)
    return text + (f" ({spec.download_instructions})" if spec.download_instructions else "")


def _index(card: TaskCard) -> str:
    if card.index is None:
        return ""
    of = "each language's own" if card.index.languages == "own" else "one pool of all languages"
    return f"[{card.index.card}]({card.index.card}.md), {of}"


def _metrics(card: TaskCard, catalogue: Catalogue) -> str:
    known = catalogue.task_types[card.task_type].metrics
    lines = [
        f"`{name}`: {known[name].description}; from sums over the items: "
        + ", ".join(known[name].statistics)
        for name in card.metrics
    ]
    score = "The first one is a language's score; their mean over the languages is the task's.\n"
    return _listed("Metrics", lines, score if len(card.languages) > 1 else "")


def _rows(card: TaskCard) -> str:
    splits = [split for split in get_args(Split) if split in card.rows]
    table = [
        (
            code,
            name_of(code),
            LANGUAGES[code].family if code in LANGUAGES else "",
            LANGUAGES[code].script if code in LANGUAGES else "",
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
            one.model,
            f"`{one.metric}`",
            "" if one.score is None else one.score,
            one.scores.get(card.source_language or "", ""),
            one.source,
            one.note or "",
        )
        for one in card.published_results
    ]
    heads = ("model", "metric", "mean", card.source_language or "", "source", "note")
    return f"## Published results\n\n{_table(heads, rows)}"


def _listed(title: str, lines: Iterable[str], after: str = "") -> str:
    found = [f"- {line}" for line in lines]
    end = ["", after] if after else [""]
    return "\n".join([f"## {title}\n", *found, *end]) if found else ""


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
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
