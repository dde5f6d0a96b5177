"""The training loop: one for all task types and devices, over steps that know their own device.

Batches, masks and dropout are functions of the seed and the step, so a checkpoint needs no state
of random generators, and a resumed run ends with the weights of an undisturbed one.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any, Protocol, cast

import torch

from xharness import Model, Recipe, StageError, TrainingSession, digest
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.precision import accelerator
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.heads import Heads
from xharness_hf.speed.switches import switched_on
from xharness_hf.training import checkpoint, fixed_step
from xharness_hf.training.checkpoint import TrainingCheckpoint
from xharness_hf.training.checkpoint_selection import CheckpointSelector
from xharness_hf.training.exact_step import ExactStep
from xharness_hf.training.fixed_step import FixedStep
from xharness_hf.training.interrupts import DelayedInterrupt
from xharness_hf.training.optim import checkpointing, learning, rate
from xharness_hf.training.sampler import BatchSampler
from xharness_hf.training.step import PreparedFeed, TrainingContext, TrainingStep

_TAIL = 0.1  # share of the last steps whose mean loss is reported


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
        feeds: Sequence[PreparedFeed],
        recipe: Recipe,
        session: TrainingSession,
        device: torch.device,
    ) -> None:
        self._backbone, self._heads = model.backbone, model.heads
        self._feeds, self._recipe, self._session = feeds, recipe, session
        self._device = device
        lengths = [[feature.length for feature in feed.features] for feed in feeds]
        sampler = BatchSampler(lengths, session.mixture, recipe, session.seed)
        self._total, self._shares = sampler.total, sampler.shares
        self._selector = _selector(model, session, self._total)
        # Before anything asks which parameters learn.
        self._enter_training_mode()
        _check_that_words_learn(self._backbone, feeds)
        self._learning = learning(self._backbone, self._heads)
        self._parameters = sum(parameter.numel() for parameter in self._learning.values())
        self._context = TrainingContext(
            self._backbone, self._heads.modules(), model.tokens, feeds, recipe, session.seed,
            device, sampler, self._learning, accelerator(device, recipe).autocast,
        )  # fmt: skip
        self._step = _step(self._context)
        meaning = _meaning(recipe, session)
        # The features' lengths tell one data set and tokenizer from another.
        self._identity = digest([session.seed, lengths, self._step.layout, *meaning])
        self._tail: deque[float] = deque(maxlen=math.ceil(self._total * _TAIL))
        self._steps_done = self._losses_told = 0
        self._tokens_before, self._seconds = 0, 0.0
        self._saved_at = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Learn until the last step; returns facts for the receipt.

        Raises:
            StageError: the loss or a weight is not finite, or a checkpoint cannot be written.
        """
        interrupt = DelayedInterrupt()
        recomputation = checkpointing(self._backbone, self._recipe, self._device)
        with interrupt.watching(), recomputation, closing(self._step):
            self._resume()
            began = time.monotonic()
            self._step.start(self._steps_done)
            self._seconds += time.monotonic() - began
            while self._steps_done < self._total and not self._is_stopped_early:
                began = time.monotonic()
                self._step.run(self._steps_done)
                self._steps_done += 1
                self._collect_losses(wait=self._steps_done == self._total)
                # Without what lies between steps: evaluations and the disk are no speed.
                self._seconds += time.monotonic() - began
                self._between_steps(interrupt)
            facts = self._facts()
        if self._selector is not None:
            self._selector.choose(self._learning)
        self._check_weights()
        return facts

    def _check_weights(self) -> None:
        """Refuse what the last step made: its loss was that of the weights before it."""
        # A sum is no number where a summand is none, and reads a large table once; one wait for
        # the device, however many weights there are.
        sums = [
            parameter.detach().sum(dtype=torch.float32) for parameter in self._learning.values()
        ]
        if not sums or bool(torch.stack(sums).isfinite().all()):
            return
        broken = [
            name
            for name, parameter in self._learning.items()
            if not bool(parameter.isfinite().all())
        ]
        if broken:
            raise StageError(
                f"{len(broken)} of {len(sums)} weights are not finite after step "
                f"{self._steps_done}, such as {broken[0]}",
                hint=f"try a lower learning_rate than {self._recipe.learning_rate:g}",
            )

    @property
    def _is_stopped_early(self) -> bool:
        return self._selector is not None and self._selector.is_out_of_patience

    def _enter_training_mode(self) -> None:
        """Let learn what is to learn: before the first step, and after the model was asked."""
        self._backbone.freeze(self._recipe.freeze_ratio)
        for head in self._heads.modules():
            head.train()

    def _collect_losses(self, *, wait: bool) -> None:
        """Note the losses that have become known; nothing is stored before all of them are.

        Raises:
            StageError: one is no number.
        """
        for loss in self._step.losses(self._steps_done, wait=wait):
            if not math.isfinite(loss):
                raise self._diverged(self._losses_told, loss)
            self._tail.append(loss)
            factor = rate(self._losses_told, self._total, self._recipe)
            self._losses_told += 1
            metrics = {"loss": loss, "learning_rate": self._recipe.learning_rate * factor}
            self._session.log_metrics(self._losses_told, metrics)

    def _between_steps(self, interrupt: DelayedInterrupt) -> None:
        if self._selector is not None and self._selector.due(self._steps_done):
            # A loss that is no number must not be judged, and no weights after it.
            self._collect_losses(wait=True)
            with self._step.learnt_weights():
                self._selector.evaluate(self._steps_done, self._learning)
                self._enter_training_mode()
        due = time.monotonic() - self._saved_at >= self._session.checkpoint_seconds
        if due and self._steps_done < self._total:
            self._save()
        try:
            if interrupt.pending:
                interrupt.raise_()
            # Within the `try`: an observer may interrupt too, and must not cost the steps.
            self._session.progress(self._steps_done, self._total)
        except KeyboardInterrupt:
            self._save()
            raise

    def _diverged(self, step: int, loss: float) -> StageError:
        last = f"; last finite loss {self._tail[-1]:.4g} at step {step}" if self._tail else ""
        return StageError(
            f"loss is {loss} at step {step + 1}{last}",
            hint=f"try a lower learning_rate than {self._recipe.learning_rate:g}, "
            "more warmup, or precision: fp32",
        )

    def _save(self) -> None:
        self._collect_losses(wait=True)
        facts = {"tail": list(self._tail), "read": self._tokens_read, "seconds": self._seconds}
        facts["gradient_accumulation_steps"] = self._context.accumulation.count
        tensors, selection = self._step.state(), {}
        if self._selector is not None:
            facts["num_evals"], selection = self._selector.state(), self._selector.weights
        stored = TrainingCheckpoint(self._steps_done, tensors, facts, selection)
        checkpoint.write(self._session.folder, self._identity, stored)
        self._saved_at = time.monotonic()

    def _resume(self) -> None:
        stored = checkpoint.newest(self._session.folder, self._identity)
        if stored is None:
            return
        self._step.restore(stored.tensors)
        self._steps_done = self._losses_told = stored.step
        self._tokens_before = int(stored.facts["read"])
        self._seconds = float(stored.facts["seconds"])
        self._context.accumulation.count = int(stored.facts["gradient_accumulation_steps"])
        self._tail.extend(stored.facts["tail"])
        if self._selector is not None:
            self._selector.restore(stored.facts["num_evals"], stored.selection)

    @property
    def _tokens_read(self) -> int:
        """Sub-words in all batches, those before an interruption too."""
        return self._tokens_before + self._step.tokens_read

    def _facts(self) -> dict[str, Any]:
        return {
            "steps": self._steps_done,
            "feed_steps": [round(share * self._steps_done, 3) for share in self._shares.tolist()],
            "gradient_accumulation_steps": self._context.accumulation.count,
            "loss": sum(self._tail) / max(len(self._tail), 1),
            "examples": {feed.name: feed.examples for feed in self._feeds},
            "windows": {feed.name: len(feed.features) for feed in self._feeds},
            "learning_parameters": self._parameters,
            "tokens_per_second": round(self._tokens_read / max(self._seconds, 1e-9), 1),
            "seconds": round(self._seconds, 3),
            "step": self._step.facts(),
            **({"selection": self._selector.facts()} if self._selector else {}),
        }


def _step(context: TrainingContext) -> TrainingStep:
    """The fastest way to compute the training's steps on its device."""
    recorder = fixed_step.recorder(context.device)
    if recorder is None:
        return ExactStep(context)
    reason = fixed_step.refusal(context)
    return FixedStep(context, recorder) if reason is None else ExactStep(context, reason)


def _selector(
    model: TrainableModel, session: TrainingSession, total: int
) -> CheckpointSelector | None:
    policy = session.selector
    if policy is None:
        return None
    judge = None if policy.judge is None else partial(policy.judge, cast(Model, model))
    return CheckpointSelector(policy, judge, total)


def _check_that_words_learn(backbone: Backbone, feeds: Sequence[PreparedFeed]) -> None:
    for feed in feeds:
        if feed.embeddings_only and not backbone.embedding.weight.requires_grad:
            raise StageError(
                f"{feed.name} learns sub-word embeddings, which 'freeze_ratio' or 'adapter' hold "
                "fixed"
            )


def _meaning(recipe: Recipe, session: TrainingSession) -> list[Any]:
    """What of them a checkpoint hangs on."""
    policy = session.selector
    selection = [] if policy is None else [policy.by, policy.num_evals, policy.patience]
    return [recipe.meaning(Recipe.model_fields), *selection, switched_on()]
