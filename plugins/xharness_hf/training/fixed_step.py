"""Steps in fixed shapes on a device that the host does not hold up.

A batch is packed into rows of a few budgets; its numbers are written ahead by a thread and copied
without waiting. Losses, norms and rates stay on the device. So a step is the same few functions on
the same memory, which are recorded as graphs where the device can and pay where they are used
often; elsewhere they are called as they are, with the same results.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import StageError
from xharness_hf.backbone.batch import Feature
from xharness_hf.backbone.packing import PackedRow
from xharness_hf.backbone.placement import Targets
from xharness_hf.heads.heads import MaskedHead
from xharness_hf.speed import varlen
from xharness_hf.speed.joint_linear import (
    HalfStates,
    JointLayers,
    JointLinear,
    reading_together,
)
from xharness_hf.speed.residual_norm import ResidualNorms, residual_norm_refusal
from xharness_hf.speed.switches import is_on
from xharness_hf.training import checkpoint
from xharness_hf.training.budgets import prices
from xharness_hf.training.device_optim import DeviceOptimizer
from xharness_hf.training.graphs import CudaGraphs, NoGraphs, Recorder, Replay
from xharness_hf.training.rows import FeatureCounts, RowFiller, RowPlan, RowShape, shapes
from xharness_hf.training.staging import StepStream
from xharness_hf.training.step import TrainingContext
from xharness_hf.training.working_weights import ActiveRows, WorkingWeights, linear_layers

_LOSSES_EVERY = 50  # steps after which losses are sent to the host
_LOG = logging.getLogger(__name__)


class _Row(NamedTuple):
    """A piece of a staged step: which shape it has, and where its numbers are."""

    feed: int
    """Index of the feed in the training."""
    shape: int
    """Index of the shape in the feed's plan."""
    first: int
    """Where its numbers begin in the step's memory."""
    tokens: int
    """Sub-words in it, padding left out."""


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

    @property
    def layout(self) -> str:
        return "rows" if self._norms_refusal else "rows, fused norms"

    def __init__(self, context: TrainingContext, recorder: Recorder) -> None:
        self._context, self._recorder = context, recorder
        self.tokens_read = 0
        self._halves = HalfStates()
        with recorder.running():
            self._norms_refusal = self._refusal_of_norms()
            self._norms = ResidualNorms(context.backbone.reader, self._halves)
            rows = self._active_rows()
            self._joint = self._joint_layers()
            self._weights = WorkingWeights(context.learning, self._joint, rows)
            self._optimizer = DeviceOptimizer(
                self._weights.masters, self._weights.copies, context.recipe,
                context.sampler.total, context.device,
            )  # fmt: skip
            self._grads: dict[str, Tensor] = {}
            self._loss = torch.zeros((), device=context.device)
        self._fillers = [self._filler(feed, rows) for feed in range(len(context.feeds))]
        self._counts = [
            FeatureCounts.of(feed.features, feed.task, context.recipe) for feed in context.feeds
        ]
        self._learnt: dict[int, list[str]] = {}
        """Feed to the names of the parameters that its loss gives gradients."""
        self._graphs_refusal: str | None = None
        """Why steps are no longer recorded, once one could not be."""
        self._stream: StepStream | None = None
        self._plans: list[RowPlan] = []
        self._replays: dict[Hashable, Replay] = {}
        self._called: set[Hashable] = set()
        """What was computed once as it is: its kernels are chosen, so it may be recorded."""
        self._buffers: dict[tuple[int, int], Tensor] = {}
        self._feed = 0
        self._steps_done = 0
        self._entered = False

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
            update = partial(self._update, self._feed)
            self._call(("update", self._feed), update, worthwhile=True)
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
        feeds = self._context.feeds
        budgets = {
            feed.name: [shape.budget.tokens for shape in plan.shapes]
            for feed, plan in zip(feeds, self._plans, strict=True)
        }
        reason = {"because": self._graphs_refusal} if self._graphs_refusal else {}
        graphs, refusal_of_kernel = self._recorder.count, self._optimizer.refusal
        adamw = "one kernel" if refusal_of_kernel is None else f"torch: {refusal_of_kernel}"
        norms = self._norms_refusal or f"one kernel in {len(self._norms)} modules"
        facts = {"layout": self.layout, "graphs": graphs, "budgets": budgets}
        return facts | {"adamw": adamw, "norms": norms} | reason

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._recorder.wait()
        # An error before the start left the model its own weights.
        if self._entered:
            self._weights.leave(self._decay())
            self._entered = False
        self._replays.clear()
        self._buffers.clear()
        self._grads.clear()

    # --- planning -----------------------------------------------------------------------------

    def _plan(self, step: int) -> None:
        """Shapes for all rows of the training in so many pieces, whatever was recorded before."""
        if self._stream is not None:
            self._stream.close()
        self._recorder.wait()
        self._replays.clear()
        self._called.clear()
        self._buffers.clear()
        self._allocate_gradients()
        context = self._context
        rows: list[list[NDArray[np.int64]]] = [[] for _ in context.feeds]
        for number in range(context.sampler.total):
            draw = context.sampler[number]
            rows[draw.feed] += context.accumulation.rows(draw.features)
        self._plans = [
            self._shapes(feed, feed_rows) if feed_rows else RowPlan([])
            for feed, feed_rows in enumerate(rows)
        ]
        all_shapes = [shape for plan in self._plans for shape in plan.shapes]
        largest = max(shape.size for shape in all_shapes)
        tokens = max(shape.capacity.tokens for shape in all_shapes)
        self._linear = self._linear_layers(tokens)
        self._stream = StepStream(
            self._fill, step, context.sampler.total, largest * context.accumulation.count,
            pinned=context.device.type == "cuda",
        )  # fmt: skip

    def _allocate_gradients(self) -> None:
        """Float32, to add up in; where a row is a step and a kernel takes them, as they come."""
        learning, masters = self._context.learning, self._weights.masters
        single = self._optimizer.refusal is None and self._context.accumulation.count == 1
        dtypes = {name: learning[name].dtype if single else torch.float32 for name in masters}
        if dtypes != {name: grad.dtype for name, grad in self._grads.items()}:
            self._optimizer.forget()
            self._grads.clear()
            for name, master in masters.items():
                self._grads[name] = torch.zeros_like(master, dtype=dtypes[name])

    def _shapes(self, feed: int, rows: Sequence[NDArray[np.int64]]) -> RowPlan:
        context = self._context
        cost = prices(context.backbone.layer_parameters, context.backbone.depth)
        row_shapes = []
        for shape in shapes(rows, self._counts[feed], cost):
            sample = context.features(feed, rows[0][:1], 0)
            row_shapes.append(self._fillers[feed].with_arrays(shape, sample))
        return RowPlan(row_shapes)

    def _filler(self, feed: int, rows: ActiveRows | None) -> RowFiller:
        prepared, backbone = self._context.feeds[feed], self._context.backbone
        return RowFiller(
            prepared.task, self._context.recipe, prepared.layout, backbone.first_position,
            backbone.uses_token_types, prepared.layout.resets and backbone.positions is not None,
            None if rows is None else rows.row_of,
        )  # fmt: skip

    def _active_rows(self) -> ActiveRows | None:
        """The rows that the feeds' sub-words have; None where a product touches all of them."""
        context = self._context
        vocabulary = context.backbone.vocabulary
        if vocabulary is None or not is_on("active_rows"):
            return None
        table = context.backbone.embedding
        parameters = context.backbone.module.named_parameters(remove_duplicate=False)
        users = sum(parameter is table.weight for _, parameter in parameters)
        # A table that states are multiplied with, too, has a gradient in each of its rows.
        tied = users > 1 or any(isinstance(head, MaskedHead) for head in context.heads)
        learns = any(parameter is table.weight for parameter in context.learning.values())
        if tied or not learns or any(feed.masked for feed in context.feeds):
            return None
        features = (feature for feed in context.feeds for feature in feed.features)
        windows = [window.ids for feature in features for window in feature.windows]
        pads = [feed.layout.pad for feed in context.feeds]
        return ActiveRows(table, [*np.unique(np.concatenate(windows)).tolist(), *pads])

    def _joint_layers(self) -> list[JointLayers]:
        """The linear layers that compute in half precision; none where the recipe says float32."""
        context = self._context
        if context.recipe.precision != "bf16":
            return []
        layers = linear_layers([context.backbone.reader, *context.heads])
        groups = [[layer] for layer in layers]
        embeddings_only = all(feed.embeddings_only for feed in context.feeds)
        if (
            is_on("joint_linear")
            and not embeddings_only
            and not context.recipe.gradient_checkpointing
        ):
            groups = reading_together(layers, self._read_a_little)
        return [JointLayers(group, torch.bfloat16) for group in groups]

    def _read_a_little(self) -> None:
        """One short window, to see which layers read the same states."""
        context, backbone = self._context, self._context.backbone
        positions = torch.arange(2, device=context.device)
        borders = torch.tensor([0, 2], dtype=torch.int32, device=context.device)
        types = torch.zeros_like(positions) if backbone.uses_token_types else None
        with context.autocast():
            row = PackedRow(borders, 2, backbone.causal)
            backbone.row_states(positions, positions + backbone.first_position, types, row)

    def _refusal_of_norms(self) -> str | None:
        """Why dropout, residuals and norms are torch's own; layers computed twice have to be."""
        if self._context.recipe.gradient_checkpointing:
            return "layers are computed twice"
        return residual_norm_refusal(self._context.device)

    def _fused_norms(self, feed: int) -> AbstractContextManager[None]:
        """Inside it, the backbone's residuals are one kernel each."""
        if self._norms_refusal or self._context.feeds[feed].embeddings_only:
            return nullcontext()
        return self._norms.running(self._context.device)

    def _linear_layers(self, tokens: int) -> AbstractContextManager[Any]:
        """Linear layers for rows of at most `tokens`; layers computed twice are torch's own.

        They are computed again by the device's thread, where no function is put in place.
        """
        if not is_on("joint_linear") or self._context.recipe.gradient_checkpointing:
            return nullcontext()
        summands = torch.ones(1, tokens, dtype=torch.bfloat16, device=self._context.device)
        return JointLinear(self._joint, summands, self._halves)

    # --- one step -----------------------------------------------------------------------------

    def _fill(self, step: int, memory: NDArray[np.int64]) -> list[_Row]:
        """Write the rows of `step`; called by the stream's thread."""
        context = self._context
        draw = context.sampler[step]
        features = context.features(draw.feed, draw.features, step)
        terms = np.array([context.feeds[draw.feed].task.terms(features)])
        rows, first = [], 0
        for part in context.accumulation.of(features):
            tokens = sum(len(window.ids) for feature in part for window in feature.windows)
            # The smallest budget that holds the row: its tail is computed for nothing.
            index = self._plans[draw.feed].choose(tokens)
            shape = self._plans[draw.feed].shapes[index]
            arrays = self._fillers[draw.feed].arrays(part, shape) | {"terms": terms}
            shape.write(arrays, memory[first:])
            rows.append(_Row(draw.feed, index, first, tokens))
            first += shape.size
        return rows

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

    def _halve(self, step: int) -> None:
        draw = self._context.sampler[step]
        feed = self._context.feeds[draw.feed]
        self._context.accumulation.halve([feed.features[row] for row in draw.features], feed.task)

    def _learn_row(self, row: _Row, memory: Tensor, *, first: bool) -> None:
        shape = self._plans[row.feed].shapes[row.shape]
        buffer = self._buffer(row.feed, row.shape)
        buffer.copy_(memory[row.first : row.first + shape.size], non_blocking=True)
        learn = partial(self._learn, row.feed, shape, buffer, first)
        key = ("learn", row.feed, row.shape, first)
        self._call(key, learn, worthwhile=shape.budget.captured)

    def _buffer(self, feed: int, shape: int) -> Tensor:
        key = (feed, shape)
        if key not in self._buffers:
            size = self._plans[feed].shapes[shape].size
            device = self._context.device
            self._buffers[key] = torch.zeros(size, dtype=torch.long, device=device)
        return self._buffers[key]

    def _call(
        self, key: tuple[Any, ...], function: Callable[[], None], *, worthwhile: bool
    ) -> None:
        """Replay what was recorded; record what ran once already; else call it as it is."""
        if key not in self._replays:
            if key not in self._called or not worthwhile or self._graphs_refusal is not None:
                function()
                self._called.add(key)
                return
            self._replays[key] = self._recorded(function, learns=key[0] == "learn")
        self._replays[key]()

    def _recorded(self, function: Callable[[], None], *, learns: bool) -> Replay:
        try:
            return self._recorder.record(function)
        except Exception as error:  # what cannot be recorded says so in its own way
            context = self._context
            tasks = [feed.task for feed in context.feeds]
            divisible = context.accumulation.divisible(context.recipe.batch_size, tasks)
            if isinstance(error, torch.OutOfMemoryError) and learns and divisible:
                raise  # smaller pieces may be recorded
            self._graphs_refusal = (
                str(error).splitlines()[0] if str(error) else type(error).__name__
            )
            _LOG.warning("steps are not recorded as graphs: %s", self._graphs_refusal)
            self._recorder.wait()
            self._replays.clear()  # they may draw by another generator than steps that are called
            return function

    def _learn(self, feed: int, shape: RowShape, buffer: Tensor, first: bool) -> None:
        """Loss and gradients of a row; of a first row they replace what there was."""
        prepared, context = self._context.feeds[feed], self._context
        arrays = shape.views(buffer)
        with context.autocast(), self._linear, self._fused_norms(feed):
            states = self._states(feed, shape, arrays)
            targets = Targets(arrays)
            summed = prepared.task.loss(states, prepared.head, targets, context.recipe)
            loss = summed / arrays["terms"].squeeze(0)
        # From the second time on only for what gave a gradient: other feeds' heads give none.
        names = self._learnt.get(feed) or [*context.learning]
        gradients = torch.autograd.grad(
            loss, [context.learning[name] for name in names], allow_unused=True
        )
        grads = {
            name: grad for name, grad in zip(names, gradients, strict=True) if grad is not None
        }
        self._learnt[feed] = [*grads]
        self._add_gradients(grads, first=first)
        self._loss.copy_(loss.detach()) if first else self._loss.add_(loss.detach())

    def _states(self, feed: int, shape: RowShape, arrays: Mapping[str, Tensor]) -> Tensor:
        backbone = self._context.backbone
        if self._context.feeds[feed].embeddings_only:
            words: Tensor = backbone.embedding(arrays["ids"])
            return words
        borders = arrays["borders"].to(torch.int32)
        row = PackedRow(borders, shape.capacity.length, backbone.causal)
        return backbone.row_states(arrays["ids"], arrays["positions"], arrays.get("types"), row)

    def _add_gradients(self, grads: Mapping[str, Tensor], *, first: bool) -> None:
        """Put gradients into memory that stays."""
        for dtype in {grad.dtype for grad in grads.values()}:
            names = [name for name, grad in grads.items() if grad.dtype == dtype]
            sums, addends = [self._grads[name] for name in names], [grads[name] for name in names]
            torch._foreach_copy_(sums, addends) if first else torch._foreach_add_(sums, addends)

    def _update(self, feed: int) -> None:
        """A step of the optimiser for what took part in the loss, and the copies anew."""
        grads = {name: self._grads[name] for name in self._learnt[feed]}
        self._optimizer.update(grads, self._loss)

    def _longest_fits(self) -> bool:
        """Learn once from the longest row, to no effect: it sizes memory, and shows if it fits."""
        if not isinstance(self._recorder, CudaGraphs):
            return True
        sizes = [
            (shape.capacity.tokens, feed, index)
            for feed, plan in enumerate(self._plans)
            for index, shape in enumerate(plan.shapes)
        ]
        _, feed, index = max(sizes)
        features, step = self._longest_step(feed, index)
        shape = self._plans[feed].shapes[index]
        memory = np.zeros(shape.size, dtype=np.int64)
        shape.write(self._fillers[feed].arrays(features, shape), memory)
        try:
            self._learn_row(_Row(feed, index, 0, 0), torch.from_numpy(memory), first=True)
            self._recorder.wait()
        except torch.OutOfMemoryError:
            self._halve(step)
            return False
        return True

    def _longest_step(self, feed: int, shape: int) -> tuple[list[Feature], int]:
        """The first row that has the shape, and its step."""
        context = self._context
        for step in range(context.sampler.total):
            draw = context.sampler[step]
            if draw.feed == feed:
                for part in context.accumulation.rows(draw.features):
                    tokens = int(self._counts[feed].tokens[part].sum())
                    if self._plans[feed].choose(tokens) == shape:
                        return context.features(feed, part, step), step
        raise StageError("no step has the longest row")

    def _decay(self) -> float:
        return self._optimizer.decay(self._steps_done)
