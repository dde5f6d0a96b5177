"""Bits flipped in the files of a store: told with the stage or the file, and done again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.cli.project import Project, fresh
from tests.faults.flips import flip_a_bit, stage_folders, without_scores
from xharness.store import RECEIPT


@dataclass
class FlipReport:
    """How many bits were flipped, and which were served silently or ended badly."""

    flips: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: FlipReport) -> None:
        """Take over what was found elsewhere."""
        self.flips += other.flips
        self.faults += other.faults

    def __str__(self) -> str:
        return f"{self.flips} flipped bits, {len(self.faults)} silent or refused"


def flip_bits(folder: Path, count: int, random: Random) -> FlipReport:
    """Flip a bit in a file that the next run reads, so many times."""
    project = fresh(folder)
    project.study["runtime"] = {"keep": "all", "shard": 7}
    assert project.write().run("--offline").exit_code == 0
    scores, report = project.scores, FlipReport()
    for _ in range(count):
        without_scores(project, *random.choice([(), ("score",), ("score", "predict")]))
        if random.random() < 0.3:  # as a run leaves it that was interrupted before its last stages
            _forget_receipts(project)
        path = random.choice(_files_that_are_read(project))
        flip_a_bit(path, random)
        result = project.run("--offline")
        report.flips += 1
        key = path.relative_to(project.folder / "store").parts[1]
        if result.exit_code != 0 or project.scores != scores:
            report.faults.append(f"{path}: exit code {result.exit_code}, {result.stderr[-400:]}")
        elif key not in result.stderr:
            report.faults.append(f"{path}: nothing was told")
    return report


def _forget_receipts(project: Project) -> None:
    """Let finished predictions be unfinished ones, with their files and no seal to vouch for."""
    for folder in (*stage_folders(project, "score"), *stage_folders(project, "predict")):
        (folder / RECEIPT).unlink()


def _files_that_are_read(project: Project) -> list[Path]:
    """Those of the last stages that are finished: others are left alone, as nothing needs them."""
    last = next(stage for stage in ("score", "predict", "train") if stage_folders(project, stage))
    unfinished = [
        path
        for path in (project.folder / "store").glob("??/*/predictions/*.parquet")
        if not (path.parents[1] / RECEIPT).is_file()
    ]
    finished = [
        path
        for folder in stage_folders(project, last)
        for path in folder.rglob("*")
        if path.is_file() and path.name != "README.md" and path.parent.name != "unfinished"
    ]
    return sorted(unfinished or finished)
