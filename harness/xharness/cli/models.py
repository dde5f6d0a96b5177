"""`xharness models list STUDY`: a study's models, and how large they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from xharness.console import show_json, show_table
from xharness.errors import StageError, UnavailableError
from xharness.leaderboard.text import parameters
from xharness.planning import Capabilities
from xharness.plugin.api import Sizes
from xharness.session.options import Options
from xharness.session.session import Session, open_session
from xharness.spec.models import ModelSpec
from xharness.stages import Stage

COUNTS = ("parameters", "embedding", "outside embedding")


def show(wishes: Options, *, as_json: bool) -> None:
    """Print the study's models; sizes as its stored stages tell, else their configurations."""
    job = open_session(wishes)
    stored = _stored(job)
    rows = [
        {
            "model": one.name,
            "backend": one.backend,
            "by": str(job.catalogue.backends.provider(one.backend)),
            "options": one.backend_options,
            "pretrained here": one.pretrain.corpus if one.pretrain else None,
            **_counts(stored.get(one.name) or _configured(job, one)),
        }
        for one in job.study.models
    ]
    if as_json:
        show_json(rows)
        return
    show_table([_row(row) for row in rows], right=COUNTS)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    options = ", ".join(f"{key}: {value}" for key, value in row["options"].items())
    return {
        "model": row["model"],
        "backend": f"{row['backend']}, by {row['by']}",
        "options": options,
        "pretrained here": row["pretrained here"],
        "parameters": parameters(row["parameters"]),
        "embedding": parameters(row["embedding"]),
        "outside embedding": parameters(row["outside_embedding"]),
    }


def _counts(sizes: Sizes | None) -> dict[str, int | None]:
    if sizes is None:
        return {"parameters": None, "embedding": None, "outside_embedding": None}
    return {
        "parameters": sizes.total,
        "embedding": sizes.embedding,
        "outside_embedding": sizes.non_embedding,
    }


def _configured(job: Session, model: ModelSpec) -> Sizes | None:
    """What the model's backend knows of it; why it knows nothing is said beside the table."""
    try:
        return Capabilities(job.catalogue, model, job.environment).sizes()
    except UnavailableError as error:
        print(f"no sizes of '{model.name}': {error.reason}", file=sys.stderr)
        return None


def _stored(job: Session) -> dict[str, Sizes]:
    """Model to sizes, where a stage of one of its arms is in the store."""
    found: dict[str, Sizes] = {}
    for arm in job.plan.arms:
        for stage in () if arm.model in found else _backwards(arm.score):
            if (sizes := _told(job, stage)) is not None:
                found[arm.model] = sizes
                break
    return found


def _backwards(stage: Stage) -> Iterator[Stage]:
    """`stage` before everything it needs."""
    yield stage
    for need in stage.needs:
        yield from _backwards(need)


def _told(job: Session, stage: Stage) -> Sizes | None:
    if not job.store.has(stage.key):
        return None
    try:
        told = job.store.receipt(stage.key).facts.get("sizes")
    except StageError:
        return None  # a run will name it
    return Sizes(told["total"], told["embedding"]) if told else None
