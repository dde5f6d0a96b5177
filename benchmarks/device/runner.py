"""The process that runs all contests: `python -m benchmarks.device.runner OPTIONS`.

It ends with `POISONED` where an error left the device unusable: the supervisor starts another.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.device import report as reports
from benchmarks.device.ceilings import Ceilings, measure_ceilings
from benchmarks.device.contests import CONTESTS
from benchmarks.device.projection import project
from benchmarks.measurement import Measurement, Setting
from benchmarks.shapes import fast_folder, write_decoder, write_model
from xharness import provenance

POISONED = 75
_TINY_SCALE = 0.02
_COMPILING = 90.0  # seconds that must be left for a contestant which compiles


class Runner:
    """One run over all shapes; every contestant that has a row already is passed over."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._path = Path(options["json"])
        self._report = reports.read(self._path)
        self._settings: dict[str, tuple[Setting, Ceilings]] = {}
        self._tokenizer = Path(options["tokenizer"]) if options["tokenizer"] else None

    def run(self) -> int:
        """Run what is left; 0, or `POISONED`."""
        self._report.setdefault("asked", self._options)
        self._report["made_with"] = provenance() | {"device": _device_name(self._options["device"])}
        self._report["system"] = platform.platform()
        with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=fast_folder(12)) as folder:
            for name, contestant, shape in [*self._pending()]:
                if shape not in self._settings:
                    self._prepare(shape, Path(folder))
                self._run_contestant(shape, name, contestant)
                if not _usable(self._options["device"]):
                    return POISONED
        return 0

    def _prepare(self, shape: str, folder: Path) -> None:
        """Write the shape's model, and measure what the device can do at most."""
        setting = self._setting(shape, folder / shape)
        tiny = self._options["tiny"]
        ceilings = measure_ceilings(setting.device, setting.precision, setting.model, tiny)
        self._report["ceilings"][shape] = asdict(ceilings)
        self._settings[shape] = setting, ceilings
        _release(setting.device)
        self._write()

    def _run_contestant(self, shape: str, name: str, contestant: str) -> None:
        setting, ceilings = self._settings[shape]
        print(f"{shape}: {name}: {contestant}", file=sys.stderr, flush=True)
        self._report["running"] = [shape, name, contestant, time.time()]
        self._write()
        row = self._row(shape, name, contestant, setting, ceilings)
        self._report["rows"].append(row)
        self._report["running"] = None
        reports.compare(self._report["rows"])
        self._project(shape, setting)
        self._write()

    def _pending(self) -> Iterator[tuple[str, str, str]]:
        """(contest, contestant, shape), the most telling contests of all shapes first."""
        finished = {(row["contest"], row["contestant"], row["shape"]) for row in self._rows}
        for name, contest in CONTESTS.items():
            for shape in self._options["shapes"]:
                for contestant in contest.contestants:
                    key = (name, contestant, shape)
                    if self._chosen(name, contestant) and key not in finished:
                        yield key

    @property
    def _rows(self) -> list[dict[str, Any]]:
        return list(self._report["rows"])

    def _chosen(self, name: str, contestant: str) -> bool:
        starts, only = self._options["contests"], self._options["only"]
        on_card = self._options["device"].startswith("cuda")
        # a CPU compiles for minutes: there only where it is named
        contest_chosen = any(name.startswith(start) for start in starts) or (
            not starts and (on_card or not name.startswith("compile"))
        )
        return contest_chosen and (not only or contestant in only)

    def _row(
        self, shape: str, name: str, contestant: str, setting: Setting, ceilings: Ceilings
    ) -> dict[str, Any]:
        contest = CONTESTS[name]
        reserve = _COMPILING if name.startswith("compile") else 0.0
        if time.time() + reserve > self._options["deadline"]:
            return reports.error_row(shape, name, contestant, contest, "not run: no time was left")
        try:
            measurement = self._measurement(name, contestant, setting)
            return reports.row_of(shape, name, contestant, contest, measurement, ceilings)
        except ImportError as error:
            reason = f"absent: {error}"
        except Exception as error:  # one contestant's failure is its contest_setting
            traceback.print_exc()
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        finally:
            _release(setting.device)
        return reports.error_row(shape, name, contestant, contest, reason)

    def _measurement(self, name: str, contestant: str, setting: Setting) -> Measurement:
        with tempfile.TemporaryDirectory(dir=setting.work) as work:
            contest_setting = Setting(**{**vars(setting), "work": Path(work)})
            if CONTESTS[name].decodes and contest_setting.decoder is None:
                contest_setting = Setting(
                    **{**vars(contest_setting), "decoder": self._decoder(contest_setting)}
                )
            return CONTESTS[name].contestants[contestant](contest_setting)

    def _setting(self, shape: str, folder: Path) -> Setting:
        options = self._options
        folder.mkdir(exist_ok=True)
        data_root, device = Path(options["data_root"]), options["device"]
        model = Path(options["model"]) if options["model"] else None
        if model is None:
            started = time.perf_counter()
            model = write_model(shape, data_root, folder / "model", self._tokenizer, device)
            seconds = time.perf_counter() - started
            print(f"{shape}: written in {seconds:.1f} s", file=sys.stderr)
        _release(device)
        scale = _TINY_SCALE if options["tiny"] else options["scale"]
        decoder = Path(options["decoder"]) if options["decoder"] else None
        return Setting(data_root, model, folder, scale, options["precision"], decoder, device)

    def _decoder(self, setting: Setting) -> Path:
        """A language model with random weights, written once a shape."""
        folder = setting.model.parent / "decoder"
        if not folder.is_dir():
            name = "tiny" if self._options["tiny"] else "smollm2"
            write_decoder(name, setting.data_root, folder, self._tokenizer, setting.device)
        return folder

    def _project(self, shape: str, setting: Setting) -> None:
        if self._report["projections"].get(shape):
            return
        try:
            rows = [row for row in self._rows if row["shape"] == shape]
            self._report["projections"][shape] = project(setting, rows)
        except Exception:
            traceback.print_exc()
            self._report["projections"][shape] = {}

    def _write(self) -> None:
        reports.write(self._path, self._report)


def _release(device: str) -> None:
    """Let go of a contestant's memory, and of Accelerate's state, which is the process's."""
    from accelerate.state import AcceleratorState, GradientState  # type: ignore[import-untyped]

    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    gc.collect()
    if device.startswith("cuda"):
        torch.compiler.reset()
        torch.cuda.empty_cache()


def _usable(device: str) -> bool:
    try:
        torch.ones(1, device=device).add_(1).item()
    except RuntimeError:
        return False
    return True


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def main(options: str) -> int:
    """Run with the options that the supervisor wrote as JSON."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    return Runner(json.loads(options)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
