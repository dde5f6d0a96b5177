"""The executor `ray`: the plan, walked by readiness over Ray's workers."""

from __future__ import annotations

from xharness import (
    ContextSpec,
    Executor,
    NodeNeeds,
    Plan,
    RunContext,
    RunReport,
    StageLimits,
    carry_out_plan,
)
from xharness_ray.options import RayOptions
from xharness_ray.pool import RayPool
from xharness_ray.shares import Share


class RayExecutor(Executor):
    """Runs many stages at once, on this machine or on a cluster's."""

    name = "ray"
    options = RayOptions

    def run(self, plan: Plan, context: RunContext) -> RunReport:
        """Carry out `plan`; a stage whose worker is lost is tried again elsewhere.

        Raises:
            ConfigurationError: Ray is not installed, or the device is one card of several.
            UnavailableError: a machine is not fit for the run, or no worker is left.
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
        options: RayOptions = context.executor_options
        hook = context.catalogue.plugins.manager.hook
        needed = plan.needed(context.store.has)
        pool = RayPool(
            ContextSpec.of(context),
            NodeNeeds.of(needed),
            options,
            Share.of(options, context.runtime.device),
            len(needed),
            lambda message: hook.xharness_run_message(message=message),
        )
        with pool:
            limits = StageLimits(options.retries, options.hang_seconds)
            return carry_out_plan(plan, context, pool, limits)
