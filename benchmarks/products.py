"""Matrix products of a backbone's size: what the hardware gives, the floor under everything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.measurement import Clock, Contest, Contestant, Measurement, Setting

_ROWS, _WIDTH, _INNER = 640, 384, 1536
_REPEATS = 200


def product(library: str, setting: Setting) -> Measurement:
    """(640, 384) by (384, 1536), over and over; in thousand millions of operations."""
    import torch
    from torch.nn import functional

    dtype = torch.bfloat16 if library == "bf16" else torch.float32
    matrix = torch.randn(_ROWS, _WIDTH).to(dtype)
    weight = torch.randn(_INNER, _WIDTH).to(dtype)
    special: dict[str, Callable[[], torch.Tensor]] = {
        "oneDNN": lambda: torch.ops.mkldnn._linear_pointwise(matrix, weight, None, "none", [], "")
    }
    multiply = special.get(library, lambda: functional.linear(matrix, weight))
    repeats = setting.count(_REPEATS)
    multiply()
    clock = Clock()
    with clock.running():
        for _ in range(repeats):
            multiply()
    return clock.measurement(repeats * 2 * _ROWS * _WIDTH * _INNER / 1e9)


_LIBRARIES: dict[str, Contestant] = {
    library: partial(product, library) for library in ("oneDNN", "torch's choice", "bf16")
}
CONTEST = Contest("G operations/s", _LIBRARIES, ours="oneDNN")
