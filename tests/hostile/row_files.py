"""Rows in every format and of every task type, with cards that read them."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.cli.project import sentiment

_COUNT = 12
_MOODS = [
    {"text": f"fine {number}", "label": ["bad", "good"][number % 2]} for number in range(_COUNT)
]
_CONTEXT = "Ann met Bo.\n\nShe left."
_SQUAD = {
    "data": [
        {
            "title": "Ann",
            "paragraphs": [
                {
                    "context": _CONTEXT,
                    "sentence_breaks": [[0, 11], [13, 22]],
                    "qas": [
                        {"id": f"q{number}", "question": "Whom?",
                         "answers": [{"text": "Bo", "answer_start": 8}]}
                        for number in range(3)
                    ],
                }
            ],
        }
    ]
}  # fmt: skip
_BUCC = {"x.de": "d1\teins\nd2\tdrei\n", "x.en": "e1\tone\ne2\ttwo\n", "x.gold": "d1\te2\n"}
_CONLL = "# id = a\n" + "".join(
    f"{number}\tword{number}\t_\tNOUN\t_\t_\t_\t_\t_\t_\n" for number in range(1, 6)
)
_JSON_LINES: dict[str, tuple[str, dict[str, str], dict[str, Any], dict[str, Any]]] = {
    "classification": (
        "classification", {"text": "text", "label": "label"}, _MOODS[0],
        {"labels": ["bad", "good"], "metrics": ["accuracy"], "train_on": []},
    ),
    "tagging": (
        "tagging", {"tokens": "tokens", "tags": "tags"},
        {"tokens": ["Ann", "ran"], "tags": ["B-PER", "O"]},
        {"labels": ["O", "B-PER", "I-PER"], "metrics": ["chunk_f1"]},
    ),
    "multiple_choice": (
        "multiple_choice", {"prompt": "prompt", "choices": "choices", "label": "label"},
        {"prompt": "One?", "choices": ["a", "b"], "label": 0},
        {"labels": ["a", "b"], "metrics": ["accuracy"]},
    ),
    "extractive_qa": (
        "extractive_qa",
        {"question": "question", "context": "context", "answers": "answers"},
        {"question": "Whom?", "context": _CONTEXT, "answers": [{"text": "Bo", "answer_start": 8}]},
        {"metrics": ["f1"]},
    ),
    "bitext": (
        "bitext_retrieval", {"source": "source", "target": "target"},
        {"source": "eins", "target": "one"}, {"metrics": ["accuracy"]},
    ),
    "checklist": (
        "checklist", {"items": "items"},
        {"items": [{"context": _CONTEXT, "question": "Whom?", "answers": ["Bo"]}]},
        {"metrics": ["pass_rate"], "train_on": ["squad_v1"]},
    ),
}  # fmt: skip
"""Name to task type, fields, a row, and what else a card must say."""


def write(folder: Path) -> dict[str, str]:
    """Fill `folder`; card to the file that it reads, relative to the folder."""
    (folder / "cards").mkdir()
    (folder / "rows").mkdir()
    return dict(_readers(folder)) | dict(_task_types(folder))


def _task_types(folder: Path) -> Iterator[tuple[str, str]]:
    for name, (task_type, fields, row, others) in _JSON_LINES.items():
        path = f"rows/{name}.jsonl"
        # Numbers alone tell equal rows apart: ids are theirs.
        (folder / path).write_text((json.dumps(row) + "\n") * _COUNT, encoding="utf-8")
        source = {"from": "file", "reader": "jsonl", "path": path, "splits": {"test": "test"}}
        _card(folder, name, task_type, fields, source, **others)
        yield name, path


def _readers(folder: Path) -> Iterator[tuple[str, str]]:
    table = "".join(
        f"{row['text']}\t{row['label']}\n" for row in [{"text": "text", "label": "label"}, *_MOODS]
    )
    lines = "".join(json.dumps(row) + "\n" for row in _MOODS).encode()
    contents: dict[str, tuple[bytes, dict[str, Any], str]] = {
        "mood.json": (json.dumps({"data": _MOODS}).encode(), {"field": "data"}, "mood"),
        "mood.csv": (table.replace("\t", ",").encode(), {}, "mood"),
        "mood.tsv": (table.encode(), {}, "mood"),
        "mood.jsonl.gz": (gzip.compress(lines, mtime=0), {"reader": "jsonl"}, "mood"),
        "words.conll": (_CONLL.encode(), {"columns": {"tokens": "form", "tags": "upos"}}, "words"),
        "texts.lines": (b"one\ntwo\nthree\n", {}, "texts"),
        "squad.json": (json.dumps(_SQUAD).encode(), {"reader": "squad"}, "questions"),
        "lareqa.json": (json.dumps(_SQUAD).encode(), {"reader": "squad_sentences"}, "texts"),
        "bucc.tar.bz2": (_archive("w:bz2"), {"reader": "bucc_english"}, "texts"),
        "bucc.tar": (_archive("w"), {"reader": "bucc_english"}, "texts"),
    }
    for file, (content, options, sort) in contents.items():
        (folder / "rows" / file).write_bytes(content)
        source = {"from": "file", "reader": file.rpartition(".")[2], "path": f"rows/{file}"}
        name = file.replace(".", "_")
        _card(folder, name, *_SORTS[sort][:2], source | options | {"splits": {"test": "test"}},
              **_SORTS[sort][2])  # fmt: skip
        yield name, f"rows/{file}"


_SORTS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "mood": (
        "classification", {"text": "text", "label": "label"},
        {"labels": ["bad", "good"], "metrics": ["accuracy"], "train_on": []},
    ),
    "words": (
        "tagging", {"tokens": "tokens", "tags": "tags"},
        {"labels": ["NOUN", "VERB"], "metrics": ["token_accuracy"]},
    ),
    "texts": ("corpus", {"text": "text"}, {"role": "corpus"}),
    "questions": (
        "extractive_qa",
        {"id": "id", "question": "question", "context": "context", "answers": "answers"},
        {"metrics": ["f1"]},
    ),
}  # fmt: skip


def _card(
    folder: Path,
    name: str,
    task_type: str,
    fields: dict[str, str],
    source: dict[str, Any],
    **others: Any,
) -> None:
    card = sentiment(name, task_type=task_type, fields=fields, sources=[source], languages=["en"])
    for key in ("labels", "metrics", "train_on", "rows"):
        del card[key]
    text = yaml.safe_dump(card | others)
    (folder / "cards" / f"{name}.yaml").write_text(text, encoding="utf-8")


def _archive(mode: Any) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, text in _BUCC.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


_README = """---
configs:
- config_name: en
  default: true
  data_files:
  - split: train
    path: en/train.parquet
  - split: test
    path: [en/test-*.parquet]
- config_name: lines
  data_files: [{split: test, path: [lines/test.jsonl]}]
- config_name: cells
  data_files: [{split: test, path: cells/test.csv}]
---
# Moods
"""


def write_clone(folder: Path) -> list[tuple[str, str]]:
    """Fill `folder`, a data root, with clones; each file of them with the card that reads it."""
    declared, bare = folder / "org" / "declared", folder / "org" / "bare"
    for path in (declared / "en/train.parquet", declared / "en/test-0.parquet", bare / "a.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(_MOODS), path)
    (declared / "README.md").write_text(_README, encoding="utf-8")
    for name in ("lines/test.jsonl", "cells/test.csv"):
        (declared / name).parent.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in _MOODS)
    (declared / "lines/test.jsonl").write_text(lines)
    cells = "".join(f"{row['text']},{row['label']}\n" for row in _MOODS)
    (declared / "cells/test.csv").write_text(f"text,label\n{cells}")
    (bare / "README.md").write_text("---\nlicense: mit\n---\n# Moods\n")
    (folder / "cards").mkdir()
    for config in ("en", "lines", "cells"):
        source = {"from": "hub", "id": "org/declared", "config": config, "splits": {"test": "test"}}
        _card(folder, config, *_SORTS["mood"][:2], source, **_SORTS["mood"][2])
    source = {"from": "hub", "id": "org/bare", "splits": {"test": "train"}}
    _card(folder, "bare", *_SORTS["mood"][:2], source, **_SORTS["mood"][2])
    return [
        ("declared/README.md", "cards/en.yaml"),
        ("declared/README.md", "cards/lines.yaml"),
        ("declared/en/test-0.parquet", "cards/en.yaml"),
        ("declared/lines/test.jsonl", "cards/lines.yaml"),
        ("declared/cells/test.csv", "cards/cells.yaml"),
        ("bare/README.md", "cards/bare.yaml"),
        ("bare/a.parquet", "cards/bare.yaml"),
    ]


def write_private(folder: Path) -> dict[str, str]:
    """Fill `folder` with what `xharness convert` reads; its name to a file."""
    for section in ("00", "02", "23"):
        path = folder / "ccgbank" / "data" / "AUTO" / section / f"wsj_{section}01.auto"
        path.parent.mkdir(parents=True)
        path.write_text(
            f"ID=wsj_{section}01.1 PARSER=GOLD NUMPARSE=1\n"
            "(<T NP 0 2> (<L N/N NNP NNP Pierre N_73/N_73>) (<L N NNP NNP Vinken N>) )\n"
        )
    (folder / "multichecklist").mkdir()
    # Of any class with such attributes: the reader looks at no other thing in a suite.
    test = Namespace(data=[("Bo has a cat.", "What?")], labels=["a cat"])
    suite = Namespace(tests={"Animal vs Vehicle": test})
    (folder / "multichecklist" / "en_squad_suite.pkl").write_bytes(pickle.dumps(suite, protocol=3))
    return {
        "ccgbank": "ccgbank/data/AUTO/02/wsj_0201.auto",
        "multichecklist": "multichecklist/en_squad_suite.pkl",
    }
