"""A suite of two languages a task, and a submission to it whose scores are known by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cli.project import invoke

TASKS = {
    "xnli": ["en", "de"], "xcopa": ["et", "zh"], "wikiann": ["en", "de"], "udpos": ["en", "zh"],
    "xquad": ["en", "zh"], "mlqa": ["en", "de"], "tatoeba": ["de", "zh"],
}  # fmt: skip
FAMILIES = {
    "classification": ["xnli", "xcopa"],
    "structured": ["wikiann", "udpos"],
    "qa": ["xquad", "mlqa"],
    "retrieval": ["tatoeba"],
}
SUITE = {
    "title": "Tiny",
    "tasks": [{"task": task, "languages": codes} for task, codes in TASKS.items()],
    "families": FAMILIES,
}
SEPARATOR = "\u2028"


def squad(*pairs: tuple[str, str]) -> str:
    """Questions with one answer each, in SQuAD's JSON."""
    articles = [
        {"paragraphs": [{"context": f"a{SEPARATOR}b {answer}", "qas": [
            {"id": item, "question": "?", "answers": [{"text": answer, "answer_start": 4}]}]}]}
        for item, answer in pairs
    ]  # fmt: skip
    return json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False)


def choices(*labels: int) -> str:
    """XCOPA's lines, with a premise that holds a line separator."""
    rows = [{"premise": f"x{SEPARATOR}y", "label": label} for label in labels]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def mapping(**answers: Any) -> str:
    return json.dumps(answers, ensure_ascii=False)


LABELS = {
    "xnli/test-en.tsv": "entailment\nneutral\ncontradiction\nneutral\n",
    "xnli/test-de.tsv": "entailment\nneutral\n",
    "xcopa/test-et.jsonl": choices(0, 1, 1, 0),
    "xcopa/test-zh.jsonl": choices(0, 1),
    "panx/test-en.tsv": "B-PER\nI-PER\nO\n\nB-LOC\nO\n",
    "panx/test-de.tsv": "B-ORG\n\nO\n",
    "udpos/test-en.tsv": "NOUN\nNOUN\nCCONJ\n",
    "udpos/test-zh.tsv": "VERB\n\nADJ\n\n",
    "xquad/test-en.json": squad(("a", "the cat"), ("b", "two dogs")),
    "xquad/test-zh.json": squad(("a", "猫")),
    "mlqa/test-en.json": squad(("c", "a cat")),
    "mlqa/test-de.json": squad(("c", "die Katze")),
    "tatoeba/test-de.tsv": "1\n0\n2\n",
    "tatoeba/test-zh.tsv": "0\n1\n",
}
PREDICTIONS = {
    "xnli/test-en.tsv": "entailment\nneutral\nneutral\nneutral",  # 3 of 4
    "xnli/test-de.tsv": "entailment\r\nentailment\r\n",  # 1 of 2
    "xcopa/test-et.jsonl": choices(0, 1, 1, 1),  # 3 of 4
    "xcopa/test-zh.jsonl": choices(0, 1),  # 2 of 2
    "panx/test-en.tsv": "B-PER\nI-PER\nO\n\nO\nB-LOC\n",  # one right, one extra, one missed
    "panx/test-de.tsv": "B-ORG\n\nO\n\n",  # all right
    "udpos/test-en.tsv": "NOUN\nNOUN\nSCONJ\n",  # one type to seqeval: all right
    "udpos/test-zh.tsv": "NOUN\n\nADJ\n",  # one right, one extra, one missed
    "xquad/test-en.json": mapping(b="dogs", a="Cat!"),  # em 1 0, f1 1 2/3
    "xquad/test-zh.json": mapping(a="狗"),
    "mlqa/test-en.json": mapping(c="cat"),  # 1 1
    "mlqa/test-de.json": mapping(c="Katze"),  # 1 1
    "tatoeba/test-de.tsv": "1\n0\n0\n",  # 2 of 3
    "tatoeba/test-zh.tsv": "1\n0\n",  # none
}
EM = {"xquad": (50 + 0) / 2, "mlqa": 100.0}
F1 = {"xquad": (100 * (1 + 2 / 3) / 2 + 0) / 2, "mlqa": 100.0}
MEANS = {
    "xnli": (75 + 50) / 2,
    "xcopa": (75 + 100) / 2,
    "wikiann": (50 + 100) / 2,
    "udpos": (100 + 50) / 2,
    "xquad": (EM["xquad"] + F1["xquad"]) / 2,
    "mlqa": (EM["mlqa"] + F1["mlqa"]) / 2,
    "tatoeba": (200 / 3 + 0) / 2,
}


def write(folder: Path) -> Path:
    """Write cards/, labels/ and predictions/ into `folder`."""
    (folder / "cards").mkdir(parents=True)
    groups = {"groups": {"tiny": SUITE}}
    (folder / "cards" / "groups.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    for name, files in {"labels": LABELS, "predictions": PREDICTIONS}.items():
        for file, text in files.items():
            path = folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    return folder


def score(folder: Path, *words: str, suite: str = "tiny") -> Any:
    """`xharness score` in `folder`, its scores written to scores.json."""
    options = ["--predictions", "predictions", "--labels", "labels", "--json", "scores.json"]
    return invoke(folder, "score", "--suite", suite, "--cards", "cards", *options, *words)


def scores(folder: Path) -> Any:
    return json.loads((folder / "scores.json").read_text(encoding="utf-8"))
