"""The models that arms start from: pretrained by others, or by a stage of this plan."""

from __future__ import annotations

from xharness.digests import canonical
from xharness.errors import ConfigurationError, UnsupportedError
from xharness.planning.context import PlanningContext
from xharness.planning.memo import Memo
from xharness.plugin.api import Checkpoint
from xharness.plugin.asking import ask_fingerprint
from xharness.plugin.catalogue import validated
from xharness.spec.cards import TaskCard
from xharness.spec.models import ModelSpec, Pretraining
from xharness.spec.recipe import Recipe
from xharness.spec.yaml_nodes import KeyPath
from xharness.stages import Mixture, Start, Train, TrainingFeed


class StartFinder:
    """Finds the start of a model; `path` is where the model stands in the study's file."""

    def __init__(self, context: PlanningContext, path: KeyPath) -> None:
        self._context, self._path = context, path
        self._starts: Memo[Checkpoint] = Memo()

    def of(self, model: ModelSpec) -> Checkpoint:
        """The start of `model`, looked up once.

        Raises:
            UnavailableError: there is no such model, or no corpus to pretrain it on.
        """
        return self._starts.get(model.name, lambda: self._find(model))

    def _find(self, model: ModelSpec) -> Checkpoint:
        backend = self._context.catalogue.backends[model.backend]
        options = validated(backend.options, model.backend_options, f"model '{model.name}'")
        identity = ask_fingerprint(
            f"backend '{model.backend}'",
            lambda: backend.fingerprint(options, self._context.environment),
            f"model '{model.name}'",
        )
        # For loading alone: the key has the fingerprint, which is the same under any path.
        text = canonical(options.model_dump(mode="json", exclude_defaults=True)).decode()
        start = Start(model.backend, text, identity)
        return start if model.pretrain is None else self._pretrained(model, start, model.pretrain)

    def _pretrained(self, model: ModelSpec, start: Start, pretraining: Pretraining) -> Train:
        context, recipe = self._context, Recipe().changed(pretraining.recipe)
        card = self._corpus(model, pretraining)
        capabilities = context.capabilities(model)
        try:
            for objective in pretraining.objectives:
                capabilities.check(card, objective, recipe)
        except UnsupportedError as error:
            # Every arm of the model would be dropped: that is a mistake in the study.
            raise context.document.error((*self._path, "pretrain"), error.what) from None
        data_slices = tuple(
            context.data_slice(card, language, "train", pretraining.limit)
            for language in pretraining.languages or card.languages
        )
        feeds = tuple(
            TrainingFeed(data_slices, objective, objective) for objective in pretraining.objectives
        )
        mixture = Mixture(sampling="uniform")
        return Train(start, feeds, mixture, recipe, "drop", pretraining.seed)

    def _corpus(self, model: ModelSpec, pretraining: Pretraining) -> TaskCard:
        path = (*self._path, "pretrain", "corpus")
        document = self._context.document
        with document.locating(path):
            card = self._context.catalogue.card(pretraining.corpus)
        if card.role != "corpus":
            owner = f"model '{model.name}', pretrain.corpus"
            error = ConfigurationError(f"'{card.name}' is not a corpus", where=owner)
            raise document.located(path, error)
        return card
