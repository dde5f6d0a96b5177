"""The strategies this package offers."""

from __future__ import annotations

from collections.abc import Iterable

from xharness import Strategy, hookimpl
from xharness_strategies.intermediate import Intermediate
from xharness_strategies.multitask import Multitask
from xharness_strategies.prompt import Prompt
from xharness_strategies.single import Single
from xharness_strategies.single_long import SingleLong


@hookimpl
def xharness_strategies() -> Iterable[Strategy]:
    return (Single(), SingleLong(), Intermediate(), Multitask(), Prompt())
