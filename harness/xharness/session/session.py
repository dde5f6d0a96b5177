"""A study opened and run: the plan, progress, the board and its data frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness import leaderboard
from xharness.errors import ConfigurationError, UnavailableError
from xharness.executor import RunContext, RunReport, run_and_repair
from xharness.leaderboard import Board
from xharness.planning import checked_study
from xharness.plugin.api import Backend, Executor, Translator
from xharness.plugin.catalogue import Catalogue, validated
from xharness.session import dataframes, outputs
from xharness.session.account.account import Account, account, expected_seconds
from xharness.session.account.budget import check_budget
from xharness.session.catalogue import add_plugin, open_catalogue
from xharness.session.costs import PlannedStage, planned_stages
from xharness.session.environment import open_store, run_environment
from xharness.session.opened_study import DEMO, OpenedStudy, overridden
from xharness.session.options import PathName, RunOptions
from xharness.session.trackers import tracking
from xharness.spec import documents
from xharness.spec.documents import Document
from xharness.stages import Predict, Train, Translate

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel

_DETERMINISTIC = {"XHARNESS_DETERMINISTIC": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""What backends read; CUDA's libraries read the second when they are first used."""


@dataclass
class Session(OpenedStudy):
    """A study that can be planned, watched and run; afterwards it has the report and the board."""

    report: RunReport | None = None
    """How each stage ended; None before the first run."""
    files: tuple[Path, ...] = ()
    """What the last run wrote, the board last."""

    def stages(self) -> list[PlannedStage]:
        """The plan's stages: which are stored, which would run, and what those cost."""
        return planned_stages(self)

    def account(self, device: str | None = None) -> Account:
        """What the stages still to run cost on `device`: one that is here, or a card such as h100.

        Raises:
            ConfigurationError: nothing is known of the device.
        """
        return account(self, device)

    def run(self) -> Board:
        """Carry out the plan, reusing what is stored; write the results and return their board.

        Raises:
            ConfigurationError: the folder of results or the store cannot be written, or the plan
                has nothing that could be run.
            UnavailableError: the device is not here, or all data or models are missing.
            KeyboardInterrupt: the store holds what was done; another run goes on from there.
        """
        if not self.plan.arms:
            raise self._nothing_to_run()
        if self.options.budget is not None:
            check_budget(self.account(self.study.runtime.device), self.options.budget)
        # Both folders before the first stage: hours of work must not end at a locked one.
        folder = outputs.output_folder(self)
        self.store.prepare()
        if self.study.runtime.deterministic:
            os.environ.update(_DETERMINISTIC)
        executor, executor_options = self._executor()
        context = RunContext(
            self.catalogue,
            self.data,
            self.store,
            self.environment,
            self.study.runtime,
            self.options.debug,
            executor_options,
        )
        # Another machine's devices cannot be looked at from here.
        if executor.runs_here:
            self._check_device(context)
        hook = self.catalogue.plugins.manager.hook
        with tracking(self, folder):
            hook.xharness_run_started(expected_seconds=expected_seconds(self))
            self.report = run_and_repair(executor, self.plan, context)
            self.board, self.files = outputs.write(self, context, self.report, folder)
            hook.xharness_run_finished(board=self.board, folder=self.files[-1].parent)
        return self.board

    @property
    def exit_code(self) -> int:
        """0 all done; 1 some stages failed; 2 nothing can be run; 3 data or models are missing."""
        if self.report is not None and self.report.failed:
            return self.report.exit_code
        if self.plan.unavailable:
            return UnavailableError.exit_code
        return 0 if self.plan.arms else ConfigurationError.exit_code

    def observe(self, plugin: object) -> None:
        """Have `plugin` watch the stages: an object with hooks such as `xharness_stage_finished`.

        Raises:
            ConfigurationError: it has a hook that does not exist.
        """
        add_plugin(self.catalogue.plugins, plugin)

    @cached_property
    def board(self) -> Board:
        """The board of the last run; before one, what the folder of results holds.

        Raises:
            ConfigurationError: the folder has no scores.
        """
        return _board(self.folder, self.catalogue)

    def scores(self) -> pd.DataFrame:
        """The board's scores: one row a model, strategy, seed, task, language and metric."""
        return dataframes.scores(self.board)

    def gaps(self) -> pd.DataFrame:
        """One row an arm and task: score, mean, gap, with the ends of 95% intervals."""
        return dataframes.gaps(self.board)

    def languages(self) -> pd.DataFrame:
        """One row an arm, task and language, averaged over seeds."""
        return dataframes.languages(self.board)

    def changes(self) -> pd.DataFrame:
        """One row an arm and task: what the strategy changes against the baseline."""
        return dataframes.changes(self.board)

    def _executor(self) -> tuple[Executor, BaseModel]:
        """What carries out the plan, and its options.

        Raises:
            ConfigurationError: there is none of that name, or it has no such option.
        """
        spec, runtime = self.study.runtime.executor, self.document.data.get("runtime")
        try:
            executor = self.catalogue.executors[spec.name]
        except ConfigurationError as error:
            # What the study names was looked up while planning.
            raise ConfigurationError(error.what, where="--executor", hint=error.hint) from None
        flags = (self.options.executor, self.options.address)
        # Mistakes are told with their line where the study itself makes them.
        in_study = isinstance(runtime, dict) and "executor" in runtime and flags == (None, None)
        part = self.document.part("runtime", "executor") if in_study else None
        where = f"executor '{spec.name}'"
        return executor, validated(executor.options, spec.executor_options, where, part)

    def _nothing_to_run(self) -> ConfigurationError | UnavailableError:
        # Exit code 3 only where a download, a clone or a device could help.
        error = UnavailableError if self.plan.unavailable else ConfigurationError
        reasons = dict.fromkeys(f"{row['task']}: {row['reason']}" for row in self.missing())
        hint = "\n  ".join(self.hints()) or None
        return error("\n  ".join(["nothing can be run", *reasons]), hint=hint)

    def _check_device(self, context: RunContext) -> None:
        """Refuse a device that is not here before the first stage, unless all is stored."""
        device = context.runtime.device
        for maker, precisions in self._computing(context):
            if not (device or precisions):
                continue
            try:
                maker.check_device(device, precisions)
            except (ConfigurationError, UnavailableError) as error:
                where = self._device_key(device)
                raise type(error)(error.what, where=where, hint=error.hint) from None

    def _computing(self, context: RunContext) -> Iterator[tuple[Backend | Translator, set[str]]]:
        """What computes the stages that are still to run, and the precisions that they name."""
        makers: dict[int, tuple[Backend | Translator, set[str]]] = {}
        for stage in self.plan.needed(self.store.has):
            precisions: set[str] = set()
            maker: Backend | Translator
            if isinstance(stage, Train | Predict):
                maker = context.backend(stage if isinstance(stage, Train) else stage.model)
                precisions = {str(stage.recipe.precision)} - {"auto", "fp32"}
            elif isinstance(stage, Translate):
                maker = self.catalogue.translators[stage.translator.backend]
            else:
                continue
            makers.setdefault(id(maker), (maker, set()))[1].update(precisions)
        yield from makers.values()

    def _device_key(self, device: str | None) -> str:
        """Where the device is named, among the options or in the study; else what asks for one."""
        if device is None:
            return "recipe.precision"
        if self.options.device is not None:
            return "--device"
        return f"{self.document.position(('runtime', 'device'))}: runtime.device"


def open_session(options: RunOptions, document: Document | None = None) -> Session:
    """The session that `options` ask for, of a `document` where the study stands in no file.

    Raises:
        ConfigurationError: a file, a name or an option that cannot be right.
    """
    file = options.study or DEMO
    base = Path.cwd() if options.study is None else file.parent
    environment = run_environment(
        options.data_root, base, offline=options.offline, strict_data=options.strict_data
    )
    catalogue = open_catalogue(options.plugins, options.cards)
    document = document or documents.load(file)
    # Languages are chosen among those of the targets, which have to be known for that.
    question = checked_study(
        document, base, catalogue, environment, with_names=bool(options.languages)
    )
    question = overridden(question, options, catalogue)
    store = open_store(options.store, question, base)
    return Session(options, question, catalogue, environment, store, document)


def open_study(
    path: PathName | None = None,
    *,
    data_root: PathName | None = None,
    store: PathName | None = None,
    output: PathName | None = None,
    plugins: Iterable[object] = (),
    cards: Iterable[PathName] = (),
    split: str | None = None,
    limit: int | None = None,
    languages: str | Iterable[str] = (),
    seeds: int | Iterable[int] = (),
    device: str | None = None,
    executor: str | None = None,
    address: str | None = None,
    budget: str | None = None,
    trackers: str | Iterable[str] = (),
    offline: bool = False,
    strict_data: bool = False,
    debug: bool = False,
    deterministic: bool = False,
) -> Session:
    """Open the study in the file `path`, or the built-in demo; the keywords are `run`'s flags.

    `plugins` may also be objects with hooks, such as an instance of a notebook's own class.

    Raises:
        ConfigurationError: a file, a name or an option that cannot be right.
    """
    options = RunOptions.of(
        study=path, data_root=data_root, store=store, output=output, plugins=plugins, cards=cards,
        split=split, limit=limit, languages=languages, seeds=seeds, device=device,
        executor=executor, address=address, budget=budget, trackers=trackers, offline=offline,
        strict_data=strict_data, debug=debug, deterministic=deterministic,
    )  # fmt: skip
    return open_session(options)


def run(path: PathName | None = None, **options: Any) -> Board:
    """Open the study in `path` with the keywords of `open_study`, run it, and return its board.

    Raises:
        XharnessError: as `open_study` and `Session.run`.
    """
    return open_study(path, **options).run()


def read_board(
    folder: PathName, *, plugins: Iterable[object] = (), cards: Iterable[PathName] = ()
) -> Board:
    """The board of a folder with study.yaml and scores.jsonl, computed from them.

    Raises:
        ConfigurationError: there are no scores, or they cannot be read.
    """
    return _board(Path(folder), open_catalogue(plugins, cards))


def _board(folder: Path, catalogue: Catalogue) -> Board:
    return leaderboard.read(folder, *leaderboard.definitions_of(catalogue))
