"""The training loop: one for all kinds, on Accelerate.

Batches, masks and dropout are functions of the seed and the step, so a checkpoint needs no state
of random generators, and a resumed run ends with the weights of an undisturbed one.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch

from xharness import Recipe, StageError, TrainingSession, digest
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Feature, Layout, collate
from xharness_hf.backbone.precision import accelerator
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.heads import Heads
from xharness_hf.heads.tasks import Logits, TrainingObjective, hide
from xharness_hf.speed.embedding_grad import EmbeddingGradients
from xharness_hf.speed.kernels import faster
from xharness_hf.speed.switches import in_use
from xharness_hf.training import checkpoint
from xharness_hf.training.checkpoint import TrainingCheckpoint
from xharness_hf.training.checkpoint_selection import CheckpointSelector
from xharness_hf.training.grad_accumulation import GradientAccumulation
from xharness_hf.training.interrupts import DelayedInterrupt
from xharness_hf.training.optim import checkpointing, clip, learning, optimizer, rate
from xharness_hf.training.sampler import BatchSampler, random

_MASKS, _DROPOUT = 3, 4  # streams of random numbers, beside those of the schedule
_TAIL = 0.1  # share of the last steps whose mean loss is reported


@dataclass(frozen=True)
class PreparedFeed:
    """A feed made ready: its features, and what learns from them."""

    name: str
    examples: int
    features: Sequence[Feature]
    task: TrainingObjective
    head: Logits
    layout: Layout
    masked: bool = False
    words: bool = False
    """Whether it learns from sub-word embeddings alone."""


class TrainableModel(Protocol):
    """A model whose backbone and heads learn here."""

    @property
    def backbone(self) -> Backbone: ...

    @property
    def heads(self) -> Heads: ...

    @property
    def tokens(self) -> Tokens: ...


class Training:
    """One run of `fit`; everything that changes while learning lives here."""

    def __init__(
        self,
        model: TrainableModel,
        lessons: Sequence[PreparedFeed],
        recipe: Recipe,
        session: TrainingSession,
        device: torch.device,
    ) -> None:
        self._body, self._heads, self._tokens = model.backbone, model.heads, model.tokens
        self._lessons, self._recipe, self._session = lessons, recipe, session
        self._device = device
        lengths = [[feature.length for feature in lesson.features] for lesson in lessons]
        self._schedule = BatchSampler(lengths, session.mixture, recipe, session.seed)
        self._chooser = _chooser(model, session, self._schedule.total)
        self._identity = digest([session.seed, lengths, *_meaning(recipe, session)])
        self._teach()
        _check_that_words_learn(self._body, lessons)
        self._learning = learning(self._body, self._heads)
        self._optimizer = optimizer(self._learning, recipe, device)
        self._accelerator = accelerator(device, recipe)
        self._pieces = GradientAccumulation(recipe.gradient_accumulation_steps)
        self._lookups = EmbeddingGradients(device)
        self._tail: deque[float] = deque(maxlen=math.ceil(self._schedule.total * _TAIL))
        self._done, self._read, self._seconds = 0, 0, 0.0
        self._saved = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Learn until the last step; returns facts for the receipt.

        Raises:
            StageError: the loss is not finite, or a checkpoint cannot be written.
        """
        self._resume()
        interrupt = DelayedInterrupt()
        again = checkpointing(self._body, self._recipe, self._device)
        with interrupt.watching(), again, closing(self._lookups):
            while self._done < self._schedule.total and not self._over:
                began = time.monotonic()
                self._step(self._done)
                self._done += 1
                self._seconds += time.monotonic() - began
                self._between_steps(interrupt)
        if self._chooser is not None:
            self._chooser.choose(self._learning)
        return self._facts()

    @property
    def _over(self) -> bool:
        return self._chooser is not None and self._chooser.over

    def _teach(self) -> None:
        """Let learn what is to learn: before the first step, and after the model was asked."""
        self._body.freeze(self._recipe.freeze_ratio)
        for head in self._heads.modules():
            head.train()

    def _between_steps(self, interrupt: DelayedInterrupt) -> None:
        if self._chooser is not None and self._chooser.due(self._done):
            self._chooser.look(self._done, self._learning)
            self._teach()
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
        features = [lesson.features[place] for place in draw.features]
        seed, recipe = self._session.seed, self._recipe
        if lesson.masked:
            assert self._tokens.mask is not None
            stream = random(seed, _MASKS, step)
            known = min(self._tokens.size, self._body.embedding.num_embeddings)
            features = hide(features, self._tokens.mask, known, recipe.mlm_probability, stream)
        loss = self._gradients(lesson, features, int(random(seed, _DROPOUT, step).integers(2**63)))
        if not math.isfinite(loss):
            raise self._diverged(step, loss)
        clip(self._learning.values(), recipe.max_grad_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(step, self._schedule.total, recipe)
        self._optimizer.step()
        self._lookups.clear(self._optimizer)
        self._tail.append(loss)

    def _gradients(self, lesson: PreparedFeed, features: Sequence[Feature], seed: int) -> float:
        """Gradients of the batch's mean loss, in more pieces if memory runs out; that loss.

        Raises:
            StageError: memory does not hold the smallest piece.
        """
        while True:
            torch.manual_seed(seed)
            try:
                return self._backward(lesson, features)
            except torch.OutOfMemoryError:
                self._lookups.clear(self._optimizer)  # some may have been added already
            self._pieces.halve(features, lesson.task)

    def _backward(self, lesson: PreparedFeed, features: Sequence[Feature]) -> float:
        recipe, terms, loss = self._recipe, lesson.task.terms(features), 0.0
        for some in self._pieces.of(features):
            batch = collate(some, lesson.layout, self._device)
            with self._accelerator.autocast(), faster(self._device), self._lookups:
                states = self._body.words(batch) if lesson.words else self._body.states(batch)
                part = lesson.task.loss(states, lesson.head, batch, recipe) / terms
            self._accelerator.backward(part)
            loss += part.item()
        self._read += sum(len(window.ids) for feature in features for window in feature.windows)
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
        facts["pieces"] = self._pieces.count
        tensors, kept = checkpoint.state(self._learning, self._optimizer), {}
        if self._chooser is not None:
            facts["num_evals"], kept = self._chooser.state(), self._chooser.kept
        found = TrainingCheckpoint(self._done, tensors, facts, kept)
        checkpoint.write(self._session.folder, self._identity, found)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        found = checkpoint.newest(self._session.folder, self._identity)
        if found is None:
            return
        checkpoint.restore(found.tensors, self._learning, self._optimizer)
        self._done, self._read = found.step, int(found.facts["read"])
        self._seconds = float(found.facts["seconds"])
        self._pieces.count = int(found.facts["pieces"])
        self._tail.extend(found.facts["tail"])
        if self._chooser is not None:
            self._chooser.restore(found.facts["num_evals"], found.kept)

    def _facts(self) -> dict[str, Any]:
        return {
            "steps": self._done,
            "pieces": self._pieces.count,
            "loss": sum(self._tail) / max(len(self._tail), 1),
            "examples": {lesson.name: lesson.examples for lesson in self._lessons},
            "windows": {lesson.name: len(lesson.features) for lesson in self._lessons},
            "learning_parameters": sum(one.numel() for one in self._learning.values()),
            "tokens_per_second": round(self._read / max(self._seconds, 1e-9), 1),
            "seconds": round(self._seconds, 3),
            **({"choosing": self._chooser.facts()} if self._chooser else {}),
        }


def _chooser(
    model: TrainableModel, session: TrainingSession, total: int
) -> CheckpointSelector | None:
    choosing = session.selector
    if choosing is None:
        return None
    judge = None if choosing.judge is None else partial(choosing.judge, model)
    return CheckpointSelector(choosing, judge, total)


def _check_that_words_learn(backbone: Backbone, lessons: Sequence[PreparedFeed]) -> None:
    for lesson in lessons:
        if lesson.words and not backbone.embedding.weight.requires_grad:
            raise StageError(
                f"{lesson.name} learns sub-word embeddings, which 'freeze' or 'adapter' hold fixed"
            )


def _meaning(recipe: Recipe, session: TrainingSession) -> list[Any]:
    """What of them a checkpoint hangs on."""
    choosing = session.selector
    chosen = [] if choosing is None else [choosing.by, choosing.num_evals, choosing.patience]
    return [recipe.meaning(Recipe.model_fields), *chosen, in_use()]
