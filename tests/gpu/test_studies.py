"""Whole studies on a device: every strategy, from the command line to the board."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from typer.testing import CliRunner, Result

from xharness.cli import app

_SCRATCH = {
    "architecture": "bert", "hidden": 48, "num_layers": 1, "heads": 2, "intermediate": 96,
    "dropout": 0.1, "tokenizer": {"vocabulary": 1500},
}  # fmt: skip
_STUDY: dict[str, Any] = {
    "name": "everything",
    "models": [
        {
            "name": "tiny", "scratch": _SCRATCH,
            "pretrain": {"corpus": "mini_parallel", "languages": ["de"],
                         "objectives": ["mlm", "tlm", "align"], "recipe": {"steps": 4}},
        }
    ],
    "strategies": [
        "single",
        {"multitask": {"sampling": "uniform"}},
        {"name": "finished", "strategy": "multitask", "finish": "single"},
        {"intermediate": {"tasks": ["mini_nli"]}},
        {"name": "few", "strategy": "single", "few_shot": {"num_shots": 8, "languages": ["de"]}},
        {"name": "published", "strategy": "single",
         "translate": {"with": "published", "languages": ["de"]}},
        {"name": "lora", "strategy": "single", "recipe": {"adapter": "lora"}},
    ],
    "targets": [
        *(
            {"task": task, "languages": ["en", "de"], "limit": 20}
            for task in ("mini_topic", "mini_qa")
        ),
        {"task": "mini_bitext", "languages": ["de"], "limit": 20},
    ],
    "recipe": {"steps": 4, "batch_size": 8, "max_length": 64},
}  # fmt: skip


def _run(folder: Path, study: dict[str, Any], device: torch.device, *words: str) -> Result:
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    command = ["run", str(path), "--store", str(folder / "store"), "--device", str(device)]
    return CliRunner().invoke(app, [*command, *words])


def _rows(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_strategy_runs(tmp_path: Path, device: torch.device, on_gpu: bool) -> None:
    result = _run(tmp_path, _STUDY, device)
    assert result.exit_code == 0, result.output
    rows = _rows(tmp_path)
    assert len({row["strategy"] for row in rows if row.get("value") is not None}) == 7
    noted = {note for row in rows for note in row.get("notes", ())}
    assert ("computed in bf16" in noted) == on_gpu
    second_run = _run(tmp_path, _STUDY, device)
    assert second_run.exit_code == 0, second_run.output


def test_prompts_are_answered(
    folders: Callable[[str], Path], tmp_path: Path, device: torch.device
) -> None:
    study = {
        "name": "prompts",
        "models": [{"name": "words", "path": str(folders("llama")), "mode": "loglikelihood"}],
        "strategies": ["prompt"],
        "targets": [{"task": "mini_choice", "languages": ["en", "de"], "limit": 20}],
        "recipe": {"max_length": 128},
    }
    result = _run(tmp_path, study, device)
    assert result.exit_code == 0, result.output


def test_a_device_that_is_not_there_ends_it_before_the_first_stage(tmp_path: Path) -> None:
    result = _run(tmp_path, _STUDY, torch.device("cuda", 77))
    assert result.exit_code == 3
    assert "no device 'cuda:77' here" in result.output
    assert not list((tmp_path / "store").glob("*/*/receipt.json"))


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_a_format_that_is_not_there_ends_it_before_the_first_stage(
    precision: str, tmp_path: Path
) -> None:
    study = _STUDY | {"recipe": _STUDY["recipe"] | {"precision": precision}}
    result = _run(tmp_path, study, torch.device("cpu"))
    assert result.exit_code == 3
    assert f"no {precision} on cpu" in result.output
