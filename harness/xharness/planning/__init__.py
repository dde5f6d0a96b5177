"""From a study to the graph of stages that answers it."""

from __future__ import annotations

from xharness.planning.capabilities import Capabilities
from xharness.planning.checks import checked_study
from xharness.planning.compile import compile_plan
from xharness.planning.context import PlanningContext
from xharness.planning.plan import Arm, Plan

__all__ = ["Arm", "Capabilities", "Plan", "PlanningContext", "checked_study", "compile_plan"]
