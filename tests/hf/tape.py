"""A stand-in for CUDA graphs: the operators of a function are noted once and repeated by rote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from xharness_hf.training.graphs import NoGraphs, Replay

READS = {
    "_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "is_nonzero", "item",
}  # fmt: skip
"""Operators whose answer goes to the host, which waits for it."""
UPLOADS = {"lift_fresh"}
"""Operators that make a tensor from the host's numbers."""


class Counting(TorchDispatchMode):
    """Notes the names of all operators inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))

    @property
    def waits(self) -> list[str]:
        """Those that a device would have to wait for, or the host."""
        return [name for name in self.names if name in READS | UPLOADS]


class _Noted:
    """The place of a tensor that was made while noting."""

    def __init__(self, key: int) -> None:
        self.key = key


class _Tape(TorchDispatchMode):
    """Notes operators with their arguments; what they change is put back afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, list[int | None]]] = []
        self._made: dict[int, Tensor] = {}
        self._before: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.overloadpacket.__name__ in READS | UPLOADS:
            raise RuntimeError(f"{func} cannot be captured")
        noted = tree_map(self._noted, (args, kwargs))
        if func._schema.is_mutable:
            for tensor in tree_flatten((args, kwargs))[0]:
                if isinstance(tensor, Tensor) and id(tensor) not in self._made:
                    self._before.append((tensor, tensor.clone()))
        result = func(*args, **kwargs)
        keys: list[int | None] = []
        for tensor in tree_flatten(result)[0]:
            fresh = isinstance(tensor, Tensor)
            if fresh:
                self._made[id(tensor)] = tensor  # kept, so that no other gets its number
            keys.append(id(tensor) if fresh else None)
        self.calls.append((func, *noted, keys))
        return result

    def put_back(self) -> None:
        """Undo what the noted operators changed."""
        with torch.no_grad():
            for tensor, value in reversed(self._before):
                tensor.copy_(value)
        self._made.clear()
        self._before.clear()

    def _noted(self, value: Any) -> Any:
        is_made = isinstance(value, Tensor) and id(value) in self._made
        return _Noted(id(value)) if is_made else value

    def replay(self) -> None:
        """Call the operators again; numbers of Python are those that were noted."""
        tensors: dict[int, Tensor] = {}

        def real(value: Any) -> Any:
            return tensors[value.key] if isinstance(value, _Noted) else value

        with torch.no_grad():
            for func, args, kwargs, keys in self.calls:
                leaves, shape = tree_flatten((args, kwargs))
                arguments, keywords = tree_unflatten([real(leaf) for leaf in leaves], shape)
                result = func(*arguments, **keywords)
                for tensor, key in zip(tree_flatten(result)[0], keys, strict=True):
                    if key is not None:
                        tensors[key] = tensor


class Tapes(NoGraphs):
    """Functions noted as lists of operators, which bake Python's numbers in as a capture does."""

    def __init__(self) -> None:
        self.count = 0

    def record(self, function: Callable[[], None]) -> Replay:
        """`function` as its operators; one that reads the device cannot be recorded."""
        generator = torch.get_rng_state()
        tape = _Tape()
        try:
            with tape:
                function()
        finally:
            tape.put_back()
            torch.set_rng_state(generator)
        self.count += 1
        return tape.replay
