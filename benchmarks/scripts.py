"""The transformers side: features as the reference scripts of XTREME make them, and a Trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import material
from benchmarks.material import Material

_IGNORED = -100
_DEVICE_EVAL_BATCH = 256
"""Sentences that a Trainer predicts at once on an accelerator: with 32 it waits for launches."""


def parts(shared: Material) -> tuple[Any, Any]:
    """(model, tokenizer): the task type's Auto class, its head beginning as the harness's does.

    Where the family's own head has two layers, as XLM-R's for whole texts, the last begins so.
    """
    import torch
    from transformers import (
        AutoModelForQuestionAnswering,
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
    )

    classes = {
        "tagging": (AutoModelForTokenClassification, "classifier"),
        "classification": (AutoModelForSequenceClassification, "classifier"),
        "extractive_qa": (AutoModelForQuestionAnswering, "qa_outputs"),
    }
    automatic, name = classes[shared.card.task_type]
    folder, device = shared.setting.model, shared.setting.device
    labels = (
        {}
        if shared.card.task_type == "extractive_qa"
        else {"num_labels": len(shared.card.label_names)}
    )
    torch.manual_seed(material.SEED)
    model = automatic.from_pretrained(folder, **labels)
    head = getattr(model, name)
    initial = material.head(material.load_model(folder), shared.card).linear
    getattr(head, "out_proj", head).load_state_dict(initial.state_dict())
    return model.to(device), tokenizer(shared)


def tokenizer(shared: Material) -> Any:
    """The backbone's tokenizer as transformers loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(shared.setting.model)


def features(shared: Material, tokenizer: Any, examples: Sequence[Any], pad: bool) -> list[Any]:
    """Feature dictionaries, padded to the task's length or not at all."""
    padding: dict[str, Any] = {"truncation": True, "max_length": shared.length}
    padding |= {"padding": "max_length"} if pad else {}
    make = {"tagging": _tagging, "classification": _pairs, "extractive_qa": _spans}[
        shared.card.task_type
    ]
    return make(tokenizer, examples, padding)


def _tagging(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    words = [list(example.tokens) for example in examples]
    encoding = tokenizer(words, is_split_into_words=True, **padding)
    rows = []
    for row, example in enumerate(examples):
        labels, previous = [], None
        for word in encoding.word_ids(row):
            first = word is not None and word != previous
            labels.append(example.tags[word] if first else _IGNORED)
            previous = word
        rows.append(_inputs(encoding, row) | {"labels": labels})
    return rows


def _pairs(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    texts = [example.text for example in examples]
    encoding = tokenizer(texts, [example.pair for example in examples], **padding)
    return [
        _inputs(encoding, row) | {"labels": example.label} for row, example in enumerate(examples)
    ]


def _spans(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    encoding = tokenizer(
        [example.question for example in examples],
        [example.context for example in examples],
        stride=128,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        **padding | {"truncation": "only_second"},
    )
    return [
        _inputs(encoding, row) | _ends(encoding, row, examples[example_index])
        for row, example_index in enumerate(encoding["overflow_to_sample_mapping"])
    ]


def _ends(encoding: Any, row: int, example: Any) -> dict[str, int]:
    answer = example.answers[0]
    first = encoding.char_to_token(row, answer.start, 1)
    last = encoding.char_to_token(row, answer.start + len(answer.text) - 1, 1)
    contained = first is not None and last is not None
    return {
        "start_positions": first if contained else 0,
        "end_positions": last if contained else 0,
    }


def _inputs(encoding: Any, row: int) -> dict[str, Any]:
    names = ("input_ids", "attention_mask", "token_type_ids")
    return {name: encoding[name][row] for name in names if name in encoding}


def tokens(rows: Sequence[Any]) -> int:
    """Real sub-words, padding not counted."""
    return sum(sum(row["attention_mask"]) for row in rows)


def trainer(
    shared: Material,
    model: Any,
    tokenizer: Any,
    *,
    best: bool,
    compiled: bool = False,
    **options: Any,
) -> Any:
    """A Trainer in the reference scripts' style, or at its best, compiled too if wished."""
    from transformers import Trainer, TrainingArguments

    recipe, on_cpu = shared.recipe(), shared.setting.device == "cpu"
    bf16 = best and recipe.precision == "bf16"
    arguments = TrainingArguments(
        output_dir=str(shared.setting.work),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size if on_cpu else _DEVICE_EVAL_BATCH,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup_ratio,  # below 1 it is a share
        seed=material.SEED,
        use_cpu=on_cpu,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        optim="adamw_torch_fused" if best else "adamw_torch",
        train_sampling_strategy="group_by_length" if best and options else "random",
        bf16=bf16,
        bf16_full_eval=bf16,
        torch_compile=compiled,
    )
    return Trainer(model, arguments, data_collator=_collator(shared, tokenizer, best), **options)


def _collator(shared: Material, tokenizer: Any, best: bool) -> Callable[[Any], Any]:
    from transformers import (
        DataCollatorForTokenClassification,
        DataCollatorWithPadding,
        default_data_collator,
    )

    if not best:
        return default_data_collator
    if shared.card.task_type == "tagging":
        return DataCollatorForTokenClassification(tokenizer)
    return DataCollatorWithPadding(tokenizer)


def answers(rows: Sequence[Any], logits: Any) -> list[Any]:
    """Label numbers: of each word for tagging, of each text for classification."""
    import numpy as np

    labels = np.argmax(logits, axis=-1)
    if not isinstance(rows[0]["labels"], list):
        return [int(label) for label in labels]
    return [
        [int(tag) for tag, gold in zip(tags, row["labels"], strict=False) if gold != _IGNORED]
        for tags, row in zip(labels, rows, strict=True)
    ]
