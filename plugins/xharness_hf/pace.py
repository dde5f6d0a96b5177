"""How fast a device trains: small encoders, by the loop that trains all others, at two lengths."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from xharness import Pace, Recipe, RunEnvironment, TrainingSession, UnavailableError
from xharness_hf.backbone.batch import Feature, Layout, Window
from xharness_hf.backbone.precision import HALF, check_precision, resolve
from xharness_hf.config.options import LearntTokenizer, Scratch
from xharness_hf.heads.heads import Heads, build_head
from xharness_hf.heads.tasks import TASKS
from xharness_hf.scratch import ScratchBuilder
from xharness_hf.training.loop import Training
from xharness_hf.training.step import PreparedFeed

_LAYERS = 6
_NARROW = 48  # so narrow that a step costs its launches alone
_SHORT, _LONG = 8, 128  # sub-words a sequence
_SECONDS = 1.0  # of each measurement, and at least `_STEPS` steps
_STEPS = 6
_STRETCHES = 4
_TASK = TASKS["classification"]
_TEXTS = ("a few words",)


@dataclass(frozen=True)
class _Shape:
    """What fills a device as trainings do."""

    width: int
    batch_size: int


_SHAPES = {"cpu": _Shape(384, 8), "mps": _Shape(384, 16), "cuda": _Shape(1024, 32)}


def measured_paces(device: torch.device) -> dict[str, Pace]:
    """The pace in float32, and in the half precision that the device computes in."""
    precisions = ("fp32", *(name for name in HALF if _is_computed(name, device)))
    return {precision: _pace(device, precision) for precision in precisions[:2]}


def _is_computed(precision: str, device: torch.device) -> bool:
    try:
        check_precision(precision, device)
    except UnavailableError:
        return False
    return True


def _pace(device: torch.device, precision: str) -> Pace:
    """What a step, a parameter and an operation take, one after the other.

    Longer sequences tell the operations, short ones beside a narrow encoder's the parameters.
    """
    shape = _SHAPES[device.type]
    recipe = Recipe(precision=precision, batch_size=shape.batch_size, max_length=_LONG)
    narrow, wide = _Encoder(_NARROW, device), _Encoder(shape.width, device)
    step = narrow.seconds_a_step(_SHORT, recipe)
    short, long = (wide.seconds_a_step(length, recipe) for length in (_SHORT, _LONG))
    sizes = wide.backbone.sizes()
    # Of one sub-word in each sequence: 2 a parameter on the way forth, 4 on the way back.
    operations = 6 * sizes.non_embedding * shape.batch_size
    rate = operations * (_LONG - _SHORT) / max(long - short, 1e-6)
    updating = max(0.0, short - step - operations * _SHORT / rate)
    return Pace(rate, step, updating / sizes.total)


class _Encoder:
    """A model that learns one label from sequences of one length."""

    def __init__(self, width: int, device: torch.device) -> None:
        # The texts only have to be some: what is learnt here was never one.
        spec = Scratch(
            hidden=width, num_layers=_LAYERS, heads=12, tokenizer=LearntTokenizer(vocabulary=32)
        )
        self._device, self.heads = device, Heads()
        self.backbone, self.tokens = ScratchBuilder(spec, RunEnvironment()).build(_TEXTS, seed=1)
        self.backbone.to(device)
        self._head = build_head(_TASK.task_type, 2, self.backbone).to(device)
        self.heads.add("pace", self._head)

    def seconds_a_step(self, length: int, recipe: Recipe) -> float:
        """Of a step once it runs steadily; how many there are, a first few tell."""
        seconds = self._trained(length, recipe, _STEPS)
        return self._trained(length, recipe, max(_STEPS, round(_SECONDS / seconds)))

    def _trained(self, length: int, recipe: Recipe, steps: int) -> float:
        recipe = resolve(recipe.model_copy(update={"steps": steps}), self._device)
        ids = np.full(length, 1, dtype=np.int32)
        features = [Feature((Window(ids, length),), index, 0) for index in range(recipe.batch_size)]
        feed = PreparedFeed("pace", len(features), features, _TASK, self._head, Layout(0))
        clock = _Clock()
        with tempfile.TemporaryDirectory() as folder:
            session = TrainingSession(1, Path(folder), progress=clock.note)
            Training(self, [feed], recipe, session, self._device).run()
        return clock.seconds_a_step()


class _Clock:
    """Notes when steps end."""

    def __init__(self) -> None:
        self._moments: list[float] = []

    def note(self, count: int, total: int | None) -> None:
        """One more step has ended."""
        self._moments.append(time.monotonic())

    def seconds_a_step(self) -> float:
        """Of the quickest stretch, without the steps that warm up: others may use the machine."""
        steady = self._moments[len(self._moments) // 4 :]
        size = max(1, len(steady) // _STRETCHES)
        return min(end - start for end, start in pairwise(steady[::-size])) / size
