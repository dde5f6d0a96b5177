"""A language model as the harness asks it: it answers in words, and has no heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

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
    verbalize,
    verbalizer_of,
)
from xharness_hf.backbone import adapters
from xharness_hf.backbone.batch import DeviceAnswers, Layout
from xharness_hf.backbone.precision import provenance, resolve
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.config.options import AnswerOptions
from xharness_hf.generative import storage
from xharness_hf.generative.answers import AnswerObjective, best_answers
from xharness_hf.generative.generation import generate
from xharness_hf.generative.language_model import LanguageModel
from xharness_hf.generative.prompt_encoder import PromptEncoder
from xharness_hf.heads.heads import Heads
from xharness_hf.inference import read
from xharness_hf.training.loop import Training
from xharness_hf.training.step import PreparedFeed


class GenerativeModel(Model):
    """A language model with the examples it is shown before every question."""

    def __init__(
        self,
        device: torch.device,
        backbone: LanguageModel,
        tokens: Tokens,
        options: AnswerOptions,
        shots: Sequence[str] = (),
    ) -> None:
        self._device, self.backbone, self.tokens = device, backbone, tokens
        self.heads = Heads()
        """None: its answers are words."""
        self.options, self.shots = options, tuple(shots)
        backbone.to(device)
        closed = options.mode == "generate"
        self._encoder = PromptEncoder(backbone, tokens, closed=closed, codes=options.language_codes)

    def sizes(self) -> Sizes:
        """Parameters of the whole model."""
        return self.backbone.sizes()

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        """Train on all feeds together, or only remember them where they are shots.

        Raises:
            StageError: as `HfModel.fit`, or a feed cannot be learnt by a model that writes.
        """
        if all(feed.objective == "shots" for feed in feeds):
            self.shots = tuple(shot for feed in feeds for shot in _shots(feed))
            return {"steps": 0, "shots": len(self.shots)}
        # The global generators are left as they were found: other stages must not hang on this one.
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            self._attach_adapter(recipe, session)
            recipe = self._settled_recipe(recipe)
            prepared_feeds = [self._prepared(feed, recipe) for feed in feeds]
            facts = Training(self, prepared_feeds, recipe, session, self._device).run()
            adapters.finish(self.backbone, recipe.adapter)
            return {**facts, **self.computes(recipe)}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """The likeliest of an item's answers, or what the model writes where there are none.

        Raises:
            ConfigurationError: the model has language codes, and none for that of the items.
            StageError: the card has no verbalizer, or prompts do not fit `max_length`.
        """
        recipe = self._settled_recipe(recipe)
        objective = AnswerObjective(card, self._encoder, self.shots)
        if task_type.prediction == "text":
            return self._generated(objective, card, examples, recipe)
        features = objective.features(examples, self.tokens, recipe, gold=False)
        layout = Layout(self.tokens.pad)

        def ask(states: torch.Tensor, batch: Any) -> DeviceAnswers:
            return objective.answers(states, self.backbone.logits, batch, recipe)

        # An item with an empty answer to choose has no feature, and is answered with 0.
        scores: list[Any] = [()] * len(examples)
        answers = read(self.backbone, features, layout, recipe, self._device, ask)
        for feature, log_probabilities in zip(features, answers, strict=True):
            scores[feature.owner] = log_probabilities
        items = objective.items(examples)
        return best_answers(items, scores, length_normalized=self.options.length_normalized)

    def computes(self, recipe: Recipe) -> Mapping[str, str]:
        """The number format, the device, and windows that were cut, for receipts."""
        return {**provenance(recipe, self._device), **self.backbone.cut_length(recipe)}

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """Never.

        Raises:
            StageError: always.
        """
        raise StageError("a model that answers in words makes no vectors", hint="use 'mode: head'")

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs; `from_pretrained` reads the model.

        Raises:
            StageError: the disk is full or cannot be written.
        """
        storage.save(folder, self.backbone, self.tokens, self.options, self.shots)

    def _generated(
        self,
        objective: AnswerObjective,
        card: TaskCard,
        examples: Sequence[Example],
        recipe: Recipe,
    ) -> list[str]:
        # A decoder writes the blank itself: most vocabularies join it to the word behind.
        separator = (
            verbalizer_of(card).target_delimiter.rstrip()
            if not self.backbone.is_encoder_decoder
            else ""
        )
        prompts = [
            objective.encoder.source_ids(
                objective.prompt(
                    item,
                    recipe,
                    # A decoder answers within the window of the prompt: room is kept.
                    0 if self.backbone.is_encoder_decoder else recipe.max_answer_length,
                )
                + separator
            )
            for item in objective.items(examples)
        ]
        return generate(
            self.backbone, self.tokens, prompts, objective.encoder.decoder_prefix, recipe
        )

    def _settled_recipe(self, recipe: Recipe) -> Recipe:
        """Prompts no longer than the model takes, and a number format that the device has."""
        return resolve(self.backbone.within_limit(recipe), self._device)

    def _attach_adapter(self, recipe: Recipe, session: TrainingSession) -> None:
        if recipe.adapter is not None and recipe.adapter.method != "lora":
            raise StageError(
                f"a model that answers in words cannot learn a {recipe.adapter.method}",
                hint="use lora, or 'mode: head'",
            )
        adapters.prepare(self.backbone, recipe.adapter, session.seed)

    def _prepared(self, feed: TrainingSet, recipe: Recipe) -> PreparedFeed:
        if feed.objective != "task":
            raise StageError(f"a model that answers in words cannot learn by '{feed.objective}'")
        if self.options.mode == "loglikelihood":
            raise StageError(
                "a model that is asked by likelihood is not trained", hint="use 'mode: generate'"
            )
        features = [
            feature
            for card, examples in feed.by_language()
            for feature in AnswerObjective(card, self._encoder).features(
                examples, self.tokens, recipe, gold=True
            )
        ]
        if not features:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        objective, layout = AnswerObjective(feed.card, self._encoder), Layout(self.tokens.pad)
        head = self.backbone.logits
        return PreparedFeed(feed.card.name, len(feed.examples), features, objective, head, layout)


def _shots(feed: TrainingSet) -> list[str]:
    """The feed's examples with their right answers, in words."""
    shots = []
    for card, examples in feed.by_language():
        verbalizer = verbalizer_of(card)
        items = [verbalize(item, card) for item in examples]
        shots += [
            verbalizer.prompt_text(item.fields) + verbalizer.target_delimiter + item.gold
            for item in items
        ]
    return shots
