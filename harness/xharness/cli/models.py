"""`xharness models`: a study's models, or those of the registry, and how large they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xharness import registry
from xharness.cli.compose import Job, compose
from xharness.cli.wishes import Wishes
from xharness.console import show_json, show_table
from xharness.errors import StageError
from xharness.leaderboard.text import parameters
from xharness.stages import Stage


def show(wishes: Wishes, *, as_json: bool) -> None:
    """Print the study's models; sizes are those that receipts of its own stages tell."""
    job = compose(wishes)
    sizes = _sizes(job)
    rows = [
        {
            "model": one.name,
            "backend": one.backend,
            "by": str(job.catalogue.backends.provider(one.backend)),
            "options": one.own_options,
            "pretrained here": one.pretrain.corpus if one.pretrain else None,
            **sizes.get(one.name, {"parameters": None, "outside_embedding": None}),
        }
        for one in job.study.models
    ]
    if as_json:
        show_json(rows)
        return
    show_table([_row(row) for row in rows], right=("parameters", "outside embedding"))


def show_known(*, as_json: bool) -> None:
    """Print the registry: models that publications speak of."""
    if as_json:
        show_json([one.model_dump(mode="json") for one in registry.models()])
        return
    rows = [
        {
            "model": one.name,
            "hub": one.hub,
            "family": one.family,
            "parameters": parameters(one.total),
            "outside embedding": parameters(one.non_embedding),
            "tokenizer": one.tokenizer,
            "max length": one.max_length,
            "licence": one.licence,
            "sizes": one.confidence,
        }
        for one in registry.models()
    ]
    show_table(rows, right=("parameters", "outside embedding", "max length"))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    options = ", ".join(f"{key}: {value}" for key, value in row["options"].items())
    return {
        "model": row["model"],
        "backend": f"{row['backend']}, by {row['by']}",
        "options": options,
        "pretrained here": row["pretrained here"],
        "parameters": parameters(row["parameters"]),
        "outside embedding": parameters(row["outside_embedding"]),
    }


def _sizes(job: Job) -> dict[str, dict[str, int]]:
    """Model to sizes, where a stage of one of its arms is in the store."""
    found: dict[str, dict[str, int]] = {}
    for arm in job.plan.arms:
        for stage in () if arm.model in found else _backwards(arm.score):
            if (sizes := _told(job, stage)) is not None:
                total, embedding = sizes["total"], sizes["embedding"]
                found[arm.model] = {"parameters": total, "outside_embedding": total - embedding}
                break
    return found


def _backwards(stage: Stage) -> Iterator[Stage]:
    """`stage` before everything it needs."""
    yield stage
    for need in stage.needs:
        yield from _backwards(need)


def _told(job: Job, stage: Stage) -> dict[str, int] | None:
    if not job.store.has(stage.key):
        return None
    try:
        sizes: dict[str, int] | None = job.store.receipt(stage.key).facts.get("sizes")
    except StageError:
        return None  # a run will name it
    return sizes
