"""Runs that are killed again and again, until one ends: with the bytes of an undisturbed one."""

from __future__ import annotations

import io
import os
import shutil
import signal
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import get_args

from tests.cli.project import Project, fresh, invoke
from tests.faults.power import Death, Disk

RESULTS = ("scores.jsonl", "leaderboard.md", "leaderboard.csv")


@dataclass
class KillReport:
    """How many kills there were, and what went wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    endings: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kills = Counter(self.kills)  # what is read back from JSON is a plain mapping

    def add(self, other: KillReport) -> None:
        """Take over what was found elsewhere."""
        self.kills.update(other.kills)
        self.endings += other.endings
        self.faults += other.faults

    def __str__(self) -> str:
        deaths = ", ".join(f"{count} {death}" for death, count in sorted(self.kills.items()))
        endings = f"{self.endings} runs ended, {len(self.faults)} faults"
        return f"{self.kills.total()} kills ({deaths}), {endings}"


def project_to_kill(folder: Path) -> Project:
    """A study with trainings, predictions in many parts, and scores."""
    folder.mkdir()
    project = fresh(folder)
    project.study["runtime"] = {"shard": 7, "checkpoint_seconds": 0}
    return project.write()


def kill_runs(folder: Path, kills: int, random: Random) -> KillReport:
    """Kill runs of a small study so many times; each way to die in turn."""
    calm = project_to_kill(folder / "calm")
    assert calm.run("--offline").exit_code == 0
    expected = [(calm.folder / name).read_bytes() for name in RESULTS]
    report, deaths = KillReport(), get_args(Death)
    project = project_to_kill(folder / "killed")
    while report.kills.total() < kills:
        death: Death = deaths[report.kills.total() % len(deaths)]
        status, err = _run_and_die(project, death, random)
        if os.WIFSIGNALED(status):
            report.kills[death] += 1
            continue
        report.endings += 1
        fault_count = len(report.faults)
        results = [(project.folder / name) for name in RESULTS]
        if os.WEXITSTATUS(status) != 0:
            report.faults.append(f"exit code {os.WEXITSTATUS(status)} after {death}: {err[-600:]}")
        elif [path.read_bytes() for path in results] != expected:
            report.faults.append(f"other results after {death}")
        elif (project.folder / "store" / "damaged").exists():
            report.faults.append("a receipt vouched for what had not reached the disk")
        elif leftovers := [*project.folder.glob("**/*.partial")]:
            report.faults.append(f"left in the folder: {leftovers}")
        if len(report.faults) > fault_count:  # somebody wants to look
            project.folder.rename(folder / f"fault-{report.kills.total()}")
        else:
            shutil.rmtree(project.folder)
        project = project_to_kill(project.folder)
    return report


def _run_and_die(project: Project, death: Death, random: Random) -> tuple[int, str]:
    """The wait status of a run in a child that is to die so, and its standard error."""
    operation, seed = random.randrange(1, random.choice((20, 60, 300))), random.random()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        if death != "clock":
            Disk(project.folder, death, operation, Random(seed)).install()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            result = invoke(project.folder, *project.words("run", "--offline"))
        os.write(writer, result.stderr[-4000:].encode())
        os._exit(result.exit_code)
    os.close(writer)
    if death == "clock":
        time.sleep(random.uniform(0.02, 0.6))
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        err = pipe.read().decode(errors="replace")
    return os.waitpid(child, 0)[1], err
