"""The one way in which a number of the board is rounded, wherever it is shown."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from xharness.gaps.values import Detectable, Estimate

_NOISE = 9  # decimals past which sums in another order differ between machines
_NEAR = 1e-6  # of the last digit kept: no nearer to a half, and there is no tie to break


def rounded(value: float, decimals: int = 1) -> float:
    """`value` with so many decimals, half to even, never -0.0; inf and nan stay."""
    if value - value != 0:
        return value
    scaled = value * 10**decimals
    if abs(scaled % 1 - 0.5) > _NEAR:
        return round(float(value), decimals) + 0.0
    step = Decimal(1).scaleb(-decimals)
    exact = Decimal(repr(round(float(value), _NOISE)))
    # Adding zero turns -0.0 into 0.0.
    return float(exact.quantize(step, ROUND_HALF_EVEN)) + 0.0


def steady(value: float) -> float:
    """`value` without the digits in which machines differ, to be written and compared by bytes."""
    return round(value, _NOISE) + 0.0


def detectable_text(detectable: Detectable) -> str:
    """`about 4 (3 to 8)`: one significant digit, as much as so few seeds can tell."""
    value, low, high = map(_one_digit, (detectable.value, detectable.low, detectable.high))
    return f"about {value} ({low} to {high})" if low != high else f"about {value}"


def slope_text(slope: Estimate) -> str:
    """`−0.84 [−1.20, −0.31]`: a doubling of the size changes little, so two decimals."""
    ends = [rounded(end, 2) for end in (slope.value, slope.low, slope.high) if end is not None]
    value, *interval = (f"{end:+.2f}" if end else "0.00" for end in ends)
    text = f"{value} [{', '.join(interval)}]" if interval else value
    return text.replace("-", "−")


def _one_digit(value: float) -> str:
    digit = float(f"{value:.0e}")
    return f"{digit:.0f}" if digit >= 1 else f"{digit:g}"
