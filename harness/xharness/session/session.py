"""From wishes to a job: plugins, catalogue, study, data, store, and the plan over them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path

import platformdirs

from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin import manager
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Plugins, Provider
from xharness.session.options import Options
from xharness.session.overrides import overridden
from xharness.spec import study
from xharness.spec.documents import Document
from xharness.spec.study import Study
from xharness.spec.study_document import StudyDocument
from xharness.store import Store

DEMO = Path(__file__).parents[1] / "spec" / "demo.yaml"
_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


@dataclass
class Session:
    """A study, and everything that carrying it out takes."""

    options: Options
    study: Study
    catalogue: Catalogue
    environment: RunEnvironment
    store: Store
    document: Document

    @cached_property
    def data(self) -> DataReader:
        return DataReader(self.catalogue, self.environment)

    @cached_property
    def plan(self) -> Plan:
        warn_of_broken(self.catalogue.plugins)  # first: what is left out may be what is missed
        document = StudyDocument(self.document)
        find_slice = self.data.data_slice
        return compile_plan(
            PlanningContext(self.study, self.catalogue, find_slice, self.environment, document)
        )


def open_session(wishes: Options) -> Session:
    """The job that the user wishes for.

    Raises:
        ConfigurationError: a file, a name or an option that cannot be right.
    """
    file = wishes.study or DEMO
    base = Path.cwd() if wishes.study is None else file.parent
    around = run_environment(
        wishes.data_root, base, offline=wishes.offline, strict_data=wishes.strict_data
    )
    catalogue = open_catalogue(wishes.plugins, wishes.cards)
    question, document = study.load(file)
    question = overridden(question, wishes, catalogue)
    store = open_store(wishes.store, question, base)
    return Session(wishes, question, catalogue, around, store, document)


def open_catalogue(extra: Iterable[str], folders: Iterable[Path] = ()) -> Catalogue:
    """The catalogue of all plugins, those named `extra` and card `folders` included."""
    found = manager.load(extra)
    for folder in folders:
        if not folder.exists():
            raise ConfigurationError("there is no such folder of cards", where=str(folder))
        found.add(_CardFolder(folder), Provider(str(folder), "--cards"))
    return Catalogue(found)


def run_environment(
    data_root: Path | None, base: Path, *, offline: bool = False, strict_data: bool = False
) -> RunEnvironment:
    """Where this process runs; `offline` is told to the libraries before any is imported."""
    offline = offline or any(os.environ.get(name, "0") not in ("", "0") for name in _OFFLINE)
    if offline:
        os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    if data_root is not None and not data_root.is_dir():
        raise ConfigurationError("the data root is not a folder", where=str(data_root))
    own = os.environ.get("XHARNESS_CACHE")
    cache = Path(own) if own else platformdirs.user_cache_path("xharness")
    return RunEnvironment(data_root, offline, cache, strict_data, base)


def open_store(wanted: Path | None, question: Study | None, base: Path) -> Store:
    """The store: as wished, as the study says (relative to its folder), or ./runs/store."""
    if wanted is not None:
        return Store(wanted)
    own = question.runtime.store if question is not None else None
    return Store(base / own if own is not None else Path("runs", "store"))


def warn_of_broken(found: Plugins) -> None:
    """Say which plugins are left out; each once."""
    for one in dict.fromkeys((str(one.provider), one.reason) for one in found.broken):
        print(f"warning: plugin {one[0]} is left out: {one[1]}", file=sys.stderr)


@dataclass(frozen=True)
class _CardFolder:
    """A folder of cards from the command line, offered as plugins offer theirs."""

    folder: Path

    @hookimpl
    def xharness_task_cards(self) -> Iterable[Traversable]:
        return [self.folder]
