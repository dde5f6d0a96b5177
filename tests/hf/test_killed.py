"""A training that is killed, then the same command: the scores of an undisturbed run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STUDY = """\
name: killed
models:
  - name: tiny
    scratch:
      {architecture: bert, hidden: 32, num_layers: 1, heads: 2, tokenizer: {vocabulary: 600}}
    pretrain:
      corpus: mini_parallel
      languages: [de]
      limit: 200
      recipe: {steps: 30, batch_size: 16, learning_rate: 1.0e-3, max_length: 48}
strategies:
  - single
  - multitask
  - name: lora
    strategy: single
    selection: source-dev
    recipe: {adapter: {method: lora, r: 2}, optimizer: adafactor}
targets:
  - {task: mini_topic, languages: [en, de], limit: 20}
  - {task: mini_ner, languages: [en, de], limit: 20}
train_limit: 100
recipe: {steps: 60, batch_size: 8, learning_rate: 1.0e-3, max_length: 48}
runtime: {checkpoint_seconds: 0, device: cpu}
"""


def _start(folder: Path, output: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "xharness", "run", "study.yaml"]
    return subprocess.Popen(
        [*command, "--store", f"{output}/store", "--output", output],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.slow
def test_killed_in_training_it_ends_the_same(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    calm = _start(tmp_path, "calm")
    assert calm.wait(300) == 0, calm.stderr and calm.stderr.read()
    kills = 0
    for finished in (0, 6):  # in the pretraining, and in a later training
        process = _start(tmp_path, "killed")
        store = tmp_path / "killed" / "store"
        while process.poll() is None:
            receipts = len(list(store.glob("*/*/receipt.json")))
            in_training = any(store.glob("*/*/unfinished/checkpoint/*"))
            if receipts >= finished and in_training:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        process.wait(60)
    assert kills == 2
    last = _start(tmp_path, "killed")
    assert last.wait(300) == 0, last.stderr and last.stderr.read()
    killed_scores, calm_scores = (tmp_path / name / "scores.jsonl" for name in ("killed", "calm"))
    assert killed_scores.read_text(encoding="utf-8") == calm_scores.read_text(encoding="utf-8")
