"""How fast a machine computes: measured here, or as published for cards that are not here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from xharness.errors import ConfigurationError, suggestion
from xharness.files import write_json
from xharness.plugin.api import Pace

_TERA = 1e12
_HALF = ("bf16", "fp16")


@dataclass(frozen=True)
class DevicePaces:
    """Paces of one device by precision, and where they come from."""

    by_precision: Mapping[str, Pace]
    """That of `fp32`, and of the half precision that the device computes in."""
    source: str
    is_card: bool = False

    def of(self, precision: str) -> Pace:
        """The pace in a recipe's precision; `auto` is fp32 on a processor alone."""
        is_half = self.is_card if precision == "auto" else precision in _HALF
        names = (*_HALF, "fp32") if is_half else ("fp32",)
        return next(self.by_precision[name] for name in names if name in self.by_precision)

    @property
    def operations_per_second(self) -> float:
        """In the precision in which it is fastest."""
        return max(pace.operations_per_second for pace in self.by_precision.values())


def _published(fp32: float, half: float) -> DevicePaces:
    return DevicePaces(
        {"fp32": Pace(fp32 * _TERA, 0.02), "bf16": Pace(half * _TERA, 0.02)},
        "a third of the published peak, and 20 ms a step: a guess",
        is_card=True,
    )


# A third of the dense peaks in the makers' data sheets (fp32 as TF32 where the card has it): what
# encoders of this size reach when their steps are large enough.
PUBLISHED: Mapping[str, DevicePaces] = {
    "h100": _published(165, 330),
    "a100": _published(52, 104),
    "l40s": _published(61, 121),
    "l4": _published(20, 40),
    "a10": _published(21, 42),
    "t4": _published(2.7, 5),
    "v100": _published(5.2, 13),
}
_CORE = DevicePaces(
    {"fp32": Pace(4e10, 0.02, 1e-9), "bf16": Pace(2e10, 0.02, 1e-9)},
    "a guess: 'xharness doctor --speed' measures",
)
_MEASURED = TypeAdapter(dict[str, dict[str, Pace]])


def measured_file(cache: Path) -> Path:
    """Where a measurement of this machine is kept."""
    return cache / "pace.json"


def keep_measured(cache: Path, device: str, paces: Mapping[str, Pace]) -> None:
    """Keep what was measured, by precision, for accounts to come."""
    file = measured_file(cache)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Beside other devices' paces: each of a machine's devices may be measured.
    measured = _measured(file) | {device.partition(":")[0]: dict(paces)}
    write_json(file, _MEASURED.dump_python(measured))


def paces_of(device: str | None, cache: Path) -> tuple[str, DevicePaces]:
    """A device's name and its paces; None is the fastest that was measured here, else a core.

    Raises:
        ConfigurationError: nothing is known of the device.
    """
    measured = {
        name: DevicePaces(paces, "measured by 'xharness doctor --speed'", is_card=name == "cuda")
        for name, paces in _measured(measured_file(cache)).items()
    }
    if device is None:
        device = max(measured, key=lambda name: measured[name].operations_per_second, default="cpu")
    name = device.partition(":")[0].lower()
    if name in measured:
        return name, measured[name]
    if name in PUBLISHED:
        return name, PUBLISHED[name]
    if name == "cpu":
        return name, _CORE
    raise ConfigurationError(
        f"nothing is known of the speed of '{device}'",
        where="--device",
        hint=f"measure it with 'xharness doctor --speed', or {suggestion(name, PUBLISHED)}",
    )


def _measured(file: Path) -> dict[str, dict[str, Pace]]:
    try:
        return _MEASURED.validate_json(file.read_bytes())
    except (OSError, ValueError):  # not measured yet, or by a version that kept less
        return {}
