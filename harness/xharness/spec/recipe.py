"""Recipes: how a model is trained and read, and where a study's recipe may differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from xharness.spec.fields import Name, Strict

Sampling = Literal["proportional", "uniform", "temperature"]
Pooling = Literal["mean", "first", "last"]

_METHOD_FIELDS = {
    "lora": ("r", "lora_alpha", "lora_dropout", "target_modules", "merge"),
    "prompt": ("num_virtual_tokens",),
    "prefix": ("num_virtual_tokens",),
}


class Adapter(Strict):
    """Few parameters that learn in place of the backbone's own, which are held fixed."""

    method: Literal["lora", "prompt", "prefix"] = Field(
        description="LoRA (2106.09685), prompt tuning (2104.08691), prefix tuning (2101.00190)"
    )
    r: int = Field(default=8, gt=0, description="rank of LoRA's two matrices")
    lora_alpha: float = Field(
        default=16, gt=0, description="LoRA's change is scaled by lora_alpha / r"
    )
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="of what LoRA's matrices read")
    target_modules: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="names of the linear layers; default: queries and values of the attention, all "
        "linear layers where PEFT does not know those of the family",
    )
    merge: bool = Field(
        default=False, description="add LoRA's change to the weights when training ends"
    )
    num_virtual_tokens: int = Field(default=20, gt=0, description="of a prompt or a prefix")

    @model_validator(mode="after")
    def _fields_belong_to_the_method(self) -> Adapter:
        # A field that the method never reads would look like a setting and change nothing.
        for name in sorted(self.model_fields_set - {"method", *_METHOD_FIELDS[self.method]}):
            raise ValueError(f"'{name}' does not belong to the method '{self.method}'")
        return self

    def meaning(self) -> dict[str, Any]:
        """What can change an answer: what the method reads."""
        return self.model_dump(mode="json", include={"method", *_METHOD_FIELDS[self.method]})


def _adapter(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


class Recipe(Strict):
    """How a model is trained and read; what of it can change an answer enters the key."""

    epochs: float = Field(default=3, gt=0, description="passes over the feeds; unused with steps")
    steps: int | None = Field(default=None, gt=0, description="optimiser steps, in place of epochs")
    batch_size: int = Field(default=32, gt=0, description="examples per optimiser step")
    gradient_accumulation_steps: int = Field(
        default=1, gt=0, description="parts that a batch is computed in"
    )
    learning_rate: float = Field(default=2e-5, gt=0)
    warmup_ratio: float = Field(
        default=0.1, ge=0, le=1, description="share of steps, linear from 0"
    )
    lr_scheduler_type: Literal["linear", "constant"] = "linear"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    precision: Literal["auto", "fp32", "tf32", "bf16", "fp16"] = Field(
        default="auto",
        description="of the computation; auto: bf16 on a GPU, fp16 on one that lacks it, fp32 "
        "elsewhere; tf32: float32 whose products a GPU rounds to TF32",
    )
    freeze_ratio: float = Field(
        default=0.0, ge=0, le=1, description="share of the backbone, embeddings first, held fixed"
    )
    max_length: int = Field(default=128, ge=8, description="sub-words per window")
    doc_stride: int = Field(default=64, ge=0, description="sub-words that span windows share")
    max_answer_length: int = Field(
        default=30, gt=0, description="sub-words of a span answer, at most"
    )
    pooling: Pooling = Field(default="mean", description="of hidden states into one vector")
    layer: int = Field(
        default=-1, description="hidden states a sentence embedding is pooled from; 0: embeddings"
    )
    mlm_probability: float = Field(
        default=0.15, gt=0, lt=1, description="sub-words masked in MLM and TLM"
    )
    max_query_length: int | None = Field(
        default=None,
        ge=4,
        description="sub-words of a question or a query, at most; default: half of max_length for "
        "extractive questions, max_length for retrieval queries",
    )
    optimizer: Literal["adamw", "adafactor"] = Field(
        default="adamw", description="Adafactor (1804.04235) with steps relative to the weights"
    )
    adapter: Annotated[Adapter | None, BeforeValidator(_adapter)] = Field(
        default=None, description="what learns in place of the backbone; `lora` for short"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="computes layers twice and so keeps less; changes no weight"
    )

    optional_in_keys: ClassVar[frozenset[str]] = frozenset(
        {"max_query_length", "optimizer", "adapter"}
    )
    """Fields that enter a key only where they differ from their default."""
    answer_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "max_length",
            "doc_stride",
            "max_answer_length",
            "max_query_length",
            "pooling",
            "layer",
            "precision",
        }
    )
    """Fields that a trained model reads when it answers."""
    costs_only: ClassVar[frozenset[str]] = frozenset({"gradient_checkpointing"})
    """Fields that change time and memory and no answer: they enter no key at all."""

    def changed(self, *changes: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields changed, later changes over earlier ones."""
        # Not `model_dump`: an adapter would come back with all fields set, and refuse some of them.
        # Fields of `Recipe` alone: those that a study's recipe adds are not for training.
        values = {name: getattr(self, name) for name in Recipe.model_fields}
        return Recipe(
            **{key: value for change in (values, *changes) for key, value in change.items()}
        )

    def meaning(self, fields: Iterable[str]) -> dict[str, Any]:
        """What of `fields` enters the key of a stage that reads them."""
        key_fields = {*fields} - self.costs_only
        values = {name: getattr(self, name) for name in Recipe.model_fields if name in key_fields}
        # Fields that came later: a default must leave the keys of stored results as they are.
        for name in self.optional_in_keys:
            if name in values and values[name] == Recipe.model_fields[name].default:
                del values[name]
        if self.adapter is not None and "adapter" in values:
            values["adapter"] = self.adapter.meaning()
        return values

    def answer_meaning(self) -> dict[str, Any]:
        """What enters the key of a stage that only answers."""
        return self.meaning(self.answer_fields)


def common_fields(recipes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields on which all of `recipes` agree; what is learnt together has one recipe."""
    # Through `Recipe`, so that `lora` and `{method: lora}` do not count as a difference.
    first, *rivals = [Recipe(**fields).model_dump(exclude_unset=True) for fields in recipes] or [{}]
    return {
        name: value
        for name, value in first.items()
        if all(name in rival and rival[name] == value for rival in rivals)
    }


def changes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """`value`, which has fields of a recipe alone.

    Raises:
        ValueError: an unknown field, or an impossible value.
    """
    try:
        # Checked on a whole recipe, handed on as written: what is unstated must stay so.
        Recipe().changed(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ValueError(f"{key}: {first['msg']}" if key else first["msg"]) from None
    return value


Changes = Annotated[dict[str, Any], AfterValidator(changes)]
"""Some fields of a recipe."""


def at_learning_rate(fields: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    """`fields` with one learning rate, where they list several; a short list repeats its last."""
    rates = fields.get("learning_rate")
    if not isinstance(rates, list | tuple):
        return fields
    return {**fields, "learning_rate": rates[min(index, len(rates) - 1)]}


def learning_rate_count(fields: Mapping[str, Any]) -> int:
    """How many learning rates `fields` list."""
    rates = fields.get("learning_rate")
    return len(rates) if isinstance(rates, list | tuple) else 1


def _grid(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not learning_rate_count(value):
        raise ValueError("learning_rate: the list names none")
    for index in range(learning_rate_count(value)):
        changes(at_learning_rate(value, index))
    return value


Grid = Annotated[dict[str, Any], AfterValidator(_grid)]
"""Some fields of a recipe; `learning_rate` may be a list of which the best is taken."""


def _rates(value: Any) -> Any:
    _grid({"learning_rate": value})
    return tuple(value) if isinstance(value, list) else value


class StudyRecipe(Recipe):
    """A recipe, the published one it starts from, and what differs for single tasks."""

    learning_rate: Annotated[Any, AfterValidator(_rates)] = Field(
        default=2e-5,
        description="or several: each is tried, and the best on source-language dev taken",
    )
    preset: Name | None = Field(
        default=None,
        description="a recipe of the cards by name, such as xtreme; `recipe: xtreme` for short",
    )
    tasks: dict[Name, Grid] = Field(
        default={}, description="fields that differ when training on, or scoring, one task"
    )

    @property
    def stated_fields(self) -> dict[str, Any]:
        """The fields that the study itself says."""
        names = self.model_fields_set & Recipe.model_fields.keys()
        return {name: getattr(self, name) for name in names}
