"""How training sets are mixed, as a study writes it."""

from __future__ import annotations

from pydantic import Field

from xharness.documents import Strict
from xharness.extend import Mixing
from xharness.study import Sampling


class MixingOptions(Strict):
    """Each step draws one task with p proportional to min(n, cap) ** (1 / temperature).

    Raffel et al. 2020 (T5), section 3.5.2: proportional with an examples cap, and temperature.
    """

    sampling: Sampling = "proportional"
    temperature: float = Field(default=2.0, ge=1, description="used with sampling: temperature")
    cap: int | None = Field(default=None, gt=0, description="examples a task counts for, at most")

    def mixing(self) -> Mixing:
        """The choice as the plan knows it; what is not used does not enter its key."""
        temperature = self.temperature if self.sampling == "temperature" else 1.0
        return Mixing(self.sampling, temperature, None if self.sampling == "uniform" else self.cap)
