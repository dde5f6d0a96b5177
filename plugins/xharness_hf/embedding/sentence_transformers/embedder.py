"""Vectors as they were published: prompts, pooling and the modules above it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from xharness import ConfigurationError, Recipe, TextRole
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, Window
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.sentence_transformers import encoder_config, modules
from xharness_hf.embedding.sentence_transformers.encoder_config import SentenceEncoderConfig
from xharness_hf.embedding.sentence_transformers.prompts import Prompts
from xharness_hf.files.folders import Weights


class SentenceTransformersEmbedder:
    """Vectors by the folder's own modules, which stay as they are while a backbone learns below.

    Raises:
        UnavailableError: a file is missing or damaged.
        ConfigurationError: the folder declares what is not read here, or another backbone.
    """

    def __init__(
        self, folder: Path, weights: Weights, prompts: Prompts, backbone: Backbone
    ) -> None:
        self._config: SentenceEncoderConfig = encoder_config.read(folder, prompts)
        width = self._config.pooling.width
        if width != backbone.width:
            raise ConfigurationError(
                f"the pooling wants states of width {width}, the backbone has {backbone.width}",
                where=str(folder),
            )
        self._upper_modules = modules.upper_stack(self._config, folder, weights)

    def windows(
        self, texts: Sequence[str], tokens: Tokens, role: TextRole, limit: int
    ) -> list[Window]:
        """Prompt and text, framed as the tokenizer does it, decoders' too."""
        # published vectors were learnt in the tokenizer's own frame, without an anchor
        framing = Tokens(tokens.tokenizer, causal=False) if tokens.causal else tokens
        settings, prompt = self._config.settings, self._config.prompts[role]
        limit = min(limit, settings.max_seq_length or framing.tokenizer.model_max_length)
        prompted_texts = [prompt + text for text in texts]
        if settings.do_lower_case:
            prompt, prompted_texts = prompt.lower(), [text.lower() for text in prompted_texts]
        unpooled_length = 0
        if prompt and not self._config.pooling.include_prompt:
            # the special before the prompt is left out with it, as in the library
            unpooled_length = framing.skip + len(framing.ids([prompt])[0])
        return [
            framing.single(ids, limit)._replace(prompt=unpooled_length)
            for ids in framing.ids(prompted_texts)
        ]

    def layer(self, recipe: Recipe) -> int:
        """The last."""
        return -1

    def width(self, backbone: Backbone) -> int:
        """Of the last module."""
        return self._config.width

    def vectors(self, states: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
        """Through all modules in float32; the recipe has no say."""
        pooling = self._config.pooling
        mask = batch.mask if pooling.include_prompt else _text_mask(batch)
        # the library computes its modules in float32, whatever the backbone reads in
        with torch.autocast(states.device.type, enabled=False):
            vectors = modules.pooled(states, mask, pooling)
            return functional.normalize(self._upper_modules(vectors))

    def to(self, device: torch.device) -> None:
        """Move the dense layers."""
        self._upper_modules.to(device)

    def save(self, folder: Path) -> None:
        """Write it in the layout of sentence-transformers, which reads the folder as a model."""
        for name, value in self._config.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
        modules.save(self._upper_modules, self._config, folder)


def _text_mask(batch: Batch) -> Tensor:
    """1 where there is a sub-word of the text; what is cut to its prompt is pooled whole."""
    lengths = [window.prompt for feature in batch.features for window in feature.windows]
    positions = torch.arange(batch.mask.shape[1], device=batch.mask.device)
    text = batch.mask * (positions >= batch.on_device(lengths).unsqueeze(1))
    return torch.where(text.any(dim=1, keepdim=True), text, batch.mask)
