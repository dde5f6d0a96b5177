"""The wrong-language rate: what counts, what does not, and in which language it is."""

from __future__ import annotations

import pytest

from xharness.task_types import BUILTIN
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.testing import toy_card

SPAN = next(task_type for task_type in BUILTIN if task_type.name == "extractive_qa")
RATE = SPAN.metrics["wrong_language"]
EXAMPLE = ExtractiveQAExample(
    "1",
    "Wann wurde die alte Brücke über den Fluss gebaut?",
    "Die alte Brücke wurde im Sommer 1931 von den Bürgern der Stadt gebaut. New York.",
    (GoldAnswer("im Sommer 1931", 25),),
)


@pytest.mark.parametrize(
    ("answer", "language", "counts"),
    [
        ("im Sommer 1931", "de", (0, 1)),
        ("New York", "de", (0, 1)),  # it stands there
        ("in the summer of that year", "de", (1, 1)),
        ("во время прошлой войны", "de", (1, 1)),
        ("nach dem Ende des Krieges", "de", (0, 1)),
        ("1931", "de", (0, 0)),
        ("", "de", (0, 0)),
        ("in the summer of that year", "tlh", (0, 0)),  # nobody knows Klingon
    ],
)
def test_what_counts(answer: str, language: str, counts: tuple[float, float]) -> None:
    card = toy_card("extractive_qa").model_copy(update={"languages": ("en", "de", "ru", "es")})
    assert RATE.item(EXAMPLE, answer, card, language) == counts


def test_it_stands_beside_a_score_and_is_measured_unasked() -> None:
    assert RATE.lower_is_better
    assert RATE.generated_only
    rows = [
        metric.name
        for task_type in BUILTIN
        for metric in task_type.metrics.values()
        if metric.generated_only
    ]
    assert rows == ["wrong_language"]
