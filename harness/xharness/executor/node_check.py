"""Whether a machine has the data and the models that stages need, before any of them runs there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from xharness.errors import UnavailableError, XharnessError
from xharness.executor.context import RunContext
from xharness.plugin.asking import ask_fingerprint
from xharness.plugin.catalogue import validated
from xharness.stages import (
    DataSlice,
    Predict,
    SelectModel,
    Stage,
    Start,
    Train,
    Translate,
)


@dataclass(frozen=True)
class NodeNeeds:
    """The models and the data that some stages read; a value that can be sent."""

    models: tuple[Start, ...]
    translators: tuple[tuple[Start, str, str], ...]
    """With the languages, from and to."""
    data_slices: tuple[DataSlice, ...]

    @classmethod
    def of(cls, stages: Iterable[Stage]) -> NodeNeeds:
        """What `stages` need, each once."""
        stages = list(stages)
        data_slices = {
            # Limits and samples play no part in whether the data is here.
            (part.card, part.language, part.split): part
            for stage in stages
            for part in map(_original, _data_slices(stage))
        }
        models = {start.key: start for stage in stages for start in _starts(stage)}
        translators = dict.fromkeys(
            (stage.translator, stage.source, stage.target)
            for stage in stages
            if isinstance(stage, Translate)
        )
        return cls(tuple(models.values()), tuple(translators), tuple(data_slices.values()))

    def unmet(self, context: RunContext) -> list[str]:
        """What this machine lacks of it, or has in another version; reads no rows, no weights."""
        checks = chain(
            (partial(_check_model, start, context) for start in self.models),
            (partial(_check_translator, *needed, context) for needed in self.translators),
            (partial(_check_data, part, context) for part in self.data_slices),
        )
        problems = []
        for check in checks:
            try:
                check()
            except XharnessError as error:
                # All are told at once: told one by one, each would cost another start of the run.
                problems.append(error.reason)
        return problems


def _check_model(start: Start, context: RunContext) -> None:
    backend = context.catalogue.backends[start.backend]
    options = validated(backend.options, json.loads(start.options), start.backend)
    identity = ask_fingerprint(
        f"backend '{start.backend}'", lambda: backend.fingerprint(options, context.environment)
    )
    if identity != start.fingerprint:
        raise UnavailableError(f"another version of the model {start.options}")


def _check_translator(start: Start, source: str, target: str, context: RunContext) -> None:
    translator = context.catalogue.translators[start.backend]
    options = validated(translator.options, json.loads(start.options), start.backend)
    identity = ask_fingerprint(
        f"translator '{start.backend}'",
        lambda: translator.fingerprint(options, source, target, context.environment),
    )
    if identity != start.fingerprint:
        raise UnavailableError(f"another version of the translator {start.options}")


def _check_data(part: DataSlice, context: RunContext) -> None:
    card = context.data.card(part.card)
    local_slice = context.data.data_slice(card, part.language, part.split, part.limit)
    if local_slice.fingerprint != part.fingerprint:
        raise UnavailableError(f"other data for {part.card}, {part.language}, {part.split}")


def _starts(stage: Stage) -> Iterator[Start]:
    if isinstance(stage, Train):
        yield stage.start.origin
    elif isinstance(stage, Predict):
        yield stage.model.origin
    elif isinstance(stage, SelectModel):
        yield stage.origin


def _data_slices(stage: Stage) -> Iterator[DataSlice]:
    if isinstance(stage, Train):
        yield from (part for feed in stage.feeds for part in feed.data_slices)
        yield from stage.selection.dev if stage.selection else ()
    elif isinstance(stage, Predict):
        yield from stage.all_data_slices
    elif isinstance(stage, SelectModel):
        yield from stage.dev
    elif isinstance(stage, Translate):
        yield stage.data_slice


def _original(part: DataSlice) -> DataSlice:
    """The rows as the data has them: translations come from the store, under other languages."""
    return part if part.translation is None else part.translation.data_slice
