"""Ray for the time of a run: its own on this machine, or a connection to a cluster."""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import shutil
import signal
import site
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xharness import ConfigurationError, UnavailableError
from xharness_ray.cores import core_count
from xharness_ray.options import RayOptions

_LONGEST_FOLDER = 43  # characters; Ray's socket path below it may have 107 bytes
_OBJECT_STORE_BYTES = 80_000_000  # Ray's minimum is 75 MiB; only stages and outcomes pass through

_EVERYWHERE = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray's workers would run at nice 15, and starve beside other jobs.
    "RAY_worker_niceness": "0",
    # Else a worker without a card sees all of them.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}
_EMBEDDED = {
    # Else seven ports listen on all interfaces.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Else a worker is killed when the machine's memory is full, whoever fills it.
    "RAY_memory_monitor_refresh_ms": "0",
}


@contextlib.contextmanager
def running_ray(options: RayOptions) -> Iterator[Any]:
    """The module `ray`, initialised; afterwards everything that was started has ended.

    Raises:
        ConfigurationError: Ray is not installed.
        UnavailableError: it cannot be started, or there is no cluster at the address.
    """
    folder = _log_folder() if options.address is None else None
    with contextlib.ExitStack() as stack:
        if folder is not None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_environment(embedded=folder is not None))
        ray = _imported()
        # Ray prints what happens to its workers, coloured, into what may be JSON.
        path = folder / "messages.log" if folder else Path(os.devnull)
        output = stack.enter_context(path.open("w", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.callback(ray.shutdown)
        with _same_signals(), _asking_no_cloud(folder):
            _initialise(ray, options, folder)
        yield ray


def _initialise(ray: Any, options: RayOptions, folder: Path | None) -> None:
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if folder is not None:
        cores = core_count() if options.workers is None else options.workers * options.cpus
        settings |= {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "num_cpus": max(1, round(cores)),
            "_temp_dir": str(folder),
        }
    else:
        settings["address"] = options.address
    try:
        ray.init(**settings)
    except Exception as error:  # Ray raises whatever its own parts do
        text = str(error).strip().splitlines() or [type(error).__name__]
        hint = None if folder else "start one with 'ray start --head', or leave out --address"
        origin = "Ray" if folder else f"--address {options.address}"
        raise UnavailableError(text[0], where=origin, hint=hint) from None


def _imported() -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigurationError(
            "the executor 'ray' needs Ray", hint="pip install 'xharness-eval[ray]'"
        ) from None
    return ray


def _log_folder() -> Path:
    """A folder that nobody else can read, with a name short enough for sockets."""
    folder = Path(tempfile.gettempdir())
    if len(str(folder)) + len("/xharness-12345678") > _LONGEST_FOLDER:
        folder = Path("/tmp")  # noqa: S108  # mkdtemp makes the folder in it private
    return Path(tempfile.mkdtemp(prefix="xharness-", dir=folder))


@contextlib.contextmanager
def _environment(*, embedded: bool) -> Iterator[None]:
    """Ray's settings, which it and its processes read from the environment; the user's own win."""
    settings = dict(_EVERYWHERE)
    if embedded:
        settings |= _EMBEDDED
        if "RAY_AUTH_MODE" not in os.environ:
            # Else Ray writes a token into the home folder, and fails where it cannot.
            settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextlib.contextmanager
def _asking_no_cloud(folder: Path | None) -> Iterator[None]:
    """Inside it, Ray does not ask the addresses of three clouds which of them it runs in.

    Its process `dashboard` asks them even where nothing is to be reported, unless a file in the
    home folder tells: so that process alone gets another home, with such a file.
    """
    if folder is None:
        yield
        return
    services: Any = importlib.import_module("ray._private.services")
    (folder / "ray_bootstrap_config.yaml").write_text("provider: {type: local}\n")
    # What is installed for the user alone is looked for in the home folder.
    home = {"HOME": str(folder), "PYTHONUSERBASE": site.getuserbase()}
    start = services.start_ray_process

    def start_at_home(command: list[str], process_type: str, **options: Any) -> Any:
        if process_type == "dashboard":
            options["env_updates"] = {**(options.get("env_updates") or {}), **home}
        return start(command, process_type, **options)

    services.start_ray_process = start_at_home
    try:
        yield
    finally:
        services.start_ray_process = start


@contextlib.contextmanager
def _same_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself and ends with a crash dump: give it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
