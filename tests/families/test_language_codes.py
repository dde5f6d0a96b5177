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
    own = language_coded.read(family, layout(family), language)
    text = "the red bird flies"
    source = model._encoder.in_language(language).source_ids(text)
    assert source.tolist() == own(text)["input_ids"]
    code = own.convert_tokens_to_ids(language_coded.CODES[family][language])
    assert code in source and code != own.unk_token_id


@pytest.mark.parametrize(("family", "language"), _EACH)
def test_what_is_written_is_what_transformers_generates(
    family: str, language: str, layout: Layout
) -> None:
    model = tiny.start(layout(family), mode="generate")
    some, card = (
        toy_examples("extractive_qa", 6),
        verbalized.card("extractive_qa").in_language(language),
    )
    written = model.predict(card, tiny.TASK_TYPES["extractive_qa"], some, _RECIPE)
    lm = AutoModelForSeq2SeqLM.from_pretrained(layout(family)).eval()
    lm.generation_config.forced_eos_token_id = None  # mBART's last sub-word would be cut
    own = language_coded.read(family, layout(family), language)
    assert written == [_generated(lm, own, example) for example in some]
    assert any(written)


def test_what_files_force_to_stand_first_does_not(layout: Layout, tmp_path: Path) -> None:
    some, card = (
        toy_examples("extractive_qa", 4),
        verbalized.card("extractive_qa").in_language("de"),
    )
    folder = tmp_path / "forced"
    shutil.copytree(layout("mbart25"), folder)
    forced = GenerationConfig(forced_bos_token_id=7, no_repeat_ngram_size=1)  # type: ignore[no-untyped-call]
    forced.save_pretrained(folder)
    plain, other = (
        tiny.start(place, mode="generate").predict(
            card, tiny.TASK_TYPES["extractive_qa"], some, _RECIPE
        )
        for place in (layout("mbart25"), folder)
    )
    assert plain == other


def _generated(lm: Any, own: Any, one: Any) -> str:
    """A text as the documentation of transformers has it made: with `forced_bos_token_id`."""
    code = own.convert_tokens_to_ids(_code(own))
    read = own(f"{one.context} {one.question}", return_tensors="pt")
    first = {"decoder_start_token_id": code} if isinstance(own, _ALONE) else {}
    forced = {} if first else {"forced_bos_token_id": code}
    new = _RECIPE.max_answer_length + len(forced)
    said = lm.generate(**read, **first, **forced, do_sample=False, max_new_tokens=new)
    text = str(own.batch_decode(said[:, 1 + len(forced) :], skip_special_tokens=True)[0])
    return (text.strip().splitlines() or [""])[0].strip()


_ALONE = language_coded._CLASSES["mbart25"]


def _code(own: Any) -> str:
    slow = getattr(own, "lang_code_to_token", {})
    return str(slow.get(own.tgt_lang, own.tgt_lang))


@pytest.mark.parametrize("family", language_coded.CODES)
def test_likelihoods_are_those_of_the_model_alone_in_each_language(
    family: str, layout: Layout
) -> None:
    model = tiny.start(layout(family), mode="loglikelihood")
    model.backbone.module.eval()
    some = [
        MultipleChoiceExample("0", "who flies", ("red bird", "stone", "the salt road"), 0),
        MultipleChoiceExample("1", "the cat the cat", ("wind", "lamp"), 1),
    ]
    found = {}
    for language in language_coded.CODES[family]:
        card = verbalized.card("multiple_choice").in_language(language)
        own = language_coded.read(family, layout(family), language)
        found[language] = _scores(model, card, some, closed=False)
        for example, scores in zip(some, found[language], strict=True):
            alone = [_likelihood(model, own, example.prompt, choice) for choice in example.choices]
            assert scores.tolist() == pytest.approx(alone, abs=2e-3)
    assert len({str(scores) for scores in found.values()}) == len(found)


@torch.inference_mode()
def _likelihood(model: Any, own: Any, prompt: str, answer: str) -> float:
    code = own.convert_tokens_to_ids(_code(own))
    opening = [code] if isinstance(own, _ALONE) else [own.eos_token_id, code]
    said = own(answer, add_special_tokens=False)["input_ids"]
    logits = model.backbone.module(
        input_ids=own(prompt, return_tensors="pt")["input_ids"],
        decoder_input_ids=torch.tensor([[*opening, *said]]),
    ).logits
    sure = logits[0, len(opening) - 1 : -1].double().log_softmax(-1)
    return float(sum(sure[place, token] for place, token in enumerate(said)))


def _in_two(family: str) -> tuple[TrainingSet, list[str]]:
    languages = [*language_coded.CODES[family]][:2]
    examples = [*toy_examples("extractive_qa", 4)]
    told = [languages[place // 2] for place in range(4)]
    card = verbalized.card("extractive_qa")
    return TrainingSet(
        card, tiny.TASK_TYPES["extractive_qa"], "task", "extractive_qa", examples, told
    ), told


@pytest.mark.parametrize("family", sorted(language_coded.CODES.keys() - {"nllb-legacy"}))
def test_every_language_is_learnt_with_its_own_code(family: str, layout: Layout) -> None:
    model = tiny.start(layout(family), mode="generate")
    feed, told = _in_two(family)
    features = model._prepared(feed, _RECIPE).features
    for example, language, feature in zip(feed.examples, told, features, strict=True):
        own = language_coded.read(family, layout(family), language)
        text, target = f"{example.context} {example.question}", example.answers[0].text
        said = own(text=text, text_target=target, return_tensors="pt")
        labels = said["labels"]
        shifted = _shifted(family, labels)
        source, answer = feature.windows
        assert source.ids.tolist() == said["input_ids"][0].tolist()
        assert answer.ids.tolist() == shifted[: len(answer.ids)]
        code = own.convert_tokens_to_ids(_code(own))
        learnt = [label for label in labels[0].tolist() if label != code]
        assert feature.gold[0].ids.tolist() == learnt
        assert answer.ids[feature.gold[0].first] == code


def _shifted(family: str, labels: torch.Tensor) -> list[int]:
    """What a decoder is given when it learns `labels`, as the families of transformers have it."""
    if family.startswith("mbart"):
        return [*mbart.shift_tokens_right(labels, 1)[0].tolist()]
    return [*m2m.shift_tokens_right(labels, 1, 2)[0].tolist()]


@pytest.mark.parametrize("family", ["nllb", "mbart25", "m2m100"])
def test_a_saved_model_keeps_its_languages(family: str, layout: Layout, tmp_path: Path) -> None:
    named = {"zh": [*language_coded.CODES[family].values()][1].strip("_")}
    model = tiny.start(layout(family), mode="generate", language_codes=named)
    model.fit([_in_two(family)[0]], _RECIPE, tiny.session(tmp_path / "run"))
    model.save(tmp_path / "saved")
    again = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    some, task_type = toy_examples("extractive_qa", 6), tiny.TASK_TYPES["extractive_qa"]
    languages = [*language_coded.CODES[family]]
    given = {}
    for language in (*languages, "zh"):
        card = verbalized.card("extractive_qa").in_language(language)
        given[language] = model.predict(card, task_type, some, _RECIPE)
        assert again.predict(card, task_type, some, _RECIPE) == given[language]
        opening = again._encoder.in_language(language).decoder_prefix
        assert opening.tolist() == model._encoder.in_language(language).decoder_prefix.tolist()
    assert given["zh"] == given[languages[1]]


def test_an_older_tokenizer_file_is_read_as_nllb_was_trained(
    layout: Layout, tmp_path: Path
) -> None:
    from tokenizers import processors

    folder = language_coded.write("nllb", tmp_path / "older")
    own = language_coded.read("nllb", folder, "en")
    own._tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s> eng_Latn",
        pair="$A $B </s> eng_Latn",
        special_tokens=[("</s>", 2), ("eng_Latn", own.convert_tokens_to_ids("eng_Latn"))],
    )
    own.save_pretrained(folder)
    model = tiny.start(folder, mode="generate")
    assert model.tokens.tokenizer("the")["input_ids"][-2:] != own("the")["input_ids"][:2]
    wanted = language_coded.read("nllb", folder, "sw")("the cat")["input_ids"]
    assert model._encoder.in_language("sw").source_ids("the cat").tolist() == wanted


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
    ("family", "language", "told"),
    [
        ("nllb", "deu", None), ("nllb", "sw", None), ("mbart50", "zh", None),
        ("nllb", "eu", "the model has no language 'eu'; did you mean 'deu_Latn'?"),
        ("nllb", "ta", "the model has no language 'ta'; known: deu_Latn, eng_Latn, swh_Latn, zho"),
        ("mbart25", "sw", "the model has no language 'sw'; known: ar_AR"),
        ("m2m100", "eu", "the model has no language 'eu'"),
    ],
)  # fmt: skip
def test_an_unknown_language_is_refused_with_the_nearest(
    family: str, language: str, told: str | None, layout: Layout
) -> None:
    options = Options(path=layout(family), mode="generate")
    for wanted in (_wanted(language), _wanted("en", language, objective="task")):
        why = tiny.BACKEND.unsupported(options, wanted, _AROUND)
        assert (why is None) == (told is None)
        assert str(why).startswith(str(told))
    heads = Options(path=layout(family))
    assert tiny.BACKEND.unsupported(heads, _wanted(language), _AROUND) is None
    if told is not None:
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
    for place in (layout("m2m100-unlisted"), folder("mt5"), folder("gemma")):
        options = Options(path=place, mode="generate")
        assert tiny.BACKEND.unsupported(options, _wanted("eu"), _AROUND) is None


def test_codes_that_cannot_be_are_errors(layout: Layout, folder: Folder, tmp_path: Path) -> None:
    around = RunEnvironment(cache=tmp_path, offline=True)
    named = Options(path=layout("nllb"), mode="generate", language_codes={"yue": "zho_Hans"})
    assert tiny.BACKEND.unsupported(named, _wanted("yue"), _AROUND) is None
    assert tiny.BACKEND.fingerprint(named, around)
    wrong = Options(path=layout("nllb"), mode="generate", language_codes={"zh": "zho_Hnas"})
    with pytest.raises(ConfigurationError, match="'zho_Hnas'\n  did you mean 'zho_Hans'"):
        tiny.BACKEND.fingerprint(wrong, around)
    none = Options(path=folder("mt5"), mode="generate", language_codes={"zh": "zho_Hans"})
    with pytest.raises(ConfigurationError, match="'mt5' has no codes for languages"):
        tiny.BACKEND.fingerprint(none, around)
    with pytest.raises(ValidationError, match="'language_codes' belongs to answers in words"):
        Options(path=folder("mt5"), language_codes={"zh": "zho_Hans"})


def test_only_models_with_codes_have_another_identity(
    layout: Layout, folder: Folder, tmp_path: Path
) -> None:
    around = RunEnvironment(cache=tmp_path, offline=True)

    def identity(place: Path, **options: Any) -> tuple[str, dict[str, Any]]:
        files = folders.model_files(place, "safetensors")
        said = {"files": {file.name: file_digest(file) for file in files}, "num_layers": None}
        return tiny.BACKEND.fingerprint(Options(path=place, **options), around), said | options

    for place, options in (
        (folder("mt5"), {"mode": "generate"}), (folder("gemma"), {"mode": "loglikelihood"}),
        (layout("nllb"), {}),
    ):  # fmt: skip
        found, said = identity(place, **options)
        assert found == digest(said)
    for family in ("nllb", "mbart25", "m2m100"):
        found, said = identity(layout(family), mode="generate")
        assert found == digest(said | {"coded": 1})
    found, said = identity(layout("nllb"), mode="generate", language_codes={"zh": "zho_Hans"})
    assert found == digest(said | {"coded": 1})


def test_a_hub_model_keeps_its_identity_once_it_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = stubbed(tmp_path, monkeypatch)
    stub.files["org/m"] = {"config.json": '{"model_type": "mbart"}'}
    named = [
        Options(hub="org/m", mode="generate", revision=revision) for revision in (None, COMMIT)
    ]
    meaning = {"hub": "org/m", "commit": COMMIT, "num_layers": None, "mode": "generate"}
    for offline in (False, True):  # the second finds what the first has fetched
        new_process()
        around = RunEnvironment(cache=tmp_path, offline=offline)
        if offline:
            named = named[1:]  # where a branch stood is noted once all files are there
        found = {tiny.BACKEND.fingerprint(model, around) for model in named}
        assert found == {digest(meaning | {"coded": 1})}
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
    done = CliRunner().invoke(app, words)
    assert done.exit_code in (0, 1), done.output
    return " ".join(done.output.split())


def test_a_study_asks_each_language_in_its_own_code(
    layout: Layout, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | None, int]] = []
    honest = GenerativeModel.predict

    def predict(self: Any, card: Any, task_type: Any, examples: Any, recipe: Any) -> Any:
        asked.append((card.verbalizer.language, len(examples)))
        return honest(self, card, task_type, examples, recipe)

    monkeypatch.setattr(GenerativeModel, "predict", predict)
    model: dict[str, Any] = {"name": "m", "path": str(layout("nllb")), "mode": "generate"}
    told = _run(tmp_path, "run", models=[model], strategies=["single"])
    assert asked == [("en", 6), ("de", 6)]
    assert "es fr all the model has no language '<language>'; known: deu_Latn" in told
    model["language_codes"] = {"fr": "zho_Hans"}
    _run(tmp_path, "run", models=[model], strategies=["single"])
    assert asked[2:] == [("en", 6), ("de", 6), ("fr", 6)]


def test_a_model_with_heads_is_still_asked_small_languages_together(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    predict_each = HfModel.predict_each

    def counted(shards: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        for examples in shards:
            asked.append(len(examples))
            yield examples

    def predict(self: Any, card: Any, task_type: Any, shards: Any, recipe: Any) -> Any:
        return predict_each(self, card, task_type, counted(shards), recipe)

    monkeypatch.setattr(HfModel, "predict_each", predict)
    _run(
        tmp_path, "run", models=[{"name": "h", "path": str(folder("bert"))}], strategies=["single"]
    )
    assert asked == [24]


def test_an_arm_that_would_learn_an_unknown_language_is_left_out(
    layout: Layout, tmp_path: Path
) -> None:
    model = {"name": "m", "path": str(layout("nllb")), "mode": "generate"}
    several = {"name": "several", "strategy": "single", "source_languages": ["en", "es"]}
    looked = {"name": "looked", "strategy": "single", "selection": "target-dev"}
    for strategy in (several, looked):
        told = _run(tmp_path, "plan", models=[model], strategies=[strategy])
        assert "the model has no language" in told
        assert "train mini_choice" not in told
