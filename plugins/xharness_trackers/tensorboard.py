"""TensorBoard: event files in the run's folder, or where TENSORBOARD_LOGGING_DIR says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness import Observer, TrackedRun, Tracker
from xharness_trackers.series import Series, SeriesObserver, file_name, missing_package

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Tracker):
    """`tensorboard --logdir FOLDER/tensorboard` shows the run, while it goes on, too."""

    name = "tensorboard"

    def observe(self, run: TrackedRun) -> Observer:
        folder = os.environ.get("TENSORBOARD_LOGGING_DIR")
        return _TensorBoardObserver(
            Path(folder) / file_name(run.name) if folder else run.folder / "tensorboard", run
        )


class _TensorBoardObserver(SeriesObserver):
    """A folder of event files for each series, so that their curves lie over each other."""

    def __init__(self, folder: Path, run: TrackedRun) -> None:
        super().__init__()
        self._folder = folder
        parameters = self.series("study", run.parameters)
        parameters.close()

    def series(self, name: str, parameters: Mapping[str, Any]) -> Series:
        writer = _writer(self._folder / file_name(name))
        text = json.dumps(dict(parameters), indent=1, ensure_ascii=False)
        # Markdown, which TensorBoard renders: indented lines are code.
        writer.add_text("parameters", "\n".join(f"    {line}" for line in text.splitlines()))
        return _EventFiles(writer)


class _EventFiles(Series):
    def __init__(self, writer: SummaryWriter) -> None:
        self._writer = writer

    def log(self, step: int | None, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step or 0)

    def close(self) -> None:
        self._writer.close()


def _writer(folder: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing_package("tensorboard", "tensorboard") from None
    return SummaryWriter(str(folder))
