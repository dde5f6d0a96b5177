"""What is no number is neither stored nor believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.cli.project import invoke
from xharness import StageError
from xharness_hf.backbone.batch import DeviceAnswers, best_indices
from xharness_hf.heads.objectives import argmax

STUDY = """\
name: rate
models:
  - name: tiny
    scratch:
      {{architecture: bert, hidden: 16, num_layers: 1, heads: 2, tokenizer: {{vocabulary: 300}}}}
strategies: [single]
targets: [{{task: mini_topic, languages: [en, de], limit: 10}}]
train_limit: 20
recipe: {{steps: 1, batch_size: 4, learning_rate: {rate}, warmup_ratio: 0, max_length: 16}}
runtime: {{device: cpu}}
"""


@pytest.mark.slow
def test_weights_that_the_last_step_broke_are_not_stored(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.format(rate="1.0e+38"), encoding="utf-8")
    result = invoke(tmp_path, "run", "study.yaml", "--store", "store", "--offline")
    assert result.exit_code == 1, result.stderr
    assert "weights are not finite after step 1" in result.stderr
    assert "try a lower learning_rate than 1e+38" in result.stderr
    assert not [*(tmp_path / "store").glob("??/*/receipt*.json")]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_class_is_not_told_from_broken_logits(broken: float) -> None:
    logits = torch.tensor([[0.1, 0.2], [broken, 0.3]])
    assert best_indices(logits).tolist() == [1, -1]
    with pytest.raises(StageError, match="not finite"):
        argmax(logits).result()


def test_padding_of_choices_is_no_fault() -> None:
    logits = torch.tensor([[0.1, float("-inf")], [0.2, 0.3]])
    assert argmax(logits).result() == [0, 1]


def test_a_score_that_is_no_number_is_told() -> None:
    def decode(values: Any) -> list[Any]:
        return [*values]

    sound = DeviceAnswers(torch.tensor([[1.0, float("-inf")]]), decode)
    assert np.array(sound.result()).tolist() == [[1.0, float("-inf")]]
    with pytest.raises(StageError, match="not finite"):
        DeviceAnswers(torch.tensor([[1.0, float("nan")]]), decode).result()
