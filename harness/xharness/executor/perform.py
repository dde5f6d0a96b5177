"""Which function performs which stage."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xharness.errors import StageError
from xharness.executor.context import RunContext
from xharness.executor.predict import predict
from xharness.executor.score import score
from xharness.executor.select_model import select_model
from xharness.executor.train import train
from xharness.executor.translate import translate
from xharness.stages import Predict, ScorePredictions, SelectModel, Stage, Train, Translate

PERFORMERS: Mapping[type[Stage], Callable[[Any, RunContext, Path], Mapping[str, Any]]] = {
    Translate: translate,
    Train: train,
    SelectModel: select_model,
    Predict: predict,
    ScorePredictions: score,
}
"""Each continues from what an interrupted attempt left in its folder, and returns the facts that go
into the receipt."""

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def perform(stage: Stage, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Do what `stage` says inside `folder`; the facts for its receipt.

    Raises:
        XharnessError: it cannot be done.
    """
    try:
        return {"stage": stage.name, **PERFORMERS[type(stage)](stage, context, folder)}
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise StageError(
                error.strerror or "cannot write",
                where=str(error.filename or folder),
                hint="free some space or name another folder with --store, then run again",
            ) from error
        raise
