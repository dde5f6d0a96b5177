"""What this plugin offers."""

from __future__ import annotations

from collections.abc import Iterable

from xharness import Executor, hookimpl
from xharness_ray.executor import RayExecutor


@hookimpl
def xharness_executors() -> Iterable[Executor]:
    """The executor `ray`."""
    return [RayExecutor()]
