"""What a worker asks of its machine, how many fit there, and a cluster that loses a node."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, fresh
from tests.ray.test_ray_runs import RESULTS, run_study, when
from tests.toy import card, toy_catalogue
from xharness import (
    ConfigurationError,
    ContextSpec,
    NodeNeeds,
    RunEnvironment,
    open_study,
    software_versions,
)
from xharness.data.reader import DataReader
from xharness.executor import RunContext
from xharness.plugin.catalogue import CatalogueOrigin
from xharness.spec.study import Runtime
from xharness.store import Store
from xharness_ray.cores import core_count
from xharness_ray.options import RayOptions
from xharness_ray.shares import Share
from xharness_ray.worker import NodeCheck, StageWorker

NOTHING = NodeNeeds((), (), ())


def _worker(store: Path) -> StageWorker:
    origin = CatalogueOrigin((), ())
    return StageWorker(ContextSpec(origin, RunEnvironment(), store, Runtime()), {})


def _check(store: Path, **changes: Any) -> NodeCheck:
    values = {
        "probe": store / ".probe",
        "token": "abc",
        "versions": software_versions(),
        "needs": NOTHING,
    }
    return NodeCheck(**(values | changes))


def test_a_machine_with_all_that_it_takes_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / ".probe").write_text("abc")
    report = _worker(tmp_path).open(_check(tmp_path))
    assert report.problems == ()
    assert report.node
    assert [path.name for path in tmp_path.iterdir()] == [".probe"]


def test_a_store_that_is_not_here_is_told(tmp_path: Path) -> None:
    (problem,) = _worker(tmp_path).open(_check(tmp_path / "elsewhere")).problems
    assert f"the store {tmp_path}/elsewhere cannot be used here: No such file" in problem


def test_another_folder_of_the_same_name_is_told(tmp_path: Path) -> None:
    (tmp_path / ".probe").write_text("xyz")
    assert _worker(tmp_path).open(_check(tmp_path)).problems == (
        f"the folder {tmp_path} is not the store of this run",
    )


def test_other_versions_are_told(tmp_path: Path) -> None:
    (tmp_path / ".probe").write_text("abc")
    check = _check(tmp_path, versions=software_versions() | {"torch": "1.0"})
    (problem,) = _worker(tmp_path).open(check).problems
    assert problem.startswith("torch is ") and problem.endswith(" here and 1.0 where it started")


def test_data_and_models_that_a_machine_lacks_are_told(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    session = open_study(tmp_path / "study.yaml", cards=[tmp_path / "cards"], store=tmp_path / "s")
    needs = NodeNeeds.of(session.plan.stages.values())
    assert len(needs.models) == 2
    assert {part.language for part in needs.data_slices} == {"en", "de", "sw"}
    context = RunContext(
        session.catalogue, session.data, session.store, session.environment, Runtime()
    )
    assert needs.unmet(context) == []
    (project.folder / "data" / "mood.de.test.jsonl").write_text("{}\n")
    (project.folder / "data" / "mood.sw.test.jsonl").unlink()
    changed_data, missing_data = NodeNeeds.of(session.plan.stages.values()).unmet(context)
    assert changed_data == "other data for mood, de, test"
    assert "mood.sw.test.jsonl" in missing_data


def test_a_plugin_that_is_an_object_cannot_be_sent(tmp_path: Path) -> None:
    card(tmp_path, "red")
    catalogue, environment = toy_catalogue(tmp_path), RunEnvironment()
    data = DataReader(catalogue, environment)
    context = RunContext(catalogue, data, Store(tmp_path), environment, Runtime())
    with pytest.raises(ConfigurationError, match="a plugin that is an object cannot be sent"):
        ContextSpec.of(context)


@pytest.mark.parametrize(
    ("options", "resources", "count"),
    [
        ({}, {"CPU": 4}, 4),
        ({"cpus": 3}, {"CPU": 4}, 1),
        ({"cpus": 0.1}, {"CPU": 0.3}, 3),
        ({"gpus": 0.5}, {"CPU": 16, "GPU": 2}, 4),
        ({"gpus": 0.3}, {"CPU": 16, "GPU": 2}, 6),  # a worker's share is of one card
        ({"gpus": 2}, {"CPU": 16, "GPU": 3}, 1),
        ({"gpus": 0.5, "cpus": 8}, {"CPU": 16, "GPU": 2}, 2),
        ({"memory": 10}, {"CPU": 16, "memory": 35e9}, 3),
        ({"gpus": 1}, {"CPU": 16}, 0),
    ],
)
def test_workers_that_fit(
    options: dict[str, float], resources: dict[str, float], count: int
) -> None:
    share = Share.of(RayOptions.model_validate(options), None).on([{"Resources": resources}])
    assert share.fitting(resources) == count


def test_two_workers_share_a_card_unless_the_device_is_another() -> None:
    nodes = [{"Resources": {"CPU": 8, "GPU": 1}}]
    assert Share.of(RayOptions(), None).on(nodes).gpus == 0.5
    assert Share.of(RayOptions(), "cpu").on(nodes).gpus == 0
    assert Share.of(RayOptions(), None).on([{"Resources": {"CPU": 8}}]).gpus == 0
    with pytest.raises(ConfigurationError, match="'cuda:1' names one card"):
        Share.of(RayOptions(), "cuda:1")


def test_cores_are_those_that_a_container_leaves(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("100000 100000\n")
    assert core_count(quota) == 1
    quota.write_text("max 100000\n")
    assert core_count(quota) == core_count(tmp_path / "none") >= 1


Cluster = tuple[subprocess.Popen[str], str]
"""A process that holds a cluster, and the cluster's address."""


@pytest.fixture
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # Ray asks the addresses of three clouds in which it runs, unless a file at home tells.
    home = tmp_path_factory.mktemp("home")
    (home / "ray_bootstrap_config.yaml").write_text("provider: {type: local}\n")
    settings = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "0" * 64,
        "HOME": str(home),
        # It tells its makers even that nothing is to be told.
        "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
    }
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("two_nodes.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | settings | {"RAY_USAGE_STATS_ENABLED": "0"},
    )  # fmt: skip
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith("address "))
    yield process, line.split()[1]
    process.communicate(timeout=60)


@pytest.mark.slow
def test_a_cluster_that_loses_a_node_goes_on(tmp_path: Path, two_nodes: Cluster) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    cluster, address = two_nodes
    project = fresh(tmp_path)
    project.study["runtime"] = {"executor": {"name": "ray", "retries": 2}}
    project.study["models"] = [
        {"name": f"m{number}", "backend": "frail", "variant": number, "seconds": 5}
        for number in range(2)
    ]
    project.write()
    plugin = str(Path(__file__).with_name("frail.py"))
    words = ["--plugin", plugin, "--store", "many-store", "-o", "many", "--address", address]
    process = project.start(
        *project.words("run", *words), RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64
    )
    when(project.folder / "many-store", "*/*/unfinished/checkpoint/pid", process, 2)
    assert cluster.stdin is not None
    cluster.stdin.write("remove\n")
    cluster.stdin.flush()
    began = time.monotonic()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, (out, err)
    assert f"Ray on {address}: 2 workers" in err
    assert "is tried again: Actor" in err
    assert "(raylet)" not in out + err
    assert time.monotonic() - began < 100
    run_study(_alone(project), "alone", "--executor", "sequential")
    for name in RESULTS:
        first, second = (project.folder / folder / name for folder in ("many", "alone"))
        assert first.read_bytes() == second.read_bytes(), name


def _alone(project: Project) -> Project:
    for model in project.study["models"]:
        model["seconds"] = 0
    return project.write()
