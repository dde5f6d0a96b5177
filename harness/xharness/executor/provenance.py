"""What a number was made with: versions, revision, hardware."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xharness.version import __version__

_PACKAGES = (
    "torch", "transformers", "datasets", "accelerate", "peft", "tokenizers", "numpy", "pyarrow",
    "faiss-cpu",
)  # fmt: skip


# Asked for each stage of a run, in which none of it changes.
@cache
def provenance() -> dict[str, Any]:
    """Versions of what computes, the git revision of the code, and the machine."""
    return {
        "xharness": __version__,
        "python": platform.python_version(),
        "packages": {name: number for name in _PACKAGES if (number := _version(name))},
        "git": _git_revision(),
        "machine": {
            "system": platform.system(),
            "processor": processor_name(),
            "cores": os.cpu_count(),
        },
    }


def software_versions() -> dict[str, Any]:
    """The versions that must be the same on all machines of a run, by name."""
    facts = provenance()
    return {name: facts[name] for name in ("xharness", "git", "python")} | dict(facts["packages"])


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """The revision of the checkout this code runs from; None for an installed wheel."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
    ]
    try:
        process = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip() or None


def processor_name() -> str:
    """The processor's model name where the system tells, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
