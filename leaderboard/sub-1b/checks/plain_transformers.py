"""WikiANN fine-tuning with plain transformers: the training of the study in card-and-cpu.json.

    python leaderboard/sub-1b/checks/plain_transformers.py DATA_ROOT MODEL OUT.json [SEED ...]

Trainer, DataCollatorForTokenClassification and seqeval; nothing of xharness is imported. MODEL is a
folder, as leaderboard/get_models.py makes it. A seed that OUT.json has is not trained again; one
takes a minute on two idle cores. Needs what `make env` installs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from seqeval.metrics import f1_score  # type: ignore[import-untyped]
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    set_seed,
)

TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
LANGUAGES = ("en", "de", "es", "ru", "sw", "zh")
TRAIN_LIMIT, DEV_LIMIT = 2000, 300
TRAIN_LENGTH, DEV_LENGTH = 96, 512
"""Sub-words of a sentence, at most; where xharness splits one of dev, it is read whole here."""
IGNORED = -100
"""The label of sub-words that carry no tag, as torch's cross-entropy leaves it out."""

Row = dict[str, Any]


def sentences(data_root: Path, language: str, split: str, limit: int) -> list[Row]:
    """The first `limit` rows of a split: words (`tokens`) and indices into TAGS (`ner_tags`)."""
    folder = data_root / "unimelb-nlp" / "wikiann" / language
    table = pq.read_table(folder / f"{split}-00000-of-00001.parquet")
    rows: list[Row] = table.slice(0, limit).to_pylist()
    return rows


def features(rows: Iterable[Row], tokenizer: PreTrainedTokenizerFast, max_length: int) -> list[Row]:
    """Sub-words of each sentence; the first of a word carries its tag, the others IGNORED."""
    encoded_rows = []
    for row in rows:
        encoded = tokenizer(
            row["tokens"], is_split_into_words=True, truncation=True, max_length=max_length
        )
        words = encoded.word_ids()
        labels = [
            IGNORED if word is None or word == previous else row["ner_tags"][word]
            for word, previous in zip(words, [None, *words], strict=False)
        ]
        encoded_rows.append({**encoded, "labels": labels})
    return encoded_rows


def fine_tuned(model_folder: Path, train: list[Row], collator: Any, seed: int) -> Any:
    """The model after 120 steps of 32 sentences; rates rise for a tenth of them, then fall to 0."""
    # before the model is made: the head's weights are drawn there
    set_seed(seed)
    model = AutoModelForTokenClassification.from_pretrained(
        model_folder, num_labels=len(TAGS), dtype=torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, seed=seed, max_steps=120, per_device_train_batch_size=32,
            learning_rate=2e-4, lr_scheduler_type="linear", warmup_steps=12, weight_decay=0.0,
            max_grad_norm=1.0, bf16=True, use_cpu=True, save_strategy="no", report_to="none",
            logging_steps=20, disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(model, arguments, data_collator=collator, train_dataset=train)
        trainer.train()
    return model.eval()


def span_f1(model: Any, rows: list[Row], encoded_rows: list[Row], collator: Any) -> float:
    """Micro F1 over entities, of 100; words behind DEV_LENGTH sub-words are tagged O."""
    predicted: list[list[str]] = []
    for first in range(0, len(rows), 32):
        batch = collator(encoded_rows[first : first + 32])
        labels = batch.pop("labels")
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            best = model(**batch).logits.argmax(-1)
        marks = labels != IGNORED
        predicted += [
            [TAGS[tag] for tag in tags[mark].tolist()]
            for tags, mark in zip(best, marks, strict=True)
        ]
    for row, tags in zip(rows, predicted, strict=True):
        tags += ["O"] * (len(row["tokens"]) - len(tags))
    gold = [[TAGS[tag] for tag in row["ner_tags"]] for row in rows]
    return 100 * float(f1_score(gold, predicted))


def main() -> None:
    parser = argparse.ArgumentParser(description="WikiANN with plain transformers, as JSON")
    parser.add_argument("data_root", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(options.model)
    collator = DataCollatorForTokenClassification(tokenizer)
    train = features(
        sentences(options.data_root, "en", "train", TRAIN_LIMIT), tokenizer, TRAIN_LENGTH
    )
    dev = {}
    for language in LANGUAGES:
        rows = sentences(options.data_root, language, "validation", DEV_LIMIT)
        dev[language] = rows, features(rows, tokenizer, DEV_LENGTH)
    scores = json.loads(options.out.read_text("utf-8")) if options.out.is_file() else {}
    for seed in options.seeds:
        if str(seed) in scores:
            continue
        model = fine_tuned(options.model, train, collator, seed)
        scores[str(seed)] = {
            language: round(span_f1(model, *of_language, collator), 2)
            for language, of_language in dev.items()
        }
        options.out.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
