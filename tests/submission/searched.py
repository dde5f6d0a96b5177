"""Two tasks that search: questions for sentences, and sentences for their translations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ABOUT = {"title": "t", "summary": "Which one?", "license": "CC0-1.0", "citation": "none"}
_WORDS = [
    "river", "stone", "lamp", "forest", "window", "bread", "winter", "harbour", "garden", "mirror",
]  # fmt: skip


def _card(name: str, kind: str, fields: Mapping[str, str], **further_keys: Any) -> dict[str, Any]:
    files = {"test": f"data/{name}.{{language}}.test.jsonl"}
    files |= {"validation": f"data/{name}.{{language}}.validation.jsonl"} if "tuned" in name else {}
    return {
        "name": name,
        "task_type": kind,
        "role": "corpus" if kind == "passage" else "target",
        "sources": [
            {
                "from": "file",
                "reader": "jsonl",
                "path": files,
                "splits": {split: split for split in files},
            }
        ],
        "languages": ["en", "de"],
        "fields": dict(fields),
        "about": ABOUT,
    } | further_keys


CARDS = [
    _card("asked", "retrieval", {"id": "id", "query": "text"}, metrics=["map_at_20"],
          index={"card": "said", "languages": "all"}),
    _card("said", "passage", {"id": "id", "text": "text", "answers": "answers"}),
    _card("mined_tuned", "bitext_mining", {"id": "id", "text": "text", "match": "match"},
          metrics=["mining_f1"], index={"card": "other_tuned", "languages": "own"},
          tuned_on="validation"),
    _card("other_tuned", "passage", {"id": "id", "text": "text"}),
]  # fmt: skip


def write(folder: Path) -> None:
    """The cards and their data; some things are found, some are not."""
    (folder / "cards").mkdir(exist_ok=True)
    for card in CARDS:
        (folder / "cards" / f"{card['name']}.yaml").write_text(yaml.safe_dump(card))
    (folder / "data").mkdir()
    for code in ("en", "de"):
        _rows(
            folder,
            "asked",
            code,
            "test",
            [{"id": f"q{n}", "text": f"{word} {code}"} for n, word in enumerate(_WORDS[:6])],
        )
        _rows(
            folder,
            "said",
            code,
            "test",
            [
                {
                    "id": f"s{n}",
                    "text": f"{word} {'x' * (n % 3)}",
                    "answers": [f"q{(n + n // 4) % 6}"],
                }
                for n, word in enumerate(_WORDS[:6])
            ],
        )
        for split, first in (("validation", 0), ("test", 3)):
            words = _WORDS[first : first + 7]
            _rows(
                folder,
                "mined_tuned",
                code,
                split,
                [
                    {"id": f"{code}-{n}", "text": word, "match": f"en-{n}" if n % 3 else ""}
                    for n, word in enumerate(words)
                ],
            )
            _rows(folder, "other_tuned", code, split, [
                {"id": f"en-{n}", "text": word if n % 2 else word[::-1]}
                for n, word in enumerate(words)])  # fmt: skip


def _rows(folder: Path, name: str, code: str, split: str, rows: Sequence[Any]) -> None:
    path = folder / "data" / f"{name}.{code}.{split}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
