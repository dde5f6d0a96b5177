"""How large models are: as stored stages say, as configurations say, or as the registry says."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from xharness.errors import StageError, UnavailableError
from xharness.planning import Capabilities
from xharness.plugin.api import RunEnvironment, Sizes
from xharness.plugin.catalogue import Catalogue
from xharness.session.opened_study import OpenedStudy
from xharness.spec.models import ModelSpec
from xharness.spec.registry import RegisteredModel
from xharness.stages import Stage


def study_models(opened: OpenedStudy) -> list[dict[str, Any]]:
    """One row a model of the study; sizes as its stored stages say, else its configuration."""
    stored_sizes = _stored(opened)
    return [
        {
            "model": model.name,
            "backend": model.backend,
            "by": str(opened.catalogue.backends.provider(model.backend)),
            "options": model.backend_options,
            "pretrained here": model.pretrain.corpus if model.pretrain else None,
            **_counts(stored_sizes.get(model.name) or _configured(opened, model)),
        }
        for model in opened.study.models
    ]


def registered_models(
    models: Iterable[RegisteredModel], catalogue: Catalogue, environment: RunEnvironment
) -> list[dict[str, Any]]:
    """One row a model of the registry; sizes as configurations say where they can be had."""
    return [_registered(model, _fetched(model, catalogue, environment)) for model in models]


def _registered(model: RegisteredModel, sizes: Sizes | None) -> dict[str, Any]:
    row = model.model_dump(mode="json")
    if sizes is None:
        return row
    counts = {"total": sizes.total, "embedding": sizes.embedding}
    return row | counts | {"non_embedding": sizes.non_embedding, "confidence": "configuration"}


def _fetched(
    model: RegisteredModel, catalogue: Catalogue, environment: RunEnvironment
) -> Sizes | None:
    """What the model's configuration says; standard error has why one that should does not."""
    spec = ModelSpec(name=model.name, hub=model.hub, **model.options)
    try:
        sizes = Capabilities(catalogue, spec, environment).sizes()
    except UnavailableError as error:
        reason = error.reason
    else:
        # Offline most configurations are missing, which needs no line for each.
        if sizes is not None or environment.offline:
            return sizes
        reason = "it has no configuration"
    print(f"{model.name} keeps the registry's sizes: {reason}", file=sys.stderr)
    return None


def _counts(sizes: Sizes | None) -> dict[str, int | None]:
    if sizes is None:
        return {"parameters": None, "embedding": None, "outside_embedding": None}
    return {
        "parameters": sizes.total,
        "embedding": sizes.embedding,
        "outside_embedding": sizes.non_embedding,
    }


def _configured(opened: OpenedStudy, model: ModelSpec) -> Sizes | None:
    """What the model's backend knows before it is loaded; else standard error has the reason."""
    try:
        return Capabilities(opened.catalogue, model, opened.environment).sizes()
    except UnavailableError as error:
        print(f"no sizes of '{model.name}': {error.reason}", file=sys.stderr)
        return None


def _stored(opened: OpenedStudy) -> dict[str, Sizes]:
    """Model to sizes, where a stage of one of its arms is in the store."""
    sizes_of_model: dict[str, Sizes] = {}
    for arm in opened.plan.arms:
        # Backwards, because a score outlives the predictions and the weights that it was made from.
        for stage in () if arm.model in sizes_of_model else arm.score.with_needs():
            if (sizes := _receipt_sizes(opened, stage)) is not None:
                sizes_of_model[arm.model] = sizes
                break
    return sizes_of_model


def _receipt_sizes(opened: OpenedStudy, stage: Stage) -> Sizes | None:
    if not opened.store.has_facts(stage.key):
        return None
    try:
        sizes = opened.store.receipt(stage.key).facts.get("sizes")
    except StageError:
        return None  # a damaged receipt is named by the next run
    return Sizes(sizes["total"], sizes["embedding"]) if sizes else None
