"""A study compiles to a plan: one graph of stages, and the arms that read their scores from it.

Strategies are pure functions, stages are values with content keys, so two arms that need the same
checkpoint name the same stage, and it is trained once. Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from traceback import walk_tb

from xharness.digests import canonical
from xharness.errors import ConfigurationError, UnavailableError, suggestion
from xharness.gaps.scores import Missing
from xharness.planning import (
    ArmContext,
    ArmRoute,
    Capabilities,
    Memo,
    TranslatorStarts,
    UnsupportedError,
)
from xharness.planning.plan import Arm, Plan
from xharness.planning.retrieval import FindSlice, RetrievalPlan
from xharness.planning.targets import expanded_targets
from xharness.plugin.api import Checkpoint, RunEnvironment, TranslateTest
from xharness.plugin.catalogue import Catalogue, validated
from xharness.plugin.manager import summary
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document, KeyPath
from xharness.spec.models import ModelSpec, Pretraining
from xharness.spec.recipe import Recipe
from xharness.spec.sources import Split
from xharness.spec.study import Study, TargetSpec
from xharness.spec.study_document import StudyDocument
from xharness.stages import (
    DataSlice,
    Mixture,
    Predict,
    ScorePredictions,
    SelectModel,
    Start,
    Train,
    TrainingFeed,
)


def compile_plan(
    study: Study,
    catalogue: Catalogue,
    portion: FindSlice,
    environment: RunEnvironment,
    document: Document | None = None,
) -> Plan:
    """The plan of a study; with the `document` it was read from, errors name their line.

    Raises:
        ConfigurationError: an unknown name, or an arm that can never work.
    """
    places = StudyDocument(document)
    portion = _remembering(portion)
    targets = [*expanded_targets(study, catalogue, places)]
    _check_names(study, catalogue, places)
    plan = Plan(study)
    translators = TranslatorStarts(catalogue, environment)
    for at, model in enumerate(study.models):
        starts = StartFinder(catalogue, portion, environment, places, places.model(at, model))
        for path, name, way in _ways(
            study, catalogue, portion, environment, translators, targets, model
        ):
            for target in targets:
                ArmCompiler(way, name, places, path).into(plan, target, starts)
    _check_source_language(plan, targets, catalogue, places)
    _check_recipe(plan, targets, catalogue, places)
    return plan


def _ways(
    study: Study,
    catalogue: Catalogue,
    portion: FindSlice,
    environment: RunEnvironment,
    translators: TranslatorStarts,
    targets: Sequence[TargetSpec],
    model: ModelSpec,
) -> Iterator[tuple[KeyPath, str, ArmContext]]:
    """Every strategy, selection and seed: where it stands in the file, its name on the board."""
    for at, strategy in enumerate(study.strategies):
        if not strategy.takes(model):
            continue
        for place, selecting in enumerate(strategy.selection or study.selection):
            name = selecting.label(strategy.name, first=place == 0)
            for seed in study.seeds:
                way = ArmContext(
                    study,
                    catalogue,
                    portion,
                    environment,
                    translators,
                    targets,
                    model,
                    strategy,
                    selecting,
                    seed,
                )
                yield ("strategies", at), name, way


def _remembering(find: FindSlice) -> FindSlice:
    """`find`, asked once for each portion however many arms read it."""
    known: Memo[DataSlice] = Memo()

    def remembered(card: TaskCard, language: str, split: Split, limit: int | None) -> DataSlice:
        asked = (card.name, language, split, limit)
        return known.of(asked, lambda: find(card, language, split, limit))

    return remembered


def _check_names(study: Study, catalogue: Catalogue, places: StudyDocument) -> None:
    """Whether there is every backend, strategy and task that the study names."""
    for place, model in enumerate(study.models):
        with places.locating((*places.model(place, model), "backend")):
            catalogue.backends.provider(model.backend)
    for place, strategy in enumerate(study.strategies):
        with places.locating(("strategies", place, "strategy")):
            catalogue.strategies.provider(strategy.strategy)
    named: list[tuple[KeyPath, str]]
    named = [(("recipe", "tasks", one), one) for one in study.recipe.tasks]
    for task, other in study.source_score_from.items():
        named += [(("source_score_from", task), one) for one in (task, other)]
    for path, name in named:
        if name not in catalogue.card_files.offers:
            raise places.error(
                path,
                f"there is no task card '{name}'",
                hint=suggestion(name, catalogue.card_files),
            )


def _check_source_language(
    plan: Plan, targets: Sequence[TargetSpec], catalogue: Catalogue, places: StudyDocument
) -> None:
    """Refuse a language that the study asks for and nothing in it has."""
    language = plan.study.source_language
    if "source_language" not in plan.study.model_fields_set:
        return
    named = _named(plan, targets, catalogue)
    known = {code for name in named for code in catalogue.card(name).languages}
    if language not in known:
        raise places.error(
            ("source_language",),
            f"no target has the language '{language}'",
            hint=suggestion(language, known),
        )


def _check_recipe(
    plan: Plan, targets: Sequence[TargetSpec], catalogue: Catalogue, places: StudyDocument
) -> None:
    """Refuse a recipe that no card in the study has; those that lack it keep the study's own."""
    name = plan.study.recipe.preset
    named = _named(plan, targets, catalogue)
    known = {recipe for one in named for recipe in catalogue.card(one).recipes}
    if name is not None and name not in known:
        raise places.error(
            ("recipe", "preset"),
            f"no task of this study has a recipe '{name}'",
            hint=suggestion(name, known),
        )


def _named(plan: Plan, targets: Sequence[TargetSpec], catalogue: Catalogue) -> set[str]:
    """The cards that a study scores, and those it trains on or would."""
    named = {spec.task for spec in targets}
    for stage in plan.stages.values():
        if isinstance(stage, Train):
            named |= {portion.card for feed in stage.feeds for portion in feed.data_slices}
    for spec in targets:
        named |= {*catalogue.card(spec.task).train_on}
    return named


class StartFinder:
    """The model an arm starts from: pretrained elsewhere, or by a stage of this plan."""

    def __init__(
        self,
        catalogue: Catalogue,
        portion: FindSlice,
        environment: RunEnvironment,
        places: StudyDocument,
        path: KeyPath,
    ) -> None:
        self._catalogue, self._portion, self._environment = catalogue, portion, environment
        self._places, self._path = places, path
        self._known: Memo[Checkpoint] = Memo()

    def of(self, spec: ModelSpec) -> Checkpoint:
        """The start of `spec`, found once.

        Raises:
            UnavailableError: there is no such model, or no corpus to pretrain it on.
        """
        return self._known.of(spec.name, lambda: self._find(spec))

    def _find(self, spec: ModelSpec) -> Checkpoint:
        backend = self._catalogue.backends[spec.backend]
        part = self._places.options(self._path)
        options = validated(backend.options, spec.backend_options, f"model '{spec.name}'", part)
        fingerprint = backend.fingerprint(options, self._environment)
        text = canonical(options.model_dump(mode="json", exclude_defaults=True)).decode()
        start = Start(spec.backend, text, fingerprint)
        return start if spec.pretrain is None else self._pretrained(spec, start, spec.pretrain)

    def _pretrained(self, spec: ModelSpec, start: Start, asked: Pretraining) -> Train:
        card, recipe = self._corpus(spec, asked), Recipe().changed(asked.recipe)
        abilities = Capabilities(self._catalogue, spec, self._environment)
        with self._places.locating(
            (*self._path, "pretrain")
        ):  # no arm of the model could ever work
            for objective in asked.objectives:
                abilities.check(card, objective, recipe)
        portions = tuple(
            self._portion(card, language, "train", asked.limit)
            for language in asked.languages or card.languages
        )
        feeds = tuple(
            TrainingFeed(portions, objective, objective) for objective in asked.objectives
        )
        return Train(start, feeds, Mixture(sampling="uniform"), recipe, "drop", asked.seed)

    def _corpus(self, spec: ModelSpec, asked: Pretraining) -> TaskCard:
        path = (*self._path, "pretrain", "corpus")
        with self._places.locating(path):
            card = self._catalogue.card(asked.corpus)
        if card.role != "corpus":
            where = f"model '{spec.name}', pretrain.corpus"
            error = ConfigurationError(f"'{card.name}' is not a corpus", where=where)
            raise self._places.located(path, error)
        return card


@dataclass(frozen=True)
class ArmCompiler:
    """Takes one model under one strategy with one seed to its arms."""

    way: ArmContext
    name: str
    """How the board calls the strategy."""
    places: StudyDocument
    path: KeyPath
    """Where the strategy stands in the study's file."""

    def into(self, plan: Plan, target: TargetSpec, starts: StartFinder) -> None:
        """Add the arm of `target` to the plan, or the reason why there is none."""
        way = self.way
        card = way.catalogue.card(target.task)
        backend = way.catalogue.backends[way.model.backend]
        if way.catalogue.task_types[card.task_type].predicted.name not in backend.task_types:
            why = f"backend '{backend.name}' cannot answer tasks of kind '{card.task_type}'"
            self._miss(plan, card, why, unavailable=False)
            return
        abilities = Capabilities(way.catalogue, way.model, way.environment)
        try:
            abilities.check(card)
            walk = ArmRoute(way, starts.of(way.model), card)
            found = self._chosen(walk)
            if not abilities.generates:
                _check_head(_model(found), card, self)
            candidates = RetrievalPlan(way.catalogue, way.find_slice, card, target)
            portions, refused = candidates.answerable(self._portions(plan, target, card))
            every = self._asked(plan, walk, found, portions)
            asked = tuple(self._able(plan, abilities, card, every))
        except UnsupportedError as error:
            self._miss(plan, card, error.reason, unavailable=False)
            return
        except UnavailableError as error:
            self._miss(plan, card, error.reason)
            return
        for language, why in refused.items():
            self._miss(plan, card, why, language)
        if asked:
            beside, recipe = candidates.data_for(portions), way.recipe([card])
            said = abilities.prompt_digest(card)
            predict = Predict(_model(found), card.name, asked, recipe, beside, said)
            score = ScorePredictions(predict, abilities.metrics(card))
            plan.add(Arm(way.model.name, self.name, way.seed, target, score))

    def _chosen(self, walk: ArmRoute) -> Checkpoint | TranslateTest:
        """What the strategy returns; of several learning rates, the choice between them."""
        walks = [
            replace(walk, context=replace(self.way, rate_index=place))
            for place in range(self.way.rates)
        ]
        found = [self._walk(one) for one in walks]
        models = {one.key: one for one in map(_model, found)}
        trained = tuple(one for one in models.values() if isinstance(one, Train))
        if len(trained) < 2:
            return found[0]
        with self.places.locating(("recipe", "learning_rate")):
            dev = walk.dev(trained[0], self.way.selection.limit)
            chosen = SelectModel(trained, dev, walk.metrics(dev))
        first = found[0]
        return replace(first, model=chosen) if isinstance(first, TranslateTest) else chosen

    def _walk(self, route: ArmRoute) -> Checkpoint | TranslateTest:
        """The model that the strategy judges the route's target on.

        Raises:
            ConfigurationError: an option or a name in the study is wrong, or the strategy itself.
            UnavailableError: data that it trains on cannot be had.
        """
        spec, catalogue = self.way.strategy, self.way.catalogue
        strategy = catalogue.strategies[spec.strategy]
        where = f"strategy '{spec.name}'"
        part = self.places.options(self.path)
        options = validated(strategy.options, spec.strategy_options, where, part)
        offered = (
            f"strategy '{spec.strategy}', offered by {catalogue.strategies.provider(spec.strategy)}"
        )
        try:
            found: object = strategy.route(route, options)
        except (UnsupportedError, UnavailableError):
            raise
        except ConfigurationError as error:
            if error.where is None or error.where.startswith("strategy "):
                raise self.places.located(self.path, error) from None
            raise
        except (Exception, SystemExit) as error:
            if _came_from_data(error):
                raise
            raise ConfigurationError(f"route failed: {summary(error)}", where=offered) from error
        if not isinstance(found, Start | Train | SelectModel | TranslateTest):
            raise ConfigurationError(
                f"route returned {found!r}",
                where=offered,
                expected="route.base or what route.train returns",
            )
        return found

    def _asked(
        self,
        plan: Plan,
        walk: ArmRoute,
        found: Checkpoint | TranslateTest,
        portions: tuple[DataSlice, ...],
    ) -> Iterator[DataSlice]:
        """The portions as the model is asked them: as they are, or in the source language."""
        if not isinstance(found, TranslateTest):
            yield from portions
            return
        if self.way.selection.by == "target-dev":
            raise ConfigurationError(
                "target-dev would look at dev data that is not translated",
                where=f"strategy '{self.way.strategy.name}'",
                hint="selection: last, average or source-dev",
            )
        source, options = walk.source_language, found.options
        for one in portions:
            try:
                yield walk.asked_in(one, source, found.translator, options)
            except UnsupportedError:
                raise
            except ConfigurationError as error:
                raise self.places.located(self.path, error) from None
            except UnavailableError as error:
                self._miss(plan, walk.target, error.reason, one.language)

    def _able(
        self, plan: Plan, abilities: Capabilities, card: TaskCard, portions: Iterable[DataSlice]
    ) -> Iterator[DataSlice]:
        """Those in a language that the model knows; the others are noted and left out."""
        for one in portions:
            try:
                abilities.check(card, data_slices=(one,))
            except UnsupportedError as error:
                self._miss(plan, card, error.reason, one.language, unavailable=False)
            else:
                yield one

    def _portions(self, plan: Plan, target: TargetSpec, card: TaskCard) -> Iterator[DataSlice]:
        """What is scored, language by language; what cannot be had is noted and left out."""
        split = target.split or card.eval_split
        for language in target.languages or card.languages:
            try:
                yield self.way.find_slice(card, language, split, target.limit)
            except UnavailableError as error:
                self._miss(plan, card, error.reason, language)

    def _miss(
        self,
        plan: Plan,
        card: TaskCard,
        why: str,
        language: str | None = None,
        *,
        unavailable: bool = True,
    ) -> None:
        missing = Missing(
            model=self.way.model.name,
            strategy=self.name,
            seed=self.way.seed,
            task=card.name,
            language=language,
            reason=why,
        )
        plan.leave_out(missing, unavailable=unavailable)


def _model(found: Checkpoint | TranslateTest) -> Checkpoint:
    return found.model if isinstance(found, TranslateTest) else found


def _came_from_data(error: BaseException) -> bool:
    """Whether a crash below a strategy is that of a source, which the strategy cannot help."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(frame.f_code is ArmContext.data_slice.__code__ for frame in frames)


def _check_head(checkpoint: Checkpoint, card: TaskCard, maker: ArmCompiler) -> None:
    """Whether the model will have learnt the head that answers `card`, known before any run."""
    if maker.way.catalogue.task_types[card.task_type].answered_by_search:
        return
    heads = set(_heads(checkpoint))
    if card.head_name not in heads:
        if not card.train_on and card.head is None:
            raise ConfigurationError(
                f"task '{card.name}' names no training set",
                hint="add `train_on` to its card, or use it as an intermediate task",
            )
        raise ConfigurationError(
            f"strategy '{maker.way.strategy.name}' never trains the head '{card.head_name}' "
            f"that task '{card.name}' needs",
            hint=f"heads it trains: {', '.join(sorted(heads)) or 'none'}",
        )


def _heads(checkpoint: Checkpoint) -> Iterator[str]:
    """The heads a checkpoint ends with: those of its last stage, and those kept before it."""
    if isinstance(checkpoint, SelectModel):
        yield from _heads(checkpoint.candidates[0])
    if isinstance(checkpoint, Train):
        yield from (feed.head for feed in checkpoint.feeds)
        if checkpoint.heads == "keep":
            yield from _heads(checkpoint.start)
