"""The study of sizes: its checks say what their files give; its encoder is read as published."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from tests.conftest import REPOSITORY

from xharness_hf.embedding.sentence_transformers import encoder_config
from xharness_hf.embedding.sentence_transformers.prompts import Prompts

CHECKS = REPOSITORY / "leaderboard" / "sub-1b" / "checks"


def test_every_table_is_what_the_files_give() -> None:
    command = [sys.executable, str(CHECKS / "tables.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    tables = printed.strip().split("\n\n")
    assert all(table.startswith("| ") for table in tables)
    readme = (CHECKS / "README.md").read_text(encoding="utf-8")
    for table in tables:
        assert table in readme


def test_the_table_of_scripts_and_families_is_what_the_scores_give() -> None:
    command = [sys.executable, str(CHECKS.parent / "parts.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    readme = (CHECKS.parent / "README.md").read_text(encoding="utf-8")
    assert len(printed.splitlines()) == 12
    assert all(f"  {line}\n" in readme for line in printed.splitlines())


def test_the_encoder_declares_means_of_norm_one(tmp_path: Path) -> None:
    _get_models().declare_mean(tmp_path, 384, 512)
    encoder = encoder_config.read(tmp_path, Prompts())
    assert encoder.pooling.modes == ("mean",)
    assert encoder.width == 384
    assert [type(module).__name__ for module in encoder.upper_modules.values()] == ["Normalize"]
    assert encoder.settings.max_seq_length == 512
    assert not encoder.settings.do_lower_case


def _get_models() -> ModuleType:
    """The script, which is in no package."""
    spec = importlib.util.spec_from_file_location(
        "get_models", REPOSITORY / "leaderboard" / "get_models.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
