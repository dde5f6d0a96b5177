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
    TrainingSession,
    TrainingSet,
)
from xharness_hf.backbone import adapters
from xharness_hf.backbone.batch import Layout
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.config.options import AnswerOptions
from xharness_hf.generative import storage
from xharness_hf.generative.answers import AnswerObjective, best
from xharness_hf.generative.generation import written
from xharness_hf.generative.language_model import LanguageModel
from xharness_hf.generative.prompt_encoder import PromptEncoder
from xharness_hf.generative.verbalizer import prompt, question, verbaliser
from xharness_hf.heads.heads import Heads
from xharness_hf.inference import read
from xharness_hf.training.loop import PreparedFeed, Training


class GenerativeModel(Model):
    """A language model with the examples it is shown before every question."""

    def __init__(
        self,
        device: torch.device,
        backbone: LanguageModel,
        tokens: Tokens,
        manner: AnswerOptions,
        shots: Sequence[str] = (),
    ) -> None:
        self._device, self.backbone, self.tokens = device, backbone, tokens
        self.heads = Heads()
        """None: its answers are words."""
        self.manner, self.shots = manner, tuple(shots)
        backbone.to(device)
        closed = manner.answers == "text"
        self._spelling = PromptEncoder(backbone, tokens, closed=closed, codes=manner.codes)

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
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            self._adapt(recipe, session)
            recipe = self.backbone.within_limit(recipe)
            lessons = [self._lesson(feed, recipe) for feed in feeds]
            facts = Training(self, lessons, recipe, session, self._device).run()
            adapters.finish(self.backbone, recipe.adapter)
            return facts

    def predict(
        self, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """The likeliest of an item's answers, or what the model writes where there are none.

        Raises:
            ConfigurationError: the model has language codes, and none for that of the items.
            StageError: the card has no verbaliser, or prompts do not fit `max_length`.
        """
        recipe = self.backbone.within_limit(recipe)
        answering = AnswerObjective(card, self._spelling, self.shots)
        if kind.prediction == "text":
            return self._written(answering, card, examples, recipe)
        features = answering.features(examples, self.tokens, recipe, gold=False)
        layout = Layout(self.tokens.pad)

        def ask(states: torch.Tensor, batch: Any) -> Sequence[Any]:
            return answering.answers(states, self.backbone.next_words, batch, recipe)

        scores: list[Any] = [()] * len(examples)
        answers = read(self.backbone, features, layout, recipe, self._device, ask)
        for feature, one in zip(features, answers, strict=True):
            scores[feature.owner] = one
        asked = answering.questions(examples)
        return best(asked, scores, normalised=self.manner.normalised)

    def embed(self, texts: Sequence[str], recipe: Recipe) -> NDArray[np.float32]:
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
        storage.save(folder, self.backbone, self.tokens, self.manner, self.shots)

    def _written(
        self,
        answering: AnswerObjective,
        card: TaskCard,
        examples: Sequence[Example],
        recipe: Recipe,
    ) -> list[str]:
        separator = verbaliser(card).target_delimiter.rstrip() if not self.backbone.paired else ""
        prompts = [
            answering.spelling.source(
                answering.prompt(
                    one, recipe, 0 if self.backbone.paired else recipe.max_answer_length
                )
                + separator
            )
            for one in answering.questions(examples)
        ]
        return written(self.backbone, self.tokens, prompts, answering.spelling.opening, recipe)

    def _adapt(self, recipe: Recipe, session: TrainingSession) -> None:
        if recipe.adapter is not None and recipe.adapter.method != "lora":
            raise StageError(
                f"a model that answers in words cannot learn a {recipe.adapter.method}",
                hint="use lora, or 'mode: head'",
            )
        adapters.prepare(self.backbone, recipe.adapter, session.seed)

    def _lesson(self, feed: TrainingSet, recipe: Recipe) -> PreparedFeed:
        if feed.objective != "task":
            raise StageError(f"a model that answers in words cannot learn by '{feed.objective}'")
        if self.manner.answers == "likelihood":
            raise StageError(
                "a model that is asked by likelihood is not trained", hint="use 'mode: generate'"
            )
        features = [
            feature
            for card, some in feed.by_language()
            for feature in AnswerObjective(card, self._spelling).features(
                some, self.tokens, recipe, gold=True
            )
        ]
        if not features:
            raise StageError(f"there is nothing to learn from in '{feed.card.name}'")
        answering, layout = AnswerObjective(feed.card, self._spelling), Layout(self.tokens.pad)
        head = self.backbone.next_words
        return PreparedFeed(feed.card.name, len(feed.examples), features, answering, head, layout)


def _shots(feed: TrainingSet) -> list[str]:
    """The feed's examples with their right answers, in words."""
    shots = []
    for card, some in feed.by_language():
        spoken = verbaliser(card)
        asked = [question(one, card) for one in some]
        shots += [prompt(one, spoken) + spoken.target_delimiter + one.gold for one in asked]
    return shots
