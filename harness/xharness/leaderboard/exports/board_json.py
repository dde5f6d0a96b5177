"""`leaderboard.json`: the first screen, then every gap with its interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from xharness.gaps import Estimate, steady
from xharness.gaps.scores import record
from xharness.leaderboard.board import Board
from xharness.leaderboard.published_averages import check_averages
from xharness.leaderboard.summary import Summary, summarize

_AS_IT_IS = frozenset({str, int, bool, type(None)})

# Kept by type: a large board has very many values, of a dozen classes.
_FIELDS: dict[type, tuple[str, ...] | None] = {}


def to_json(board: Board, files: Sequence[str] = ()) -> str:
    """Question, headline, table, verdicts and trends, then the gaps as `xharness.gaps` holds them.

    `files` are those that the board is made into: what a later board may remove.
    """
    summary = summarize(board)
    page: dict[str, Any] = {
        "study": board.study.name,
        "title": board.study.title,
        "headline": summary.headline,
        "is_claim": summary.is_claim,
        "remarks": summary.remarks,
        "badges": summary.badges,
        "table": _table(summary),
        "open": summary.still_open,
        "verdicts": _verdicts(board),
        "trends": json_value(board.gaps.trends),
        "models": {
            model: {"parameters": total, "non_embedding_parameters": non_embedding}
            for model, (total, non_embedding) in board.sizes.items()
        },
        "files": files,
        "gaps": {name: value for name, value in json_value(board.gaps).items() if name != "trends"},
    }
    if board.stated_averages:
        page["stated_averages"] = [
            {**record(average.stated), "derived": average.derived,
             "reading": average.reading, "contradicted": average.contradicted}
            for average in check_averages(board.stated_averages, board.scores)
        ]  # fmt: skip
    return _indented(page) + "\n"


def _table(summary: Summary) -> list[dict[str, str]]:
    """The first table's rows under the words that stand over its columns."""
    header = summary.table.header
    return [dict(zip(header, line.words, strict=True)) for line in summary.table.lines]


def _verdicts(board: Board) -> list[dict[str, Any]]:
    """How each strategy reads over the models, then on each of them."""
    return [
        {"model": None, "models": headline.models, "strategy": headline.strategy,
         "verdict": headline.verdict, "reads as": headline.reads_as,
         "undefined": headline.undefined}
        for headline in board.gaps.headlines
    ] + [
        {"model": change.model, "models": (change.model,), "strategy": change.strategy,
         "verdict": change.verdict, "reads as": change.reads_as, "undefined": change.undefined}
        for change in board.gaps.average_changes
    ]  # fmt: skip


def json_value(value: Any) -> Any:
    """Dataclasses as mappings; estimates, of which a board has most, without what they lack."""
    value_type = type(value)
    if value_type is float:
        return steady(value)
    if value_type in _AS_IT_IS:
        return value
    names = _names(value_type)
    if names is not None:
        parts = [(name, getattr(value, name)) for name in names]
        if value_type is Estimate:
            return {name: json_value(part) for name, part in parts if part is not None}
        return {name: json_value(part) for name, part in parts}
    if isinstance(value, Mapping):
        return {_key(key): json_value(part) for key, part in value.items()}
    return [json_value(part) for part in value] if isinstance(value, (list, tuple)) else value


def _names(value_type: type) -> tuple[str, ...] | None:
    """A dataclass's fields; None of any other type."""
    if value_type not in _FIELDS:
        _FIELDS[value_type] = (
            tuple(field.name for field in fields(value_type)) if is_dataclass(value_type) else None
        )
    return _FIELDS[value_type]


def _key(key: Any) -> str:
    """A seed may be None: where a source doesn't say."""
    return key if isinstance(key, str) else json.dumps(key)


def _indented(page: Mapping[str, Any]) -> str:
    """One line for each entry of a list, so that a difference of two boards can be read."""
    lines = [f" {_compact(key)}: {_value(value, 1)}" for key, value in page.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(value: Any, depth: int) -> str:
    pad, end = " " * (depth + 1), " " * depth
    if depth < 3 and isinstance(value, Mapping) and value:
        members = [
            f"{pad}{_compact(key)}: {_value(part, depth + 1)}" for key, part in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{end}}}"
    if isinstance(value, (list, tuple)) and any(isinstance(part, Mapping) for part in value):
        return "[\n" + ",\n".join(f"{pad}{_compact(part)}" for part in value) + f"\n{end}]"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
