"""The model of the backend `hf`: a backbone, its tokens and its heads, as the harness asks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import (
    Example,
    Model,
    Prediction,
    Recipe,
    Sizes,
    StageError,
    TaskCard,
    TaskType,
    TextRole,
    TrainingSession,
    TrainingSet,
)
from xharness_hf.backbone import adapters
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, Feature, Layout, Window
from xharness_hf.backbone.texts import texts
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.heads import storage
from xharness_hf.heads.heads import MASKED, AnyHead, Heads, build_head, seeded
from xharness_hf.heads.tasks import (
    LEARNT,
    TASKS,
    ContrastiveObjective,
    HeadObjective,
    HeadTask,
    MaskedLmObjective,
    TrainingObjective,
    WordAlignmentObjective,
    identity,
)
from xharness_hf.inference import read
from xharness_hf.scratch import ScratchBuilder
from xharness_hf.training.loop import PreparedFeed, Training


class HfModel(Model):
    """A backbone with heads; a scratch model gets its backbone at its first training."""

    def __init__(
        self,
        device: torch.device,
        parts: tuple[Backbone, Tokens, Heads] | ScratchBuilder,
        vectors: Embedder = RECIPE_EMBEDDER,
    ) -> None:
        self._device, self._vectors = device, vectors
        self._beginning = parts if isinstance(parts, ScratchBuilder) else None
        self._parts: tuple[Backbone, Tokens] | None = None
        self.heads = Heads()
        if not isinstance(parts, ScratchBuilder):
            backbone, tokens, self.heads = parts
            self._settle(backbone, tokens)

    @property
    def backbone(self) -> Backbone:
        """The backbone.

        Raises:
            StageError: a scratch model before its first training has none.
        """
        return self._settled()[0]

    @property
    def tokens(self) -> Tokens:
        """The tokenizer, with errors as `backbone`."""
        return self._settled()[1]

    def sizes(self) -> Sizes:
        """Parameters of the backbone, heads left out."""
        if self._parts is None and self._beginning is not None:
            return self._beginning.sizes()
        return self.backbone.sizes()

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns steps, loss, examples, speed.

        Raises:
            StageError: the loss is not finite, a feed is empty, or a head does not fit.
        """
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            return self._fit(feeds, recipe, session)

    def predict(
        self, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order.

        Raises:
            StageError: there is no head for the card, or the model has not been trained at all.
        """
        recipe = self.backbone.within_limit(recipe)
        task = _task(kind)
        head = self.heads.get(card.head_name, task.kind, task.outputs(card)).eval()
        features = task.features(examples, self.tokens, recipe, gold=False)

        def ask(states: Tensor, batch: Batch) -> Sequence[Any]:
            return task.answers(states, head, batch, recipe)

        answers = read(self.backbone, features, self._layout(), recipe, self._device, ask)
        return task.join(examples, features, answers)

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """Vectors of length 1, (texts, width), by the recipe or as published; each text read once.

        Raises:
            StageError: the model has not been trained at all, or has no such layer.
        """
        recipe = self.backbone.within_limit(recipe)
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        windows = self._vectors.windows([*places], self.tokens, role, recipe.max_length)
        found = _embedded(
            self.backbone, self._layout(), windows, self._vectors, recipe, self._device
        )
        return found[[places[text] for text in texts]]

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs; the backbone also for `AutoModel.from_pretrained`.

        Raises:
            StageError: the disk is full or cannot be written.
        """
        storage.save(folder, self.backbone, self.tokens, self.heads, self._vectors)

    def _fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        if self._parts is None and self._beginning is not None:
            said = [text for feed in feeds for one in feed.examples for text in texts(one)]
            self._settle(*self._beginning.begin(said, session.seed))
        if session.heads == "drop":
            self.heads.clear()
        adapters.prepare(self.backbone, recipe.adapter, session.seed)
        recipe = self.backbone.within_limit(recipe)
        lessons = [
            self._aligned(feed, recipe)
            if feed.objective == "align"
            else self._lesson(feed, recipe, session.seed)
            for feed in feeds
        ]
        facts = Training(self, lessons, recipe, session, self._device).run()
        adapters.finish(self.backbone, recipe.adapter)
        return facts

    def _settle(self, backbone: Backbone, tokens: Tokens) -> None:
        backbone.to(self._device)
        self._vectors.to(self._device)
        for head in self.heads.modules():
            head.to(self._device)
        self._parts = backbone, tokens

    def _settled(self) -> tuple[Backbone, Tokens]:
        if self._parts is None:
            raise StageError(
                "a scratch model has no tokenizer and no weights before its first training",
                hint="give the model a 'pretrain' section, or a target with training data",
            )
        return self._parts

    def _layout(self, *, resets: bool = False) -> Layout:
        # some tokenizers know a padding that the backbone has no vector for; it is masked anyway
        pad = min(self.tokens.pad, (self.backbone.vocabulary or self.tokens.pad + 1) - 1)
        return Layout(pad, self.tokens.skip if self.backbone.causal else 0, resets)

    def _lesson(self, feed: TrainingSet, recipe: Recipe, seed: int) -> PreparedFeed:
        """The feed made ready; its head is built where there is none of that name."""
        masked = feed.objective != "task"
        if masked and (self.backbone.causal or self.tokens.mask is None):
            raise StageError(
                f"'{feed.objective}' hides words from a backbone that reads both ways; this one "
                + ("reads left to right" if self.backbone.causal else "has no mask token")
            )
        task: TrainingObjective = (
            MaskedLmObjective(feed.objective) if masked else self._learnt(feed.task_type)
        )
        features = task.features(feed.examples, self.tokens, recipe, gold=True)
        if not features:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        outputs = (
            self.backbone.embedding.num_embeddings
            if masked
            else _learnt(feed.task_type).outputs(feed.card)
        )
        if not outputs:
            raise StageError(f"the card '{feed.card.name}' has no labels to learn")
        head = self._head(MASKED if masked else feed.head, task.kind, outputs, seed)
        layout = self._layout(resets=feed.objective == "tlm")
        name = feed.card.name if not masked else f"{feed.card.name} ({feed.objective})"
        return PreparedFeed(name, len(feed.examples), features, task, head, layout, masked)

    def _learnt(self, kind: TaskType) -> HeadObjective:
        task = _learnt(kind)
        return task.by(self._vectors) if isinstance(task, ContrastiveObjective) else task

    def _aligned(self, feed: TrainingSet, recipe: Recipe) -> PreparedFeed:
        """The feed made ready to align sub-word embeddings; there is no head."""
        features = WordAlignmentObjective().features(feed.examples, self.tokens, recipe, gold=True)
        if not features:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        name, layout = f"{feed.card.name} (align)", self._layout()
        return PreparedFeed(
            name,
            len(feed.examples),
            features,
            WordAlignmentObjective(),
            identity,
            layout,
            words=True,
        )

    def _head(self, name: str, kind: str, outputs: int, seed: int) -> AnyHead:
        if not self.heads.has(name):
            head = seeded(build_head(kind, outputs, self.backbone), seed, name)
            self.heads.add(name, head.to(self._device))
        return self.heads.get(name, kind, outputs)


def _task(kind: TaskType) -> HeadTask:
    if kind.name not in TASKS:
        raise _no_head(kind, TASKS)
    return TASKS[kind.name]


def _learnt(kind: TaskType) -> HeadObjective:
    if kind.name not in LEARNT:
        raise _no_head(kind, LEARNT)
    return LEARNT[kind.name]


def _no_head(kind: TaskType, known: Iterable[str]) -> StageError:
    return StageError(
        f"the backend 'hf' has no head for the kind '{kind.name}'", expected=", ".join(known)
    )


def _embedded(
    backbone: Backbone,
    layout: Layout,
    windows: Sequence[Window],
    vectors: Embedder,
    recipe: Recipe,
    device: torch.device,
) -> NDArray[np.float32]:
    """The windows' vectors, of shape (windows, width).

    Raises:
        StageError: the backbone has no such layer, or the device's memory does not hold one window.
    """
    features = [Feature((window,), place) for place, window in enumerate(windows)]

    def ask(states: Tensor, batch: Batch) -> list[NDArray[np.float32]]:
        return list(vectors.of(states, batch, recipe).cpu().numpy())

    layer = backbone.place(vectors.layer(recipe))
    found = read(backbone, features, layout, recipe, device, ask, layer)
    return np.array(found, dtype=np.float32).reshape(len(found), vectors.width(backbone))
