"""The beginning of a scratch model: at its first training, from that training's texts and seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from xharness.extend import Sizes, StageError, Surroundings
from xharness_hf import folders, loading, scratch
from xharness_hf.bodies import Body
from xharness_hf.options import Learnt, Scratch
from xharness_hf.tokens import Tokens


class Beginning:
    """Knows how a scratch model comes to be; reads a given tokenizer at once, to fail early."""

    def __init__(self, spec: Scratch, surroundings: Surroundings) -> None:
        self._spec = spec
        self._given = None
        if isinstance(spec.tokenizer, Path):
            folders.tokenizer_files(spec.tokenizer, surroundings)
            place = surroundings.base / spec.tokenizer.expanduser()
            self._given = Tokens(loading.tokenizer(place), causal=False)

    def begin(self, texts: Sequence[str], seed: int) -> tuple[Body, Tokens]:
        """Body and tokens, a function of the texts and the seed alone.

        Raises:
            StageError: there are no texts to learn a tokenizer from.
        """
        tokens = self._given or self._learn(texts)
        module = scratch.module(self._spec, tokens.size, tokens.pad, seed)
        return Body(module, causal=False), tokens

    def sizes(self) -> Sizes:
        """Parameters it will have, or has at most where the tokenizer is not learnt yet."""
        learnt = self._spec.tokenizer
        vocabulary = learnt.vocabulary if isinstance(learnt, Learnt) else 0
        size = self._given.size if self._given else vocabulary
        with torch.device("meta"):
            return Body(scratch.module(self._spec, size, 1, seed=0), causal=False).sizes()

    def _learn(self, texts: Sequence[str]) -> Tokens:
        assert isinstance(self._spec.tokenizer, Learnt)
        if not texts:
            raise StageError("there are no texts to learn a tokenizer from")
        return Tokens(scratch.learnt(texts, self._spec.tokenizer.vocabulary), causal=False)
