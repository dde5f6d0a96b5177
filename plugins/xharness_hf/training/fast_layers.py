"""The layers of a backbone in fewer kernels, put in place for the time of a training's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import torch

from xharness_hf.backbone.packing import PackedRow
from xharness_hf.speed.joint_linear import (
    HalfStates,
    JointLayers,
    JointLinear,
    reading_together,
)
from xharness_hf.speed.residual_norm import ResidualNorms, residual_norm_refusal
from xharness_hf.speed.rms_norm import RmsNorms, rms_norm_refusal
from xharness_hf.speed.switches import is_on
from xharness_hf.training.step import TrainingContext
from xharness_hf.training.working_weights import linear_layers


class FastLayers:
    """Joint linear layers, dropout with residual and norm, and decoders' norms, where they serve.

    Layers that are computed twice are torch's own: the device's thread computes them again, where
    no function is put in place.
    """

    def __init__(self, context: TrainingContext) -> None:
        self._context = context
        self._recomputes = context.recipe.gradient_checkpointing
        halves = HalfStates()
        self._norms = ResidualNorms(context.backbone.reader, halves)
        self._halves = halves
        self._rms_norms = RmsNorms(context.backbone.reader)
        self.refusal_of_norms = self._refusal(residual_norm_refusal(context.device))
        """Why dropout, residuals and norms are torch's own; None where they are one kernel."""
        self._refusal_of_rms_norms = self._refusal(rms_norm_refusal(context.device))
        self.joint = self._joint_layers()
        """The linear layers that compute in half precision; none where the recipe says float32."""
        self._linear: AbstractContextManager[Any] = nullcontext()

    @property
    def norms(self) -> str:
        """For the receipt: how norms are computed."""
        if len(self._rms_norms) > len(self._norms):
            count, refusal = len(self._rms_norms), self._refusal_of_rms_norms
        else:
            count, refusal = len(self._norms), self.refusal_of_norms
        return refusal or f"one kernel in {count} modules"

    def make_room(self, tokens: int) -> None:
        """Serve rows of at most `tokens` from now on."""
        if is_on("joint_linear") and not self._recomputes:
            summands = torch.ones(1, tokens, dtype=torch.bfloat16, device=self._context.device)
            self._linear = JointLinear(self.joint, summands, self._halves)

    @contextmanager
    def running(self, *, with_norms: bool) -> Iterator[None]:
        """Inside it, they are in place; norms only for what reads the backbone's layers."""
        with ExitStack() as stack:
            stack.enter_context(self._linear)
            if with_norms and not self.refusal_of_norms:
                stack.enter_context(self._norms.running(self._context.device))
            if with_norms and not self._refusal_of_rms_norms:
                stack.enter_context(self._rms_norms.running())
            yield

    def _refusal(self, refusal: str | None) -> str | None:
        return "layers are computed twice" if self._recomputes else refusal

    def _joint_layers(self) -> Sequence[JointLayers]:
        context = self._context
        if context.recipe.precision != "bf16":
            return []
        layers = linear_layers([context.backbone.reader, *context.heads])
        groups = [[layer] for layer in layers]
        reads_layers = any(not feed.embeddings_only for feed in context.feeds)
        if is_on("joint_linear") and reads_layers and not self._recomputes:
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
