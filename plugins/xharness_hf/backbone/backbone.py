"""A backbone: any Transformers model as a reader of batches into hidden states."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xharness import Recipe, Sizes, StageError
from xharness_hf.backbone import packing
from xharness_hf.backbone.attached_adapter import AttachedAdapter
from xharness_hf.backbone.batch import Batch


class _LayerEnteredError(Exception):
    """The layer that is asked for was entered; the rest need not be computed."""


def input_of(layer: nn.Module, read: Callable[[], object]) -> Tensor:
    """The states that enter `layer` when `read` is called, which goes no further."""
    caught_states: list[Tensor] = []

    def stop(module: nn.Module, args: Any, kwargs: Any) -> None:
        caught_states.append(args[0] if args else kwargs["hidden_states"])
        # nothing else leaves a forward pass early, and what lies above may be most of it
        raise _LayerEnteredError

    handle = layer.register_forward_pre_hook(stop, with_kwargs=True)
    try:
        read()
    except _LayerEnteredError:
        pass
    finally:
        handle.remove()
    return caught_states[0]


class Backbone:
    """Reads batches; heads, tokens and training are others' business."""

    def __init__(self, module: Any, causal: bool | None = None) -> None:
        if getattr(module, "pooler", None) is not None:
            module.pooler = None  # the heads read hidden states; unused weights would be counted
        if hasattr(module.config, "use_cache"):
            # keys and values are kept for generation alone, which turns them on itself
            module.config.use_cache = False
        self.module: Any = module
        encoder = module.config.is_encoder_decoder
        # heads and vectors read the source: of an encoder-decoder that is the encoder's part
        self.reader: Any = module.get_encoder() if encoder else module
        self.width = int(module.config.hidden_size)
        self.uses_token_types = (getattr(module.config, "type_vocab_size", None) or 0) > 1
        self.room: dict[int, int] = {}
        """Where memory once ran out: padded sub-words in a batch, at most, from a length on."""
        self.adapter: AttachedAdapter | None = None
        self.origin: tuple[Path, ...] = ()
        """Files that hold its weights as they are; none where there are none."""
        self.causal = self._reads_left_to_right() if causal is None else causal
        self.longest_packed: float = 0
        """Sub-words of the longest windows that are read in packs; none until it is on a device."""
        self.packing_refusal: str | None = None
        """Why windows are not read in packs; None where they are."""

    @property
    def embedding(self) -> nn.Embedding:
        """The input embeddings of sub-words.

        Raises:
            StageError: there are none: CANINE hashes characters into several small tables.
        """
        if self._table is None:
            name = type(self.module).__name__
            raise StageError(f"{name} has no table of sub-words, which this objective learns from")
        return self._table

    @property
    def vocabulary(self) -> int | None:
        """How many sub-words have a vector; None where characters are hashed."""
        return None if self._table is None else self._table.num_embeddings

    @property
    def tables(self) -> list[nn.Embedding]:
        """What sub-words or characters are looked up in: positions and types are left out."""
        if self._table is not None:
            return [self._table]
        modules = ((name, module) for name, module in self.reader.named_modules())
        # both are small, and no vocabulary: counted as one they would blur the sizes
        return [
            module for name, module in modules
            if isinstance(module, nn.Embedding) and "position" not in name and "type" not in name
        ]  # fmt: skip

    @cached_property
    def _table(self) -> nn.Embedding | None:
        try:
            embeddings = self.module.get_input_embeddings()
        except NotImplementedError:  # transformers' word for backbones with several tables, or none
            return None
        return embeddings if isinstance(embeddings, nn.Embedding) else None

    @property
    def dropout(self) -> float:
        """What the backbone was trained with, 0.1 where it does not say."""
        return float(getattr(self.module.config, "hidden_dropout_prob", 0.1))

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return int(self.module.config.num_hidden_layers)

    @property
    def head_width(self) -> int:
        """Numbers in a head's queries and keys."""
        config = self.module.config
        width = getattr(config, "head_dim", None)
        return int(width or self.width // getattr(config, "num_attention_heads", 1))

    @property
    def layer_parameters(self) -> int:
        """Parameters outside of embeddings."""
        return sum(weight.numel() for layer in self.layers for weight in layer.parameters())

    @cached_property
    def layers(self) -> nn.ModuleList:
        """The layers, first to last.

        Raises:
            StageError: they cannot be told from the backbone's other parts.
        """
        for part in self.reader.modules():
            if isinstance(part, nn.ModuleList) and len(part) == self.depth:
                return part
        raise StageError(f"no list of {self.depth} layers in {type(self.module).__name__}")

    @cached_property
    def positions(self) -> nn.Embedding | None:
        """Learnt absolute positions, where the backbone has them."""
        modules = dict(self.reader.named_modules())
        candidates = (
            part for name, part in modules.items() if name.endswith("position_embeddings")
        )
        return next((part for part in candidates if isinstance(part, nn.Embedding)), None)

    @property
    def first_position(self) -> int:
        """Where absolute positions begin: RoBERTa's begin after the padding's."""
        padding = self.positions.padding_idx if self.positions is not None else None
        return 0 if padding is None else padding + 1

    @property
    def limit(self) -> int | None:
        """The longest input in sub-words; None where nothing limits it."""
        max_positions = getattr(self.module.config, "max_position_embeddings", None)
        reserved = self.first_position + (self.adapter.positions if self.adapter else 0)
        return None if not max_positions else int(max_positions) - reserved

    def within_limit(self, recipe: Recipe) -> Recipe:
        """`recipe` with windows no longer than the backbone takes."""
        length = min(recipe.max_length, self.limit or recipe.max_length)
        return recipe.model_copy(update={"max_length": length})

    def cut_length(self, recipe: Recipe) -> dict[str, str]:
        """The windows that the backbone takes, for receipts; empty where it takes the recipe's."""
        is_cut = self.limit is not None and self.limit < recipe.max_length
        return {"max_length": str(self.limit)} if is_cut else {}

    def sizes(self) -> Sizes:
        """Parameters of what reads; the decoder of an encoder-decoder and adapters left out."""
        adapter_ids = (
            {id(parameter) for parameter in self.adapter.parameters().values()}
            if self.adapter
            else set()
        )
        parameters = (
            parameter for parameter in self.reader.parameters() if id(parameter) not in adapter_ids
        )
        return Sizes(
            sum(parameter.numel() for parameter in parameters),
            sum(table.weight.numel() for table in self.tables),
        )

    def to(self, device: torch.device) -> None:
        """Move the backbone and its adapter; find out whether it reads packed windows there."""
        self.module.to(device)
        if self.adapter is not None:
            self.adapter.peft.to(device)
        self.packing_refusal = packing.refusal(self, device)
        config = self.module.config
        self.longest_packed = 0 if self.packing_refusal else packing.longest_packed(config)

    def states(self, batch: Batch, layer: int | None = None) -> Tensor:
        """Hidden states (windows, length, width) of the last layer, or those entering `layer`."""
        if packing.reads_packed(self, batch.ids.shape[1], batch.ids.device):
            return self.packed(batch, layer)[0]
        return self.padded(batch, layer)

    def padded(self, batch: Batch, layer: int | None = None) -> Tensor:
        """As `states`, padding computed too."""
        inputs: dict[str, Any] = {"input_ids": batch.ids, "attention_mask": batch.mask}
        if self.uses_token_types:
            inputs["token_type_ids"] = batch.types
        if batch.positions is not None and self.positions is not None:
            inputs["position_ids"] = batch.positions + self.first_position
        return self._states_at(inputs, layer)

    def packed(self, batch: Batch, layer: int | None = None) -> tuple[Tensor, int]:
        """As `states`, padding left out (zeros stand there), and how often attention was asked."""
        packed = packing.PackedBatch(batch, self.causal)
        restarting = batch.positions if self.positions is not None else None
        positions = packed.positions if restarting is None else packed.row(restarting)
        inputs: dict[str, Any] = {
            "input_ids": packed.row(batch.ids),
            "position_ids": positions + self.first_position,
            "packs": packed.packs,
        }
        if self.uses_token_types:
            inputs["token_type_ids"] = packed.row(batch.types)
        with packing.attending(self.reader):
            states = self._states_at(inputs, layer)
        return packed.unpacked(states), len(packed.packs.calls)

    def row_states(
        self, ids: Tensor, positions: Tensor, types: Tensor | None, packs: packing.PackedRow
    ) -> Tensor:
        """Hidden states (tokens, width) of windows that lie one after the other, (tokens,) each."""
        inputs: dict[str, Any] = {
            "input_ids": ids[None],
            "position_ids": positions[None],
            "packs": packs,
        }
        if types is not None:
            inputs["token_type_ids"] = types[None]
        with packing.attending(self.reader):
            return self._last_states(inputs).squeeze(0)

    def word_embeddings(self, batch: Batch) -> Tensor:
        """Sub-word embeddings alone (windows, length, width): no positions, no layers."""
        embeddings: Tensor = self.embedding(batch.ids)
        return embeddings

    def layer_index(self, layer: int) -> int:
        """`layer` counted from the embeddings (0); negative ones count from the last (-1).

        Raises:
            StageError: there is no such layer.
        """
        count = self.depth
        index = layer if layer >= 0 else count + 1 + layer
        if not 0 <= index <= count:
            raise StageError(
                f"the backbone has no layer {layer}", expected=f"{-count - 1} to {count}"
            )
        return index

    def freeze(self, share: float) -> None:
        """Hold the embeddings and the first `share` of the layers fixed; 1 holds everything.

        What is fixed drops nothing out either: dropout is there for what learns. An adapter learns
        in place of the whole backbone.
        """
        self.module.requires_grad_(False)
        self.module.eval()
        if self.adapter is not None:
            self.adapter.learn()
        if self.adapter is not None or share == 1:
            return
        self.reader.requires_grad_(True)
        self.reader.train()
        if share > 0:
            frozen = [*self.tables, *self.layers[: round(share * len(self.layers))]]
            # norms and projections beside the tables belong to the embeddings too
            embeddings = getattr(self.reader, "embeddings", None)
            for part in [*frozen, *([embeddings] if isinstance(embeddings, nn.Module) else [])]:
                part.requires_grad_(False)
                part.eval()

    def _states_at(self, inputs: dict[str, Any], layer: int | None) -> Tensor:
        if layer is None or layer == self.depth:
            return self._last_states(inputs)
        return self._states_entering(self.layers[layer], inputs)

    def _last_states(self, inputs: dict[str, Any]) -> Tensor:
        states: Tensor = self.reader(**inputs).last_hidden_state
        return states

    def _states_entering(self, layer: nn.Module, inputs: dict[str, Any]) -> Tensor:
        states = input_of(layer, lambda: self.reader(**inputs))
        # the adapter's hook takes its states off behind the last layer only
        return states[:, self.adapter.inserted if self.adapter else 0 :]

    @torch.inference_mode()
    def _reads_left_to_right(self) -> bool:
        """Whether a change at the end leaves the states before it as they were.

        No list of architectures: the same class reads both ways, depending on its configuration.
        """
        self.module.eval()
        # ids that every vocabulary has, behind the specials that come first
        ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]], device=self.module.device)
        mask = torch.ones_like(ids)
        states = self.reader(input_ids=ids, attention_mask=mask).last_hidden_state[:, :3].float()
        return bool(torch.allclose(states[0], states[1], rtol=1e-4, atol=1e-6))
