"""Steps in fixed shapes on a device that the host does not hold up.

A batch is packed into rows of a few budgets; its numbers are written ahead by a thread and copied
without waiting. Losses, norms and rates stay on the device. So a step is the same few functions on
the same memory, which are recorded as graphs where the device can and pay where they are used
often; elsewhere they are called as they are, with the same results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from xharness_hf.backbone.packing import PackedRow
from xharness_hf.backbone.placement import Targets
from xharness_hf.speed import varlen
from xharness_hf.speed.switches import is_on
from xharness_hf.training import checkpoint
from xharness_hf.training.active_rows import active_rows
from xharness_hf.training.device_optim import DeviceOptimizer
from xharness_hf.training.fast_layers import FastLayers
from xharness_hf.training.gradient_memory import GradientMemory
from xharness_hf.training.graphs import CudaGraphs, NoGraphs, Recorder
from xharness_hf.training.recorded_calls import RecordedCalls
from xharness_hf.training.rows import RowShape
from xharness_hf.training.staging import StepStream
from xharness_hf.training.step import TrainingContext
from xharness_hf.training.step_rows import StagedRow, StepRows
from xharness_hf.training.working_weights import WorkingWeights

_LOSSES_EVERY = 50  # steps after which losses are sent to the host


def recorder(device: torch.device) -> Recorder | None:
    """What records graphs on `device`; None where steps are computed in exact shapes."""
    if device.type != "cuda" or not is_on("fixed_step"):
        return None
    return CudaGraphs(device) if is_on("graphs") else NoGraphs()


def refusal(context: TrainingContext) -> str | None:
    """Why a training is not computed in rows of fixed shapes; None where it can be."""
    backbone, recipe = context.backbone, context.recipe
    longest = max(feature.length for feed in context.feeds for feature in feed.features)
    half = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
    width = backbone.head_width
    if recipe.precision == "fp16":
        return "losses in fp16 are scaled by what the host reads"
    if recipe.optimizer != "adamw":
        return f"{recipe.optimizer} sends norms of weights to the host in each step"
    if backbone.adapter is not None and backbone.adapter.positions > 0:
        return f"a {backbone.adapter.spec.method} stands in the text"
    if longest > backbone.longest_packed and any(
        not feed.embeddings_only for feed in context.feeds
    ):
        return "its attention does not serve packed windows of this length"
    if context.device.type == "cuda" and not varlen.serves(width, half):
        return f"no kernel for heads of width {width}"
    padded = [feed.name for feed in context.feeds if not feed.task.fixed_shape]
    return f"the vectors of {padded[0]} are made of padded windows" if padded else None


class FixedStep:
    """Rows of fixed shapes, one function to learn from each, one to update the weights."""

    def __init__(self, context: TrainingContext, recorder: Recorder) -> None:
        self._context, self._recorder = context, recorder
        self._calls = RecordedCalls(recorder)
        self.tokens_read = 0
        with recorder.running():
            self._layers = FastLayers(context)
            active = active_rows(context)
            self._weights = WorkingWeights(context.learning, self._layers.joint, active)
            self._optimizer = DeviceOptimizer(
                self._weights.masters, self._weights.copies, context.recipe,
                context.sampler.total, context.device,
            )  # fmt: skip
            self._grads = GradientMemory(context.learning)
            self._loss = torch.zeros((), device=context.device)
        self._rows = StepRows(context, active)
        self._buffers: dict[tuple[int, int], Tensor] = {}
        """For each feed and shape the memory on the device that its rows are copied to."""
        self._stream: StepStream | None = None
        self._feed = 0
        self._steps_done = 0
        self._entered = False

    @property
    def layout(self) -> str:
        return "rows" if self._layers.refusal_of_norms else "rows, fused norms"

    def start(self, step: int) -> None:
        """Plan rows for the whole training, and fill them from `step` on.

        Raises:
            StageError: memory does not hold the smallest piece of the longest batch.
        """
        with self._recorder.running():
            self._weights.enter()
            self._optimizer.start(step)
            self._entered, self._steps_done = True, step
            self._plan(step)
            while not self._longest_fits():
                self._plan(step)

    def run(self, step: int) -> None:
        """Learn from the rows of `step`; a loss that is no number leaves the weights alone."""
        with self._recorder.running():
            while not self._learn_step(step):
                self._plan(step)
            self._calls.call(("update", self._feed), partial(self._update, self._feed))
            self._steps_done = step + 1
            if self._steps_done % _LOSSES_EVERY == 0:
                self._optimizer.request(self._steps_done)

    def losses(self, steps: int, *, wait: bool) -> list[float]:
        with self._recorder.running():
            pairs = self._optimizer.received(wait=wait)
            if wait:
                self._optimizer.request(steps)
                pairs += self._optimizer.received(wait=True)
        # A norm that is no number lost the step as much as a loss would have.
        return [loss if math.isfinite(norm) else norm for loss, norm in pairs]

    @contextmanager
    def learnt_weights(self) -> Iterator[None]:
        self._recorder.wait()
        with self._weights.own_weights(self._decay()):
            yield
            # What judged them may still be computing: they must not change under it.
            if self._context.device.type == "cuda":
                torch.cuda.current_stream(self._context.device).synchronize()

    def state(self) -> dict[str, Tensor]:
        self._recorder.wait()
        tensors = checkpoint.state(self._weights.masters, self._optimizer.optimizer)
        return self._weights.full_tensors(tensors)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        with self._recorder.running():
            rows = self._weights.parts(tensors)
            checkpoint.restore(rows, self._weights.masters, self._optimizer.optimizer)
            self._optimizer.forget()
        self._recorder.wait()

    def facts(self) -> dict[str, Any]:
        refusal_of_kernel = self._optimizer.refusal
        adamw = "one kernel" if refusal_of_kernel is None else f"torch: {refusal_of_kernel}"
        reason = {"because": self._calls.refusal} if self._calls.refusal else {}
        return {
            "layout": self.layout,
            "graphs": self._recorder.count,
            "budgets": self._rows.budgets(),
            "adamw": adamw,
            "norms": self._layers.norms,
            **reason,
        }

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._recorder.wait()
        # An error before the start left the model its own weights.
        if self._entered:
            self._weights.leave(self._decay())
            self._entered = False
        self._calls.forget()
        self._buffers.clear()
        self._grads.clear()

    def _decay(self) -> float:
        return self._optimizer.decay(self._steps_done)

    # --- planning -----------------------------------------------------------------------------

    def _plan(self, step: int) -> None:
        """Shapes for all rows of the training in so many pieces, whatever was recorded before."""
        if self._stream is not None:
            self._stream.close()
        self._recorder.wait()
        self._calls.forget()
        self._buffers.clear()
        # Where a row is a step and a kernel takes its gradients, they are never added up.
        single = self._optimizer.refusal is None and self._context.accumulation.count == 1
        if self._grads.allocate(self._weights.masters, single=single):
            self._optimizer.forget()
        self._rows.plan()
        self._layers.make_room(self._rows.most_tokens)
        self._stream = StepStream(
            self._rows.fill, step, self._context.sampler.total, self._rows.largest_step,
            pinned=self._context.device.type == "cuda",
        )  # fmt: skip

    def _longest_fits(self) -> bool:
        """Learn once from the longest row, to no effect: it sizes memory, and shows if it fits."""
        if not isinstance(self._recorder, CudaGraphs):
            return True
        row, memory, step = self._rows.longest()
        try:
            self._learn_row(row, torch.from_numpy(memory), first=True)
            self._recorder.wait()
        except torch.OutOfMemoryError:
            self._halve(step)
            return False
        return True

    def _halve(self, step: int) -> None:
        draw = self._context.sampler[step]
        feed = self._context.feeds[draw.feed]
        self._context.accumulation.halve([feed.features[row] for row in draw.features], feed.task)

    def _is_divisible(self) -> bool:
        """Whether smaller pieces of a batch may still be learnt."""
        tasks = [feed.task for feed in self._context.feeds]
        return self._context.accumulation.divisible(self._context.recipe.batch_size, tasks)

    # --- one step -----------------------------------------------------------------------------

    def _learn_step(self, step: int) -> bool:
        """Gradients of the step's rows; False if memory ran out, and from now on more pieces."""
        assert self._stream is not None
        staged = self._stream.take()
        # By the step: a resumed training drops out what an undisturbed one would.
        torch.manual_seed(self._context.dropout_seed(step))
        try:
            for number, row in enumerate(staged.rows):
                self._learn_row(row, staged.memory, first=number == 0)
        except torch.OutOfMemoryError:
            self._halve(step)
            return False
        self._feed = staged.rows[0].feed
        self.tokens_read += sum(row.tokens for row in staged.rows)
        self._stream.release(staged)
        return True

    def _learn_row(self, row: StagedRow, memory: Tensor, *, first: bool) -> None:
        shape = self._rows.shape(row)
        buffer = self._buffer(row, shape.size)
        buffer.copy_(memory[row.first : row.first + shape.size], non_blocking=True)
        self._calls.call(
            ("learn", row.feed, row.shape, first),
            partial(self._learn, row.feed, shape, buffer, first),
            worthwhile=shape.budget.captured,
            is_divisible=self._is_divisible,
        )

    def _buffer(self, row: StagedRow, size: int) -> Tensor:
        key = (row.feed, row.shape)
        if key not in self._buffers:
            device = self._context.device
            self._buffers[key] = torch.zeros(size, dtype=torch.long, device=device)
        return self._buffers[key]

    def _learn(self, feed: int, shape: RowShape, buffer: Tensor, first: bool) -> None:
        """Loss and gradients of a row; of a first row they replace what there was."""
        prepared, context = self._context.feeds[feed], self._context
        arrays = shape.views(buffer)
        with context.autocast(), self._layers.running(with_norms=not prepared.embeddings_only):
            states = self._states(feed, shape, arrays)
            summed = prepared.task.loss(states, prepared.head, Targets(arrays), context.recipe)
            loss = summed / arrays["terms"].squeeze(0)
        self._grads.learn(feed, loss, first=first)
        self._loss.copy_(loss.detach()) if first else self._loss.add_(loss.detach())

    def _states(self, feed: int, shape: RowShape, arrays: Mapping[str, Tensor]) -> Tensor:
        backbone = self._context.backbone
        if self._context.feeds[feed].embeddings_only:
            words: Tensor = backbone.embedding(arrays["ids"])
            return words
        borders = arrays["borders"].to(torch.int32)
        row = PackedRow(borders, shape.capacity.length, backbone.causal)
        return backbone.row_states(arrays["ids"], arrays["positions"], arrays.get("types"), row)

    def _update(self, feed: int) -> None:
        """A step of the optimiser for what took part in the loss, and the copies anew."""
        self._optimizer.update(self._grads.of(feed), self._loss)
