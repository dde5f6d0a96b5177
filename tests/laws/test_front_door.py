"""Benchmarks use what everybody may use; where they measure an inner part, it is named here."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator

import pytest

import xharness
from tests.laws.test_vocabulary import trees

MEASURED_PARTS = {
    # Receipts and bytes of a store, and the name of the processor.
    "accounts.py": ("xharness.executor.provenance xharness.files xharness.session.store_contents"),
    "gaps.py": "xharness.gaps xharness.leaderboard",  # each step from scores to pages by itself
    "lengths.py": "xharness.session.account.work",  # whose table it writes
    "retrieval.py": "xharness.task_types.neighbours",  # the search without models
    "scale.py": (
        # A plan of sources that are not here, and receipts of stages that nobody carries out.
        "xharness.executor.repair xharness.files xharness.session.account.hypothetical "
        "xharness.store"
    ),
    "scoring.py": "xharness.task_types.scoring",  # a metric without files
    # Kernels, and the steps of the backend between texts and weights.
    "gpu_probe.py": "xharness_hf",
    "material.py": "xharness_hf",
    "shapes.py": "xharness_hf",
    "sharing.py": "xharness_hf",
    "scheduling.py": "xharness_ray",  # its pool, with workers that do nothing
}
"""Benchmark to what it is about behind the front door: modules of the core, whole plugins."""

FRONT_DOOR = {
    *xharness._MODULE_OF,
    *(
        name
        for module in xharness._PLUGIN_MODULES
        for name in importlib.import_module(module).__all__
    ),
}


def inner_modules(tree: ast.Module) -> Iterator[str]:
    """What is imported past `import xharness`: modules of the core, and plugins by their name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "xharness":
            yield from (f"xharness.{alias.name}" for alias in node.names
                        if alias.name not in FRONT_DOOR)  # fmt: skip
            continue
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            if module.startswith("xharness_"):
                yield module.partition(".")[0]
            elif module.startswith("xharness."):
                yield module


def test_benchmarks_come_through_the_front_door() -> None:
    imports: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees("benchmarks").items():
        if modules := {*inner_modules(tree)}:
            imports[path.relative_to("benchmarks").as_posix()] = modules
    assert imports == {name: {*modules.split()} for name, modules in MEASURED_PARTS.items()}


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("from xharness import Store, open_study", []),
        ("import xharness\nfrom benchmarks import material", []),
        ("from xharness import leaderboard, Store", ["xharness.leaderboard"]),
        ("from xharness.store import Store", ["xharness.store"]),
        ("def f():\n    from xharness_hf.build import start", ["xharness_hf"]),
        ("from xharness_hf import scratch", ["xharness_hf"]),
        ("import xharness.store", ["xharness.store"]),
    ],
)
def test_imports_of_every_form_are_seen(code: str, modules: list[str]) -> None:
    assert [*inner_modules(ast.parse(code))] == modules
