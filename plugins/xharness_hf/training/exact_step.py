"""Steps in exact shapes: each batch as long as it is, computed as soon as the host asks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from xharness_hf.backbone.batch import Feature, collate
from xharness_hf.heads.objectives import exact_targets
from xharness_hf.speed.embedding_grad import EmbeddingGradients, keeps_grad
from xharness_hf.speed.kernels import fast_kernels
from xharness_hf.training import checkpoint
from xharness_hf.training.active_rows import active_rows
from xharness_hf.training.optim import clip, decay, optimizer, rate, room_for_moments
from xharness_hf.training.step import PreparedFeed, TrainingContext

_SCALER = "scaler/"


class ExactStep:
    """The way of CPUs, and of what a device cannot read in rows of fixed shapes."""

    layout = "exact"

    def __init__(self, context: TrainingContext, reason: str | None = None) -> None:
        self._context, self._reason = context, reason
        self._optimizer = optimizer(context.learning, context.recipe, context.device)
        # Elsewhere the look-up is torch's own, and knows the ids alone.
        backbone = context.backbone
        looks_up = backbone.vocabulary is not None and keeps_grad(backbone.embedding.weight)
        self._active = active_rows(context) if looks_up else None
        row_of: dict[Tensor, Any] = {}
        if self._active is not None:
            row_of[self._active.parameter] = self._active.row_of
        self._embeddings = EmbeddingGradients(row_of)
        self._entered, self._steps_done = False, 0
        # gradients in fp16 vanish: their loss is multiplied, as much as they bear
        half = context.recipe.precision == "fp16"
        self._scaler = torch.amp.GradScaler(context.device.type, enabled=half)
        self._losses: list[float] = []
        self.tokens_read = 0

    def start(self, step: int) -> None:
        """Let the model have no words but those of the training, until the end."""
        self._steps_done = step
        self._enter()

    def run(self, step: int) -> None:
        """Gradients, clipped, and a step of the optimiser; a loss that is no number is told only.

        Raises:
            StageError: memory does not hold the smallest piece.
        """
        context, draw = self._context, self._context.sampler[step]
        feed = context.feeds[draw.feed]
        features = context.features(draw.feed, draw.features, step)
        loss = self._gradients(feed, features, context.dropout_seed(step))
        self._losses.append(loss)
        if not math.isfinite(loss):
            return
        recipe = context.recipe
        self._scaler.unscale_(self._optimizer)
        clip(context.learning.values(), recipe.max_grad_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(step, context.sampler.total, recipe)
        with room_for_moments(context.learning.values()):
            self._scaler.step(self._optimizer)
        self._scaler.update()
        self._embeddings.clear(self._optimizer)
        self._steps_done = step + 1

    def losses(self, steps: int, *, wait: bool) -> list[float]:
        losses, self._losses = self._losses, []
        return losses

    @contextmanager
    def learnt_weights(self) -> Iterator[None]:
        self._leave()
        try:
            yield
        finally:
            self._enter()

    def state(self) -> dict[str, Tensor]:
        tensors = checkpoint.state(self._context.learning, self._optimizer)
        if self._active is not None:
            tensors = self._active.full_tensors(tensors)
        scales = self._scaler.state_dict()
        return tensors | {f"{_SCALER}{name}": torch.tensor(scales[name]) for name in scales}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        scales = self._scaler.state_dict()
        values = {name: type(scales[name])(tensors[f"{_SCALER}{name}"].item()) for name in scales}
        self._scaler.load_state_dict(values)
        stored = {name: tensor for name, tensor in tensors.items() if not name.startswith(_SCALER)}
        if self._active is not None:
            stored = self._active.parts(stored)
        self._enter()
        checkpoint.restore(stored, self._context.learning, self._optimizer)

    def facts(self) -> dict[str, Any]:
        return {"layout": self.layout} | ({"because": self._reason} if self._reason else {})

    def close(self) -> None:
        self._embeddings.close()
        self._leave()

    def _enter(self) -> None:
        if self._active is not None and not self._entered:
            self._active.enter()
        self._entered = True

    def _leave(self) -> None:
        """Let the model have all its words; others than the training's are what decay leaves."""
        if self._active is not None and self._entered:
            total, recipe = self._context.sampler.total, self._context.recipe
            self._active.leave(decay(self._steps_done, total, recipe))
        self._entered = False

    def _gradients(self, feed: PreparedFeed, features: Sequence[Feature], seed: int) -> float:
        """Gradients of the batch's mean loss, in more pieces if memory runs out; that loss."""
        context = self._context
        while True:
            # Within the loop: a second try must draw the same numbers as the first.
            _seed(context.device, seed)
            try:
                return self._backward(feed, features)
            except torch.OutOfMemoryError:
                self._embeddings.clear(self._optimizer)  # pieces may have been added already
            context.accumulation.halve(features, feed.task)

    def _backward(self, feed: PreparedFeed, features: Sequence[Feature]) -> float:
        context, recipe, task, loss = self._context, self._context.recipe, feed.task, 0.0
        terms = task.terms(features)
        for part in context.accumulation.of(features):
            batch = collate(part, feed.layout, context.device)
            with context.autocast(), fast_kernels(context.device), self._embeddings:
                backbone = context.backbone
                states = (
                    backbone.word_embeddings(batch)
                    if feed.embeddings_only
                    else backbone.states(batch)
                )
                targets = exact_targets(task, batch, feed.layout, recipe, states.shape[1])
                mean = task.loss(states.flatten(0, 1), feed.head, targets, recipe) / terms
            # Outside of autocast, as torch asks: gradients take the formats of their forward.
            self._scaler.scale(mean).backward()  # type: ignore[no-untyped-call]
            # Waits for the device, which is why devices have `FixedStep`.
            loss += mean.item()
        self.tokens_read += sum(
            len(window.ids) for feature in features for window in feature.windows
        )
        return loss


def _seed(device: torch.device, seed: int) -> None:
    """What dropout draws from now on, on `device`."""
    if device.type == "cpu":
        # For devices that are not there, torch's own keeps a stack trace of each step.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
