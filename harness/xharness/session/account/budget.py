"""A limit on what a run may cost."""

from __future__ import annotations

import re

from xharness.errors import ConfigurationError
from xharness.session.account.account import Account

_BUDGET = re.compile(r"(\d+(?:\.\d+)?) ?(min|h|d)")
_SECONDS = {"min": 60, "h": 3600, "d": 86400}


def seconds_of(budget: str) -> float:
    """The seconds of a text such as 20h, 90min or 2d.

    Raises:
        ConfigurationError: it is none.
    """
    match = _BUDGET.fullmatch(budget.strip())
    if match is None:
        raise ConfigurationError(
            f"'{budget}' is no time", where="--budget", expected="such as 20h, 90min or 2d"
        )
    return float(match[1]) * _SECONDS[match[2]]


def check_budget(account: Account, budget: str | None) -> None:
    """Refuse what costs more than `budget`; without one, nothing.

    Raises:
        ConfigurationError: it does, or the budget is no time.
    """
    if budget is None:
        return
    seconds = account.total.seconds
    if seconds > seconds_of(budget):
        raise ConfigurationError(
            f"the study takes about {seconds / 3600:.1f} hours on one {account.device}",
            where="--budget",
            expected=f"at most {budget}",
            hint="'xharness plan' shows what takes how long",
        )
