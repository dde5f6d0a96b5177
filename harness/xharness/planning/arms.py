"""From one model under one strategy with one seed to its arms, one a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from xharness.errors import ConfigurationError, UnavailableError, UnsupportedError, printable
from xharness.gaps.scores import MissingRow
from xharness.planning.auxiliary_data import ScoredData
from xharness.planning.capabilities import Capabilities
from xharness.planning.checks import check_head
from xharness.planning.context import ArmContext
from xharness.planning.plan import Arm, Plan
from xharness.planning.route import ArmRoute
from xharness.planning.starts import StartFinder
from xharness.plugin.api import Checkpoint, TranslateTest
from xharness.plugin.catalogue import validated
from xharness.plugin.manager import summary
from xharness.spec.cards import TaskCard
from xharness.spec.study import TargetSpec
from xharness.spec.yaml_nodes import KeyPath
from xharness.stages import DataSlice, Predict, Score, SelectModel, Start, Train

RouteEnd = Checkpoint | TranslateTest
"""What a strategy returns."""


@dataclass(frozen=True)
class ArmCompiler:
    """Adds the arms of one model under one strategy with one seed to a plan."""

    plan: Plan
    context: ArmContext
    starts: StartFinder
    scored_data: ScoredData
    strategy_name: str
    """How the board calls the strategy."""
    strategy_path: KeyPath
    """Where the strategy stands in the study's file."""

    def add(self, target: TargetSpec) -> None:
        """Add the arm of `target`, or the reason why there is none.

        Raises:
            ConfigurationError: the arm can never work.
        """
        card = self.context.planning.catalogue.card(target.task)
        try:
            self._add(target, card)
        except (UnsupportedError, UnavailableError) as error:
            self._leave_out(card, error)

    def _borrow(self, target: TargetSpec, predict: Predict) -> None:
        """Ask the model what another task lends `target`: its score in the source language."""
        planning, capabilities = self.context.planning, self._capabilities
        card = planning.catalogue.card(target.task)
        lender = planning.lender(card)
        # A lender that is a target itself has its own arm already.
        if lender is None or lender.name in {spec.task for spec in planning.targets}:
            return
        source = planning.study.source_language
        try:
            capabilities.check(lender)
            data_slice = planning.data_slice(lender, source, lender.eval_split, target.limit)
            digest = capabilities.prompt_digest(lender)
        except (UnavailableError, UnsupportedError) as error:
            self._leave_out(card, error, source)
            return
        if not capabilities.generates:
            check_head(predict.model, lender, self.context)
        recipe = self.context.recipe([lender])
        question = Predict(predict.model, lender.name, (data_slice,), recipe, None, digest)
        score = Score(question, capabilities.metrics(lender))
        spec = TargetSpec(task=lender.name, languages=(source,), limit=target.limit)
        model, strategy = self.context.model.name, self.strategy_name
        self.plan.add(Arm(model, strategy, self.context.seed, spec, score))

    @cached_property
    def _capabilities(self) -> Capabilities:
        return self.context.planning.capabilities(self.context.model)

    def _add(self, target: TargetSpec, card: TaskCard) -> None:
        context, capabilities = self.context, self._capabilities
        # Before any data is looked for: what the model cannot do needs none, and may not be here.
        capabilities.check_task_type(card)
        capabilities.check(card)
        route = ArmRoute(context, self.starts.of(context.model), card)
        end = self._select_rate(route)
        model = _model(end)
        if not capabilities.generates:
            check_head(model, card, context)
        scored = self.scored_data.of(target, card)
        for language, error in scored.unavailable.items():
            self._leave_out(card, error, language)
        texts = self._model_texts(route, end, scored.data_slices)
        data_slices = tuple(self._supported(card, texts))
        for language, error in scored.unanswerable.items():
            self._leave_out(card, error, language)
        # The reason of each language is noted by now.
        if not data_slices:
            return
        predict = Predict(
            model,
            card.name,
            data_slices,
            context.recipe([card]),
            scored.retrieval,
            capabilities.prompt_digest(card),
        )
        score = Score(predict, capabilities.metrics(card))
        self.plan.add(Arm(context.model.name, self.strategy_name, context.seed, target, score))
        self._borrow(target, predict)

    def _select_rate(self, route: ArmRoute) -> RouteEnd:
        """What the strategy returns; of several learning rates, the selection between them."""
        ends = [
            self._route_end(replace(route, context=replace(self.context, rate_index=index)))
            for index in range(self.context.rate_count)
        ]
        # By key: rates may lead to the same training, such as a prompted model's, which has none.
        models = {model.key: model for model in map(_model, ends)}
        trainings = tuple(model for model in models.values() if isinstance(model, Train))
        # One rate leaves nothing to select: no dev data is read, the key is the training's.
        if len(trainings) < 2:
            return ends[0]
        with self.context.planning.document.locating(("recipe", "learning_rate")):
            dev = route.dev(trainings[0], self.context.selection.limit)
            selected = SelectModel(trainings, dev, route.metrics(dev))
        end = ends[0]
        return replace(end, model=selected) if isinstance(end, TranslateTest) else selected

    def _route_end(self, route: ArmRoute) -> RouteEnd:
        """What the strategy judges the route's target on.

        Raises:
            ConfigurationError: an option or a name in the study is wrong, or the strategy itself.
            UnavailableError: data that it trains on cannot be had.
        """
        spec, planning = self.context.strategy, self.context.planning
        strategy = planning.catalogue.strategies[spec.strategy]
        document = planning.document.options(self.strategy_path)
        owner = f"strategy '{spec.name}'"
        options = validated(strategy.options, spec.strategy_options, owner, document)
        provider = planning.catalogue.strategies.provider(spec.strategy)
        offer = f"strategy '{spec.strategy}', offered by {provider}"
        try:
            end: object = strategy.route(route, options)
        except (UnsupportedError, UnavailableError):
            raise  # models, data and sources, which no strategy can help
        except ConfigurationError as error:
            # An error that has a place, such as a card's line, knows better than the study's.
            if error.where is None or error.where.startswith("strategy "):
                raise planning.document.located(self.strategy_path, error) from None
            raise
        except (Exception, SystemExit) as error:
            raise ConfigurationError(f"route failed: {summary(error)}", where=offer) from error
        if not isinstance(end, Start | Train | SelectModel | TranslateTest):
            raise ConfigurationError(
                f"route returned {end!r}",
                where=offer,
                expected="route.base or what route.train returns",
            )
        return end

    def _model_texts(
        self, route: ArmRoute, end: RouteEnd, data_slices: Iterable[DataSlice]
    ) -> Iterator[DataSlice]:
        """The items as the model is given them: as they are, or in the source language."""
        if not isinstance(end, TranslateTest):
            # Trained in the source language and asked in the item's own: zero-shot transfer.
            yield from data_slices
            return
        if self.context.selection.by == "target-dev":
            raise ConfigurationError(
                "target-dev would look at dev data that is not translated",
                where=f"strategy '{self.context.strategy.name}'",
                hint="selection: last, average or source-dev",
            )
        source = route.source_language
        for data_slice in data_slices:
            try:
                yield route.with_texts_in(source, data_slice, end.translator, end.options)
            except ConfigurationError as error:
                raise self.context.planning.document.located(self.strategy_path, error) from None
            except UnavailableError as error:
                self._leave_out(route.target, error, data_slice.language)

    def _supported(self, card: TaskCard, data_slices: Iterable[DataSlice]) -> Iterator[DataSlice]:
        """Those in a language that the model knows; the others are noted and left out."""
        texts = tuple(data_slices)
        languages = tuple(data_slice.text_language for data_slice in texts)
        reasons = self._capabilities.unanswered_languages(card, languages)
        if not reasons:
            yield from texts
            return
        for data_slice in texts:
            reason = reasons.get(data_slice.text_language)
            if reason is None:
                yield data_slice
            else:
                self._leave_out(card, UnsupportedError(reason), data_slice.language)

    def _leave_out(
        self,
        card: TaskCard,
        error: UnsupportedError | UnavailableError,
        language: str | None = None,
    ) -> None:
        missing = MissingRow(
            model=self.context.model.name,
            strategy=self.strategy_name,
            seed=self.context.seed,
            task=card.name,
            language=language,
            reason=printable(error.reason),
        )
        hint = None if error.hint is None else printable(error.hint)
        self.plan.leave_out(missing, hint, unavailable=isinstance(error, UnavailableError))


def _model(end: RouteEnd) -> Checkpoint:
    return end.model if isinstance(end, TranslateTest) else end
