"""Where this process reads and writes: data root, cache, store, and whether it may go online."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from xharness.errors import ConfigurationError
from xharness.plugin.api import RunEnvironment
from xharness.spec.study import Study
from xharness.store import Store

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def run_environment(
    data_root: Path | None, base: Path, *, offline: bool = False, strict_data: bool = False
) -> RunEnvironment:
    """Where this process runs.

    Raises:
        ConfigurationError: the data root is no folder.
    """
    offline = offline or any(os.environ.get(name, "0") not in ("", "0") for name in _OFFLINE)
    if offline:
        # Libraries read these when they are imported, which has not happened yet.
        os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    if data_root is not None and not data_root.is_dir():
        raise ConfigurationError("the data root is not a folder", where=str(data_root))
    cache_name = os.environ.get("XHARNESS_CACHE")
    cache = Path(cache_name) if cache_name else platformdirs.user_cache_path("xharness")
    return RunEnvironment(data_root, offline, cache, strict_data, base)


def open_store(folder: Path | None, study: Study | None, base: Path) -> Store:
    """The store in `folder`, else where the study says (relative to `base`), else ./runs/store."""
    if folder is not None:
        return Store(folder)
    study_folder = study.runtime.store if study is not None else None
    return Store(base / study_folder if study_folder is not None else Path("runs", "store"))
