"""No metric without something that it is compared with, and none that the document leaves out."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.parity.scoring import COVERED
from xharness.task_types import BUILTIN

BUILTIN_METRICS = {
    (task_type.name, metric) for task_type in BUILTIN for metric in task_type.metrics
}


def test_every_metric_is_compared() -> None:
    for file in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"{__package__}.{file.stem}")
    assert COVERED == BUILTIN_METRICS


def test_every_metric_is_documented() -> None:
    text = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert {(task_type, metric) for task_type, metric, *_ in rows} == BUILTIN_METRICS
    directions = {(k.name, m): k.metrics[m].lower_is_better for k in BUILTIN for m in k.metrics}
    for task_type, metric, definition, _ in rows:
        assert ("lower is better" in definition) == directions[task_type, metric], metric
