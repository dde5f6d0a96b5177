"""The model of the backend `hf`: a body, its tokens and its heads, as the harness asks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness.extend import (
    Example,
    Kind,
    Prediction,
    Recipe,
    Session,
    Sizes,
    StageError,
    TaskCard,
    TextRole,
    TrainingSet,
)
from xharness_hf import adapters, storage
from xharness_hf.beginning import Beginning
from xharness_hf.bodies import Body
from xharness_hf.embedding import embed
from xharness_hf.heads import MASKED, AnyHead, Heads, seeded
from xharness_hf.reading import read
from xharness_hf.tasks import LEARNT, TASKS, Aligned, Headed, Lessons, Masked, Paired, Task, as_is
from xharness_hf.texts import texts
from xharness_hf.tokens import Tokens
from xharness_hf.training import Lesson, Training
from xharness_hf.vectors import BY_RECIPE, Vectors
from xharness_hf.windows import Batch, Layout


class HfModel:
    """A body with heads; a scratch model gets its body at its first training."""

    def __init__(
        self,
        device: torch.device,
        parts: tuple[Body, Tokens, Heads] | Beginning,
        vectors: Vectors = BY_RECIPE,
    ) -> None:
        self._device, self._vectors = device, vectors
        self._beginning = parts if isinstance(parts, Beginning) else None
        self._parts: tuple[Body, Tokens] | None = None
        self.heads = Heads()
        if not isinstance(parts, Beginning):
            body, tokens, self.heads = parts
            self._settle(body, tokens)

    @property
    def body(self) -> Body:
        """The body.

        Raises:
            StageError: a scratch model before its first training has none.
        """
        return self._settled()[0]

    @property
    def tokens(self) -> Tokens:
        """The tokenizer, with errors as `body`."""
        return self._settled()[1]

    def sizes(self) -> Sizes:
        """Parameters of the body, heads left out."""
        if self._parts is None and self._beginning is not None:
            return self._beginning.sizes()
        return self.body.sizes()

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: Session
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns steps, loss, examples, speed.

        Raises:
            StageError: the loss is not finite, a feed is empty, or a head does not fit.
        """
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            return self._fit(feeds, recipe, session)

    def predict(
        self, card: TaskCard, kind: Kind, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order.

        Raises:
            StageError: there is no head for the card, or the model has not been trained at all.
        """
        recipe = self.body.within_limit(recipe)
        task = _task(kind)
        head = self.heads.get(card.head_name, task.kind, task.outputs(card)).eval()
        units = task.units(examples, self.tokens, recipe, gold=False)

        def ask(states: Tensor, batch: Batch) -> Sequence[Any]:
            return task.answers(states, head, batch, recipe)

        answers = read(self.body, units, self._layout(), recipe, self._device, ask)
        return task.join(examples, units, answers)

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """Vectors of length 1, (texts, width), by the recipe or as published; each text read once.

        Raises:
            StageError: the model has not been trained at all, or has no such layer.
        """
        recipe = self.body.within_limit(recipe)
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        windows = self._vectors.windows([*places], self.tokens, role, recipe.max_length)
        found = embed(self.body, self._layout(), windows, self._vectors, recipe, self._device)
        return found[[places[text] for text in texts]]

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs; the body also for `AutoModel.from_pretrained`.

        Raises:
            StageError: the disk is full or cannot be written.
        """
        storage.save(folder, self.body, self.tokens, self.heads, self._vectors)

    def _fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: Session
    ) -> Mapping[str, Any]:
        if self._parts is None and self._beginning is not None:
            said = [text for feed in feeds for one in feed.examples for text in texts(one)]
            self._settle(*self._beginning.begin(said, session.seed))
        if session.heads == "drop":
            self.heads.clear()
        adapters.prepare(self.body, recipe.adapter, session.seed)
        recipe = self.body.within_limit(recipe)
        lessons = [
            self._aligned(feed, recipe)
            if feed.objective == "align"
            else self._lesson(feed, recipe, session.seed)
            for feed in feeds
        ]
        facts = Training(self, lessons, recipe, session, self._device).run()
        adapters.finish(self.body, recipe.adapter)
        return facts

    def _settle(self, body: Body, tokens: Tokens) -> None:
        body.to(self._device)
        self._vectors.to(self._device)
        for head in self.heads.modules():
            head.to(self._device)
        self._parts = body, tokens

    def _settled(self) -> tuple[Body, Tokens]:
        if self._parts is None:
            raise StageError(
                "a scratch model has no tokenizer and no weights before its first training",
                hint="give the model a 'pretrain' section, or a target with training data",
            )
        return self._parts

    def _layout(self, *, resets: bool = False) -> Layout:
        # some tokenizers know a padding that the body has no vector for; it is masked anyway
        pad = min(self.tokens.pad, (self.body.vocabulary or self.tokens.pad + 1) - 1)
        return Layout(pad, self.tokens.skip if self.body.causal else 0, resets)

    def _lesson(self, feed: TrainingSet, recipe: Recipe, seed: int) -> Lesson:
        """The feed made ready; its head is built where there is none of that name."""
        masked = feed.objective != "task"
        if masked and (self.body.causal or self.tokens.mask is None):
            raise StageError(
                f"'{feed.objective}' hides words from a body that reads both ways; this one "
                + ("reads left to right" if self.body.causal else "has no mask token")
            )
        task: Lessons = Masked(feed.objective) if masked else self._learnt(feed.kind)
        units = task.units(feed.examples, self.tokens, recipe, gold=True)
        if not units:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        outputs = (
            self.body.embedding.num_embeddings if masked else _learnt(feed.kind).outputs(feed.card)
        )
        if not outputs:
            raise StageError(f"the card '{feed.card.name}' has no labels to learn")
        head = self._head(MASKED if masked else feed.head, task.kind, outputs, seed)
        layout = self._layout(resets=feed.objective == "tlm")
        name = feed.card.name if not masked else f"{feed.card.name} ({feed.objective})"
        return Lesson(name, len(feed.examples), units, task, head, layout, masked)

    def _learnt(self, kind: Kind) -> Headed:
        task = _learnt(kind)
        return task.by(self._vectors) if isinstance(task, Paired) else task

    def _aligned(self, feed: TrainingSet, recipe: Recipe) -> Lesson:
        """The feed made ready to align sub-word embeddings; there is no head."""
        units = Aligned().units(feed.examples, self.tokens, recipe, gold=True)
        if not units:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        name, layout = f"{feed.card.name} (align)", self._layout()
        return Lesson(name, len(feed.examples), units, Aligned(), as_is, layout, words=True)

    def _head(self, name: str, kind: str, outputs: int, seed: int) -> AnyHead:
        if not self.heads.has(name):
            head = seeded(storage.build(kind, outputs, self.body), seed, name)
            self.heads.add(name, head.to(self._device))
        return self.heads.get(name, kind, outputs)


def _task(kind: Kind) -> Task:
    if kind.name not in TASKS:
        raise _no_head(kind, TASKS)
    return TASKS[kind.name]


def _learnt(kind: Kind) -> Headed:
    if kind.name not in LEARNT:
        raise _no_head(kind, LEARNT)
    return LEARNT[kind.name]


def _no_head(kind: Kind, known: Iterable[str]) -> StageError:
    return StageError(
        f"the backend 'hf' has no head for the kind '{kind.name}'", expected=", ".join(known)
    )
