"""Flags that change what a study asks."""

from __future__ import annotations

from typing import Any

from xharness.errors import ConfigurationError
from xharness.planning.targets import targets_in_languages
from xharness.plugin.catalogue import Catalogue
from xharness.session.options import Options
from xharness.spec.languages import check_selector
from xharness.spec.models import ModelSpec
from xharness.spec.study import Study, TargetSpec


def overridden(study: Study, wishes: Options, catalogue: Catalogue) -> Study:
    """The study with the wishes in place of its own values.

    Raises:
        ConfigurationError: a language that no target has.
    """
    changes: dict[str, Any] = {}
    if wishes.seeds:
        changes["seeds"] = wishes.seeds
    runtime = {"device": wishes.device, "deterministic": wishes.deterministic or None}
    said = {name: value for name, value in runtime.items() if value is not None}
    if said:
        changes["runtime"] = study.runtime.model_copy(update=said)
    if wishes.languages:
        changes["targets"] = _narrowed(study, wishes.languages, catalogue)
    if wishes.split is not None or wishes.limit is not None:
        targets = changes.get("targets", study.targets)
        changes["targets"] = tuple(_cut(spec, wishes) for spec in targets)
    if wishes.limit is not None:
        changes["train_limit"] = _least(study.train_limit, wishes.limit)
        changes["models"] = tuple(_limited(model, wishes.limit) for model in study.models)
    return study.model_copy(update=changes)


def _narrowed(
    study: Study, languages: tuple[str, ...], catalogue: Catalogue
) -> tuple[TargetSpec, ...]:
    try:
        for word in languages:
            check_selector(word)
        return targets_in_languages(study, languages, catalogue)
    except ValueError as error:
        raise ConfigurationError(str(error), where="--languages") from None
    except ConfigurationError as error:
        where = error.where or "--languages"
        raise ConfigurationError(error.what, where=where, hint=error.hint) from None


def _cut(spec: TargetSpec, wishes: Options) -> TargetSpec:
    changes: dict[str, Any] = {"limit": _least(spec.limit, wishes.limit)}
    if wishes.split is not None:
        changes["split"] = wishes.split
    return spec.model_copy(update=changes)


def _limited(model: ModelSpec, limit: int) -> ModelSpec:
    if model.pretrain is None:
        return model
    pretrain = model.pretrain.model_copy(update={"limit": _least(model.pretrain.limit, limit)})
    return model.model_copy(update={"pretrain": pretrain})


def _least(own: int | None, wished: int | None) -> int | None:
    return min((one for one in (own, wished) if one is not None), default=None)
