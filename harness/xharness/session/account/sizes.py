"""How large a start is, without its weights: from the registry, else from its backend."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from xharness.errors import XharnessError
from xharness.plugin.api import Backend, RunEnvironment
from xharness.plugin.asking import ask
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.registry import find_model
from xharness.stages import Checkpoint, Start

_TYPICAL = (280_000_000, 192_000_000)  # total and embedding of XLM-R base and its like
_ALTERING = {"num_layers", "gguf", "scratch"}  # options that make another size of it


@dataclass(frozen=True)
class ParameterCounts:
    """Parameters: all, and those outside the token embedding."""

    total: int
    non_embedding: int
    is_guess: bool = False


class ParameterRegister:
    """Sizes of starts, each looked up once."""

    def __init__(self, catalogue: Catalogue, environment: RunEnvironment) -> None:
        self._catalogue, self._environment = catalogue, environment
        self._sizes: dict[str, ParameterCounts] = {}

    def of(self, checkpoint: Checkpoint) -> ParameterCounts:
        """The size of the model that a checkpoint was made from."""
        start = checkpoint.origin
        if start.key not in self._sizes:
            self._sizes[start.key] = self._find(start)
        return self._sizes[start.key]

    def _find(self, start: Start) -> ParameterCounts:
        values = json.loads(start.options)
        model = None if _ALTERING & {*values} else find_model(str(values.get("hub")))
        if model is not None and model.total and model.non_embedding:
            return ParameterCounts(model.total, model.non_embedding)
        backend = self._catalogue.backends[start.backend]
        with suppress(XharnessError):
            options = validated(backend.options, values, start.backend)
            sizes = ask(
                f"backend '{start.backend}'", lambda: backend.sizes(options, self._environment)
            )
            if sizes is not None:
                return ParameterCounts(sizes.total, sizes.non_embedding)
        if type(backend).sizes is Backend.sizes:
            # Nothing that learns by steps: its time is the stage's own.
            return ParameterCounts(0, 0)
        total, embedding = _TYPICAL
        return ParameterCounts(total, total - embedding, is_guess=True)
