"""The model of the backend `hf`: a backbone, its tokens and its heads, as the harness asks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature, Layout, Window
from xharness_hf.backbone.precision import provenance, resolve
from xharness_hf.backbone.texts import texts
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.heads import storage
from xharness_hf.heads.heads import MASKED, AnyHead, Heads, build_head, seeded
from xharness_hf.heads.tasks import (
    OBJECTIVES,
    TASKS,
    ContrastiveObjective,
    HeadObjective,
    HeadTask,
    MaskedLmObjective,
    TrainingObjective,
    WordAlignmentObjective,
    identity,
)
from xharness_hf.inference import FeatureReader, read, read_each
from xharness_hf.scratch import ScratchBuilder
from xharness_hf.speed import memory
from xharness_hf.training.loop import Training
from xharness_hf.training.step import PreparedFeed


class HfModel(Model):
    """A backbone with heads; a scratch model gets its backbone at its first training."""

    def __init__(
        self,
        device: torch.device,
        parts: tuple[Backbone, Tokens, Heads] | ScratchBuilder,
        embedder: Embedder = RECIPE_EMBEDDER,
    ) -> None:
        self._device, self._embedder = device, embedder
        self._scratch = parts if isinstance(parts, ScratchBuilder) else None
        self._parts: tuple[Backbone, Tokens] | None = None
        self.heads = Heads()
        if not isinstance(parts, ScratchBuilder):
            backbone, tokens, self.heads = parts
            self._place_on_device(backbone, tokens)

    @property
    def backbone(self) -> Backbone:
        """The backbone.

        Raises:
            StageError: a scratch model before its first training has none.
        """
        return self._built_parts()[0]

    @property
    def tokens(self) -> Tokens:
        """The tokenizer, with errors as `backbone`."""
        return self._built_parts()[1]

    def sizes(self) -> Sizes:
        """Parameters of the backbone, heads left out."""
        if self._parts is None and self._scratch is not None:
            return self._scratch.sizes()
        return self.backbone.sizes()

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns steps, loss, examples, speed.

        Raises:
            StageError: the loss is not finite, a feed is empty, or a head does not fit.
        """
        # a fit leaves the global generators as it found them
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            facts = self._fit(feeds, recipe, session)
        memory.give_back(self._device, trained=True)
        return facts

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order.

        Raises:
            StageError: there is no head for the card, or the model has not been trained at all.
        """
        (predictions,) = self.predict_each(card, task_type, [examples], recipe)
        return predictions

    def predict_each(
        self,
        card: TaskCard,
        task_type: TaskType,
        shards: Iterable[Sequence[Example]],
        recipe: Recipe,
    ) -> Iterator[Sequence[Prediction]]:
        """As `predict` for each shard; beside a device, a thread makes the next ones ready."""
        recipe = self._settled_recipe(recipe)
        task = _head_task(task_type)
        head = self.heads.get(card.head_name, task.task_type, task.outputs(card)).eval()
        # Lazily: beside a device a thread makes the features of the next shards meanwhile.
        prepared = (
            (examples, task.features(examples, self.tokens, recipe, gold=False))
            for examples in shards
        )

        def ask(states: Tensor, batch: Batch) -> DeviceAnswers:
            return task.answers(states, head, batch, recipe)

        with FeatureReader(self.backbone, self._layout(), recipe, self._device) as reader:
            for examples, features, answers in read_each(reader, prepared, ask):
                yield task.join(examples, features, answers)
        memory.give_back(self._device)

    def computes(self, recipe: Recipe) -> Mapping[str, str]:
        """The number format, the device, and windows that were cut, for receipts."""
        return {**provenance(recipe, self._device), **self.backbone.cut_length(recipe)}

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """Vectors of length 1, (texts, width), by the recipe or as published; each text read once.

        Raises:
            StageError: the model has not been trained at all, or has no such layer.
        """
        recipe = self._settled_recipe(recipe)
        # corpora repeat sentences: each is read once
        row_of_text = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        windows = self._embedder.windows([*row_of_text], self.tokens, role, recipe.max_length)
        vectors = _embedded(
            self.backbone, self._layout(), windows, self._embedder, recipe, self._device
        )
        return vectors[[row_of_text[text] for text in texts]]

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs; the backbone also for `AutoModel.from_pretrained`.

        Raises:
            StageError: the disk is full or cannot be written.
        """
        storage.save(folder, self.backbone, self.tokens, self.heads, self._embedder)

    def _fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        if self._parts is None and self._scratch is not None:
            training_texts = [
                text for feed in feeds for example in feed.examples for text in texts(example)
            ]
            self._place_on_device(*self._scratch.build(training_texts, session.seed))
        if session.heads == "drop":
            self.heads.clear()
        adapters.prepare(self.backbone, recipe.adapter, session.seed)
        # only now: an adapter may have taken positions from the text
        recipe = self._settled_recipe(recipe)
        prepared_feeds = [
            self._prepared_alignment(feed, recipe)
            if feed.objective == "align"
            else self._prepared(feed, recipe, session.seed)
            for feed in feeds
        ]
        facts = Training(self, prepared_feeds, recipe, session, self._device).run()
        adapters.finish(self.backbone, recipe.adapter)
        return {**facts, **self.computes(recipe)}

    def _settled_recipe(self, recipe: Recipe) -> Recipe:
        """Windows no longer than the backbone takes, and a number format that the device has."""
        return resolve(self.backbone.within_limit(recipe), self._device)

    def _place_on_device(self, backbone: Backbone, tokens: Tokens) -> None:
        backbone.to(self._device)
        self._embedder.to(self._device)
        for head in self.heads.modules():
            head.to(self._device)
        self._parts = backbone, tokens

    def _built_parts(self) -> tuple[Backbone, Tokens]:
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

    def _prepared(self, feed: TrainingSet, recipe: Recipe, seed: int) -> PreparedFeed:
        """The feed made ready; its head is built where there is none of that name."""
        masked = feed.objective != "task"
        # Planning says so where a configuration tells; only the loaded model knows for certain.
        if masked and (self.backbone.causal or self.tokens.mask is None):
            raise StageError(
                f"'{feed.objective}' hides words from a backbone that reads both ways; this one "
                + ("reads left to right" if self.backbone.causal else "has no mask token")
            )
        task: TrainingObjective = (
            MaskedLmObjective(feed.objective) if masked else self._objective(feed.task_type)
        )
        features = task.features(feed.examples, self.tokens, recipe, gold=True)
        if not features:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        outputs = (
            self.backbone.embedding.num_embeddings
            if masked
            else _head_objective(feed.task_type).outputs(feed.card)
        )
        # A card without labels, or `from_data` that held none.
        if not outputs:
            raise StageError(f"the card '{feed.card.name}' has no labels to learn")
        head = self._head(MASKED if masked else feed.head, task.task_type, outputs, seed)
        layout = self._layout(resets=feed.objective == "tlm")
        name = feed.card.name if not masked else f"{feed.card.name} ({feed.objective})"
        return PreparedFeed(name, len(feed.examples), features, task, head, layout, masked)

    def _objective(self, task_type: TaskType) -> HeadObjective:
        task = _head_objective(task_type)
        return (
            task.with_embedder(self._embedder) if isinstance(task, ContrastiveObjective) else task
        )

    def _prepared_alignment(self, feed: TrainingSet, recipe: Recipe) -> PreparedFeed:
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
            embeddings_only=True,
        )

    def _head(self, name: str, task_type: str, outputs: int, seed: int) -> AnyHead:
        if not self.heads.has(name):
            head = seeded(build_head(task_type, outputs, self.backbone), seed, name)
            self.heads.add(name, head.to(self._device))
        return self.heads.get(name, task_type, outputs)


def _head_task(task_type: TaskType) -> HeadTask:
    if task_type.name not in TASKS:
        raise _no_head(task_type, TASKS)
    return TASKS[task_type.name]


def _head_objective(task_type: TaskType) -> HeadObjective:
    if task_type.name not in OBJECTIVES:
        raise _no_head(task_type, OBJECTIVES)
    return OBJECTIVES[task_type.name]


def _no_head(task_type: TaskType, supported: Iterable[str]) -> StageError:
    return StageError(
        f"the backend 'hf' has no head for the task type '{task_type.name}'",
        expected=", ".join(supported),
    )


def _embedded(
    backbone: Backbone,
    layout: Layout,
    windows: Sequence[Window],
    embedder: Embedder,
    recipe: Recipe,
    device: torch.device,
) -> NDArray[np.float32]:
    """The windows' vectors, of shape (windows, width).

    Raises:
        StageError: the backbone has no such layer, or the device's memory does not hold one window.
    """
    features = [Feature((window,), index) for index, window in enumerate(windows)]

    def ask(states: Tensor, batch: Batch) -> DeviceAnswers:
        return DeviceAnswers(embedder.vectors(states, batch, recipe), list)

    layer = backbone.layer_index(embedder.layer(recipe))
    # Layers above the one that is pooled are never computed.
    rows = read(backbone, features, layout, recipe, device, ask, layer)
    return np.array(rows, dtype=np.float32).reshape(len(rows), embedder.width(backbone))
