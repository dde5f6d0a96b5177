"""The contract kits: what every offer must keep, as tests that a plugin author inherits.

    from xharness.testing import BackendContract
    from my_plugin import MyBackend

    class TestMyBackend(BackendContract):
        backend = MyBackend()
        options = {"path": "tests/tiny-model"}

pytest finds the inherited tests; one that fails says what has to change.
"""

from xharness.testing.backends import BackendContract, predict, toy_card, toy_examples
from xharness.testing.offers import (
    ExecutorContract,
    SourceContract,
    StrategyContract,
    TaskTypeContract,
    TranslatorContract,
)

__all__ = [
    "BackendContract",
    "ExecutorContract",
    "SourceContract",
    "StrategyContract",
    "TaskTypeContract",
    "TranslatorContract",
    "predict",
    "toy_card",
    "toy_examples",
]
