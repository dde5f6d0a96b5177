"""The contract kit: what every backend must keep, as tests a plugin author inherits.

    from xharness.testing import BackendContract
    from my_plugin import MyBackend

    class TestMyBackend(BackendContract):
        backend = MyBackend()
        options = {"path": "tests/tiny-model"}

pytest finds the inherited tests. Each kind the backend names in `kinds` is tried on a tiny task
that a working model learns in seconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, get_args

from xharness.plugin.api import (
    Backend,
    Example,
    Model,
    Prediction,
    Recipe,
    RunEnvironment,
    Sizes,
    TaskType,
    TrainingSession,
    TrainingSet,
)
from xharness.plugin.catalogue import validated
from xharness.spec.cards import About, TaskCard
from xharness.spec.sources import SourceSpec
from xharness.task_types import BUILTIN
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.checklist import ChecklistExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.corpus import PassageExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.ranking import RetrievalExample
from xharness.task_types.search import SearchRequest, TextRole, build_index
from xharness.task_types.tagging import TaggingExample

_WORDS = (
    "red blue green stone river cloud house bird lamp road salt wind".split()  # noqa: SIM905
)
_KINDS: Mapping[str, TaskType] = {kind.name: kind for kind in BUILTIN}


def toy_card(kind: str) -> TaskCard:
    """A card of `kind` for `toy_examples`."""
    labels = {"classification": ("no-bird", "bird"), "multiple_choice": ("first", "second")}
    return TaskCard(
        name=f"toy_{kind}",
        task_type=kind,
        role="target",
        sources=(SourceSpec.model_validate({"from": "nowhere"}),),
        languages=("en",),
        fields={},
        labels=labels.get(kind, ("O", "B-LOC")),
        metrics=(next(iter(_KINDS[kind].metrics)),),
        about=About(title="toy", summary="toy", license="CC0-1.0", citation="none"),
    )


def toy_examples(kind: str, count: int, seed: int = 0) -> list[Example]:
    """`count` examples that a word can tell apart: is there a bird, which choice has one, …"""
    draw = random.Random(f"{kind}-{seed}")
    return [_TOYS[kind](str(number), draw) for number in range(count)]


def _words(draw: random.Random, count: int) -> list[str]:
    return draw.choices([word for word in _WORDS if word != "bird"], k=count)


def _classification(item: str, draw: random.Random) -> Example:
    label = draw.randrange(2)
    words = [*_words(draw, 3), "bird" if label else "lamp"]
    draw.shuffle(words)
    return ClassificationExample(item, " ".join(words), None, label)


def _choice(item: str, draw: random.Random) -> Example:
    label = draw.randrange(2)
    choices = [" ".join(_words(draw, 2)), " ".join(_words(draw, 2))]
    choices[label] = f"bird {choices[label]}"
    return MultipleChoiceExample(item, "who flies", tuple(choices), label)


def _tagging(item: str, draw: random.Random) -> Example:
    words = draw.choices(_WORDS, k=draw.randint(3, 7))
    return TaggingExample(item, tuple(words), tuple(int(word == "bird") for word in words))


def _span(item: str, draw: random.Random) -> Example:
    words = [*_words(draw, 3), "bird", *_words(draw, 3)]
    draw.shuffle(words)
    context = " ".join(words)
    return ExtractiveQAExample(
        item, "who flies", context, (GoldAnswer("bird", context.index("bird")),)
    )


def _span_or_none(item: str, draw: random.Random) -> Example:
    if draw.randrange(2):
        return _span(item, draw)
    return ExtractiveQAExample(item, "who flies", " ".join(_words(draw, 7)), ())


def _checklist(item: str, draw: random.Random) -> Example:
    parts = [_span(f"{item}.{place}", draw) for place in range(2)]
    return ChecklistExample(
        item, tuple(one for one in parts if isinstance(one, ExtractiveQAExample))
    )


def _bitext(item: str, draw: random.Random) -> Example:
    words = " ".join(_own_words(item))
    return BitextExample(item, words, words, int(item))


def _retrieval(item: str, draw: random.Random) -> Example:
    words = _own_words(item)
    return RetrievalExample(item, " ".join(words), item, " ".join([*words, *_words(draw, 1)]))


def _mining(item: str, draw: random.Random) -> Example:
    match = f"t{item}" if draw.randrange(2) else ""
    return BitextMiningExample(item, " ".join(_own_words(item)), (match,) if match else ())


def _own_words(item: str) -> list[str]:
    """Three words that tell this item from 143 others."""
    number = int(item)
    return [_WORDS[number % 12], _WORDS[number // 12 % 12], _WORDS[(number * 7 + 3) % 12]]


def toy_candidates(examples: Iterable[Example]) -> Iterator[PassageExample]:
    """Candidates among which `examples`, of a kind that has an index, find what they want."""
    for one in examples:
        if isinstance(one, RetrievalExample):
            yield PassageExample(f"p{one.id}", one.positive or "", (one.relevant,))
        if isinstance(one, BitextMiningExample):
            yield from (PassageExample(match, one.text, ()) for match in one.matches)


def answered(
    model: Model, card: TaskCard, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    """What a run would store: answers of the model, or what is found by its vectors."""
    kind = _KINDS[card.task_type]
    if not kind.answered_by_search:
        return model.predict(card, kind, examples, recipe)

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([model.embed([*texts], recipe, role)])

    found = toy_candidates(examples)
    candidates = build_index(found, encode, kind.candidate_role) if kind.indexed else None
    asked = SearchRequest(examples, encode, candidates)
    return kind.search(replace(asked, tuning=asked))


_TOYS = {
    "classification": _classification,
    "multiple_choice": _choice,
    "tagging": _tagging,
    "extractive_qa": _span,
    "extractive_qa_unanswerable": _span_or_none,
    "checklist": _checklist,
    "bitext_retrieval": _bitext,
    "retrieval": _retrieval,
    "entity_linking": _retrieval,
    "bitext_mining": _mining,
}
_UNTAUGHT = frozenset({"bitext_retrieval", "bitext_mining"})
"""Kinds that are only ever answered: whatever vectors there are do."""


class BackendContract:
    """Inherit, name the backend and its options, and pytest runs what every backend must keep."""

    backend: ClassVar[Backend]
    options: ClassVar[Mapping[str, Any]] = {}
    recipe: ClassVar[Recipe] = Recipe(epochs=10, learning_rate=3e-3, batch_size=16, max_length=32)
    learns: ClassVar[bool] = True
    """Whether its models get better by training; a random floor does not."""
    interrupted_after: ClassVar[int | None] = 7
    """How often a training tells its progress before it is interrupted; None: it tells nothing."""
    base: ClassVar[Path] = Path()

    def test_a_model_is_identified_by_its_content(self, tmp_path: Path) -> None:
        first = self.backend.fingerprint(self._options(), self._around(tmp_path))
        again = self.backend.fingerprint(self._options(), self._around(tmp_path))
        assert first == again != ""

    def test_each_kind_is_answered_item_by_item(self, tmp_path: Path) -> None:
        for kind in self._kinds():
            model, examples = self._trained(kind, tmp_path / kind), toy_examples(kind, 17, seed=1)
            given = self._predict(model, kind, examples)
            assert len(given) == len(examples)
            for example, prediction in zip(examples, given, strict=True):
                _check_shape(kind, example, prediction)

    def test_order_does_not_matter(self, tmp_path: Path) -> None:
        for kind in self._kinds():
            if _KINDS[kind].answered_by_search:
                continue
            model, examples = self._trained(kind, tmp_path / kind), toy_examples(kind, 11, seed=2)
            forward = self._predict(model, kind, examples)
            backward = self._predict(model, kind, examples[::-1])
            assert list(forward) == list(backward)[::-1], kind

    def test_a_saved_model_answers_the_same(self, tmp_path: Path) -> None:
        for kind in self._kinds():
            model, examples = self._trained(kind, tmp_path / kind), toy_examples(kind, 11, seed=3)
            folder = tmp_path / kind / "model"
            model.save(folder)
            again = self.backend.load(folder, "cpu")
            assert list(self._predict(again, kind, examples)) == list(
                self._predict(model, kind, examples)
            ), kind
            assert again.sizes() == model.sizes()
            assert not [path for path in folder.rglob("*") if path.suffix in {".pkl", ".pickle"}]

    def test_a_vector_hangs_on_its_text_alone(self, tmp_path: Path) -> None:
        import numpy as np

        texts = [" ".join(_own_words(str(number))) for number in range(9)]
        for kind in self._kinds():
            if not _KINDS[kind].answered_by_search:
                continue
            model = self._trained(kind, tmp_path / kind)
            folder = tmp_path / kind / "embedding"
            model.save(folder)
            again = self.backend.load(folder, "cpu")
            for role in get_args(TextRole):
                vectors = model.embed([*texts, texts[0]], self.recipe, role)
                assert vectors.shape[0] == 10
                assert vectors.dtype == np.float32
                assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5), kind
                alone = np.concatenate(
                    [model.embed([text], self.recipe, role) for text in texts[::-1]]
                )
                assert np.allclose(alone[::-1], vectors[:-1], atol=1e-5), kind
                assert np.array_equal(
                    again.embed(texts, self.recipe, role), model.embed(texts, self.recipe, role)
                ), (kind, role)

    def test_training_learns(self, tmp_path: Path) -> None:
        if not self.learns:
            return
        for kind in self._kinds():
            card, examples = toy_card(kind), toy_examples(kind, 40, seed=4)
            given = self._predict(self._trained(kind, tmp_path / kind), kind, examples)
            metric = _KINDS[kind].metrics[card.metrics[0]]
            rows = [
                metric.item(example, prediction, card, "en")
                for example, prediction in zip(examples, given, strict=True)
            ]
            sums = [sum(column) for column in zip(*rows, strict=True)]
            import numpy as np

            assert float(metric.value(np.array(sums))) > 0.7, kind

    def test_an_interrupted_training_ends_the_same(self, tmp_path: Path) -> None:
        if self.interrupted_after is None:
            return
        kind = next(kind for kind in self._kinds() if kind not in _UNTAUGHT)
        examples = toy_examples(kind, 17, seed=5)
        calm = self._trained(kind, tmp_path / "calm")
        self._interrupted(kind, tmp_path / "stopped", self.interrupted_after)
        again = self._trained(kind, tmp_path / "stopped")
        assert list(self._predict(calm, kind, examples)) == list(
            self._predict(again, kind, examples)
        )

    def test_sizes_are_told(self, tmp_path: Path) -> None:
        sizes = self._trained(self._kinds()[0], tmp_path).sizes()
        assert isinstance(sizes, Sizes)
        assert 0 <= sizes.embedding <= sizes.total

    def _kinds(self) -> list[str]:
        """Those it names, but for corpora and for kinds that it is only asked the parts of."""
        known = self.backend.task_types & set(_TOYS)
        return sorted(kind for kind in known if _KINDS[kind].part is None)

    def _options(self) -> Any:
        return validated(self.backend.options, dict(self.options), "the contract's options")

    def _around(self, folder: Path) -> RunEnvironment:
        return RunEnvironment(cache=folder / "cache", base=self.base, offline=True)

    def _trained(self, kind: str, folder: Path, progress: Any = None) -> Model:
        folder.mkdir(parents=True, exist_ok=True)
        model = self.backend.start(self._options(), self._around(folder), "cpu")
        card = toy_card(kind)
        feed = TrainingSet(card, _KINDS[kind], "task", card.head_name, toy_examples(kind, 120))
        if kind in _UNTAUGHT:
            return model
        session = TrainingSession(seed=1, folder=folder / "checkpoint", checkpoint_seconds=0)
        if progress is not None:
            session.progress = progress
        model.fit([feed], self.recipe, session)
        return model

    def _interrupted(self, kind: str, folder: Path, after: int) -> None:
        """Train until the progress callback interrupts it."""
        try:
            self._trained(kind, folder, progress=_Stop(after=after))
        except KeyboardInterrupt:
            return
        raise AssertionError("the training ended before it could be interrupted")

    def _predict(self, model: Model, kind: str, examples: Sequence[Example]) -> Sequence[Any]:
        return answered(model, toy_card(kind), examples, self.recipe)


class _Stop:
    """A progress callback that interrupts, once, after some steps."""

    def __init__(self, after: int) -> None:
        self.after, self.seen = after, 0

    def __call__(self, done: int, total: int | None) -> None:
        self.seen += 1
        if self.seen > self.after:
            raise KeyboardInterrupt


def _check_shape(kind: str, example: Example, prediction: Any) -> None:
    shape = _KINDS[kind].prediction
    if shape == "int":
        assert isinstance(prediction, int), kind
    elif shape == "ranking":
        assert set(prediction) == {"ranked", "relevant"}, kind
    elif shape == "text":
        assert isinstance(prediction, str), kind
    else:
        assert shape == "ints" and isinstance(example, TaggingExample), kind
        assert [type(tag) for tag in prediction] == [int] * len(example.tokens), kind
