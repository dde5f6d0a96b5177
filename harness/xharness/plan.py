"""A study compiles to a plan: one graph of stages, and the arms that read their scores from it.

Strategies are pure functions, stages are values with content keys, so two arms that need the same
checkpoint name the same stage, and it is trained once. Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from xharness.cards import Split, TaskCard
from xharness.catalogue import Catalogue, validated
from xharness.digest import canonical
from xharness.errors import ConfigurationError, UnavailableError, suggestion
from xharness.extend import Checkpoint, Surroundings
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
from xharness.study import ModelSpec, Recipe, StrategySpec, Study, TargetSpec

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
    study: Study, catalogue: Catalogue, portion: FindPortion, surroundings: Surroundings
) -> Plan:
    """The plan of a study.

    Raises:
        ConfigurationError: an unknown name, or an arm that can never work.
    """
    targets = [*_targets(study, catalogue)]
    plan = Plan(study)
    for model in study.models:
        starts = _Starts(study, catalogue, portion, surroundings)
        for strategy in study.strategies:
            for seed in study.seeds:
                for target in targets:
                    maker = _ArmMaker(study, catalogue, portion, targets, model, strategy, seed)
                    maker.into(plan, target, starts)
    return plan


def _targets(study: Study, catalogue: Catalogue) -> Iterator[TargetSpec]:
    """The study's targets with groups spelt out, each checked."""
    seen: set[str] = set()
    for spec in study.targets:
        for name in catalogue.tasks(spec.task):
            card = catalogue.card(name)
            if card.role == "corpus":
                raise ConfigurationError(f"'{name}' is a corpus, not a task that can be scored")
            for language in spec.languages or ():
                if language not in card.languages:
                    raise ConfigurationError(
                        f"task '{name}' has no language '{language}'",
                        hint=suggestion(language, card.languages),
                    )
            if name in seen:
                raise ConfigurationError(f"target '{name}' stands twice in the study")
            seen.add(name)
            yield spec.model_copy(update={"task": name})


class _CannotLearnError(ConfigurationError):
    """A strategy wants a backend to learn a kind that is none of its: the arm is left out."""


class _Starts:
    """The model an arm starts from: pretrained elsewhere, or by a stage of this plan."""

    def __init__(
        self, study: Study, catalogue: Catalogue, portion: FindPortion, surroundings: Surroundings
    ) -> None:
        self._study, self._catalogue, self._portion = study, catalogue, portion
        self._surroundings = surroundings
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
        options = validated(backend.options, spec.own_options, f"model '{spec.name}'")
        fingerprint = backend.fingerprint(options, self._surroundings)
        text = canonical(options.model_dump(mode="json", exclude_defaults=True)).decode()
        start = Start(spec.backend, text, fingerprint)
        if spec.pretrain is None:
            return start
        pretrain = spec.pretrain
        card = self._catalogue.card(pretrain.corpus)
        if card.role != "corpus":
            raise ConfigurationError(
                f"'{card.name}' is not a corpus", where=f"model '{spec.name}', pretrain.corpus"
            )
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

    def into(self, plan: Plan, target: TargetSpec, starts: _Starts) -> None:
        """Add the arm of `target` to the plan, or the reason why there is none."""
        card = self.catalogue.card(target.task)
        backend = self.catalogue.backends[self.model.backend]
        if card.kind not in backend.kinds:
            why = f"backend '{backend.name}' cannot answer tasks of kind '{card.kind}'"
            self._miss(plan, card, why, unavailable=False)
            return
        strategy = self.catalogue.strategies[self.strategy.use]
        where = f"strategy '{self.strategy.name}'"
        options = validated(strategy.options, self.strategy.own_options, where)
        try:
            checkpoint = strategy.route(_Route(self, starts.of(self.model), card), options)
        except _CannotLearnError as error:
            self._miss(plan, card, str(error), unavailable=False)
            return
        except UnavailableError as error:
            self._miss(plan, card, str(error))
            return
        _check_head(checkpoint, card, self)
        portions = tuple(self._portions(plan, target, card))
        if portions:
            predict = Predict(checkpoint, card.name, portions, self.recipe([card]))
            score = Score(predict, card.metrics)
            plan.add(Arm(self.model.name, self.strategy.name, self.seed, target, score))

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
                self._miss(plan, card, str(error), language)

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
        study = self.maker.study
        portion = self.maker.portion(card, study.source_language, "train", study.train_limit)
        return Feed((portion,), "task", card.head_name)


def _check_head(checkpoint: Checkpoint, card: TaskCard, maker: _ArmMaker) -> None:
    """Whether the model will have learnt the head that answers `card`, known before any run."""
    if maker.catalogue.kinds[card.kind].whole:
        return
    heads = set(_heads(checkpoint))
    if card.head_name not in heads:
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
