"""Models that answer in words: scores and texts as transformers gives them, and learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.families import verbalized, zoo
from tests.families.conftest import Folder
from tests.hf import tiny
from xharness import VerbalizedItem, verbalize, verbalizer_of
from xharness.errors import ConfigurationError, StageError
from xharness.plugin.api import Recipe, RunEnvironment, TrainingSet
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.testing import toy_examples
from xharness_hf.backbone.batch import Layout
from xharness_hf.config.options import Options
from xharness_hf.generative.answers import AnswerObjective
from xharness_hf.generative.prompt_encoder import PromptEncoder
from xharness_hf.inference import read

_RECIPE = Recipe(epochs=8, learning_rate=5e-3, batch_size=16, max_length=64, max_answer_length=8)
WRITERS = zoo.PAIRED | zoo.DECODERS
CPU = torch.device("cpu")


def _scores(model: Any, card: Any, examples: Any, *, closed: bool) -> list[Any]:
    spelling = PromptEncoder(model.backbone, model.tokens, closed=closed)
    answering = AnswerObjective(card, spelling)
    features = answering.features(examples, model.tokens, _RECIPE, gold=False)

    def ask(states: Any, batch: Any) -> Any:
        return answering.answers(states, model.backbone.logits, batch, _RECIPE)

    return read(model.backbone, features, Layout(model.tokens.pad), _RECIPE, CPU, ask)


@torch.inference_mode()
def _naive(model: Any, text: str, answer: str) -> float:
    """The answer's summed log-probability, one text at a time, through the model's own logits."""
    lm, tokenizer = model.backbone.module, model.tokens.tokenizer
    if model.backbone.is_encoder_decoder:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        answer_ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
        opening = model._encoder.decoder_prefix.tolist()
        sequence = torch.tensor([opening + answer_ids])
        logits = lm(input_ids=ids, decoder_input_ids=sequence).logits
    else:
        opening = tokenizer(text)["input_ids"]
        answer_ids = tokenizer(f"{text} {answer}")["input_ids"][len(opening) :]
        sequence = torch.tensor([[*opening, *answer_ids]])
        logits = lm(input_ids=sequence).logits
    sure = logits[0, len(opening) - 1 : -1].double().log_softmax(-1)
    return float(sum(sure[index, token] for index, token in enumerate(answer_ids)))


@pytest.mark.parametrize("family", WRITERS)
def test_likelihoods_are_those_of_the_model_alone(family: str, folder: Folder) -> None:
    model = tiny.start(folder(family), mode="loglikelihood")
    model.backbone.module.eval()
    card = verbalized.card("multiple_choice")
    examples = [
        MultipleChoiceExample("0", "who flies", ("red bird", "stone", "the salt road"), 0),
        MultipleChoiceExample("1", "the cat the cat the cat", ("wind", "lamp"), 1),
        *toy_examples("multiple_choice", 4),
    ]
    for example, scores in zip(examples, _scores(model, card, examples, closed=False), strict=True):
        expected = [_naive(model, example.prompt, choice) for choice in example.choices]
        assert np.allclose(scores, expected, atol=2e-3), family


@pytest.mark.parametrize("family", WRITERS)
def test_what_is_written_hangs_on_its_own_prompt_alone(family: str, folder: Folder) -> None:
    model = tiny.start(folder(family), mode="generate")
    card, task_type = verbalized.card("extractive_qa"), tiny.TASK_TYPES["extractive_qa"]
    examples = toy_examples("extractive_qa", 6)
    together = model.predict(card, task_type, examples, _RECIPE)
    assert together == [
        model.predict(card, task_type, [example], _RECIPE)[0] for example in examples
    ]
    assert all(isinstance(text, str) and "\n" not in text for text in together)


@pytest.mark.parametrize(
    ("family", "task_type"),
    [
        ("mt5", "extractive_qa"), ("byt5", "classification"), ("nllb", "extractive_qa"),
        ("mbart", "extractive_qa"),
        ("gemma", "extractive_qa"), ("bloom", "extractive_qa"), ("llama", "classification"),
    ],
)  # fmt: skip
def test_text_to_text_learns_and_comes_back(
    family: str, task_type: str, folder: Folder, tmp_path: Path
) -> None:
    model, feed = tiny.start(folder(family), mode="generate"), verbalized.feed(task_type)
    fresh = toy_examples(task_type, 40, seed=9)

    def right() -> float:
        answers = model.predict(feed.card, feed.task_type, fresh, _RECIPE)
        gold = [
            example.answers[0].text if task_type == "extractive_qa" else example.label
            for example in fresh
        ]
        return float(np.mean([a == b for a, b in zip(answers, gold, strict=True)]))

    first_share = right()
    model.fit([feed], _RECIPE, tiny.session(tmp_path / "run"))
    assert right() > max(0.8, first_share)
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    answers = model.predict(feed.card, feed.task_type, fresh, _RECIPE)
    assert loaded_model.predict(feed.card, feed.task_type, fresh, _RECIPE) == answers


def test_shots_stand_before_every_question(folder: Folder, tmp_path: Path) -> None:
    model = tiny.start(folder("gemma"), mode="loglikelihood")
    card, feed = verbalized.card("multiple_choice"), verbalized.feed("multiple_choice", 2, "shots")
    recipe = _RECIPE.changed({"max_length": 128})
    facts = model.fit([feed], recipe, tiny.session(tmp_path / "run"))
    assert facts["shots"] == 2
    question = verbalize(toy_examples("multiple_choice", 1, seed=5)[0], card)
    shots = [verbalize(example, card) for example in feed.examples]
    prompt = "".join(f"who flies {example.gold}\n\n" for example in shots) + "who flies"
    answering = AnswerObjective(card, model._encoder, model.shots)
    assert answering.prompt(question, recipe, 0) == prompt
    model.save(tmp_path / "saved")
    assert tiny.BACKEND.load(tmp_path / "saved", "cpu").shots == model.shots
    with pytest.raises(StageError, match=r"2 examples take .* no room for the question"):
        model.predict(card, feed.task_type, feed.examples, recipe.changed({"max_length": 16}))


def test_a_long_field_is_cut_and_the_question_stays(folder: Folder) -> None:
    model = tiny.start(folder("mt5"), mode="generate")
    card = verbalized.card("extractive_qa", prompt="{context} Question: {question}")
    (example,) = toy_examples("extractive_qa", 1)
    long = type(example)(
        "9", example.question, example.context + " salt" * 200 + " red bird", example.answers
    )
    answering = AnswerObjective(card, model._encoder)
    text = answering.prompt(verbalize(long, card), _RECIPE, 0)
    assert text.endswith(f"Question: {example.question}")
    assert 40 < model._encoder.count(text) <= _RECIPE.max_length
    assert model.predict(card, tiny.TASK_TYPES["extractive_qa"], [long], _RECIPE)


def test_an_answer_is_divided_by_its_characters_only_where_asked(folder: Folder) -> None:
    from xharness_hf.generative.answers import best_answers

    items = [VerbalizedItem({}, ("ab", "abcdefgh"), "ab")]
    scores = [np.array([-4.0, -6.0])]
    assert best_answers(items, scores, length_normalized=False) == [0]
    assert best_answers(items, scores, length_normalized=True) == [1]


def test_the_words_of_a_language_are_said_in_it() -> None:
    card = verbalized.card(
        "multiple_choice",
        lowercase=True,
        replace={"[.]? Why[?]$": " because"},
        languages={"it": {"replace": {"[.]? Why[?]$": " perché"}}},
    )
    example = MultipleChoiceExample("0", "Piove. Why?", ("Il Sole", "Una nube"), 1)
    cards = {code: card.in_language(code) for code in ("en", "it")}
    question = verbalize(example, cards["it"])
    assert verbalizer_of(cards["it"]).prompt_text(question.fields) == "Piove perché"
    assert verbalizer_of(cards["en"]).prompt_text(question.fields) == "Piove because"
    assert (question.answers, question.gold) == (("il Sole", "una nube"), "una nube")


_TWO = {
    "en": ("who flies", ("bird", "stone")),
    "it": ("chi vola", ("uccello", "pietra")),
}


def _in_two_languages(objective: Any) -> TrainingSet:
    """English and Italian questions, each with a connective of its own language."""
    card = verbalized.card(
        "multiple_choice",
        replace={"$": " because"},
        languages={"it": {"replace": {"$": " perché"}}},
    )
    examples = [
        MultipleChoiceExample(f"{code}{index}", question, answers, index)
        for code, (question, answers) in _TWO.items()
        for index in range(2)
    ]
    languages = ["en", "en", "it", "it"]
    return TrainingSet(
        card, tiny.TASK_TYPES["multiple_choice"], objective, "multiple_choice", examples, languages
    )


@pytest.mark.parametrize("family", ["mt5", "gemma"])
def test_every_language_is_learnt_in_its_own_words(family: str, folder: Folder) -> None:
    model = tiny.start(folder(family), mode="generate")
    prepared = model._prepared(_in_two_languages("task"), _RECIPE)
    texts = [model.tokens.tokenizer.decode(feature.windows[0].ids) for feature in prepared.features]
    assert ["because" in text for text in texts] == [True, True, False, False]
    assert ["perch" in text for text in texts] == [False, False, True, True]
    assert prepared.examples == len(prepared.features) == 4


def test_every_language_is_shown_in_its_own_words(folder: Folder, tmp_path: Path) -> None:
    model = tiny.start(folder("gemma"), mode="loglikelihood")
    model.fit([_in_two_languages("shots")], _RECIPE, tiny.session(tmp_path))
    assert model.shots == (
        "who flies because bird", "who flies because stone",
        "chi vola perché uccello", "chi vola perché pietra",
    )  # fmt: skip


def test_an_encoder_cannot_write(folder: Folder) -> None:
    options = Options(path=folder("bert"), mode="generate")
    with pytest.raises(ConfigurationError, match="'bert' is an encoder"):
        tiny.BACKEND.fingerprint(options, RunEnvironment(cache=folder("bert")))


def test_the_way_of_answering_is_part_of_a_models_identity(folder: Folder) -> None:
    environment = RunEnvironment(cache=folder("gemma"))
    ways = ({}, {"mode": "generate"}, {"mode": "loglikelihood"},
            {"mode": "loglikelihood", "length_normalized": True})  # fmt: skip
    identities = {
        tiny.BACKEND.fingerprint(Options(path=folder("gemma"), **way), environment)  # type: ignore[arg-type]
        for way in ways
    }
    assert len(identities) == 4
