"""Functions of torch computed by others: what a backbone calls stays as transformers wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch.overrides import TorchFunctionMode

Function = Callable[..., Any]


class Override(TorchFunctionMode):
    """Inside it, another function is called for each of some, with the same arguments.

    What the other one does not serve it hands to torch's, which it reaches as usual.
    """

    def __init__(self, replacements: Mapping[Function, Function]) -> None:
        super().__init__()
        self._replacements = dict(replacements)

    def __torch_function__(
        self,
        func: Function,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return self._replacements.get(func, func)(*args, **(kwargs or {}))
