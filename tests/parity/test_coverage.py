"""No metric without something that it is compared with, and none that the document leaves out."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.parity.scoring import COVERED
from xharness.task_types import BUILTIN

SHIPPED_METRICS = {(kind.name, metric) for kind in BUILTIN for metric in kind.metrics}


def test_every_metric_is_compared() -> None:
    for file in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"{__package__}.{file.stem}")
    assert COVERED == SHIPPED_METRICS


def test_every_metric_is_documented() -> None:
    text = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert {(kind, metric) for kind, metric, *_ in rows} == SHIPPED_METRICS
    about = {(k.name, m): k.metrics[m].lower_is_better for k in BUILTIN for m in k.metrics}
    for kind, metric, definition, _ in rows:
        assert ("lower is better" in definition) == about[kind, metric], metric
