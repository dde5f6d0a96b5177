"""Heads: what stands on a backbone, one for each task, drawn from the seed and the head's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from xharness import StageError, digest
from xharness_hf.backbone.backbone import Backbone

MASKED = "mlm"
# as BERT's weights begin
_DEVIATION = 0.02
_SCALE = 100.0  # as XTREME-R's retrieval baselines start with


class Head(nn.Module):
    """Dropout and one linear layer: (..., width) to (..., outputs)."""

    def __init__(self, task_type: str, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.task_type, self.outputs = task_type, outputs
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)

    def forward(self, states: Tensor) -> Tensor:
        """Logits in float32."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits.float()


class MaskedHead(nn.Module):
    """Predicts masked sub-words; its output matrix is the backbone's input embeddings (tied)."""

    task_type = MASKED

    def __init__(self, width: int, embedding: nn.Embedding) -> None:
        super().__init__()
        self.outputs = embedding.num_embeddings
        self.dense = nn.Linear(width, embedding.embedding_dim)
        self.norm = nn.LayerNorm(embedding.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(self.outputs))
        self._tied = (embedding,)  # in a tuple, so that the backbone keeps owning it

    def forward(self, states: Tensor) -> Tensor:
        """(masked, width) to float32 logits (masked, vocabulary)."""
        hidden = self.norm(nn.functional.gelu(self.dense(states)))
        return nn.functional.linear(hidden, self._tied[0].weight, self.bias).float()


class ScaleHead(nn.Module):
    """How much cosines are stretched before the softmax over a batch's passages; learnt."""

    outputs = 1

    def __init__(self, task_type: str) -> None:
        super().__init__()
        self.task_type = task_type
        self.scale = nn.Parameter(torch.tensor([_SCALE]))

    def forward(self, cosines: Tensor) -> Tensor:
        """Logits in float32, of the same shape."""
        return cosines.float() * self.scale


AnyHead = Head | MaskedHead | ScaleHead


class Heads:
    """The heads of one model, by name."""

    def __init__(self) -> None:
        self._heads: dict[str, AnyHead] = {}

    def __iter__(self) -> Iterator[str]:
        # the order of saved tensors and optimiser groups must not hang on that of training
        return iter(sorted(self._heads))

    def clear(self) -> None:
        """Remove them all."""
        self._heads.clear()

    def add(self, name: str, head: AnyHead) -> None:
        """Put `head` under `name`."""
        self._heads[name] = head

    def get(self, name: str, task_type: str, outputs: int | None = None) -> AnyHead:
        """The head `name`, which must answer `task_type` with `outputs` numbers.

        Raises:
            StageError: there is none, or it is a head of another task type.
        """
        head = self._heads.get(name)
        if head is None:
            names = ", ".join(self) or "none"
            raise StageError(
                f"the model has no head '{name}'",
                expected=f"one of its heads: {names}",
                hint="train it on a task with that head first",
            )
        if head.task_type != task_type or outputs not in (None, head.outputs):
            raise StageError(
                f"head '{name}' answers {head.task_type} with {head.outputs} outputs",
                expected=f"{task_type} with {outputs}",
                hint="tasks that share a head need the same type and the same labels",
            )
        return head

    def has(self, name: str) -> bool:
        """Whether there is a head `name`."""
        return name in self._heads

    def modules(self) -> list[AnyHead]:
        """The heads in the order of their names."""
        return [self._heads[name] for name in self]

    def parameters(self) -> dict[str, nn.Parameter]:
        """All parameters by `head/parameter`."""
        return {
            f"{name}/{key}": value
            for name in self
            for key, value in self._heads[name].named_parameters()
        }

    def spec(self) -> Mapping[str, Any]:
        """What `Heads` needs to be built again, weights aside."""
        return {
            name: {"task_type": head.task_type, "outputs": head.outputs}
            for name, head in self._heads.items()
        }


def build_head(task_type: str, outputs: int, backbone: Backbone) -> AnyHead:
    """A head for `backbone`, its weights still to be drawn or read."""
    if task_type == MASKED:
        return MaskedHead(backbone.width, backbone.embedding)
    if task_type in ("retrieval", "entity_linking"):
        return ScaleHead(task_type)
    return Head(task_type, backbone.width, outputs, backbone.dropout)


def seeded(head: AnyHead, seed: int, name: str) -> AnyHead:
    """`head` with weights that depend on the seed and the name alone."""
    # a generator of its own: heads must not hang on which were built before
    # Fifteen hexadecimal digits are 60 bits, which fit into a seed.
    generator = torch.Generator().manual_seed(int(digest([seed, name])[:15], 16))
    with torch.no_grad():
        for module in head.modules():
            if isinstance(module, nn.Linear):
                draw = torch.randn(module.weight.shape, generator=generator)
                module.weight.copy_(draw * _DEVIATION)
                module.bias.zero_()
    return head
