"""Matrix products of a body's size: what the hardware gives, the floor under everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.measured import Clock, Contest, Contestant, Measured, Setting

_ROWS, _WIDE, _INNER = 640, 384, 1536
_TIMES = 200


def product(how: str, setting: Setting) -> Measured:
    """(640, 384) by (384, 1536), over and over; in thousand millions of operations."""
    import torch
    from torch.nn import functional

    dtype = torch.bfloat16 if how == "bf16" else torch.float32
    left = torch.randn(_ROWS, _WIDE).to(dtype)
    right = torch.randn(_INNER, _WIDE).to(dtype)
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "oneDNN": lambda: torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
    }
    run = ways.get(how, lambda: functional.linear(left, right))
    times = setting.count(_TIMES)
    run()
    clock = Clock()
    with clock.running():
        for _ in range(times):
            run()
    return clock.read(times * 2 * _ROWS * _WIDE * _INNER / 1e9)


_WAYS: dict[str, Contestant] = {
    how: partial(product, how) for how in ("oneDNN", "torch's choice", "bf16")
}
CONTEST = Contest("G operations/s", _WAYS, ours="oneDNN")
