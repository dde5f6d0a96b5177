"""Speed side by side: `python -m benchmarks --data-root DIR [--model DIR] [CONTEST ...]`.

Every run of a contestant is a process of its own; the contestants of a contest take turns, so that
a disturbance of the machine hits all. Told are medians, and by how much `xharness` is ahead.
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

from benchmarks.bodies import SHAPES, made
from benchmarks.contests import CONTESTS
from benchmarks.measured import LIGHT, Setting
from xharness.console import show_table
from xharness.executor.provenance import provenance

REPOSITORY = Path(__file__).parents[1]
_ALONE = ("retrieval", "gaps", "profile")
"""Scripts with tables of their own, run after the contests."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the wished contests; 1 where a contestant failed."""
    wished = _parser().parse_args(words)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        place = Path(folder)
        model = wished.model or made(wished.shape, wished.data_root, place / "model")
        setting = Setting(
            wished.data_root.resolve(), model.resolve(), place,
            LIGHT if wished.light else wished.scale, wished.precision,
            wished.decoder and wished.decoder.resolve(),
        )  # fmt: skip
        for name in CONTESTS:
            if _chosen(name, wished) and (wished.decoder or not CONTESTS[name].decodes):
                rows += contested(name, setting, wished.rounds, wished.only)
                _write(wished.json, rows, wished)
        if wished.only and not rows:
            sys.exit(f"no such contestant: {', '.join(wished.only)}; the table names them all")
        failed = [
            name
            for name in _ALONE
            if _chosen(name, wished)
            and not (wished.only and not wished.contests)
            and not _alone(name, wished, setting)
        ]
    show_table([_shown(row) for row in rows], title="speed side by side")
    return int(bool(failed) or any(row["error"] for row in rows))


def _chosen(name: str, wished: argparse.Namespace) -> bool:
    return not wished.contests or any(name.startswith(one) for one in wished.contests)


def _alone(name: str, wished: argparse.Namespace, setting: Setting) -> bool:
    """Run a script of its own table; its JSON lies beside ours. Whether it went well."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    command += ["--json", str(wished.json.resolve().with_suffix(f".{name}.json"))]
    if name == "retrieval" and wished.light:
        command += ["--candidates", "100000", "--queries", "1000"]
    if name == "profile":
        command += ["--data-root", str(setting.data_root), "--model", str(setting.model)]
        command += ["--precision", setting.precision, "--scale", str(setting.scale)]
    return subprocess.run(command, check=False, cwd=REPOSITORY).returncode == 0


def contested(
    name: str, setting: Setting, rounds: int | None = None, only: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """A row for each contestant of a contest, or for some: medians over the rounds."""
    contest = CONTESTS[name]
    some = [who for who in contest.contestants if who in (only or contest.contestants)]
    runs: dict[str, list[dict[str, Any]]] = {who: [] for who in some}
    errors: dict[str, str] = {}
    for _ in range(rounds or contest.rounds):
        for who in runs:
            if who in errors:
                continue
            try:
                runs[who].append(_once(name, who, setting))
            except subprocess.CalledProcessError as error:
                errors[who] = (error.stderr.strip().splitlines() or ["no message"])[-1]
            print(f"{name}: {who}", file=sys.stderr, flush=True)
    paces = {who: _pace(some) for who, some in runs.items()}
    own = paces.get(contest.ours)
    return [
        {
            "contest": name,
            "contestant": who,
            "unit": contest.unit,
            "pace": paces[who],
            "seconds": _median(some, "seconds"),
            "processor_seconds": _median(some, "processor_seconds"),
            "megabytes": max(run["megabytes"] for run in some) if some else None,
            "checks": some[-1]["checks"] if some else {},
            "ours_over_it": own / paces[who] if own and paces[who] else None,
            "runs": some,
            "error": errors.get(who),
        }
        for who, some in runs.items()
    ]


def _once(contest: str, who: str, setting: Setting) -> dict[str, Any]:
    """One run in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(dir=setting.work) as folder:
        given = asdict(setting) | {"work": folder}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.contestant", contest, who,
             json.dumps(given, default=str)],
            check=True, capture_output=True, text=True, cwd=REPOSITORY,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"},
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _pace(runs: Sequence[dict[str, Any]]) -> float | None:
    return median(run["amount"] / run["seconds"] for run in runs) if runs else None


def _median(runs: Sequence[dict[str, Any]], what: str) -> float | None:
    return median(run[what] for run in runs) if runs else None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    checks = ", ".join(f"{name} {value:.4g}" for name, value in row["checks"].items())
    number = {key: row[key] for key in ("pace", "seconds", "megabytes", "ours_over_it")}
    told = {key: None if value is None else f"{value:,.4g}" for key, value in number.items()}
    told["pace"] = None if row["pace"] is None else f"{row['pace']:,.0f} {row['unit']}"
    names = {"contest": row["contest"], "contestant": row["contestant"]}
    return names | told | {"checks": row["error"] or checks}


def _write(path: Path, rows: Sequence[dict[str, Any]], wished: argparse.Namespace) -> None:
    said = {key: str(value) for key, value in vars(wished).items() if key != "json"}
    found = {"asked": said, "made_with": provenance(), "system": platform.platform(), "rows": rows}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    own = argparse.ArgumentParser("python -m benchmarks", description=__doc__.splitlines()[0])
    own.add_argument(
        "contests", nargs="*", help=f"names or their beginnings: {', '.join([*CONTESTS, *_ALONE])}"
    )
    own.add_argument("--data-root", type=Path, required=True, help="plain clones of public data")
    own.add_argument("--model", type=Path, help="a body's folder; else random weights of --shape")
    own.add_argument("--decoder", type=Path, help="a language model's folder, for likelihoods")
    own.add_argument("--shape", choices=[*SHAPES], default="minilm")
    own.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    own.add_argument("--rounds", type=int, help="in place of each contest's own")
    own.add_argument("--only", nargs="+", metavar="WHO", help="contestants, such as xharness")
    own.add_argument("--scale", type=float, default=1.0, help="of the numbers of examples")
    own.add_argument("--light", action="store_true", help=f"a scale of {LIGHT}")
    own.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    return own


if __name__ == "__main__":
    sys.exit(main())
