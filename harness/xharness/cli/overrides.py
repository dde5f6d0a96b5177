"""Flags that change what a study asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xharness.cards import Member
from xharness.catalogue import Catalogue
from xharness.cli.wishes import Wishes
from xharness.errors import ConfigurationError, suggestion
from xharness.study import ModelSpec, Study, TargetSpec


def overridden(study: Study, wishes: Wishes, catalogue: Catalogue) -> Study:
    """The study with the wishes in place of its own values.

    Raises:
        ConfigurationError: a language that no target has.
    """
    changes: dict[str, Any] = {}
    if wishes.seeds:
        changes["seeds"] = wishes.seeds
    if wishes.device is not None:
        changes["runtime"] = study.runtime.model_copy(update={"device": wishes.device})
    if wishes.split is not None or wishes.limit is not None or wishes.languages:
        changes["targets"] = tuple(_targets(study, wishes, catalogue))
    if wishes.limit is not None:
        changes["train_limit"] = _least(study.train_limit, wishes.limit)
        changes["models"] = tuple(_limited(model, wishes.limit) for model in study.models)
    return study.model_copy(update=changes)


def _targets(study: Study, wishes: Wishes, catalogue: Catalogue) -> Iterator[TargetSpec]:
    """The targets, groups spelt out where languages are chosen, because members differ in them."""
    known: set[str] = set()
    chosen: set[str] = set()
    for spec in study.targets:
        changes: dict[str, Any] = {"limit": _least(spec.limit, wishes.limit)}
        if wishes.split is not None:
            changes["split"] = wishes.split
        members = catalogue.members(spec.task) if wishes.languages else (Member(task=spec.task),)
        for name, some in ((member.task, member.languages) for member in members):
            if wishes.languages:
                own = spec.languages or some or catalogue.card(name).languages
                known |= {*own}
                changes["languages"] = tuple(one for one in own if one in wishes.languages)
                chosen |= {*changes["languages"]}
            if changes.get("languages", True):
                yield spec.model_copy(update={**changes, "task": name})
    for language in wishes.languages:
        if language not in chosen:
            raise ConfigurationError(
                f"no target has the language '{language}'",
                where="--languages",
                hint=suggestion(language, known),
            )


def _limited(model: ModelSpec, limit: int) -> ModelSpec:
    if model.pretrain is None:
        return model
    pretrain = model.pretrain.model_copy(update={"limit": _least(model.pretrain.limit, limit)})
    return model.model_copy(update={"pretrain": pretrain})


def _least(own: int | None, wished: int | None) -> int | None:
    return min((one for one in (own, wished) if one is not None), default=None)
