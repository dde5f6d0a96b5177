"""What a study may write under `runtime.executor` beside `name: ray`."""

from __future__ import annotations

from pydantic import Field

from xharness import Strict


class RayOptions(Strict):
    """How many workers there are, what each of them holds, and when one counts as lost."""

    address: str | None = Field(
        default=None,
        description="a cluster's HOST:PORT, or auto: the one of this machine; "
        "default: Ray is started on this machine for the run alone",
    )
    workers: int | None = Field(default=None, gt=0, description="default: as many as fit")
    cpus: float = Field(default=1, gt=0, description="cores a worker, and its threads")
    gpus: float | None = Field(
        default=None,
        ge=0,
        description="cards a worker, or the share of one; default: half a card where there are any",
    )
    memory: float | None = Field(
        default=None, gt=0, description="gigabytes a worker is counted with; nothing enforces them"
    )
    retries: int = Field(default=1, ge=0, description="new tries of a stage that lost its worker")
    hang_seconds: float = Field(
        default=1800, gt=0, description="without progress, after which a worker is ended"
    )
    start_seconds: float = Field(
        default=120, gt=0, description="in which a worker must be ready, on the slowest node"
    )
