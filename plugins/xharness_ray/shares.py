"""What a worker holds of its machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xharness import ConfigurationError
from xharness_ray.options import RayOptions

_GIGABYTE = 1_000_000_000
_HALF_A_CARD = 0.5  # of what is trained here, launching keeps a card busy less than half the time


@dataclass(frozen=True)
class Share:
    """Cores, cards and bytes of a worker; `gpus` is None until the nodes are known."""

    cpus: float
    gpus: float | None
    memory: float | None

    @classmethod
    def of(cls, options: RayOptions, device: str | None) -> Share:
        """What the options say, or what `device` implies.

        Raises:
            ConfigurationError: a device with a number, which Ray deals out itself.
        """
        if device is not None and ":" in device:
            raise ConfigurationError(
                f"'{device}' names one card, and Ray gives each worker its own",
                where="executor 'ray'",
                hint=f"write {device.split(':')[0]}, and choose cards by CUDA_VISIBLE_DEVICES",
            )
        gpus = 0.0 if device not in (None, "cuda") else options.gpus
        return cls(options.cpus, gpus, options.memory and options.memory * _GIGABYTE)

    def on(self, nodes: Iterable[Mapping[str, Any]]) -> Share:
        """The share on these nodes: half a card where there are cards and nothing else was said."""
        if self.gpus is not None:
            return self
        has_cards = any(node["Resources"].get("GPU") for node in nodes)
        return replace(self, gpus=_HALF_A_CARD if has_cards else 0.0)

    def fitting(self, resources: Mapping[str, float]) -> int:
        """How many workers fit into a node's resources."""
        counts = [resources.get("CPU", 0) / self.cpus]
        if self.gpus:
            cards = resources.get("GPU", 0)
            is_share = self.gpus < 1
            counts.append(int(cards) * int(1 / self.gpus) if is_share else cards / self.gpus)
        if self.memory:
            counts.append(resources.get("memory", 0) / self.memory)
        return int(min(counts) + 1e-9)

    @property
    def settings(self) -> dict[str, Any]:
        """As Ray calls them."""
        values = {"num_cpus": self.cpus, "num_gpus": self.gpus or 0, "memory": self.memory}
        return {name: value for name, value in values.items() if value is not None}

    def __str__(self) -> str:
        parts = [f"{self.cpus:g} cores"]
        parts += [f"{self.gpus:g} of a card"] if self.gpus else []
        parts += [f"{self.memory / _GIGABYTE:g} GB"] if self.memory else []
        return ", ".join(parts)
