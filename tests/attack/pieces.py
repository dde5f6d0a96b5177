"""The pieces of a long attack: some minutes each, so that several processes share it, and that one
which was stopped goes on."""

from __future__ import annotations

import gc
import importlib
import json
import pkgutil
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import xharness
import xharness_baselines
import xharness_hf
import xharness_hub
import xharness_strategies
from tests.faults.flipping import FlipReport, flip_bits
from tests.faults.kills import KillReport, kill_runs
from tests.hostile.mutants import MutantReport, Mutants
from tests.hostile.scenes import ALL
from xharness.plugin.card_files import builtin_folder
from xharness.spec import documents

COUNTS = {"kills": 1000, "flips": 200, "mutants": 20_000}
_SIZES = {"kills": 50, "flips": 20, "mutants": 250}
_REPORTS: dict[str, type[KillReport | FlipReport | MutantReport]] = {
    "kills": KillReport, "flips": FlipReport, "mutants": MutantReport,
}  # fmt: skip
Report = KillReport | FlipReport | MutantReport


@dataclass(frozen=True)
class Piece:
    """So many of an attack, from a number on; its seed and number decide what is done."""

    attack: str
    first: int
    count: int
    seed: int

    def __str__(self) -> str:
        return f"{self.attack} {self.first} to {self.first + self.count - 1}"


def pieces(counts: Mapping[str, int], seed: int) -> Iterator[Piece]:
    """All pieces of an attack of so many kills, flips and mutants."""
    for attack, count in counts.items():
        size = _SIZES[attack]
        for first in range(0, count, size):
            yield Piece(attack, first, min(size, count - first), seed)


class Worker:
    """Carries out pieces in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _mutants(self) -> Mutants:
        folder = self._folder / "mutants"
        shutil.rmtree(folder / "sound", ignore_errors=True)
        return Mutants(folder, ALL)

    def prepare(self) -> None:
        """Make the scenes, so that processes which are forked from this one have them."""
        _import_everything()
        _read_builtin_cards_once()
        assert self._mutants
        # A child that collects garbage would copy every page that this process has.
        gc.collect()
        gc.freeze()

    def __call__(self, piece: Piece) -> tuple[Piece, Report]:
        """Carry out a piece."""
        if piece.attack == "mutants":
            numbers = range(piece.first, piece.first + piece.count)
            return piece, self._mutants.attack(numbers, piece.seed)
        folder = self._folder / f"{piece.attack}-{piece.first}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_attack = kill_runs if piece.attack == "kills" else flip_bits
        report = run_attack(folder, piece.count, Random(f"{piece.seed} {piece.first}"))
        if not report.faults:  # else somebody wants to look
            shutil.rmtree(folder)
        return piece, report


def _import_everything() -> None:
    """Else each child would import what its command needs."""
    for package in (xharness, xharness_baselines, xharness_hf, xharness_hub, xharness_strategies):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _read_builtin_cards_once() -> None:
    """Nobody changes these, and every command reads forty of them to learn of groups."""
    builtin, read = str(builtin_folder()), documents.read
    known: dict[str, documents.Document] = {}

    def read_once(file: Any, name: str) -> documents.Document:
        if not name.startswith(builtin):
            return read(file, name)
        if name not in known:
            known[name] = read(file, name)
        return known[name]

    documents.read = read_once


class Progress:
    """What was done of an attack in `folder`, a line each."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "progress.jsonl"
        self.done: dict[Piece, Report] = {}
        for line in self._path.read_text().splitlines() if self._path.is_file() else ():
            values = json.loads(line)
            piece = Piece(**values["piece"])
            if piece.seed == seed:
                self.done[piece] = _REPORTS[piece.attack](**values["report"])

    def add(self, piece: Piece, report: Report) -> None:
        """Note a piece that is done."""
        self.done[piece] = report
        line = json.dumps({"piece": asdict(piece), "report": vars(report)})
        with self._path.open("a") as file:
            file.write(f"{line}\n")

    @property
    def faults(self) -> list[str]:
        return [fault for report in self.done.values() for fault in report.faults]

    def lines(self) -> Iterator[str]:
        """A line for each attack, with its figures."""
        for attack, report_class in _REPORTS.items():
            total = report_class()
            for piece, report in self.done.items():
                if piece.attack == attack:
                    total.add(report)  # type: ignore[arg-type]
            yield str(total)
