"""Options that change what a study asks."""

from __future__ import annotations

from typing import Any

from xharness.errors import ConfigurationError
from xharness.planning.targets import targets_in_languages
from xharness.plugin.catalogue import Catalogue
from xharness.session.options import Options
from xharness.spec.languages import check_selector
from xharness.spec.models import ModelSpec
from xharness.spec.study import ExecutorSpec, Study, TargetSpec


def overridden(study: Study, options: Options, catalogue: Catalogue) -> Study:
    """The study with the options in place of its own values; limits never raise its own.

    Raises:
        ConfigurationError: a language that no target has.
    """
    changes: dict[str, Any] = {}
    if options.seeds:
        changes["seeds"] = options.seeds
    runtime = {
        "device": options.device,
        "deterministic": options.deterministic or None,
        "executor": _executor(study.runtime.executor, options),
    }
    runtime_changes = {name: value for name, value in runtime.items() if value is not None}
    if runtime_changes:
        changes["runtime"] = study.runtime.model_copy(update=runtime_changes)
    if options.languages:
        changes["targets"] = _narrowed(study, options.languages, catalogue)
    if options.split is not None or options.limit is not None:
        targets = changes.get("targets", study.targets)
        changes["targets"] = tuple(_cut(spec, options) for spec in targets)
    if options.limit is not None:
        changes["train_limit"] = _least(study.train_limit, options.limit)
        changes["models"] = tuple(_limited(model, options.limit) for model in study.models)
    return study.model_copy(update=changes)


def _executor(spec: ExecutorSpec, options: Options) -> ExecutorSpec | None:
    """The executor that the options name; what the study says of it stays, of another it goes."""
    if options.executor is None and options.address is None:
        return None
    name = options.executor or spec.name
    values = dict(spec.executor_options) if name == spec.name else {}
    if options.address is not None:
        values["address"] = options.address
    return ExecutorSpec(name=name, **values)


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
        raise ConfigurationError(
            error.what, where=error.where or "--languages", hint=error.hint
        ) from None


def _cut(spec: TargetSpec, options: Options) -> TargetSpec:
    changes: dict[str, Any] = {"limit": _least(spec.limit, options.limit)}
    if options.split is not None:
        changes["split"] = options.split
    return spec.model_copy(update=changes)


def _limited(model: ModelSpec, limit: int) -> ModelSpec:
    if model.pretrain is None:
        return model
    pretrain = model.pretrain.model_copy(update={"limit": _least(model.pretrain.limit, limit)})
    return model.model_copy(update={"pretrain": pretrain})


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
