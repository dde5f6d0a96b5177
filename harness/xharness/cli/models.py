"""`xharness models`: the models of a study, and how large they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xharness import study
from xharness.cli.compose import open_catalogue, open_store
from xharness.console import show_json, show_table
from xharness.leaderboard.text import parameters
from xharness.store import RECEIPT, Store


def show(file: Path, store: Path | None, extra: tuple[str, ...], *, as_json: bool) -> None:
    """Print the study's models; sizes are those that receipts in the store tell."""
    question, _ = study.load(file)
    catalogue = open_catalogue(extra)
    sizes = _sizes(open_store(store, question, file.parent))
    rows = [
        {
            "model": one.name,
            "backend": one.backend,
            "by": str(catalogue.backends.provider(one.backend)),
            "options": one.own_options,
            "pretrained here": one.pretrain.corpus if one.pretrain else None,
            **sizes.get(one.name, {"parameters": None, "outside_embedding": None}),
        }
        for one in question.models
    ]
    if as_json:
        show_json(rows)
        return
    show_table([_row(row) for row in rows], right=("parameters", "outside embedding"))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    options = ", ".join(f"{key}: {value}" for key, value in row["options"].items())
    return {
        "model": row["model"],
        "backend": f"{row['backend']}, by {row['by']}",
        "options": options,
        "pretrained here": row["pretrained here"],
        "parameters": parameters(row["parameters"]),
        "outside embedding": parameters(row["outside_embedding"]),
    }


def _sizes(store: Store) -> dict[str, dict[str, int]]:
    """Model to sizes, from the receipts of the stages that knew it under this name."""
    found = {}
    for path in sorted(store.root.glob(f"*/*/{RECEIPT}")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))["facts"]
            total, embedding = facts["sizes"]["total"], facts["sizes"]["embedding"]
            name = facts["label"].split(" · ")[0]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # score stages know no sizes
        found[name] = {"parameters": total, "outside_embedding": total - embedding}
    return found
