"""Speed side by side: `python -m benchmarks --data-root DIR [--model DIR] [CONTEST ...]`.

On a CPU every run of a contestant is a process of its own; the contestants of a contest take turns,
so that a disturbance of the machine hits all. The table shows medians, and by how much `xharness`
is ahead. With `--device` everything runs on that device in one process: see `benchmarks.device`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contests import CONTESTS
from benchmarks.measurement import LIGHT, Setting
from benchmarks.shapes import SHAPES, write_model
from benchmarks.tables import show_table
from xharness import provenance

REPOSITORY = Path(__file__).parents[1]
_SCRIPTS = ("retrieval", "gaps", "profile")
"""Scripts with tables of their own, run after the contests."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the chosen contests; 1 where a contestant failed."""
    options = _parser().parse_args(words)
    if options.device is not None:
        from benchmarks.device.supervisor import supervise

        return supervise(options)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        work = Path(folder)
        setting = _setting(options, work)
        for name in CONTESTS:
            if _chosen(name, options) and (options.decoder or not CONTESTS[name].decodes):
                rows += run_contest(name, setting, options.rounds, options.only)
                _write(options.json, rows, options)
        if options.only and not rows:
            sys.exit(f"no such contestant: {', '.join(options.only)}; the table names them all")
        failures = [
            name
            for name in _SCRIPTS
            if _chosen(name, options)
            and not (options.only and not options.contests)
            and not _run_script(name, options, setting)
        ]
    show_table([_table_row(row) for row in rows], title="speed side by side")
    return int(bool(failures) or any(row["error"] for row in rows))


def _setting(options: argparse.Namespace, work: Path) -> Setting:
    shape = (options.shape or ["minilm"])[0]
    model = options.model or write_model(
        shape, options.data_root, work / "model", options.tokenizer
    )
    return Setting(
        options.data_root.resolve(), model.resolve(), work,
        LIGHT if options.light else options.scale, options.precision or "fp32",
        options.decoder and options.decoder.resolve(),
    )  # fmt: skip


def _chosen(name: str, options: argparse.Namespace) -> bool:
    return not options.contests or any(name.startswith(start) for start in options.contests)


def _run_script(name: str, options: argparse.Namespace, setting: Setting) -> bool:
    """Run a script of its own table; its JSON lies beside ours. Whether it went well."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    command += ["--json", str(options.json.resolve().with_suffix(f".{name}.json"))]
    if name == "retrieval" and options.light:
        command += ["--candidates", "100000", "--queries", "1000"]
    if name == "profile":
        command += ["--data-root", str(setting.data_root), "--model", str(setting.model)]
        command += ["--precision", setting.precision, "--scale", str(setting.scale)]
    return subprocess.run(command, check=False, cwd=REPOSITORY).returncode == 0


def run_contest(
    name: str, setting: Setting, rounds: int | None = None, only: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """A row for each contestant of a contest, or for those of `only`: medians over the rounds."""
    contest = CONTESTS[name]
    runs: dict[str, list[dict[str, Any]]] = {
        contestant: [] for contestant in contest.contestants if contestant in (only or [contestant])
    }
    errors: dict[str, str] = {}
    for _ in range(rounds or contest.rounds):
        for contestant in runs:
            if contestant in errors:
                continue
            try:
                runs[contestant].append(_run(name, contestant, setting))
            except subprocess.CalledProcessError as error:
                errors[contestant] = (error.stderr.strip().splitlines() or ["no message"])[-1]
            print(f"{name}: {contestant}", file=sys.stderr, flush=True)
    paces = {contestant: _pace(measurements) for contestant, measurements in runs.items()}
    our_pace = paces.get(contest.ours)
    return [
        {
            "contest": name,
            "contestant": contestant,
            "unit": contest.unit,
            "pace": paces[contestant],
            "seconds": _median(measurements, "seconds"),
            "processor_seconds": _median(measurements, "processor_seconds"),
            "megabytes": max((run["megabytes"] for run in measurements), default=None),
            "checks": measurements[-1]["checks"] if measurements else {},
            "ours_over_it": _ratio(our_pace, paces[contestant]),
            "runs": measurements,
            "error": errors.get(contestant),
        }
        for contestant, measurements in runs.items()
    ]


def _run(contest: str, contestant: str, setting: Setting) -> dict[str, Any]:
    """One run in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(dir=setting.work) as folder:
        fields = asdict(setting) | {"work": folder}
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.contestant", contest, contestant,
             json.dumps(fields, default=str)],
            check=True, capture_output=True, text=True, cwd=REPOSITORY,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"},
        )  # fmt: skip
    measurement: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return measurement


def _pace(runs: Sequence[dict[str, Any]]) -> float | None:
    return median(run["amount"] / run["seconds"] for run in runs) if runs else None


def _median(runs: Sequence[dict[str, Any]], field: str) -> float | None:
    return median(run[field] for run in runs) if runs else None


def _ratio(our_pace: float | None, pace: float | None) -> float | None:
    return our_pace / pace if our_pace and pace else None


def _table_row(row: dict[str, Any]) -> dict[str, Any]:
    checks = ", ".join(f"{name} {value:.4g}" for name, value in row["checks"].items())
    numbers = {key: row[key] for key in ("pace", "seconds", "megabytes", "ours_over_it")}
    cells = {key: None if value is None else f"{value:,.4g}" for key, value in numbers.items()}
    cells["pace"] = None if row["pace"] is None else f"{row['pace']:,.0f} {row['unit']}"
    names = {"contest": row["contest"], "contestant": row["contestant"]}
    return names | cells | {"checks": row["error"] or checks}


def _write(path: Path, rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    arguments = {key: str(value) for key, value in vars(options).items() if key != "json"}
    report = {
        "asked": arguments,
        "made_with": provenance(),
        "system": platform.platform(),
        "rows": rows,
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.splitlines()[0])
    add = parser.add_argument
    contests = ", ".join([*CONTESTS, *_SCRIPTS])
    add("contests", nargs="*", help=f"names or their beginnings: {contests}")
    add("--data-root", type=Path, required=True, help="plain clones of public data")
    add("--model", type=Path, help="a backbone's folder; else random weights of --shape")
    add("--decoder", type=Path, help="a language model's folder, for likelihoods")
    add("--shape", choices=[*SHAPES], nargs="+", help="default: minilm; several with --device")
    add("--tokenizer", type=Path, help="a folder with XLM-R's; else a small one is learnt")
    add("--precision", choices=["fp32", "bf16"], help="default: fp32, on a GPU bf16")
    add("--rounds", type=int, help="in place of each contest's own")
    add("--only", nargs="+", metavar="WHO", help="contestants, such as xharness")
    add("--scale", type=float, default=1.0, help="of the numbers of examples")
    add("--light", action="store_true", help=f"a scale of {LIGHT}")
    add("--device", help="run all contests on it in one process: cuda, or cpu to try that")
    add("--tiny", action="store_true", help="with --device: the smallest shape, few examples")
    add("--minutes", type=float, default=5.5, help="with --device: contests begin no later")
    add("--json", type=Path, default=Path("benchmarks.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
