"""`xharness doctor`: what this machine has, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from xharness import __version__
from xharness.console import show_facts, show_json
from xharness.session.session import open_catalogue, open_store, run_environment

_DISTRIBUTION = "xharness-eval"
_DEVICES = """
import torch
print("cpu", f"({torch.get_num_threads()} threads)")
for place in range(torch.cuda.device_count()):
    print(f"cuda:{place}", torch.cuda.get_device_name(place))
if torch.backends.mps.is_available():
    print("mps")
"""


def show(data_root: Path | None, store: Path | None, *, offline: bool, as_json: bool) -> None:
    """Print what there is."""
    around = run_environment(data_root, Path.cwd(), offline=offline)
    root = open_store(store, None, Path.cwd()).root
    broken = open_catalogue(()).plugins.broken
    found = {
        "xharness": __version__,
        "python": f"{platform.python_version()} ({platform.platform()})",
        "packages": _packages(),
        "devices": _devices(),
        "data root": str(around.data_root) if around.data_root else None,
        "store": str(root),
        "cache": str(around.cache),
        "free disk": {str(place): _free(place) for place in dict.fromkeys((root, around.cache))},
        "offline": around.offline,
        "environment": {name: value for name, value in sorted(os.environ.items()) if _ours(name)},
        "broken plugins": {str(one.provider): one.reason for one in broken},
    }
    if as_json:
        show_json(found)
        return
    show_facts({name: _lines(value) for name, value in found.items()})


def _packages() -> dict[str, str]:
    """Every direct dependency with its version."""
    try:
        wanted = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    names = [line.split(";")[0] for line in wanted if "extra ==" not in line]
    return {name: _version(name) for name in sorted(map(_bare, names), key=str.lower)}


def _bare(requirement: str) -> str:
    name = "".join(sign if sign.isalnum() or sign in "-_." else " " for sign in requirement)
    return name.split()[0]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return f"missing: pip install {_DISTRIBUTION}"


def _devices() -> list[str]:
    """What torch can compute on; asked in a process of its own, which may fail as it likes."""
    asked = [sys.executable, "-c", _DEVICES]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return [f"torch does not answer: {error}"]
    if done.returncode:
        return [f"torch does not work: {(done.stderr.strip().splitlines() or ['?'])[-1]}"]
    return done.stdout.split("\n")[:-1]


def _free(place: Path) -> str:
    """Free space at `place`, or where it would be made."""
    there = next(one for one in (place.absolute(), *place.absolute().parents) if one.exists())
    return f"{shutil.disk_usage(there).free / 10**9:.1f} GB"


def _ours(name: str) -> bool:
    """Variables that change what happens here; tokens stay untold."""
    prefixes = ("XHARNESS_", "HF_", "TRANSFORMERS_", "CUDA_VISIBLE", "OMP_NUM", "NO_COLOR")
    return name.startswith(prefixes) and "TOKEN" not in name


def _lines(value: Any) -> Any:
    if isinstance(value, dict):
        return "\n".join(f"{key} {one}" for key, one in value.items()) or "none"
    return "\n".join(map(str, value)) if isinstance(value, list) else value
