"""The file that a run writes as it goes, and the table at its end."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.device.ceilings import Ceilings
from benchmarks.measurement import Contest, Measurement
from benchmarks.tables import show_table


def read(path: Path) -> dict[str, Any]:
    """What was written; an empty report before."""
    if not path.is_file():
        return {"rows": [], "running": None, "ceilings": {}, "projections": {}}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Put the report in the file's place, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def row_of(
    shape: str, name: str, contestant: str, contest: Contest, measurement: Measurement,
    ceilings: Ceilings,
) -> dict[str, Any]:  # fmt: skip
    """A contestant's row, with its floor and how near it came."""
    pace = measurement.amount / max(measurement.seconds, 1e-9)
    return {
        "shape": shape,
        "contest": name,
        "contestant": contestant,
        "unit": contest.unit,
        "pace": pace,
        **asdict(measurement),
        **_floor(name, measurement, ceilings),
        "ours_over_it": None,
        "error": None,
    }


def error_row(
    shape: str, name: str, contestant: str, contest: Contest, error: str
) -> dict[str, Any]:
    """The row of a contestant that measured nothing, with the reason."""
    empty = dict.fromkeys(("pace", "seconds", "processor_seconds", "megabytes", "ours_over_it"))
    keys = {"shape": shape, "contest": name, "contestant": contestant, "unit": contest.unit}
    return {**keys, **empty, "checks": {}, "device": {}, "error": error}


def _floor(name: str, measurement: Measurement, ceilings: Ceilings) -> dict[str, Any]:
    """Floor and shares: of a step's seconds in training, of all of them in prediction."""
    device, tokens = measurement.device, measurement.amount
    if name.startswith(("train", "compile")):
        step, steps = device["seconds_per_step"], max(device["steps"], 1)
        floor = ceilings.training_seconds(tokens, steps) / steps
        kernels = device["kernel_seconds_per_step"]
        operations = 6 * (ceilings.parameters - ceilings.table_parameters) * tokens / steps
        steady = {"steady_pace": tokens / steps / max(step, 1e-9)}
    elif name.startswith("predict"):
        step, floor = measurement.seconds, ceilings.prediction_seconds(tokens)
        kernels, steady = device["kernel_seconds"], {}
        operations = 2 * (ceilings.parameters - ceilings.table_parameters) * tokens
    else:
        return {}
    step = max(step, 1e-9)
    return {
        "floor_seconds": floor,
        "times_the_floor": step / floor,
        "share_of_floor": floor / step,
        "share_of_products": operations / step / ceilings.operations,
        "kernel_share": kernels / step,
        **steady,
    }


def compare(rows: Sequence[dict[str, Any]]) -> None:
    """By how much ours is ahead of each row of the same shape and work."""
    harness_rows = {
        (row["shape"], row["contest"]): row for row in rows if row["contestant"] == "xharness"
    }
    for row in rows:
        contest = row["contest"].replace("compile", "train")
        best = harness_rows.get((row["shape"], contest))
        if best is None or not (best["pace"] and row["pace"]):
            continue
        row["ours_over_it"] = best["pace"] / row["pace"]
        if "steady_pace" in row and "steady_pace" in best:
            row["ours_over_it_steady"] = best["steady_pace"] / row["steady_pace"]


def show(report: Mapping[str, Any]) -> None:
    """The table of all rows, the ceilings above it, the projections below."""
    for shape, ceilings in report["ceilings"].items():
        rates = f"{ceilings['operations'] / 1e12:,.1f} T operations/s"
        print(f"{shape}: {rates}, {ceilings['copied_bytes'] / 1e12:,.2f} TB/s copied")
    show_table([_cells(row) for row in report["rows"]], title="speed on a device")
    for shape, projection in report["projections"].items():
        if projection:
            print(f"{shape}: the test side of XTREME-R in {projection['seconds']:,.0f} s")


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    cells = {key: row[key] for key in ("shape", "contest", "contestant")}
    cells["pace"] = None if row["pace"] is None else f"{row['pace']:,.0f}"
    step = row["device"].get("seconds_per_step")
    cells["ms a step"] = None if step is None else f"{1000 * step:,.1f}"
    names = {"steady_pace": "steady", "ours_over_it": "ours over it",
             "ours_over_it_steady": "steady over", "times_the_floor": "x floor",
             "share_of_products": "products", "kernel_share": "kernels"}  # fmt: skip
    for key, title in names.items():
        cells[title] = None if row.get(key) is None else f"{row[key]:,.3g}"
    megabytes = row["device"].get("megabytes")
    cells["MB"] = None if megabytes is None else f"{megabytes:,.0f}"
    checks = ", ".join(f"{name} {value:.4g}" for name, value in row["checks"].items())
    return cells | {"checks": row["error"] or checks}
