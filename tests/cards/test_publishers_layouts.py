"""Cards whose data nobody had at hand read it in the layout and the counts of its publisher.

Contents are made up; files, configs, columns and numbers of rows are those of the sources that each
layout names, so that the first real download is no experiment.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xharness.data.counts import RowCount
from xharness.data.reader import DataReader
from xharness.plugin.api import RunEnvironment
from xharness.session.catalogue import open_catalogue


def clone(root: Path, dataset: str, configs: dict[str, dict[str, str]]) -> Path:
    """An empty clone whose README declares the files of each split of each config."""
    folder = root / dataset
    folder.mkdir(parents=True)
    entries = [
        {
            "config_name": name,
            "data_files": [{"split": split, "path": path} for split, path in splits.items()],
        }
        for name, splits in configs.items()
    ]
    front = f"configs: {json.dumps(entries)}"
    (folder / "README.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
    return folder


def shard(folder: Path, path: str, columns: dict[str, pa.Array]) -> None:
    """A file of parquet where a pattern such as `mnli/train-*` finds it."""
    file = folder / path.replace("*", "00000-of-00001.parquet")
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def archive(file: Path, members: dict[str, str], mode: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, mode) as tar:  # type: ignore[call-overload]
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


def lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def load(
    root: Path, card: str, language: str, split: Any, *, partial: bool = False
) -> tuple[list[Any], RowCount]:
    """The examples, and a count that must be the one the card expects, unless `partial`."""
    catalogue = open_catalogue()
    environment = RunEnvironment(root, True, root / "cache", not partial, root)
    data = DataReader(catalogue, environment)
    loaded = data.load(data.data_slice(catalogue.card(card), language, split, None))
    assert loaded.count.expected is not None
    assert bool(loaded.count.partial) is partial, loaded.count
    return loaded.examples, loaded.count


# --- Mewsli-X: huggingface.co/datasets/izhx/mewsli-x, README and files at 7e3723f (merge of
# e4e6c9e); rows and counts of release 20220518_6: google-research, dense_representations_for_
# entity_retrieval/mel/mewsli-x.md. The config `candidate_entities` has the split `test`: the hub's
# own conversion, refs/convert/parquet.

MENTIONS = {  # language to mentions of dev and test
    "ar": (318, 1501), "de": (326, 1551), "en": (316, 1490), "es": (311, 1552), "fa": (72, 458),
    "ja": (310, 1519), "pl": (304, 1562), "ro": (145, 672), "ta": (312, 1567), "tr": (262, 1215),
    "uk": (315, 1537),
}  # fmt: skip


def mewslix(root: Path) -> Path:
    files = {
        code: {
            "validation": f"wikinews_mentions/{code}/dev.jsonl",
            "test": f"wikinews_mentions/{code}/test.jsonl",
        }
        for code in MENTIONS
    }
    return clone(
        root,
        "izhx/mewsli-x",
        {
            "wikipedia_pairs": {
                "train": "wikipedia_pairs/train.jsonl.tar.gz",
                "validation": "wikipedia_pairs/dev.jsonl.tar.gz",
            },
            **files,
            "candidate_entities": {"test": "candidate_entities.jsonl.tar.gz"},
        },
    )


def context(language: str, number: int) -> dict[str, Any]:
    text = "Ann met Bo. They left."
    return {
        "document_id": f"{language}-{number}", "document_url": "u", "document_title": "t",
        "section_title": "s", "language": language, "text": text,
        "sentence_spans": [{"start": 0, "end": 11}, {"start": 12, "end": 22}],
    }  # fmt: skip


def mention(name: str) -> dict[str, Any]:
    span = {"start": 8, "end": 10, "text": "Bo"}
    return {"example_id": name, "entity_id": "Q1", "mention_span": span}


def articles(language: str, count: int) -> Iterable[dict[str, Any]]:
    """Articles that hold `count` mentions in all, three in most."""
    for first in range(0, count, 3):
        names = [f"{language}-{number}" for number in range(first, min(first + 3, count))]
        yield {"context": context(language, first), "mentions": list(map(mention, names))}


def entity(number: int) -> dict[str, Any]:
    return {
        "entity_id": f"Q{number}", "title": "Bo", "description": "Bo is a name. It is short.",
        "description_language": "en", "description_url": "u",
        "sentence_spans": [{"start": 0, "end": 13}, {"start": 14, "end": 26}],
    }  # fmt: skip


def pairs(count: int) -> Iterable[dict[str, Any]]:
    for number in range(count):
        pair = {"context": context("en", number), "mention": mention(str(number))}
        yield {"contextual_mention": pair, "entity": entity(number)}


def write_mentions(folder: Path, languages: Iterable[str]) -> None:
    for language in languages:
        for name, count in zip(("dev", "test"), MENTIONS[language], strict=True):
            file = folder / "wikinews_mentions" / language / f"{name}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(lines(articles(language, count)), encoding="utf-8")


@pytest.mark.parametrize(
    "languages",
    [("fa",), pytest.param(tuple(MENTIONS), marks=pytest.mark.thorough)],
    ids=["one", "all"],
)
def test_mewslix_mentions(languages: tuple[str, ...], tmp_path: Path) -> None:
    write_mentions(mewslix(tmp_path), languages)
    for language in languages:
        for split, count in zip(("validation", "test"), MENTIONS[language], strict=True):
            examples, _ = load(tmp_path, "mewslix", language, split)
            assert len(examples) == count
            assert examples[0].query == "Bo: Ann met { Bo } ."
            assert examples[0].relevant == "Q1"


@pytest.mark.parametrize(
    ("split", "name", "count"),
    [
        ("validation", "dev", 14_051),
        pytest.param("train", "train", 167_719, marks=pytest.mark.thorough),
    ],
)
def test_mewslix_pairs(split: str, name: str, count: int, tmp_path: Path) -> None:
    folder = mewslix(tmp_path)
    file = folder / "wikipedia_pairs" / f"{name}.jsonl.tar.gz"
    archive(file, {f"{name}.jsonl": lines(pairs(count))}, "w:gz")
    examples, _ = load(tmp_path, "mewslix_pairs", "en", split)
    assert len(examples) == count
    assert examples[0].positive == "Bo is a name. It is short."


@pytest.mark.parametrize("rows", [1_000, pytest.param(1_003_893, marks=pytest.mark.thorough)])
def test_mewslix_entities(rows: int, tmp_path: Path) -> None:
    file = mewslix(tmp_path) / "candidate_entities.jsonl.tar.gz"
    archive(file, {"candidate_entities.jsonl": lines(map(entity, range(rows)))}, "w:gz")
    examples, count = load(tmp_path, "mewslix_entities", "mul", "test", partial=rows < 1_003_893)
    assert (len(examples), count.rows) == (rows, rows)
    assert (examples[7].id, examples[7].answers) == ("Q7", ("Q7",))


# --- BUCC 2018: huggingface.co/datasets/mteb/BUCC at 4145722 (one row a config, line numbers from
# 1; sizes: MTEB's descriptive statistics), and the archives of comparable.limsi.fr/bucc2018, whose
# Chinese sample is at hand.

BUCC = {"zh": (94_637, 88_860, 1_899), "de": (413_869, 399_337, 9_580)}
"""Language to sentences, English sentences and pairs."""


@pytest.mark.parametrize("language", ["zh", pytest.param("de", marks=pytest.mark.thorough)])
def test_bucc_of_the_hub(language: str, tmp_path: Path) -> None:
    foreign, english, gold = BUCC[language]
    path = f"{language}-en/test-*"
    folder = clone(tmp_path, "mteb/BUCC", {f"{language}-en": {"test": path}})
    pairs_of_lines = [[number + 1, number + 5] for number in range(gold)]
    columns = {
        "sentence1": pa.array([[f"x{number}" for number in range(foreign)]]),
        "sentence2": pa.array([[f"y{number}" for number in range(english)]]),
        "gold": pa.array([pairs_of_lines], pa.list_(pa.list_(pa.int32()))),
    }
    shard(folder, path, columns)
    examples, _ = load(tmp_path, "bucc", language, "test")
    assert sum(bool(example.matches) for example in examples) == gold
    candidates, _ = load(tmp_path, "bucc_english", language, "test")
    texts = {candidate.id: candidate.text for candidate in candidates}
    assert texts[examples[0].matches[0]] == "y4"


def test_bucc_of_the_publisher(tmp_path: Path) -> None:
    folder, stem = "bucc2018/zh-en", "zh-en.sample"
    members = {
        f"{folder}/{stem}.zh": "".join(f"zh-{n:09}\tx{n}\n" for n in range(8624)),
        f"{folder}/{stem}.en": "".join(f"en-{n:09}\ty{n}\n" for n in range(13_589)),
        f"{folder}/{stem}.gold": "".join(f"zh-{n:09}\ten-{n + 3:09}\n" for n in range(257)),
    }
    file = tmp_path / "comparable.limsi.fr" / "bucc2018" / "bucc2018-zh-en.sample-gold.tar.bz2"
    archive(file, members, "w:bz2")
    examples, _ = load(tmp_path, "bucc", "zh", "validation")
    assert sum(bool(example.matches) for example in examples) == 257
    load(tmp_path, "bucc_english", "zh", "validation")


# --- SQuAD 2.0: huggingface.co/datasets/rajpurkar/squad_v2 at 3ffb306, parquet, config `squad_v2`;
# rows: dataset_infos.json of huggingface/datasets, 8803c18^; no answer is an empty list.


@pytest.mark.parametrize(
    ("split", "count"),
    [("validation", 11_873), pytest.param("train", 130_319, marks=pytest.mark.thorough)],
)
def test_squad_v2(split: str, count: int, tmp_path: Path) -> None:
    path = f"squad_v2/{split}-*"
    folder = clone(tmp_path, "rajpurkar/squad_v2", {"squad_v2": {split: path}})
    answer: list[dict[str, Any]] = [
        {"text": ["Bo"], "answer_start": [8]},
        {"text": [], "answer_start": []},
    ]
    shape = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])
    columns = {
        "id": pa.array([f"{number:024x}" for number in range(count)]),
        "title": pa.array(["Bo"] * count),
        "context": pa.array(["Ann met Bo."] * count),
        "question": pa.array(["Who?"] * count),
        "answers": pa.array([answer[number % 2] for number in range(count)], shape),
    }
    shard(folder, path, columns)
    examples, _ = load(tmp_path, "squad_v2", "en", split)
    assert [gold.text for gold in examples[0].answers] == ["Bo"]
    assert examples[1].answers == ()


# --- ANLI+: huggingface.co/datasets/facebook/anli at 8e4813d, stanfordnlp/snli at cdb5c3d and
# nyu-mll/glue at a3f3ab7, parquet; rows: dataset_infos.json of huggingface/datasets, 8803c18^;
# 785 and 158 sentence pairs of SNLI have no label (-1), and 1,104,934 are left, as in Phang et al.
# 2020.

ANLI_PLUS: dict[str, dict[str, dict[str, int]]] = {
    "train": {
        "facebook/anli": {"train_r1": 16_946, "train_r2": 45_460, "train_r3": 100_459},
        "stanfordnlp/snli": {"train": 550_152},
        "nyu-mll/glue": {"train": 392_702},
    },
    "validation": {
        "facebook/anli": {"dev_r1": 1_000, "dev_r2": 1_000, "dev_r3": 1_200},
        "stanfordnlp/snli": {"validation": 10_000},
        "nyu-mll/glue": {"validation_matched": 9_815},
    },
}
UNLABELLED = {"train": 785, "validation": 158}


def nli(count: int, unlabelled: int) -> dict[str, pa.Array]:
    labels = [-1] * unlabelled + [number % 3 for number in range(count - unlabelled)]
    return {
        "premise": pa.array(["It rains."] * count),
        "hypothesis": pa.array([f"It is wet {number}." for number in range(count)]),
        "label": pa.array(labels, pa.int64()),
    }


@pytest.mark.parametrize(
    ("split", "count"),
    [("validation", 22_857), pytest.param("train", 1_104_934, marks=pytest.mark.thorough)],
)
def test_anli_plus(split: str, count: int, tmp_path: Path) -> None:
    configs = {"nyu-mll/glue": "mnli"}
    for dataset, splits in ANLI_PLUS[split].items():
        config = configs.get(dataset, "plain_text")
        paths = {name: f"{config}/{name}-*" for name in splits}
        folder = clone(tmp_path, dataset, {config: paths})
        for name, rows in splits.items():
            unlabelled = UNLABELLED[split] if dataset == "stanfordnlp/snli" else 0
            shard(folder, paths[name], nli(rows, unlabelled))
    examples, _ = load(tmp_path, "anli_plus", "en", split)
    assert len(examples) == count
