"""`xharness doctor`: what this machine has, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags
from xharness.session.options import RunOptions
from xharness.version import __version__

if TYPE_CHECKING:
    from xharness.plugin.api import Pace

_DISTRIBUTION = "xharness-eval"
_DEVICES = """
import torch
print("cpu", f"({torch.get_num_threads()} threads)")
for index in range(torch.cuda.device_count()):
    print(f"cuda:{index}", torch.cuda.get_device_name(index))
if torch.backends.mps.is_available():
    print("mps")
"""


@flags.options_from("data_root", "store", "offline")
def doctor(
    options: RunOptions,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure how fast it trains, for 'xharness plan'.")
    ] = False,
    json: flags.Json = False,
) -> None:
    """Look at this machine as xharness sees it."""
    from xharness.console import show_facts, show_json

    facts = _facts(options)
    if speed:
        facts["speed"] = _measured_speed(options)
    if json:
        show_json(facts)
    else:
        show_facts({name: _lines(value) for name, value in facts.items()})


def _facts(options: RunOptions) -> dict[str, Any]:
    from xharness.session.catalogue import open_catalogue
    from xharness.session.environment import open_store, run_environment

    environment = run_environment(options.data_root, Path.cwd(), offline=options.offline)
    root = open_store(options.store, None, Path.cwd()).root
    folders = dict.fromkeys((root, environment.cache))
    return {
        "xharness": __version__,
        "python": f"{platform.python_version()} ({platform.platform()})",
        "packages": _packages(),
        "devices": _devices(),
        "data root": str(environment.data_root) if environment.data_root else None,
        "store": str(root),
        "cache": str(environment.cache),
        "free disk": {str(folder): _free_space(folder) for folder in folders},
        "offline": environment.offline,
        "environment": {
            name: value for name, value in sorted(os.environ.items()) if _is_relevant(name)
        },
        "broken plugins": {
            str(plugin.provider): plugin.reason for plugin in open_catalogue().plugins.broken
        },
    }


def _measured_speed(options: RunOptions) -> dict[str, str]:
    """The pace of the best device that each backend can measure; kept for accounts to come."""
    from xharness.session.account.pace import keep_measured
    from xharness.session.catalogue import open_catalogue
    from xharness.session.environment import run_environment

    environment = run_environment(options.data_root, Path.cwd(), offline=options.offline)
    device = next((line.split()[0] for line in _devices()[1:]), "cpu")
    speeds = {}
    backends = open_catalogue().backends
    for name in backends:
        paces = backends[name].paces(device)
        if paces:
            keep_measured(environment.cache, device, paces)
            speeds[name] = f"{device}: {'; '.join(starmap(_pace_text, paces.items()))}"
    return speeds


def _pace_text(precision: str, pace: Pace) -> str:
    rate = f"{pace.operations_per_second / 1e9:,.0f} billion operations a second"
    return f"{rate} and {1000 * pace.seconds_per_step:.1f} ms a step in {precision}"


def _packages() -> dict[str, str]:
    """Every direct dependency with its version."""
    try:
        requirements = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    names = [line.split(";")[0] for line in requirements if "extra ==" not in line]
    return {name: _version(name) for name in sorted(map(_package_name, names), key=str.lower)}


def _package_name(requirement: str) -> str:
    # Whatever is no letter of a name ends it: `numpy>=1.26`, `torch (>=2)`.
    name = "".join(sign if sign.isalnum() or sign in "-_." else " " for sign in requirement)
    return name.split()[0]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return f"missing: pip install {_DISTRIBUTION}"


def _devices() -> list[str]:
    """What torch can compute on; a broken torch takes only a process of its own down."""
    command = [sys.executable, "-c", _DEVICES]
    try:
        # Two minutes: torch may have to be read from a cold disk.
        process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return [f"torch does not answer: {error}"]
    if process.returncode:
        return [f"torch does not work: {(process.stderr.strip().splitlines() or ['?'])[-1]}"]
    return process.stdout.split("\n")[:-1]


def _free_space(folder: Path) -> str:
    """Free space at `folder`, or where it would be made."""
    path = folder.absolute()
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return f"{shutil.disk_usage(existing).free / 10**9:.1f} GB"


def _is_relevant(name: str) -> bool:
    """Whether a variable changes what happens here; tokens are secrets and stay out."""
    prefixes = ("XHARNESS_", "HF_", "TRANSFORMERS_", "CUDA_VISIBLE", "OMP_NUM", "NO_COLOR")
    return name.startswith(prefixes) and "TOKEN" not in name


def _lines(value: Any) -> Any:
    if isinstance(value, dict):
        return "\n".join(f"{key} {entry}" for key, entry in value.items()) or "none"
    return "\n".join(map(str, value)) if isinstance(value, list) else value
