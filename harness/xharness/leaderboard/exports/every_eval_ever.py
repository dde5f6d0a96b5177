"""Scores in the schema of Every Eval Ever: one record for each model, strategy, seed and source.

Schema: evaleval/every_eval_ever, `eval.schema.json`, version 0.2.1. Its details are texts only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from xharness.gaps import Metrics
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard.board import Board, is_published
from xharness.spec import registry
from xharness.version import __version__

SCHEMA = "0.2.1"


def to_records(
    board: Board, metrics: Metrics, when: int, organization: str = "unknown"
) -> dict[str, dict[str, Any]]:
    """File name (without folder) to record; `when` is the time of the export, in Unix seconds."""
    grouped: dict[tuple[str, str, int | None, str | None], list[ScoreRow]] = defaultdict(list)
    for row in board.scores:
        source = (row.source or "unknown") if is_published(row) else None
        grouped[row.model, row.strategy, row.seed, source].append(row)
    records_by_name: dict[str, dict[str, Any]] = {}
    for (model, strategy, seed, source), rows in grouped.items():
        name_parts = [model, strategy, *([f"seed-{seed}"] if seed is not None else [])]
        # Hub ids have slashes, which would be folders here.
        name = _free("--".join(name_parts).replace("/", "-"), records_by_name)
        records_by_name[name] = {
            "schema_version": SCHEMA,
            "evaluation_id": f"{board.study.name}/{name}/{when}",
            "retrieved_timestamp": str(when),
            "source_metadata": _origin(board, source, organization),
            "eval_library": _library(source),
            "model_info": _model(rows[0]),
            "evaluation_results": [_result(row, metrics) for row in rows],
        }
    return records_by_name


def _free(name: str, records: dict[str, dict[str, Any]]) -> str:
    """A file name nobody has: several sources may speak of one arm."""
    names = (
        f"{name}{'' if number == 1 else f'--{number}'}" for number in range(1, len(records) + 2)
    )
    return next(free_name for free_name in names if free_name not in records)


def _origin(board: Board, source: str | None, organization: str) -> dict[str, str]:
    return {
        "source_name": source or board.study.title or board.study.name,
        "source_type": "documentation" if source else "evaluation_run",
        "source_organization_name": organization,
        "evaluator_relationship": "other",
    }


def _library(source: str | None) -> dict[str, str]:
    if source is not None:
        return {"name": source, "version": "unknown"}
    return {"name": "xharness", "version": __version__}


def _model(row: ScoreRow) -> dict[str, Any]:
    registered = registry.find_model(row.model)
    details = {
        "strategy": row.strategy, "seed": row.seed, "protocol": row.protocol,
        "parameters": row.parameters, "non_embedding_parameters": row.non_embedding_parameters,
    }  # fmt: skip
    return {
        "name": row.model,
        "id": registered.hub if registered is not None else row.model,
        "additional_details": _texts(details),
    }


def _result(row: ScoreRow, metrics: Metrics) -> dict[str, Any]:
    uncertainty = {"uncertainty": {"num_samples": row.n}} if row.n is not None else {}
    notes: Sequence[str] = row.notes
    metric = metrics.get(row.task_type, {}).get(row.metric)
    return {
        "evaluation_name": f"{row.task}/{row.language}/{row.metric}",
        "source_data": {
            "dataset_name": row.task,
            "source_type": "other",
            "additional_details": _texts({"language": row.language, "split": row.split}),
        },
        "metric_config": {
            "evaluation_description": row.metric,
            "lower_is_better": metric is not None and metric.lower_is_better,
            "score_type": "continuous",
            "min_score": 0,
            "max_score": 100,
        },
        "score_details": {
            "score": row.value,
            "details": _texts({"notes": "; ".join(notes) or None, "stage": row.stage}),
            **uncertainty,
        },
    }


def _texts(details: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in details.items() if value is not None}
