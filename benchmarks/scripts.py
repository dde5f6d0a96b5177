"""The transformers side: features as the reference scripts of XTREME make them, and a Trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import material
from benchmarks.material import Material

_IGNORED = -100


def parts(shared: Material) -> tuple[Any, Any]:
    """(model, tokenizer): the Auto class of the kind, its head beginning as the harness's does."""
    import torch
    from transformers import (
        AutoModelForQuestionAnswering,
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
    )

    kinds = {
        "tagging": (AutoModelForTokenClassification, "classifier"),
        "classification": (AutoModelForSequenceClassification, "classifier"),
        "extractive_qa": (AutoModelForQuestionAnswering, "qa_outputs"),
    }
    automatic, name = kinds[shared.card.kind]
    folder = shared.setting.model
    given = (
        {} if shared.card.kind == "extractive_qa" else {"num_labels": len(shared.card.label_names)}
    )
    torch.manual_seed(material.SEED)
    model = automatic.from_pretrained(folder, **given)
    linear = getattr(model, name)
    own = material.head(material.body(folder), shared.card).linear
    linear.load_state_dict(own.state_dict())
    return model, tokenizer(shared)


def tokenizer(shared: Material) -> Any:
    """The body's tokenizer as transformers loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(shared.setting.model)


def features(shared: Material, tokenizer: Any, examples: Sequence[Any], pad: bool) -> list[Any]:
    """Feature dictionaries, padded to the task's length or not at all."""
    padding: dict[str, Any] = {"truncation": True, "max_length": shared.length}
    padding |= {"padding": "max_length"} if pad else {}
    make = {"tagging": _tagging, "classification": _pairs, "extractive_qa": _spans}[
        shared.card.kind
    ]
    return make(tokenizer, examples, padding)


def _tagging(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    words = [list(one.tokens) for one in examples]
    said = tokenizer(words, is_split_into_words=True, **padding)
    found = []
    for row, one in enumerate(examples):
        labels, last = [], None
        for owner in said.word_ids(row):
            first = owner is not None and owner != last
            labels.append(one.tags[owner] if first else _IGNORED)
            last = owner
        found.append(_inputs(said, row) | {"labels": labels})
    return found


def _pairs(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    said = tokenizer([one.text for one in examples], [one.pair for one in examples], **padding)
    return [_inputs(said, row) | {"labels": one.label} for row, one in enumerate(examples)]


def _spans(tokenizer: Any, examples: Sequence[Any], padding: dict[str, Any]) -> list[Any]:
    said = tokenizer(
        [one.question for one in examples],
        [one.context for one in examples],
        stride=128,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        **padding | {"truncation": "only_second"},
    )
    owners = said["overflow_to_sample_mapping"]
    return [
        _inputs(said, row) | _ends(said, row, examples[owner]) for row, owner in enumerate(owners)
    ]


def _ends(said: Any, row: int, example: Any) -> dict[str, int]:
    answer = example.answers[0]
    first = said.char_to_token(row, answer.start, 1)
    last = said.char_to_token(row, answer.start + len(answer.text) - 1, 1)
    inside = first is not None and last is not None
    return {
        "start_positions": first if inside else 0,
        "end_positions": last if inside else 0,
    }


def _inputs(said: Any, row: int) -> dict[str, Any]:
    names = ("input_ids", "attention_mask", "token_type_ids")
    return {name: said[name][row] for name in names if name in said}


def tokens(found: Sequence[Any]) -> int:
    """Real sub-words, padding not counted."""
    return sum(sum(one["attention_mask"]) for one in found)


def trainer(shared: Material, model: Any, tokenizer: Any, *, best: bool, **more: Any) -> Any:
    """A Trainer in the reference scripts' style, or at its best."""
    from transformers import Trainer, TrainingArguments

    recipe = shared.recipe()
    bf16 = best and recipe.precision == "bf16"
    arguments = TrainingArguments(
        output_dir=str(shared.setting.work),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup,
        seed=material.SEED,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        optim="adamw_torch_fused" if best else "adamw_torch",
        train_sampling_strategy="group_by_length" if best and more else "random",
        bf16=bf16,
        bf16_full_eval=bf16,
    )
    return Trainer(model, arguments, data_collator=_collator(shared, tokenizer, best), **more)


def _collator(shared: Material, tokenizer: Any, best: bool) -> Callable[[Any], Any]:
    from transformers import (
        DataCollatorForTokenClassification,
        DataCollatorWithPadding,
        default_data_collator,
    )

    if not best:
        return default_data_collator
    if shared.card.kind == "tagging":
        return DataCollatorForTokenClassification(tokenizer)
    return DataCollatorWithPadding(tokenizer)


def answers(found: Sequence[Any], logits: Any) -> list[Any]:
    """Label numbers: of each word for tagging, of each text for classification."""
    import numpy as np

    places = np.argmax(logits, axis=-1)
    if not isinstance(found[0]["labels"], list):
        return [int(place) for place in places]
    return [
        [int(tag) for tag, gold in zip(row, one["labels"], strict=False) if gold != _IGNORED]
        for row, one in zip(places, found, strict=True)
    ]
