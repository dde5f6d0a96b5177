"""One stage, carried out so that it ends well or is noted as failed: what every executor needs."""

from __future__ import annotations

import errno
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from xharness.data.counts import RowCount
from xharness.errors import (
    StageError,
    UnavailableError,
    XharnessError,
    printable,
    reason_of,
    without_secrets,
)
from xharness.executor.ask_model import naming_backend
from xharness.executor.context import RunContext
from xharness.executor.outcome import StageOutcome
from xharness.executor.predict import predict
from xharness.executor.provenance import provenance
from xharness.executor.score import score
from xharness.executor.select_model import select_model
from xharness.executor.train import train
from xharness.executor.translate import translate
from xharness.files import write_text
from xharness.stages import Predict, Score, SelectModel, Stage, Train, Translate
from xharness.stages.label import StageLabel
from xharness.store import FAILURE, DamagedStageError

Outcome = TypeVar("Outcome", StageOutcome, StageOutcome | None)


def attempt(stage: Stage, label: StageLabel, context: RunContext) -> StageOutcome | None:
    """Reuse `stage` if it is stored, else perform and commit it, or note why it failed.

    The stages that it needs must be stored. Any number of processes may attempt the same stage on
    one store: one performs it, the others are told None meanwhile.

    Raises:
        KeyboardInterrupt: the next attempt goes on from what is stored.
        BaseException: whatever went wrong, under `context.debug`.
    """
    return _guarded(_carry_out, stage, label, context)


def reuse(stage: Stage, label: StageLabel, context: RunContext) -> StageOutcome:
    """Leave alone a stage that is stored, or that nothing needs any more.

    Under `strict_data`, one that was made from partial data fails, as a fresh one would.
    """
    return _guarded(_reuse, stage, label, context)


def _guarded(
    carry_out: Callable[[Stage, StageLabel, RunContext], Outcome],
    stage: Stage,
    label: StageLabel,
    context: RunContext,
) -> Outcome | StageOutcome:
    """The outcome of `carry_out`, a failed one if it raises."""
    try:
        return carry_out(stage, label, context)
    # An interruption is the user's wish, not a failure: nothing may be noted or go on after it.
    except KeyboardInterrupt:
        raise
    except XharnessError as error:
        if context.debug:
            raise
        return _failure(stage, label, context, error)
    except BaseException as error:  # a backend may even exit: that must not end the other arms
        if context.debug:
            raise
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return _failure(stage, label, context, StageError(message))


@contextmanager
def _same_working_directory() -> Iterator[None]:
    """Afterwards the working directory is as before: results are written relative to it."""
    folder = Path.cwd()
    try:
        yield
    finally:
        os.chdir(folder)


def _carry_out(stage: Stage, label: StageLabel, context: RunContext) -> StageOutcome | None:
    with context.store.claim(stage.key) as folder:
        if folder is None:
            return None
        if context.store.has(stage.key):  # another process was faster
            facts = context.store.receipt(stage.key).facts
            return replace(_reuse(stage, label, context), facts=facts)
        # The clock starts after the wait, so that seconds in receipts can be compared.
        started = time.monotonic()
        with _same_working_directory():
            facts = dict(perform(stage, context, folder))
        facts |= {"label": asdict(label), "seconds": round(time.monotonic() - started, 3)}
        receipt = context.store.commit(stage.key, facts | {"provenance": provenance()})
        return StageOutcome(stage, label, "ran", facts=receipt.facts)


def _reuse(stage: Stage, label: StageLabel, context: RunContext) -> StageOutcome:
    if context.environment.strict_data and context.store.has(stage.key):
        facts = context.store.receipt(stage.key).facts
        for values in (*facts.get("trained_on", ()), *facts.get("data", ())):
            count = RowCount(**values)
            if count.partial:
                raise UnavailableError(
                    f"partial data: {count}", hint="leave out --strict-data to go on"
                )
    return StageOutcome(stage, label, "reused")


def _failure(
    stage: Stage, label: StageLabel, context: RunContext, error: XharnessError
) -> StageOutcome:
    """Note the failure among the stage's files, for the table at the end and for later."""
    path = context.store.folder(stage.key) / FAILURE
    # The folder may be what failed: a log that cannot be written must not hide the reason.
    log: Path | None = path
    try:
        write_text(path, without_secrets(f"{label}\n\n{traceback.format_exc()}"))
    except OSError:
        log = None
    # The study compiled, so whatever is wrong now is no mistake in it, whatever the error says.
    exit_code = error.exit_code if isinstance(error, UnavailableError) else StageError.exit_code
    damaged = error.key if isinstance(error, DamagedStageError) else None
    reason = printable(str(error))
    return StageOutcome(stage, label, "failed", reason, log, exit_code, damaged=damaged)


PERFORMERS: Mapping[type[Stage], Callable[[Any, RunContext, Path], Mapping[str, Any]]] = {
    Translate: translate,
    Train: train,
    SelectModel: select_model,
    Predict: predict,
    Score: score,
}
"""Each continues from what an interrupted attempt left in its folder, and returns the facts that go
into the receipt."""

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def _naming_backend_of(stage: Stage, context: RunContext) -> AbstractContextManager[None]:
    if isinstance(stage, Predict):
        return naming_backend(context.backend(stage.model))
    if isinstance(stage, Train | SelectModel):
        return naming_backend(context.backend(stage))
    return nullcontext()


def perform(stage: Stage, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Do what `stage` says inside `folder`; the facts for its receipt.

    Raises:
        XharnessError: it cannot be done.
    """
    try:
        with _naming_backend_of(stage, context):
            facts = PERFORMERS[type(stage)](stage, context, folder)
        return {"stage": stage.name, **facts}
    except OSError as error:
        # Other errors of the system come from a backend and tell nothing about the disk.
        if error.errno in _DISK_ERRORS:
            raise StageError(
                reason_of(error),
                where=str(error.filename or folder),
                hint="free some space or name another folder with --store, then run again",
            ) from error
        raise
