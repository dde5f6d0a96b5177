"""How training sets are mixed, as a study writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from xharness import ConfigurationError, Mixture, Name, Sampling, Strict, TaskCard, suggestion

Weights = dict[Name, Annotated[float, Field(gt=0)]]


class MixtureOptions(Strict):
    """Each step draws one task with p proportional to min(n, cap) ** (1 / temperature).

    Raffel et al. 2020 (T5), section 3.5.2: proportional with an examples cap, and temperature.
    """

    sampling: Sampling | Weights | None = Field(
        default=None,
        description="how a step's task is drawn, or a weight for each task; default: in proportion "
        "to the steps that each would get alone, and to the examples where epochs count",
    )
    temperature: float = Field(default=2.0, ge=1, description="used with sampling: temperature")
    cap: int | None = Field(default=None, gt=0, description="examples a task counts for, at most")

    def mixture(self, cards: Sequence[TaskCard]) -> Mixture | None:
        """The choice as the plan knows it, None for its own; what is not used enters no key.

        Raises:
            ConfigurationError: weights for other tasks than those that take part.
        """
        if isinstance(self.sampling, dict):
            return Mixture(weights=_weights(self.sampling, [card.name for card in cards]))
        if self.sampling is None and self.cap is None:
            return None
        sampling = self.sampling or "proportional"
        # A value that is not used must not make another stage of it.
        temperature = self.temperature if sampling == "temperature" else 1.0
        return Mixture(sampling, temperature, None if sampling == "uniform" else self.cap)


def _weights(weights: Weights, names: Sequence[str]) -> tuple[float, ...]:
    for name in weights:
        if name not in names:
            raise ConfigurationError(
                f"sampling: no training set '{name}' takes part", hint=suggestion(name, names)
            )
    for name in names:
        if name not in weights:
            raise ConfigurationError(f"sampling: the training set '{name}' has no weight")
    return tuple(weights[name] for name in names)
