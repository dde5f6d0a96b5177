"""A limit on what a run may cost."""

from __future__ import annotations

from xharness.errors import ConfigurationError
from xharness.session.account.account import Account
from xharness.session.options import TimeBudget


def check_budget(account: Account, budget: TimeBudget | None) -> None:
    """Refuse what costs more than `budget`; without one, nothing.

    Raises:
        ConfigurationError: it does.
    """
    if budget is None:
        return
    seconds = account.total.seconds
    if seconds > budget.seconds:
        raise ConfigurationError(
            f"the study takes about {seconds / 3600:.1f} hours on one {account.device}",
            where="--budget",
            expected=f"at most {budget.text}",
            hint="'xharness plan' shows what takes how long",
        )
