"""A tiny project for the command line: two cards over local files, and a study of baselines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from xharness.cli import app
from xharness.stages.label import StageLabel

WORDS = {
    "en": (["good", "fine", "lovely", "nice"], ["bad", "poor", "awful", "ugly"]),
    "de": (["gut", "fein", "lieblich", "nett"], ["schlecht", "armselig", "übel", "hässlich"]),
    "sw": (["nzuri", "njema", "safi", "tamu"], ["mbaya", "duni", "chafu", "chungu"]),
}
RUN = [sys.executable, "-c", "from xharness.cli import main; main()"]


@dataclass
class Project:
    """A folder with cards, data and a study; `run` types a command in it."""

    folder: Path
    study: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self) -> Project:
        """Write what the fields say now."""
        (self.folder / "cards").mkdir(exist_ok=True)
        for name, card in self.cards.items():
            text = yaml.safe_dump(card, allow_unicode=True)
            (self.folder / "cards" / f"{name}.yaml").write_text(text, encoding="utf-8")
        text = yaml.safe_dump(self.study, allow_unicode=True, sort_keys=False)
        (self.folder / "study.yaml").write_text(text, encoding="utf-8")
        return self

    def words(self, *words: str) -> list[str]:
        """A command on this study, with its cards and a store of its own."""
        options = ["--cards", "cards", "--store", "store"]
        return [words[0], "study.yaml", *options, *words[1:]]

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [*RUN, *words],
            cwd=self.folder,
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: str, **env: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command in a process of its own."""
        process = self.start(*words, **env)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def run(self, *words: str) -> Result:
        """The study's run in this process."""
        return invoke(self.folder, *self.words("run", *words))

    @property
    def scores(self) -> str:
        return (self.folder / "scores.jsonl").read_text(encoding="utf-8")

    def receipts(self) -> dict[str, dict[str, Any]]:
        """Label to receipt, for all finished stages."""
        receipts = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in self.folder.glob("store/*/*/receipt*.json")
        ]
        return {str(StageLabel(**receipt["facts"]["label"])): receipt for receipt in receipts}


def fresh(folder: Path) -> Project:
    """The small project, written into an empty folder."""
    write_data(folder)
    return Project(folder, small_study(), {"mood": sentiment()}).write()


def invoke(folder: Path, *words: str) -> Result:
    """A command typed in `folder`, in this process."""
    previous_folder = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, list(words))
    finally:
        os.chdir(previous_folder)


def sentiment(name: str = "mood", **changes: Any) -> dict[str, Any]:
    """A classification card over `data/mood.<language>.<split>.jsonl`."""
    card: dict[str, Any] = {
        "name": name,
        "task_type": "classification",
        "role": "target",
        "sources": [
            {
                "from": "file",
                "reader": "jsonl",
                "path": {
                    split: f"data/mood.{{language}}.{split}.jsonl" for split in ("train", "test")
                },
                "splits": {"train": "train", "test": "test"},
            }
        ],
        "languages": list(WORDS),
        "fields": {"text": "text", "label": "label"},
        "labels": ["bad", "good"],
        "metrics": ["accuracy"],
        "train_on": [name],
        "rows": {"train": 40, "test": 20},
        "about": {
            "title": "Mood",
            "summary": "Is it good?",
            "license": "CC0-1.0",
            "citation": "none",
        },
    }
    return card | changes


def write_data(folder: Path) -> None:
    """Texts of a few words, good or bad, as JSON lines."""
    (folder / "data").mkdir()
    for language, words in WORDS.items():
        for split, count in {"train": 40, "test": 20}.items():
            rows = []
            for number in range(count):
                label = number * 7 % 3 % 2
                label_words, noise_words = words[label], words[1 - label]
                # A fifth has a word of the other label, so that no baseline is perfect.
                second_words = noise_words if number % 5 == 0 else label_words
                text = f"{label_words[number % 4]} {second_words[number * 3 % 4]} {number}"
                rows.append(json.dumps({"text": text, "label": ["bad", "good"][label]}))
            path = folder / "data" / f"mood.{language}.{split}.jsonl"
            path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def small_study() -> dict[str, Any]:
    """Two baselines on the one target."""
    return {
        "name": "small",
        "models": [
            {"name": "most", "backend": "majority"},
            {"name": "grams", "backend": "ngrams", "bits": 8},
        ],
        "strategies": ["single"],
        "targets": ["mood"],
    }
