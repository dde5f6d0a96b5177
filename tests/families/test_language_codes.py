"""Models with language codes read and answer items in the code of the items' language."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from transformers import AutoModelForSeq2SeqLM, GenerationConfig
from transformers.models.m2m_100 import modeling_m2m_100 as m2m
from transformers.models.mbart import modeling_mbart as mbart
from typer.testing import CliRunner

from tests.families import language_coded, verbalized
from tests.families.conftest import Folder
from tests.families.test_generative import _scores
from tests.hf import tiny
from tests.hf.hubs import COMMIT, new_process, stubbed
from xharness.cli import app
from xharness.digests import digest, file_digest
from xharness.errors import ConfigurationError
from xharness.plugin.api import CapabilityQuery, Recipe, RunEnvironment, TrainingSet
from xharness.spec.verbalizer import Verbalizer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.testing import toy_examples
from xharness_hf.config.options import Options
from xharness_hf.files import folders
from xharness_hf.generative.model import GenerativeModel
from xharness_hf.model import HfModel

_RECIPE = Recipe(epochs=1, learning_rate=5e-3, batch_size=16, max_length=64, max_answer_length=8)
_AROUND = RunEnvironment(offline=True)
_EACH = [(family, language) for family, codes in language_coded.CODES.items() for language in codes]


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model with codes."""
    root, known = tmp_path_factory.mktemp("coded"), dict[str, Path]()

    def made(family: str) -> Path:
        if family not in known:
            known[family] = language_coded.write(family, root / family)
        return known[family]

    return made


Layout = Callable[[str], Path]


@pytest.mark.parametrize(("family", "language"), _EACH)
def test_a_text_is_read_as_its_own_tokenizer_reads_it(
    family: str, language: str, layout: Layout
) -> None:
    model = tiny.start(layout(family), mode="generate")
    tokenizer = language_coded.read(family, layout(family), language)
    text = "the red bird flies"
    source = model._encoder.in_language(language).source_ids(text)
    assert source.tolist() == tokenizer(text)["input_ids"]
    code = tokenizer.convert_tokens_to_ids(language_coded.CODES[family][language])
    assert code in source and code != tokenizer.unk_token_id


@pytest.mark.parametrize(("family", "language"), _EACH)
def test_what_is_written_is_what_transformers_generates(
    family: str, language: str, layout: Layout
) -> None:
    model = tiny.start(layout(family), mode="generate")
    examples, card = (
        toy_examples("extractive_qa", 6),
        verbalized.card("extractive_qa").in_language(language),
    )
    answers = model.predict(card, tiny.TASK_TYPES["extractive_qa"], examples, _RECIPE)
    lm = AutoModelForSeq2SeqLM.from_pretrained(layout(family)).eval()
    lm.generation_config.forced_eos_token_id = None  # mBART's last sub-word would be cut
    tokenizer = language_coded.read(family, layout(family), language)
    assert answers == [_generated(lm, tokenizer, example) for example in examples]
    assert any(answers)


def test_what_files_force_to_stand_first_does_not(layout: Layout, tmp_path: Path) -> None:
    examples, card = (
        toy_examples("extractive_qa", 4),
        verbalized.card("extractive_qa").in_language("de"),
    )
    folder = tmp_path / "forced"
    shutil.copytree(layout("mbart25"), folder)
    forced = GenerationConfig(forced_bos_token_id=7, no_repeat_ngram_size=1)  # type: ignore[no-untyped-call]
    forced.save_pretrained(folder)
    usual_answers, forced_answers = (
        tiny.start(model_folder, mode="generate").predict(
            card, tiny.TASK_TYPES["extractive_qa"], examples, _RECIPE
        )
        for model_folder in (layout("mbart25"), folder)
    )
    assert usual_answers == forced_answers


def _generated(lm: Any, tokenizer: Any, example: Any) -> str:
    """A text as the documentation of transformers has it made: with `forced_bos_token_id`."""
    code = tokenizer.convert_tokens_to_ids(_code(tokenizer))
    inputs = tokenizer(f"{example.context} {example.question}", return_tensors="pt")
    first = {"decoder_start_token_id": code} if isinstance(tokenizer, _ALONE) else {}
    forced = {} if first else {"forced_bos_token_id": code}
    new = _RECIPE.max_answer_length + len(forced)
    output_ids = lm.generate(**inputs, **first, **forced, do_sample=False, max_new_tokens=new)
    text = str(
        tokenizer.batch_decode(output_ids[:, 1 + len(forced) :], skip_special_tokens=True)[0]
    )
    return (text.strip().splitlines() or [""])[0].strip()


_ALONE = language_coded._CLASSES["mbart25"]


def _code(tokenizer: Any) -> str:
    slow = getattr(tokenizer, "lang_code_to_token", {})
    return str(slow.get(tokenizer.tgt_lang, tokenizer.tgt_lang))


@pytest.mark.parametrize("family", language_coded.CODES)
def test_likelihoods_are_those_of_the_model_alone_in_each_language(
    family: str, layout: Layout
) -> None:
    model = tiny.start(layout(family), mode="loglikelihood")
    model.backbone.module.eval()
    examples = [
        MultipleChoiceExample("0", "who flies", ("red bird", "stone", "the salt road"), 0),
        MultipleChoiceExample("1", "the cat the cat", ("wind", "lamp"), 1),
    ]
    found = {}
    for language in language_coded.CODES[family]:
        card = verbalized.card("multiple_choice").in_language(language)
        tokenizer = language_coded.read(family, layout(family), language)
        found[language] = _scores(model, card, examples, closed=False)
        for example, scores in zip(examples, found[language], strict=True):
            expected = [
                _likelihood(model, tokenizer, example.prompt, choice) for choice in example.choices
            ]
            assert scores.tolist() == pytest.approx(expected, abs=2e-3)
    assert len({str(scores) for scores in found.values()}) == len(found)


@torch.inference_mode()
def _likelihood(model: Any, tokenizer: Any, prompt: str, answer: str) -> float:
    code = tokenizer.convert_tokens_to_ids(_code(tokenizer))
    opening = [code] if isinstance(tokenizer, _ALONE) else [tokenizer.eos_token_id, code]
    answer_ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
    logits = model.backbone.module(
        input_ids=tokenizer(prompt, return_tensors="pt")["input_ids"],
        decoder_input_ids=torch.tensor([[*opening, *answer_ids]]),
    ).logits
    sure = logits[0, len(opening) - 1 : -1].double().log_softmax(-1)
    return float(sum(sure[index, token] for index, token in enumerate(answer_ids)))


def _in_two(family: str) -> tuple[TrainingSet, list[str]]:
    languages = [*language_coded.CODES[family]][:2]
    examples = [*toy_examples("extractive_qa", 4)]
    codes = [languages[index // 2] for index in range(4)]
    card = verbalized.card("extractive_qa")
    return TrainingSet(
        card, tiny.TASK_TYPES["extractive_qa"], "task", "extractive_qa", examples, codes
    ), codes


@pytest.mark.parametrize("family", sorted(language_coded.CODES.keys() - {"nllb-legacy"}))
def test_every_language_is_learnt_with_its_own_code(family: str, layout: Layout) -> None:
    model = tiny.start(layout(family), mode="generate")
    feed, codes = _in_two(family)
    features = model._prepared(feed, _RECIPE).features
    for example, language, feature in zip(feed.examples, codes, features, strict=True):
        tokenizer = language_coded.read(family, layout(family), language)
        text, target = f"{example.context} {example.question}", example.answers[0].text
        encoding = tokenizer(text=text, text_target=target, return_tensors="pt")
        labels = encoding["labels"]
        shifted = _shifted(family, labels)
        source, answer = feature.windows
        assert source.ids.tolist() == encoding["input_ids"][0].tolist()
        assert answer.ids.tolist() == shifted[: len(answer.ids)]
        code = tokenizer.convert_tokens_to_ids(_code(tokenizer))
        target_ids = [label for label in labels[0].tolist() if label != code]
        assert feature.gold[0].ids.tolist() == target_ids
        assert answer.ids[feature.gold[0].first] == code


def _shifted(family: str, labels: torch.Tensor) -> list[int]:
    """What a decoder is given when it learns `labels`, as the families of transformers have it."""
    if family.startswith("mbart"):
        return [*mbart.shift_tokens_right(labels, 1)[0].tolist()]
    return [*m2m.shift_tokens_right(labels, 1, 2)[0].tolist()]


@pytest.mark.parametrize("family", ["nllb", "mbart25", "m2m100"])
def test_a_saved_model_keeps_its_languages(family: str, layout: Layout, tmp_path: Path) -> None:
    code_names = {"zh": [*language_coded.CODES[family].values()][1].strip("_")}
    model = tiny.start(layout(family), mode="generate", language_codes=code_names)
    model.fit([_in_two(family)[0]], _RECIPE, tiny.session(tmp_path / "run"))
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    examples, task_type = toy_examples("extractive_qa", 6), tiny.TASK_TYPES["extractive_qa"]
    languages = [*language_coded.CODES[family]]
    answers = {}
    for language in (*languages, "zh"):
        card = verbalized.card("extractive_qa").in_language(language)
        answers[language] = model.predict(card, task_type, examples, _RECIPE)
        assert loaded_model.predict(card, task_type, examples, _RECIPE) == answers[language]
        opening = loaded_model._encoder.in_language(language).decoder_prefix
        assert opening.tolist() == model._encoder.in_language(language).decoder_prefix.tolist()
    assert answers["zh"] == answers[languages[1]]


def test_an_older_tokenizer_file_is_read_as_nllb_was_trained(
    layout: Layout, tmp_path: Path
) -> None:
    from tokenizers import processors

    folder = language_coded.write("nllb", tmp_path / "older")
    tokenizer = language_coded.read("nllb", folder, "en")
    tokenizer._tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s> eng_Latn",
        pair="$A $B </s> eng_Latn",
        special_tokens=[("</s>", 2), ("eng_Latn", tokenizer.convert_tokens_to_ids("eng_Latn"))],
    )
    tokenizer.save_pretrained(folder)
    model = tiny.start(folder, mode="generate")
    assert model.tokens.tokenizer("the")["input_ids"][-2:] != tokenizer("the")["input_ids"][:2]
    expected_ids = language_coded.read("nllb", folder, "sw")("the cat")["input_ids"]
    assert model._encoder.in_language("sw").source_ids("the cat").tolist() == expected_ids


def test_models_without_codes_are_asked_as_before(folder: Folder) -> None:
    for family in ("mt5", "byt5", "gemma"):
        model = tiny.start(folder(family), mode="generate")
        assert model._encoder.in_language("sw") is model._encoder
        with pytest.raises(ConfigurationError, match="has no codes for languages"):
            tiny.start(folder(family), mode="generate", language_codes={"sw": "swh_Latn"})


@given(st.sampled_from(["en", "sw", "de"]), st.sampled_from(["en", "sw", "de"]))
def test_words_remember_their_language_and_nothing_else_does(one: str, other: str) -> None:
    words = Verbalizer(prompt="{prompt}")
    first, second = words.in_language(one), words.in_language(other)
    assert first.language == one and words.language is None
    assert (first == second) == (one == other)
    assert first.model_dump() == second.model_dump()
    assert "language" not in Verbalizer.model_json_schema()["properties"]


def _wanted(*languages: str, objective: Any = None) -> CapabilityQuery:
    return CapabilityQuery(
        verbalized.card("multiple_choice"), "multiple_choice", objective, Recipe(), languages
    )


@pytest.mark.parametrize(
    ("family", "language", "message"),
    [
        ("nllb", "deu", None), ("nllb", "sw", None), ("mbart50", "zh", None),
        ("nllb", "eu", "the model has no language 'eu'; did you mean 'deu_Latn'?"),
        ("nllb", "ta", "the model has no language 'ta'; known: deu_Latn, eng_Latn, swh_Latn, zho"),
        ("mbart25", "sw", "the model has no language 'sw'; known: ar_AR"),
        ("m2m100", "eu", "the model has no language 'eu'"),
    ],
)  # fmt: skip
def test_an_unknown_language_is_refused_with_the_nearest(
    family: str, language: str, message: str | None, layout: Layout
) -> None:
    options = Options(path=layout(family), mode="generate")
    for query in (_wanted(language), _wanted("en", language, objective="task")):
        reason = tiny.BACKEND.unsupported(options, query, _AROUND)
        assert (reason is None) == (message is None)
        assert str(reason).startswith(str(message))
    heads = Options(path=layout(family))
    assert tiny.BACKEND.unsupported(heads, _wanted(language), _AROUND) is None
    if message is not None:
        card = verbalized.card("multiple_choice").in_language(language)
        model = tiny.start(layout(family), mode="generate")
        with pytest.raises(ConfigurationError, match=f"no language '{language}'"):
            model.predict(
                card,
                tiny.TASK_TYPES["multiple_choice"],
                toy_examples("multiple_choice", 1),
                _RECIPE,
            )


def test_what_files_do_not_list_is_left_to_the_loaded_model(layout: Layout, folder: Folder) -> None:
    for model_folder in (layout("m2m100-unlisted"), folder("mt5"), folder("gemma")):
        options = Options(path=model_folder, mode="generate")
        assert tiny.BACKEND.unsupported(options, _wanted("eu"), _AROUND) is None


def test_codes_that_cannot_be_are_errors(layout: Layout, folder: Folder, tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path, offline=True)
    unknown_language = Options(
        path=layout("nllb"), mode="generate", language_codes={"yue": "zho_Hans"}
    )
    assert tiny.BACKEND.unsupported(unknown_language, _wanted("yue"), _AROUND) is None
    assert tiny.BACKEND.fingerprint(unknown_language, environment)
    wrong = Options(path=layout("nllb"), mode="generate", language_codes={"zh": "zho_Hnas"})
    with pytest.raises(ConfigurationError, match="'zho_Hnas'\n  did you mean 'zho_Hans'"):
        tiny.BACKEND.fingerprint(wrong, environment)
    codeless = Options(path=folder("mt5"), mode="generate", language_codes={"zh": "zho_Hans"})
    with pytest.raises(ConfigurationError, match="'mt5' has no codes for languages"):
        tiny.BACKEND.fingerprint(codeless, environment)
    with pytest.raises(ValidationError, match="'language_codes' belongs to answers in words"):
        Options(path=folder("mt5"), language_codes={"zh": "zho_Hans"})


def test_only_models_with_codes_have_another_identity(
    layout: Layout, folder: Folder, tmp_path: Path
) -> None:
    environment = RunEnvironment(cache=tmp_path, offline=True)

    def identity(model_folder: Path, **options: Any) -> tuple[str, dict[str, Any]]:
        files = folders.model_files(model_folder, "safetensors")
        parts = {"files": {file.name: file_digest(file) for file in files}, "num_layers": None}
        return tiny.BACKEND.fingerprint(
            Options(path=model_folder, **options), environment
        ), parts | options

    for model_folder, options in (
        (folder("mt5"), {"mode": "generate"}), (folder("gemma"), {"mode": "loglikelihood"}),
        (layout("nllb"), {}),
    ):  # fmt: skip
        fingerprint, parts = identity(model_folder, **options)
        assert fingerprint == digest(parts)
    for family in ("nllb", "mbart25", "m2m100"):
        fingerprint, parts = identity(layout(family), mode="generate")
        assert fingerprint == digest(parts | {"coded": 1})
    fingerprint, parts = identity(
        layout("nllb"), mode="generate", language_codes={"zh": "zho_Hans"}
    )
    assert fingerprint == digest(parts | {"coded": 1})


def test_a_hub_model_keeps_its_identity_once_it_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = stubbed(tmp_path, monkeypatch)
    stub.files["org/m"] = {"config.json": '{"model_type": "mbart"}'}
    options = [
        Options(hub="org/m", mode="generate", revision=revision) for revision in (None, COMMIT)
    ]
    meaning = {"hub": "org/m", "commit": COMMIT, "num_layers": None, "mode": "generate"}
    for offline in (False, True):  # the second finds what the first has fetched
        new_process()
        environment = RunEnvironment(cache=tmp_path, offline=offline)
        if offline:
            options = options[1:]  # where a branch stood is noted once all files are there
        identities = {tiny.BACKEND.fingerprint(model, environment) for model in options}
        assert identities == {digest(meaning | {"coded": 1})}
    assert {file for _, file, _ in stub.asked} == {"config.json"}


def _run(folder: Path, command: str, **changes: Any) -> str:
    values = {
        "name": "coded",
        "targets": [{"task": "mini_choice", "languages": ["en", "de", "fr", "es"], "limit": 6}],
        "train_limit": 16,
        "recipe": {"steps": 2, "max_length": 128},
    } | changes
    (folder / "study.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    words = [command, str(folder / "study.yaml"), "--store", str(folder / "store")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (0, 1), result.output
    return " ".join(result.output.split())


def test_a_study_asks_each_language_in_its_own_code(
    layout: Layout, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[tuple[str | None, int]] = []
    honest = GenerativeModel.predict

    def predict(self: Any, card: Any, task_type: Any, examples: Any, recipe: Any) -> Any:
        requests.append((card.verbalizer.language, len(examples)))
        return honest(self, card, task_type, examples, recipe)

    monkeypatch.setattr(GenerativeModel, "predict", predict)
    model: dict[str, Any] = {"name": "m", "path": str(layout("nllb")), "mode": "generate"}
    output = _run(tmp_path, "run", models=[model], strategies=["single"])
    assert requests == [("en", 6), ("de", 6)]
    assert "es fr all the model has no language '<language>'; known: deu_Latn" in output
    model["language_codes"] = {"fr": "zho_Hans"}
    _run(tmp_path, "run", models=[model], strategies=["single"])
    assert requests[2:] == [("en", 6), ("de", 6), ("fr", 6)]


def test_a_model_with_heads_is_still_asked_small_languages_together(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    predict_each = HfModel.predict_each

    def counted(shards: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        for examples in shards:
            counts.append(len(examples))
            yield examples

    def predict(self: Any, card: Any, task_type: Any, shards: Any, recipe: Any) -> Any:
        return predict_each(self, card, task_type, counted(shards), recipe)

    monkeypatch.setattr(HfModel, "predict_each", predict)
    _run(
        tmp_path, "run", models=[{"name": "h", "path": str(folder("bert"))}], strategies=["single"]
    )
    assert counts == [24]


def test_an_arm_that_would_learn_an_unknown_language_is_left_out(
    layout: Layout, tmp_path: Path
) -> None:
    model = {"name": "m", "path": str(layout("nllb")), "mode": "generate"}
    strategy_options = {"name": "several", "strategy": "single", "source_languages": ["en", "es"]}
    looked = {"name": "looked", "strategy": "single", "selection": "target-dev"}
    for strategy in (strategy_options, looked):
        output = _run(tmp_path, "plan", models=[model], strategies=[strategy])
        assert "the model has no language" in output
        assert "train mini_choice" not in output
