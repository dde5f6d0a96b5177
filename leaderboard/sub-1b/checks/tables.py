"""Print the table of README.md from the files beside it.

python leaderboard/sub-1b/checks/tables.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CHECKS = Path(__file__).parent


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def tatoeba() -> list[str]:
    """Accuracy by language: both directions here, by transformers alone, and as MTEB has it."""
    lines = (CHECKS / "tatoeba.jsonl").read_text(encoding="utf-8").splitlines()
    scores = [json.loads(line) for line in lines]
    here = {(score["task"], score["language"]): score["value"] for score in scores}
    elsewhere = read(CHECKS / "tatoeba-elsewhere.json")
    alone, mteb = elsewhere["transformers"], elsewhere["mteb"]["to_english"]
    rows = [
        "| | X to English | transformers | MTEB | English to X | transformers |",
        "|--|--:|--:|--:|--:|--:|",
    ]
    for language in mteb:
        forth, back = here["tatoeba_to_english", language], here["tatoeba", language]
        rows.append(
            f"| {language} | {forth:.2f} | {alone['to_english'][language]:.1f} "
            f"| {mteb[language]:.1f} | {back:.2f} | {alone['from_english'][language]:.1f} |"
        )
    return rows


if __name__ == "__main__":
    print("\n".join(tatoeba()))
