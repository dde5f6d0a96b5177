"""Executors carry out a plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel

from xharness.plugin.api.backend import NoOptions

# For the annotations alone: these floors stand above the plugins' own.
if TYPE_CHECKING:
    from xharness.executor.context import RunContext
    from xharness.executor.outcome import RunReport
    from xharness.planning.plan import Plan


class Executor(ABC):
    """Carries out a plan: every stage it needs is reused, or performed and committed."""

    name: str
    options: type[BaseModel] = NoOptions
    """What a study may write beside `name:` under `runtime.executor`; `context.executor_options`
    has it, and nothing of it may change an answer."""
    runs_here: bool = False
    """Whether it carries stages out on this machine, so that a device can be checked beforehand."""

    @abstractmethod
    def run(self, plan: Plan, context: RunContext) -> RunReport:
        """Carry out `plan`; how each stage ended stands in the report.

        `attempt` carries out one stage so that any number of processes may do so on one store, and
        `carry_out_plan` gives the stages to the workers of a `WorkerPool`.

        Raises:
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
