"""Translations as stages, and the translator `hf`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.strategies.word_translator import WordTranslator
from tests.toy import card, toy_plugins
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, StageError, UnavailableError
from xharness.executor import RunContext, RunReport
from xharness.executor.sequential import SequentialExecutor
from xharness.executor.train import training_set
from xharness.executor.translate import FILE, load
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment, TranslateTexts, Translator
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Provider
from xharness.spec.study import Study
from xharness.stages import Train, Translate
from xharness.store import Store
from xharness_hf.config.language_codes import code_of
from xharness_hf.translation import HfTranslator, TranslatorOptions


class Loud(WordTranslator):
    """Says everything in capitals, and breaks down when it has said so many texts."""

    def __init__(self, limit: int, answers: int | None = None) -> None:
        self.limit, self.answers, self.said = limit, answers, 0

    def open(self, *arguments: Any) -> TranslateTexts:
        def say(texts: Sequence[str]) -> list[str]:
            self.said += len(texts)
            if self.said > self.limit:
                raise StageError("no more breath")
            return [text.upper() for text in texts][: self.answers]

        return say

    @hookimpl
    def xharness_translators(self) -> Iterable[Translator]:
        return [self]


def _run(folder: Path, translator: Loud) -> tuple[Plan, RunContext, RunReport]:
    cards = folder / "cards"
    cards.mkdir(exist_ok=True)
    card(cards, "red")
    loaded = toy_plugins(cards)
    loaded.add(translator, Provider("loud"))
    catalogue, environment = Catalogue(loaded), RunEnvironment()
    study = Study.model_validate(
        {
            "name": "s",
            "models": [{"name": "m", "backend": "counting"}],
            "strategies": [{"single": {"translate": {"languages": ["de"], "with": "words"}}}],
            "targets": ["red"],
            "runtime": {"shard": 4},
        }
    )
    data = DataReader(catalogue, environment)
    plan = compile_plan(PlanningContext(study, catalogue, data.data_slice, environment))
    work = RunContext(catalogue, data, Store(folder / "store"), environment, study.runtime)
    return plan, work, SequentialExecutor().run(plan, work)


def _stage(plan: Plan) -> Translate:
    return next(stage for stage in plan.stages.values() if isinstance(stage, Translate))


def test_an_interrupted_translation_goes_on_after_its_last_shard(tmp_path: Path) -> None:
    plan, _, report = _run(tmp_path, Loud(limit=9))
    assert report.outcomes[_stage(plan).key].reason == "no more breath"
    second = Loud(limit=99)
    plan, work, report = _run(tmp_path, second)
    assert report.outcomes[_stage(plan).key].ending == "ran"
    assert second.said == 2  # ten rows, of which two shards of four were stored
    model = next(stage for stage in plan.stages.values() if isinstance(stage, Train))
    english, german = model.feeds[0].data_slices
    translated = load(german, work)
    texts = [example.text for example in load(english, work).examples]  # type: ignore[attr-defined]
    assert [example.text for example in translated.examples] == [text.upper() for text in texts]  # type: ignore[attr-defined]
    assert (translated.count.language, translated.count.translated) == ("de", "words")


def test_every_example_that_is_learnt_from_says_its_language(tmp_path: Path) -> None:
    plan, work, _ = _run(tmp_path, Loud(limit=99))
    model = next(stage for stage in plan.stages.values() if isinstance(stage, Train))
    feed = training_set(model.feeds[0], work, [])
    beginnings = [example.text[:2] for example in feed.examples]  # type: ignore[attr-defined]
    languages_by_text = {*zip(beginnings, feed.languages, strict=True)}
    assert languages_by_text == {("en", "en"), ("EN", "de")}


def test_too_few_translations_are_an_error(tmp_path: Path) -> None:
    plan, _, report = _run(tmp_path, Loud(limit=99, answers=3))
    assert report.outcomes[_stage(plan).key].reason == "the translator gave 3 texts for 4"


def test_a_damaged_translation_is_named(tmp_path: Path) -> None:
    plan, work, _ = _run(tmp_path, Loud(limit=99))
    stage = _stage(plan)
    (work.store.folder(stage.key) / FILE).write_bytes(b"")
    work.store = Store(work.store.root)
    model = next(stage for stage in plan.stages.values() if isinstance(stage, Train))
    with pytest.raises(StageError, match="not the one that was stored"):
        load(model.feeds[0].data_slices[1], work)


@pytest.mark.parametrize(
    ("tokens", "language", "code"),
    [
        ({"__en__", "__fr__", "</s>"}, "fr", "__fr__"),
        ({"eng_Latn", "fra_Latn", "zho_Hans"}, "fr", "fra_Latn"),
        ({"eng_Latn", "swh_Latn", "zho_Hans"}, "zh", "zho_Hans"),
        ({"eng_Latn", "swh_Latn"}, "sw", "swh_Latn"),
        ({"en_XX", "fr_XX"}, "fr", "fr_XX"),
        ({"en_XX", "sw_KE", "zh_CN"}, "zh", "zh_CN"),
        ({"eng_Latn", "ceb_Latn"}, "ceb", "ceb_Latn"),
        ({">>fra<<", ">>ron<<"}, "fr", ">>fra<<"),
        ({"</s>", "<pad>", "<unk>"}, "fr", None),
    ],
)
def test_models_call_languages_by_their_own_names(
    tokens: set[str], language: str, code: str | None
) -> None:
    assert code_of(language, tokens, {}) == code


def test_a_language_that_the_model_lacks_is_named() -> None:
    with pytest.raises(ConfigurationError, match="has no language 'qu'"):
        code_of("qu", {"__en__", "__fr__"}, {})
    assert code_of("qu", {"__en__", "__ayr__"}, {"qu": "ayr"}) == "__ayr__"
    with pytest.raises(ConfigurationError, match="known: __en__, __ro__"):
        code_of("fr", {"__en__", "__ro__"}, {})
    with pytest.raises(ConfigurationError, match=r"'frr'\n  did you mean '__fr__'"):
        code_of("fr", {"__en__", "__fr__"}, {"fr": "frr"})


@pytest.fixture(scope="module")
def many_to_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny M2M100 with random weights, its tokenizer in one file."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("m2m")
    names = ["<s>", "<pad>", "</s>", "<unk>", "__en__", "__fr__", *"abcdefghijklmnop"]
    tokenizer = Tokenizer(models.WordLevel({name: n for n, name in enumerate(names)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    fast: Any = PreTrainedTokenizerFast
    fast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=["__en__", "__fr__"],
    ).save_pretrained(folder)
    config = M2M100Config(
        vocab_size=len(names), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_position_embeddings=64,
    )  # fmt: skip
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def test_translations_hang_on_their_own_text_alone(many_to_many: Path, tmp_path: Path) -> None:
    options = TranslatorOptions(path=str(many_to_many), length=12, batch=2)
    environment = RunEnvironment(cache=tmp_path)
    say = HfTranslator().open(options, "en", "fr", environment, "cpu")
    texts = ["a b c d e f", "a", "p o n", "c c", "a b c d e f"]
    together = say(texts)
    assert together == [say([text])[0] for text in texts]
    assert together[0] == together[4]


def test_the_translators_fingerprint_means_its_content(many_to_many: Path, tmp_path: Path) -> None:
    environment, hf = RunEnvironment(cache=tmp_path), HfTranslator()
    options = TranslatorOptions(path=str(many_to_many))
    first = hf.fingerprint(options, "en", "fr", environment)
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for file in many_to_many.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    moved = options.model_copy(update={"path": str(copy)})
    assert hf.fingerprint(moved, "en", "fr", environment) == first
    assert hf.fingerprint(options, "fr", "en", environment) != first
    beams = options.model_copy(update={"beams": 4})
    assert hf.fingerprint(beams, "en", "fr", environment) != first
    with pytest.raises(ConfigurationError, match="has no language 'de'"):
        hf.fingerprint(options, "en", "de", environment)
    gone = options.model_copy(update={"path": "opus-mt-{source}-{target}"})
    with pytest.raises(UnavailableError, match="opus-mt-en-fr: there is no such model folder"):
        hf.fingerprint(gone, "en", "fr", environment)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"null"])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
def test_a_damaged_file_of_the_tokenizer_is_named(
    name: str, content: bytes, many_to_many: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    for file in many_to_many.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_bytes(content)
    options = TranslatorOptions(path=str(folder))
    with pytest.raises(UnavailableError, match=f"{name}: the tokenizer's file is damaged"):
        HfTranslator().fingerprint(options, "en", "fr", RunEnvironment(cache=tmp_path))


@pytest.mark.pretrained
def test_a_real_model_translates_english_into_french(tmp_path: Path) -> None:
    """`XHARNESS_MARIAN`: a folder that holds opus-mt-en-fr."""
    folder = os.environ.get("XHARNESS_MARIAN")
    if folder is None:
        pytest.skip("no translation model; set XHARNESS_MARIAN to the folder of opus-mt-en-fr")
    pytest.importorskip("sentencepiece", reason="the extra 'translate' is not installed")
    path = str(Path(folder).resolve() / "opus-mt-{source}-{target}")
    options = TranslatorOptions(path=path, weights="any")
    say = HfTranslator().open(options, "en", "fr", RunEnvironment(cache=tmp_path), "cpu")
    texts = ["The cat sleeps on the sofa.", "Where is the nearest railway station?", "A hospital."]
    assert list(say(texts)) == [
        "Le chat dort sur le canapé.",
        "Où est la gare la plus proche ?",
        "Un hôpital.",
    ]
