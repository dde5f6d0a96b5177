"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def core_count(quota: Path = _QUOTA) -> int:
    """Cores that the scheduler or the container leaves to this process, at least one.

    Ray counts those of the machine.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        limit, period = quota.read_text(encoding="ascii").split()
        share = int(limit) // int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return max(1, cores or 1)
    return max(1, min(cores or 1, share))
