"""A study compiles to a plan: one graph of stages, and the arms that read their scores from it.

Strategies are pure functions, stages are values with content keys, so two arms that need the same
checkpoint name the same stage, and it is trained once. Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from traceback import walk_tb

from xharness.cards import Split, TaskCard
from xharness.catalogue import Catalogue, validated
from xharness.digest import canonical
from xharness.documents import Document, KeyPath
from xharness.errors import ConfigurationError, UnavailableError, suggestion
from xharness.extend import Checkpoint, Route, Surroundings
from xharness.plugins import summary
from xharness.scores import Missing
from xharness.stages import (
    Feed,
    Heads,
    Mixing,
    Portion,
    Predict,
    Score,
    Stage,
    Start,
    Train,
)
from xharness.study import ModelSpec, Places, Recipe, StrategySpec, Study, TargetSpec

FindPortion = Callable[[TaskCard, str, Split, int | None], Portion]
"""Answers with the portion and its fingerprint, or raises UnavailableError."""


@dataclass(frozen=True)
class Arm:
    """One cell of the study: a model under a strategy with a seed, judged on a target."""

    model: str
    strategy: str
    seed: int
    target: TargetSpec
    score: Score

    @property
    def label(self) -> str:
        """How progress and tables call it."""
        return f"{self.model} · {self.strategy} · seed {self.seed} · {self.target.task}"


@dataclass
class Plan:
    """Stages in an order that respects what each needs, the arms, and what cannot be had."""

    study: Study
    stages: dict[str, Stage] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    arms: list[Arm] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    unavailable: list[Missing] = field(default_factory=list)
    """Those of `missing` that data or a model would fill; the others no download can help."""

    def add(self, arm: Arm) -> None:
        """Add an arm and the stages it needs, each once, needs first."""
        self.arms.append(arm)
        for stage in _in_order(arm.score):
            if stage.key not in self.stages:
                self.stages[stage.key] = stage
                self.labels[stage.key] = _label(stage, arm)

    def needed(self, done: Callable[[str], bool]) -> list[Stage]:
        """The stages that must run for every arm to be scored, given which are done.

        A stage whose only readers are done is not needed, even if its folder is gone.
        """
        wanted: dict[str, Stage] = {}
        waiting: list[Stage] = [arm.score for arm in self.arms]
        while waiting:
            stage = waiting.pop()
            if stage.key not in wanted and not done(stage.key):
                wanted[stage.key] = stage
                waiting.extend(stage.needs)
        return [stage for key, stage in self.stages.items() if key in wanted]


def compile_plan(
    study: Study,
    catalogue: Catalogue,
    portion: FindPortion,
    surroundings: Surroundings,
    document: Document | None = None,
) -> Plan:
    """The plan of a study; with the `document` it was read from, errors name their line.

    Raises:
        ConfigurationError: an unknown name, or an arm that can never work.
    """
    places = Places(document)
    targets = [*_targets(study, catalogue, places)]
    _check_names(study, catalogue, places)
    plan = Plan(study)
    for at, model in enumerate(study.models):
        starts = _Starts(catalogue, portion, surroundings, places, ("models", at))
        for way, strategy in enumerate(study.strategies):
            path: KeyPath = ("strategies", way)
            for seed in study.seeds:
                for target in targets:
                    maker = _ArmMaker(
                        study, catalogue, portion, targets, model, strategy, seed, places, path
                    )
                    maker.into(plan, target, starts)
    _check_source_language(plan, targets, catalogue, places)
    return plan


def _targets(study: Study, catalogue: Catalogue, places: Places) -> Iterator[TargetSpec]:
    """The study's targets with groups spelt out, each checked."""
    seen: set[str] = set()
    for number, spec in enumerate(study.targets):
        path = places.target(number, spec)
        with _at(places, path):
            members = catalogue.members(spec.task)
        for name, some in ((member.task, member.languages) for member in members):
            card = catalogue.card(name)
            if card.role == "corpus":
                raise places.error(path, f"'{name}' is a corpus, not a task that can be scored")
            for place, language in enumerate(spec.languages or ()):
                if language not in card.languages:
                    raise places.error(
                        (*path[:2], "languages", place),
                        f"task '{name}' has no language '{language}'",
                        hint=suggestion(language, card.languages),
                    )
            if name in seen:
                raise places.error(path, f"target '{name}' stands twice in the study")
            seen.add(name)
            yield spec.model_copy(update={"task": name, "languages": spec.languages or some})


def _check_names(study: Study, catalogue: Catalogue, places: Places) -> None:
    """Whether there is every backend, strategy and task that the study names."""
    for place, model in enumerate(study.models):
        with _at(places, ("models", place, "backend")):
            catalogue.backends.provider(model.backend)
    for place, strategy in enumerate(study.strategies):
        with _at(places, ("strategies", place, "use")):
            catalogue.strategies.provider(strategy.use)
    for name in study.recipe.tasks:
        if name not in catalogue.card_files.offers:
            raise places.error(
                ("recipe", "tasks", name),
                f"there is no task card '{name}'",
                hint=suggestion(name, catalogue.card_files),
            )


@contextmanager
def _at(places: Places, path: KeyPath) -> Iterator[None]:
    """An error without a place gets that of `path`."""
    try:
        yield
    except ConfigurationError as error:
        if error.where is not None:
            raise
        raise places.error(path, error.what, hint=error.hint) from None


def _check_source_language(
    plan: Plan, targets: Sequence[TargetSpec], catalogue: Catalogue, places: Places
) -> None:
    """Refuse a language that the study asks for and nothing in it has."""
    language = plan.study.source_language
    if "source_language" not in plan.study.model_fields_set:
        return
    named = {spec.task for spec in targets}
    for stage in plan.stages.values():
        if isinstance(stage, Train):
            named |= {portion.card for feed in stage.feeds for portion in feed.portions}
    for spec in targets:
        named |= {*catalogue.card(spec.task).train_on}
    known = {code for name in named for code in catalogue.card(name).languages}
    if language not in known:
        raise places.error(
            ("source_language",),
            f"no target has the language '{language}'",
            hint=suggestion(language, known),
        )


class _CannotLearnError(ConfigurationError):
    """A strategy wants a backend to learn a kind that is none of its: the arm is left out."""


class _Starts:
    """The model an arm starts from: pretrained elsewhere, or by a stage of this plan."""

    def __init__(
        self,
        catalogue: Catalogue,
        portion: FindPortion,
        surroundings: Surroundings,
        places: Places,
        path: KeyPath,
    ) -> None:
        self._catalogue, self._portion, self._surroundings = catalogue, portion, surroundings
        self._places, self._path = places, path
        self._known: dict[str, Checkpoint | UnavailableError] = {}

    def of(self, spec: ModelSpec) -> Checkpoint:
        """The start of `spec`, found once.

        Raises:
            UnavailableError: there is no such model, or no corpus to pretrain it on.
        """
        if spec.name not in self._known:
            try:
                self._known[spec.name] = self._find(spec)
            except UnavailableError as error:
                self._known[spec.name] = error
        found = self._known[spec.name]
        if isinstance(found, UnavailableError):
            raise found
        return found

    def _find(self, spec: ModelSpec) -> Checkpoint:
        backend = self._catalogue.backends[spec.backend]
        part = self._places.options(self._path)
        options = validated(backend.options, spec.own_options, f"model '{spec.name}'", part)
        fingerprint = backend.fingerprint(options, self._surroundings)
        text = canonical(options.model_dump(mode="json", exclude_defaults=True)).decode()
        start = Start(spec.backend, text, fingerprint)
        if spec.pretrain is None:
            return start
        pretrain = spec.pretrain
        path = (*self._path, "pretrain", "corpus")
        with _at(self._places, path):
            card = self._catalogue.card(pretrain.corpus)
        if card.role != "corpus":
            where = f"model '{spec.name}', pretrain.corpus"
            error = ConfigurationError(f"'{card.name}' is not a corpus", where=where)
            raise self._places.placed(path, error)
        portions = tuple(
            self._portion(card, language, "train", pretrain.limit)
            for language in pretrain.languages or card.languages
        )
        feeds = tuple(Feed(portions, objective, objective) for objective in pretrain.objectives)
        recipe = Recipe().changed(pretrain.recipe)
        return Train(start, feeds, Mixing(by="uniform"), recipe, "drop", pretrain.seed)


@dataclass
class _ArmMaker:
    """Takes one model, strategy and seed to arms; also the Route that strategies walk."""

    study: Study
    catalogue: Catalogue
    portion: FindPortion
    target_specs: Sequence[TargetSpec]
    model: ModelSpec
    strategy: StrategySpec
    seed: int
    places: Places
    path: KeyPath
    """Where the strategy stands in the study's file."""

    def into(self, plan: Plan, target: TargetSpec, starts: _Starts) -> None:
        """Add the arm of `target` to the plan, or the reason why there is none."""
        card = self.catalogue.card(target.task)
        backend = self.catalogue.backends[self.model.backend]
        if card.kind not in backend.kinds:
            why = f"backend '{backend.name}' cannot answer tasks of kind '{card.kind}'"
            self._miss(plan, card, why, unavailable=False)
            return
        try:
            checkpoint = self._walk(_Route(self, starts.of(self.model), card))
        except _CannotLearnError as error:
            self._miss(plan, card, error.reason, unavailable=False)
            return
        except UnavailableError as error:
            self._miss(plan, card, error.reason)
            return
        _check_head(checkpoint, card, self)
        portions = tuple(self._portions(plan, target, card))
        if portions:
            predict = Predict(checkpoint, card.name, portions, self.recipe([card]))
            score = Score(predict, card.metrics)
            plan.add(Arm(self.model.name, self.strategy.name, self.seed, target, score))

    def _walk(self, route: Route) -> Checkpoint:
        """The model that the strategy judges the route's target on.

        Raises:
            ConfigurationError: an option or a name in the study is wrong, or the strategy itself.
            UnavailableError: data that it trains on cannot be had.
        """
        strategy = self.catalogue.strategies[self.strategy.use]
        where = f"strategy '{self.strategy.name}'"
        part = self.places.options(self.path)
        options = validated(strategy.options, self.strategy.own_options, where, part)
        provider = self.catalogue.strategies.provider(self.strategy.use)
        offered = f"strategy '{self.strategy.use}', offered by {provider}"
        try:
            checkpoint: object = strategy.route(route, options)
        except (_CannotLearnError, UnavailableError):
            raise
        except ConfigurationError as error:
            if error.where is None or error.where.startswith("strategy "):
                raise self.places.placed(self.path, error) from None
            raise
        except (Exception, SystemExit) as error:
            if _came_from_data(error):
                raise
            raise ConfigurationError(f"route failed: {summary(error)}", where=offered) from error
        if not isinstance(checkpoint, Start | Train):
            raise ConfigurationError(
                f"route returned {checkpoint!r}",
                where=offered,
                expected="route.base or what route.train returns",
            )
        return checkpoint

    def recipe(self, cards: Sequence[TaskCard]) -> Recipe:
        """The study's recipe with what differs for the task, the model and the strategy."""
        names = {card.name for card in cards}
        own = self.study.recipe.tasks.get(names.pop(), {}) if len(names) == 1 else {}
        return self.study.recipe.changed(own, self.model.recipe, self.strategy.recipe)

    def _portions(self, plan: Plan, target: TargetSpec, card: TaskCard) -> Iterator[Portion]:
        """What is scored, language by language; what cannot be had is noted and left out."""
        split = target.split or card.scored
        for language in target.languages or card.languages:
            try:
                yield self.portion(card, language, split, target.limit)
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
            model=self.model.name,
            strategy=self.strategy.name,
            seed=self.seed,
            task=card.name,
            language=language,
            reason=why,
        )
        plan.missing.append(missing)
        if unavailable:
            plan.unavailable.append(missing)


@dataclass(frozen=True)
class _Route:
    """The `Route` of one arm (see `xharness.extend`)."""

    maker: _ArmMaker
    base: Checkpoint
    target: TaskCard

    @cached_property
    def targets(self) -> tuple[TaskCard, ...]:
        return tuple(self.card(spec.task) for spec in self.maker.target_specs)

    def training_sets(self, target: TaskCard | None = None) -> tuple[TaskCard, ...]:
        return tuple(self.card(name) for name in (target or self.target).train_on)

    def card(self, name: str) -> TaskCard:
        return self.maker.catalogue.card(name)

    def train(
        self,
        start: Checkpoint,
        cards: Sequence[TaskCard],
        *,
        heads: Heads = "drop",
        mixing: Mixing | None = None,
    ) -> Train:
        feeds = tuple(self._feed(card) for card in cards)
        chosen = mixing if mixing is not None and len(feeds) > 1 else Mixing()
        recipe = self.maker.recipe(cards)
        return Train(start, feeds, chosen, recipe, heads, self.maker.seed)

    def _feed(self, card: TaskCard) -> Feed:
        kinds = self.maker.catalogue.backends[self.maker.model.backend].kinds
        if card.kind not in kinds:
            raise _CannotLearnError(
                f"backend '{self.maker.model.backend}' cannot learn tasks of kind '{card.kind}'"
            )
        return Feed((self._portion(card),), "task", card.head_name)

    def _portion(self, card: TaskCard) -> Portion:
        study = self.maker.study
        return self.maker.portion(card, study.source_language, "train", study.train_limit)


def _came_from_data(error: BaseException) -> bool:
    """Whether a crash below a strategy is that of a source, which the strategy cannot help."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(frame.f_code is _Route._portion.__code__ for frame in frames)


def _check_head(checkpoint: Checkpoint, card: TaskCard, maker: _ArmMaker) -> None:
    """Whether the model will have learnt the head that answers `card`, known before any run."""
    if maker.catalogue.kinds[card.kind].whole:
        return
    heads = set(_heads(checkpoint))
    if card.head_name not in heads:
        if not card.train_on and card.head is None:
            raise ConfigurationError(
                f"task '{card.name}' names no training set",
                hint="add `train_on` to its card, or use it as an intermediate task",
            )
        raise ConfigurationError(
            f"strategy '{maker.strategy.name}' never trains the head '{card.head_name}' "
            f"that task '{card.name}' needs",
            hint=f"heads it trains: {', '.join(sorted(heads)) or 'none'}",
        )


def _heads(checkpoint: Checkpoint) -> Iterator[str]:
    """The heads a checkpoint ends with: those of its last stage, and those kept before it."""
    if isinstance(checkpoint, Train):
        yield from (feed.head for feed in checkpoint.feeds)
        if checkpoint.heads == "keep":
            yield from _heads(checkpoint.start)


def _in_order(stage: Stage) -> Iterable[Stage]:
    """`stage` after everything it needs."""
    for need in stage.needs:
        yield from _in_order(need)
    yield stage


def _label(stage: Stage, arm: Arm) -> str:
    if isinstance(stage, Train):
        objectives = {feed.objective for feed in stage.feeds}
        if "task" not in objectives:
            return f"{arm.model} · pretrain"
        cards = [feed.portions[0].card for feed in stage.feeds]
        shown = "+".join(cards) if len(cards) < 4 else f"{len(cards)} tasks"
        return f"{arm.model} · train {shown} · seed {stage.seed}"
    what = "predict" if isinstance(stage, Predict) else "score"
    return f"{arm.model} · {what} {arm.target.task} · {arm.strategy} · seed {arm.seed}"
