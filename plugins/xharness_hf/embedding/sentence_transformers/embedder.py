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
        self._declared: SentenceEncoderConfig = encoder_config.read(folder, prompts)
        wanted = self._declared.pooling.width
        if wanted != backbone.width:
            raise ConfigurationError(
                f"the pooling wants states of width {wanted}, the backbone has {backbone.width}",
                where=str(folder),
            )
        self._above = modules.stack(self._declared, folder, weights)

    def windows(
        self, texts: Sequence[str], tokens: Tokens, role: TextRole, limit: int
    ) -> list[Window]:
        """Prompt and text, framed as the tokenizer does it, decoders' too."""
        own = Tokens(tokens.tokenizer, causal=False) if tokens.causal else tokens
        settings, prompt = self._declared.settings, self._declared.prompts[role]
        limit = min(limit, settings.max_seq_length or own.tokenizer.model_max_length)
        said = [prompt + text for text in texts]
        if settings.do_lower_case:
            prompt, said = prompt.lower(), [text.lower() for text in said]
        unpooled = 0
        if prompt and not self._declared.pooling.include_prompt:
            unpooled = own.skip + len(own.ids([prompt])[0])
        return [own.single(ids, limit)._replace(prompt=unpooled) for ids in own.ids(said)]

    def layer(self, recipe: Recipe) -> int:
        """The last."""
        return -1

    def width(self, backbone: Backbone) -> int:
        """Of the last module."""
        return self._declared.width

    def of(self, states: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
        """Through all modules in float32; the recipe has no say."""
        pooling = self._declared.pooling
        mask = batch.mask if pooling.include_prompt else _without_prompts(batch)
        with torch.autocast(states.device.type, enabled=False):
            vectors = modules.pooled(states, mask, pooling)
            return functional.normalize(self._above(vectors))

    def to(self, device: torch.device) -> None:
        """Move the dense layers."""
        self._above.to(device)

    def save(self, folder: Path) -> None:
        """Write it in the layout of sentence-transformers, which reads the folder as a model."""
        for name, value in self._declared.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
        modules.save(self._above, self._declared, folder)


def _without_prompts(batch: Batch) -> Tensor:
    """1 where there is a sub-word of the text; what is cut to its prompt is pooled whole."""
    lengths = [window.prompt for feature in batch.features for window in feature.windows]
    places = torch.arange(batch.mask.shape[1], device=batch.mask.device)
    text = batch.mask * (places >= batch.on_device(lengths).unsqueeze(1))
    return torch.where(text.any(dim=1, keepdim=True), text, batch.mask)
