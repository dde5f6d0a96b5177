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
    "gaps.py": "xharness.gaps xharness.leaderboard",  # each step from scores to pages by itself
    "lengths.py": "xharness.session.account.work",  # whose table it writes
    "retrieval.py": "xharness.task_types.neighbours",  # the search without models
    "scale.py": (
        # A plan of sources that are not here, and receipts of stages that nobody carries out.
        "xharness.executor.repair xharness.session.account.hypothetical xharness.store"
    ),
    "scoring.py": "xharness.task_types.scoring",  # a metric without files
    # Kernels, and the steps of the backend between texts and weights.
    "gpu_probe.py": (
        "xharness_hf.backbone.tokens xharness_hf.files xharness_hf.speed "
        "xharness_hf.speed.adamw_kernel xharness_hf.training.fixed_step xharness_hf.training.graphs"
    ),
    "material.py": (
        "xharness_hf.backbone.texts xharness_hf.backbone.tokens xharness_hf.build "
        "xharness_hf.config.options xharness_hf.files xharness_hf.heads.heads "
        "xharness_hf.heads.tasks"
    ),
    "shapes.py": "xharness_hf.scratch",
    "sharing.py": "xharness_hf.speed.switches",
    # Ray's pool, with workers that do nothing.
    "scheduling.py": (
        "xharness_ray.options xharness_ray.pool xharness_ray.shares xharness_ray.worker"
    ),
}
"""Benchmark to the modules behind the front door that it is about."""

FRONT_DOOR = {
    *xharness._MODULE_OF,
    *(
        name
        for module in xharness._PLUGIN_MODULES
        for name in importlib.import_module(module).__all__
    ),
}


def inner_modules(tree: ast.Module) -> Iterator[str]:
    """The modules of the project that are imported past `import xharness`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                alias.name
                for alias in node.names
                if alias.name.startswith(("xharness.", "xharness_"))
            )
        elif isinstance(node, ast.ImportFrom) and node.module == "xharness":
            offers = {alias.name for alias in node.names}
            yield from (f"xharness.{name}" for name in offers - FRONT_DOOR)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            ("xharness.", "xharness_")
        ):
            yield str(node.module)


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
        ("def f():\n    from xharness_hf.build import start", ["xharness_hf.build"]),
        ("import xharness.store", ["xharness.store"]),
    ],
)
def test_imports_of_every_form_are_seen(code: str, modules: list[str]) -> None:
    assert [*inner_modules(ast.parse(code))] == modules
