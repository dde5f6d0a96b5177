"""The contract of backends, and toy tasks that a working model learns in seconds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np

from xharness.plugin.api.backend import (
    Backend,
    Model,
    Progress,
    Sizes,
    TrainingSession,
    TrainingSet,
)
from xharness.plugin.api.source import RunEnvironment
from xharness.plugin.catalogue import validated
from xharness.spec.cards import About, TaskCard
from xharness.spec.recipe import Recipe
from xharness.spec.sources import SourceSpec
from xharness.spec.verbalizer import Verbalizer
from xharness.task_types import BUILTIN
from xharness.task_types.base import Example, Prediction, TaskType
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.checklist import ChecklistExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.corpus import PassageExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.search import SearchRequest, TextRole, build_index
from xharness.task_types.tagging import TaggingExample

_WORDS = (
    "red blue green stone river cloud house bird lamp road salt wind".split()  # noqa: SIM905
)
_TASK_TYPES: Mapping[str, TaskType] = {task_type.name: task_type for task_type in BUILTIN}
_VERBALIZERS = {
    "classification": Verbalizer(
        prompt="{text} who", answers={"no-bird": "stone", "bird": "river"}
    ),
    "multiple_choice": Verbalizer(prompt="{prompt}"),
    "extractive_qa": Verbalizer(prompt="{context} {question}"),
}
_LEARNT = 0.7  # the least score, in [0, 1], of a model that learnt a toy task


def toy_card(task_type: str, *, in_words: bool = False) -> TaskCard:
    """A card of that task type for `toy_examples`; `in_words`, for models that answer in words."""
    labels = {"classification": ("no-bird", "bird"), "multiple_choice": ("first", "second")}
    card = TaskCard(
        name=f"toy_{task_type}",
        task_type=task_type,
        role="target",
        sources=(SourceSpec.model_validate({"from": "nowhere"}),),
        languages=("en",),
        fields={},
        labels=labels.get(task_type, ("O", "B-LOC")),
        metrics=(next(iter(_TASK_TYPES[task_type].metrics)),),
        about=About(title="toy", summary="toy", license="CC0-1.0", citation="none"),
        verbalizer=_VERBALIZERS.get(task_type) if in_words else None,
    )
    return card.in_language("en")


def toy_examples(task_type: str, count: int, seed: int = 0) -> list[Example]:
    """`count` examples that a word can tell apart: is there a bird, which choice has one, …"""
    # Seeded by a text, which Python hashes alike everywhere.
    rng = random.Random(f"{task_type}-{seed}")
    return [_TOYS[task_type](str(number), rng) for number in range(count)]


def _words(rng: random.Random, count: int) -> list[str]:
    # The one word that tells the answer must stand where it is put, and nowhere else.
    return rng.choices([word for word in _WORDS if word != "bird"], k=count)


def _classification(item: str, rng: random.Random) -> Example:
    label = rng.randrange(2)
    words = [*_words(rng, 3), "bird" if label else "lamp"]
    rng.shuffle(words)
    return ClassificationExample(item, " ".join(words), None, label)


def _choice(item: str, rng: random.Random) -> Example:
    label = rng.randrange(2)
    choices = [" ".join(_words(rng, 2)), " ".join(_words(rng, 2))]
    choices[label] = f"bird {choices[label]}"
    return MultipleChoiceExample(item, "who flies", tuple(choices), label)


def _tagging(item: str, rng: random.Random) -> Example:
    words = rng.choices(_WORDS, k=rng.randint(3, 7))
    return TaggingExample(item, tuple(words), tuple(int(word == "bird") for word in words))


def _question(item: str, rng: random.Random) -> ExtractiveQAExample:
    words = [*_words(rng, 3), "bird", *_words(rng, 3)]
    rng.shuffle(words)
    context = " ".join(words)
    answer = GoldAnswer("bird", context.index("bird"))
    return ExtractiveQAExample(item, "who flies", context, (answer,))


def _unanswerable(item: str, rng: random.Random) -> Example:
    if rng.randrange(2):
        return _question(item, rng)
    return ExtractiveQAExample(item, "who flies", " ".join(_words(rng, 7)), ())


def _checklist(item: str, rng: random.Random) -> Example:
    return ChecklistExample(item, tuple(_question(f"{item}.{index}", rng) for index in range(2)))


def _bitext(item: str, rng: random.Random) -> Example:
    words = " ".join(_identifying_words(item))
    return BitextExample(item, words, words, int(item))


def _retrieval(item: str, rng: random.Random) -> Example:
    words = _identifying_words(item)
    return RetrievalExample(item, " ".join(words), item, " ".join([*words, *_words(rng, 1)]))


def _mining(item: str, rng: random.Random) -> Example:
    match = f"t{item}" if rng.randrange(2) else ""
    text = " ".join(_identifying_words(item))
    return BitextMiningExample(item, text, (match,) if match else ())


def _identifying_words(item: str) -> list[str]:
    """Three words that tell this item from 143 others."""
    number = int(item)
    return [_WORDS[number % 12], _WORDS[number // 12 % 12], _WORDS[(number * 7 + 3) % 12]]


def toy_candidates(examples: Iterable[Example]) -> Iterator[PassageExample]:
    """The candidates that answer `examples`, of a task type that has an index."""
    for example in examples:
        if isinstance(example, RetrievalExample):
            yield PassageExample(f"p{example.id}", example.positive or "", (example.relevant,))
        if isinstance(example, BitextMiningExample):
            yield from (PassageExample(match, example.text, ()) for match in example.matches)


def predict(
    model: Model, card: TaskCard, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    """What a run would store: answers of the model, or what a search among its vectors gives."""
    task_type = _TASK_TYPES[card.task_type]
    if not task_type.answered_by_search:
        return model.predict(card, task_type, examples, recipe)

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([model.embed([*texts], recipe, role)])

    candidates = toy_candidates(examples)
    index = build_index(candidates, encode, task_type.candidate_role) if task_type.indexed else None
    # Tuned on what is asked: only that something is found matters here, not how well it would hold.
    request = SearchRequest(examples, encode, index)
    return task_type.search(replace(request, tuning=request))


_TOYS = {
    "classification": _classification,
    "multiple_choice": _choice,
    "tagging": _tagging,
    "extractive_qa": _question,
    "extractive_qa_unanswerable": _unanswerable,
    "checklist": _checklist,
    "bitext_retrieval": _bitext,
    "retrieval": _retrieval,
    "entity_linking": _retrieval,
    "bitext_mining": _mining,
}
_UNTRAINED = frozenset({"bitext_retrieval", "bitext_mining"})
"""Task types that no model is trained on here: whatever vectors there are do."""


class BackendContract:
    """Inherit, name the backend and its options, and pytest runs what every backend must keep."""

    backend: ClassVar[Backend]
    options: ClassVar[Mapping[str, Any]] = {}
    recipe: ClassVar[Recipe] = Recipe(epochs=10, learning_rate=3e-3, batch_size=16, max_length=32)
    learns: ClassVar[bool] = True
    """Whether its models get better by training; a random floor does not."""
    interrupted_after: ClassVar[int | None] = 7
    """How often a training reports progress before it is interrupted; None: it reports none."""
    base: ClassVar[Path] = Path()

    def test_a_model_is_identified_by_its_content(self, tmp_path: Path) -> None:
        fingerprints = [
            self.backend.fingerprint(self._options(), self._environment(tmp_path)) for _ in range(2)
        ]
        assert fingerprints[0], "`fingerprint` is empty: two models would share their results"
        assert fingerprints[0] == fingerprints[1], "`fingerprint` must not change between calls"

    def test_each_task_type_is_answered_item_by_item(self, tmp_path: Path) -> None:
        for task_type in self._task_types():
            model = self._trained(task_type, tmp_path / task_type)
            # No multiple of a batch: what is lost or filled up at the end shows.
            examples = toy_examples(task_type, 17, seed=1)
            predictions = self._predict(model, task_type, examples)
            assert len(predictions) == len(examples), (
                f"{task_type}: `predict` must return one prediction for each example"
            )
            for example, prediction in zip(examples, predictions, strict=True):
                _check_shape(task_type, example, prediction)

    def test_order_does_not_matter(self, tmp_path: Path) -> None:
        for task_type in self._task_types():
            # They depend on all candidates; of their vectors another test asks the same.
            if _TASK_TYPES[task_type].answered_by_search:
                continue
            model = self._trained(task_type, tmp_path / task_type)
            examples = toy_examples(task_type, 11, seed=2)
            forward = self._predict(model, task_type, examples)
            backward = self._predict(model, task_type, examples[::-1])
            assert list(forward) == list(backward)[::-1], (
                f"{task_type}: an answer must not depend on the examples next to it"
            )

    def test_a_saved_model_answers_the_same(self, tmp_path: Path) -> None:
        for task_type in self._task_types():
            model = self._trained(task_type, tmp_path / task_type)
            examples = toy_examples(task_type, 11, seed=3)
            folder = tmp_path / task_type / "model"
            model.save(folder)
            loaded = self.backend.load(folder, "cpu")
            assert list(self._predict(loaded, task_type, examples)) == list(
                self._predict(model, task_type, examples)
            ), f"{task_type}: `Backend.load` must give back what `Model.save` wrote"
            assert loaded.sizes() == model.sizes(), "`sizes` must survive saving and loading"
            # Whatever the backend itself trusts: stores are shared, and a pickle runs what it says.
            pickles = [path for path in folder.rglob("*") if path.suffix in {".pkl", ".pickle"}]
            assert not pickles, f"pickles run code when they are loaded: {pickles}"

    def test_a_vector_depends_on_its_text_alone(self, tmp_path: Path) -> None:
        texts = [" ".join(_identifying_words(str(number))) for number in range(9)]
        for task_type in self._task_types():
            if not _TASK_TYPES[task_type].answered_by_search:
                continue
            model = self._trained(task_type, tmp_path / task_type)
            folder = tmp_path / task_type / "embedding"
            model.save(folder)
            loaded = self.backend.load(folder, "cpu")
            for role in get_args(TextRole):
                self._check_vectors(model, texts, role)
                vectors = model.embed(texts, self.recipe, role)
                assert np.array_equal(loaded.embed(texts, self.recipe, role), vectors), (
                    f"{role}: `embed` must survive saving and loading"
                )

    def _check_vectors(self, model: Model, texts: Sequence[str], role: TextRole) -> None:
        vectors = model.embed([*texts, texts[0]], self.recipe, role)
        assert vectors.shape[0] == len(texts) + 1, f"{role}: `embed` gives one vector for each text"
        assert vectors.dtype == np.float32, f"{role}: vectors are float32"
        lengths = np.linalg.norm(vectors, axis=1)
        assert np.allclose(lengths, 1, atol=1e-5), f"{role}: vectors have length 1"
        singles = [model.embed([text], self.recipe, role) for text in texts]
        # Not to the bit: in a batch with longer texts products are summed in another order.
        assert np.allclose(np.concatenate(singles), vectors[:-1], atol=1e-5), (
            f"{role}: a vector must not depend on the texts next to it"
        )

    def test_training_learns(self, tmp_path: Path) -> None:
        if not self.learns:
            return
        for task_type in self._task_types():
            card, examples = self._card(task_type), toy_examples(task_type, 40, seed=4)
            model = self._trained(task_type, tmp_path / task_type)
            predictions = self._predict(model, task_type, examples)
            metric = _TASK_TYPES[task_type].metrics[card.metrics[0]]
            statistics = [
                metric.item(example, prediction, card, "en")
                for example, prediction in zip(examples, predictions, strict=True)
            ]
            score = float(metric.value(np.array(statistics, dtype=float).sum(axis=0)))
            assert score > _LEARNT, (
                f"{task_type}: {metric.name} {score:.3f} after training; expected more than "
                f"{_LEARNT}: raise `recipe`'s epochs or learning rate if the model is sound, or "
                "set `learns = False` if such a model cannot tell which text has the word 'bird'"
            )

    def test_an_interrupted_training_ends_the_same(self, tmp_path: Path) -> None:
        if self.interrupted_after is None:
            return
        task_type = next(name for name in self._task_types() if name not in _UNTRAINED)
        # Other examples than the ones learnt: weights that differ may still agree on those.
        examples = toy_examples(task_type, 17, seed=5)
        undisturbed = self._trained(task_type, tmp_path / "undisturbed")
        self._interrupt(task_type, tmp_path / "interrupted", self.interrupted_after)
        resumed = self._trained(task_type, tmp_path / "interrupted")
        assert list(self._predict(undisturbed, task_type, examples)) == list(
            self._predict(resumed, task_type, examples)
        ), "a training that goes on from its checkpoint must end with the same weights"

    def test_sizes_are_told(self, tmp_path: Path) -> None:
        sizes = self._trained(self._task_types()[0], tmp_path).sizes()
        assert isinstance(sizes, Sizes), "`Model.sizes` returns xharness.Sizes"
        assert 0 <= sizes.embedding <= sizes.total, "the embedding is a part of all parameters"

    def _task_types(self) -> list[str]:
        """Those the backend names, without corpora and those whose items are made of parts."""
        names = self.backend.task_types & set(_TOYS)
        return sorted(name for name in names if _TASK_TYPES[name].part is None)

    def _options(self) -> Any:
        return validated(self.backend.options, dict(self.options), "the contract's options")

    def _environment(self, folder: Path) -> RunEnvironment:
        return RunEnvironment(cache=folder / "cache", base=self.base, offline=True)

    def _trained(self, task_type: str, folder: Path, progress: Progress | None = None) -> Model:
        folder.mkdir(parents=True, exist_ok=True)
        model = self.backend.start(self._options(), self._environment(folder), "cpu")
        if task_type in _UNTRAINED:
            return model
        card, examples = self._card(task_type), toy_examples(task_type, 120)
        feed = TrainingSet(card, _TASK_TYPES[task_type], "task", card.head_name, examples)
        # A checkpoint at every chance: any interruption has one to go on from.
        session = TrainingSession(seed=1, folder=folder / "checkpoint", checkpoint_seconds=0)
        if progress is not None:
            session.progress = progress
        model.fit([feed], self.recipe, session)
        return model

    def _interrupt(self, task_type: str, folder: Path, calls: int) -> None:
        """Train until progress was reported so many times, then interrupt."""
        try:
            self._trained(task_type, folder, progress=_Interruption(calls))
        except KeyboardInterrupt:
            return
        raise AssertionError(
            f"the training ended before it reported progress {calls} times: set "
            "`interrupted_after` lower, call `session.progress` more often, or set "
            "`interrupted_after = None` if a training is over in one step"
        )

    def _predict(self, model: Model, task_type: str, examples: Sequence[Example]) -> Sequence[Any]:
        return predict(model, self._card(task_type), examples, self.recipe)

    def _card(self, task_type: str) -> TaskCard:
        return toy_card(task_type, in_words=self.backend.generates(self._options()))


class _Interruption:
    """A progress callback that interrupts after some calls."""

    def __init__(self, calls: int) -> None:
        self._calls_left = calls

    def __call__(self, count: int, total: int | None) -> None:
        if self._calls_left == 0:
            raise KeyboardInterrupt
        self._calls_left -= 1


def _check_shape(task_type: str, example: Example, prediction: Any) -> None:
    shape = _TASK_TYPES[task_type].prediction
    if shape == "int":
        is_right = isinstance(prediction, int)
    elif shape == "ranking":
        is_right = set(prediction) == {"ranked", "relevant"}
    elif shape == "text":
        is_right = isinstance(prediction, str)
    else:
        tokens = example.tokens if isinstance(example, TaggingExample) else ()
        is_right = [type(tag) for tag in prediction] == [int] * len(tokens)
    assert is_right, f"{task_type}: {prediction!r} has not the shape '{shape}'"
