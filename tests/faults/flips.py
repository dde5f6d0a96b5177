"""Damage to files of a store, and ways to have a run read them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from tests.cli.project import Project
from xharness.store import RECEIPT


def flip_a_bit(path: Path, random: Random) -> None:
    """Change one bit; the size and the times stay, as a failing disk leaves them."""
    import os

    state, content = path.stat(), bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def stage_folders(project: Project, stage: str) -> list[Path]:
    """The folders of all finished stages of a sort, those with damaged receipts left out."""
    return [
        path.parent
        for path in sorted((project.folder / "store").glob(f"??/*/{RECEIPT}"))
        if json.loads(path.read_text(encoding="utf-8"))["facts"]["stage"] == stage
    ]


def without_scores(project: Project, *stages: str) -> None:
    """Forget stages of these sorts, so that the next run reads what they were made from."""
    for stage in stages:
        for folder in stage_folders(project, stage):
            shutil.rmtree(folder)
