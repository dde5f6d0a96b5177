"""The training loop: one for all kinds, on Accelerate.

Batches, masks and dropout are functions of the seed and the step, so a checkpoint needs no state
of random generators, and a resumed run ends with the weights of an undisturbed one.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from xharness.digest import digest
from xharness.extend import Recipe, Session, StageError
from xharness_hf import checkpoint
from xharness_hf.batches import Schedule, random
from xharness_hf.bodies import Body
from xharness_hf.checkpoint import Checkpoint
from xharness_hf.heads import Heads
from xharness_hf.interrupts import Interrupt
from xharness_hf.precision import accelerator
from xharness_hf.tasks import Lessons, Logits, hide
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Layout, Unit, collate

_MASKS, _DROPOUT = 3, 4  # streams of random numbers, beside those of the schedule
_TAIL = 0.1  # share of the last steps whose mean loss is reported


@dataclass(frozen=True)
class Lesson:
    """A feed made ready: its units, and what learns from them."""

    name: str
    examples: int
    units: Sequence[Unit]
    task: Lessons
    head: Logits
    layout: Layout
    masked: bool = False
    words: bool = False
    """Whether it learns from sub-word embeddings alone."""


class Training:
    """One run of `fit`; everything that changes while learning lives here."""

    def __init__(
        self,
        body: Body,
        heads: Heads,
        tokens: Tokens,
        lessons: Sequence[Lesson],
        recipe: Recipe,
        session: Session,
        device: torch.device,
    ) -> None:
        self._body, self._heads, self._tokens, self._lessons = body, heads, tokens, lessons
        self._recipe, self._session, self._device = recipe, session, device
        lengths = [[unit.length for unit in lesson.units] for lesson in lessons]
        self._schedule = Schedule(lengths, session.mixing, recipe, session.seed)
        self._identity = digest([session.seed, lengths, recipe.model_dump(mode="json")])
        body.freeze(recipe.freeze)
        for head in heads.modules():
            head.train()
        self._learning = _learning(body, heads)
        self._optimizer = _optimizer(self._learning, recipe, device)
        self._accelerator = accelerator(device, recipe)
        self._tail: deque[float] = deque(maxlen=math.ceil(self._schedule.total * _TAIL))
        self._done, self._read, self._seconds = 0, 0, 0.0
        self._saved = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Learn until the last step; returns facts for the receipt.

        Raises:
            StageError: the loss is not finite, or a checkpoint cannot be written.
        """
        self._resume()
        began, before = time.monotonic(), self._seconds
        interrupt = Interrupt()
        with interrupt.watching():
            while self._done < self._schedule.total:
                self._step(self._done)
                self._done += 1
                self._seconds = before + time.monotonic() - began
                self._between_steps(interrupt)
        return self._facts()

    def _between_steps(self, interrupt: Interrupt) -> None:
        due = time.monotonic() - self._saved >= self._session.checkpoint_seconds
        if due and self._done < self._schedule.total:
            self._save()
        try:
            if interrupt.pending:
                interrupt.raise_()
            self._session.progress(self._done, self._schedule.total)
        except KeyboardInterrupt:
            self._save()
            raise

    def _step(self, step: int) -> None:
        draw = self._schedule[step]
        lesson = self._lessons[draw.feed]
        units = [lesson.units[place] for place in draw.units]
        seed, recipe = self._session.seed, self._recipe
        if lesson.masked:
            assert self._tokens.mask is not None
            stream = random(seed, _MASKS, step)
            known = min(self._tokens.size, self._body.embedding.num_embeddings)
            units = hide(units, self._tokens.mask, known, recipe.mask_rate, stream)
        torch.manual_seed(int(random(seed, _DROPOUT, step).integers(2**63)))
        loss = self._backward(lesson, units)
        if not math.isfinite(loss):
            raise self._diverged(step, loss)
        self._accelerator.clip_grad_norm_(self._learning.values(), recipe.max_grad_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(step, self._schedule.total, recipe)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._tail.append(loss)

    def _backward(self, lesson: Lesson, units: Sequence[Unit]) -> float:
        """Gradients of the batch's mean loss, computed in pieces; returns that loss."""
        recipe, terms, loss = self._recipe, lesson.task.terms(units), 0.0
        for places in np.array_split(np.arange(len(units)), min(recipe.accumulate, len(units))):
            batch = collate([units[place] for place in places], lesson.layout, self._device)
            with self._accelerator.autocast():
                states = self._body.words(batch) if lesson.words else self._body.states(batch)
                part = lesson.task.loss(states, lesson.head, batch, recipe) / terms
            self._accelerator.backward(part)
            loss += part.item()
            self._read += int(batch.mask.sum())
        return loss

    def _diverged(self, step: int, loss: float) -> StageError:
        last = f"; last finite loss {self._tail[-1]:.4g} at step {step}" if self._tail else ""
        return StageError(
            f"loss is {loss} at step {step + 1}{last}",
            hint=f"try a lower learning_rate than {self._recipe.learning_rate:g}, "
            "more warmup, or precision: fp32",
        )

    def _save(self) -> None:
        facts = {"tail": list(self._tail), "read": self._read, "seconds": self._seconds}
        tensors = checkpoint.state(self._learning, self._optimizer)
        checkpoint.write(
            self._session.folder, self._identity, Checkpoint(self._done, tensors, facts)
        )
        self._saved = time.monotonic()

    def _resume(self) -> None:
        found = checkpoint.newest(self._session.folder, self._identity)
        if found is None:
            return
        checkpoint.restore(found.tensors, self._learning, self._optimizer)
        self._done, self._read = found.step, int(found.facts["read"])
        self._seconds = float(found.facts["seconds"])
        self._tail.extend(found.facts["tail"])

    def _facts(self) -> dict[str, Any]:
        return {
            "steps": self._schedule.total,
            "loss": sum(self._tail) / max(len(self._tail), 1),
            "examples": {lesson.name: lesson.examples for lesson in self._lessons},
            "windows": {lesson.name: len(lesson.units) for lesson in self._lessons},
            "learning_parameters": sum(one.numel() for one in self._learning.values()),
            "tokens_per_second": round(self._read / max(self._seconds, 1e-9), 1),
            "seconds": round(self._seconds, 3),
        }


def rate(step: int, total: int, recipe: Recipe) -> float:
    """The learning rate's factor in (0, 1] at `step`: linear warm-up, then decay or none."""
    warm = math.ceil(recipe.warmup * total)
    if step < warm:
        return (step + 1) / warm
    return 1.0 if recipe.schedule == "constant" else (total - step) / (total - warm)


def _learning(body: Body, heads: Heads) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name; tied ones once."""
    named: dict[str, nn.Parameter] = dict(body.reader.named_parameters())
    found = {f"body/{name}": one for name, one in named.items() if one.requires_grad}
    return found | {f"head/{name}": one for name, one in heads.parameters().items()}


def _optimizer(
    learning: dict[str, nn.Parameter], recipe: Recipe, device: torch.device
) -> torch.optim.AdamW:
    """AdamW; biases and norms, which have one dimension, do not decay."""
    matrices = [one for one in learning.values() if one.ndim > 1]
    others = [one for one in learning.values() if one.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=device.type in ("cpu", "cuda"))
