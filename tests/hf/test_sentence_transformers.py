"""Sentence encoders as their publishers read them: modules, prompts, lengths, and refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from tests.hf import sentence_encoders as encoders
from tests.hf import tiny
from tests.hf.trained_once import TrainedOnce
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import Recipe, RunEnvironment, TrainingSet
from xharness.task_types.retrieval import RetrievalExample
from xharness.testing import toy_card
from xharness_hf.backbone.batch import Layout, collate
from xharness_hf.config.fingerprint import fingerprint
from xharness_hf.config.options import Options
from xharness_hf.embedding.sentence_transformers import modules
from xharness_hf.embedding.sentence_transformers.encoder_config import read
from xharness_hf.embedding.sentence_transformers.layout import Mode, PoolingConfig, PromptsConfig
from xharness_hf.embedding.sentence_transformers.prompts import (
    Prompts,
    prompts_by_role,
    prompts_file,
)
from xharness_hf.files import hub
from xharness_hf.heads.contrastive import ContrastiveObjective
from xharness_hf.heads.objectives import exact_targets

TEXTS = ["the red cat", "東京 who flies?", "", "river stone " * 30, "café naïve Straße", "bird"]
RECIPE = Recipe(max_length=64)
E5 = {"query": "who: ", "passage": "the road: "}
COMMIT = "0123456789abcdef0123456789abcdef01234567"

Folders = dict[str, Path]


def _published(folder: Path, **options: Any) -> Any:
    return tiny.start(folder, embeddings="sentence-transformers", **options)


def _states(model: Any, text: str, limit: int) -> Tensor:
    """The last hidden states of one text, read by transformers alone: (sub-words, width)."""
    encoding = model.tokens.tokenizer(
        [text], truncation=True, max_length=limit, return_tensors="pt", return_token_type_ids=False
    )
    with torch.inference_mode():
        states: Tensor = model.backbone.module.eval()(**encoding).last_hidden_state[0]
    return states


def _close(vectors: NDArray[np.float32], expected: Any) -> bool:
    return bool(np.allclose(vectors, np.asarray(expected), atol=2e-6))


# --- by hand ---------------------------------------------------------------------------------


def test_a_dense_layer_stands_on_the_first_state(folders: Folders, tmp_path: Path) -> None:
    model = _published(encoders.labse(folders["bert"], tmp_path / "m"))
    dense = load_file(tmp_path / "m" / "2_Dense" / "model.safetensors")
    firsts = torch.stack([_states(model, text, limit=20)[0] for text in TEXTS])
    vectors = torch.tanh(firsts @ dense["linear.weight"].T + dense["linear.bias"])
    ours = model.embed(TEXTS, RECIPE)
    assert ours.shape == (len(TEXTS), encoders.DENSE)
    assert _close(ours, functional.normalize(vectors))


@pytest.mark.parametrize(("role", "prompt"), [("query", "who: "), ("passage", "the road: ")])
def test_a_prompt_stands_before_each_text(
    folders: Folders, tmp_path: Path, role: str, prompt: str
) -> None:
    model = _published(encoders.e5(folders["xlmr"], tmp_path / "m", E5))
    means = torch.stack([_states(model, prompt + text, limit=64).mean(dim=0) for text in TEXTS])
    assert _close(model.embed(TEXTS, RECIPE, role=role), functional.normalize(means))
    assert not _close(tiny.start(tmp_path / "m").embed(TEXTS, RECIPE, role=role), means)


def test_a_prompt_may_be_read_and_not_pooled(folders: Folders, tmp_path: Path) -> None:
    pooling = {"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": False}
    model = _published(encoders.e5(folders["bert"], tmp_path / "m", E5, **pooling))
    (prompt,) = model.tokens.ids(["who: "])
    states = [_states(model, f"who: {text}", limit=64)[1 + len(prompt) :] for text in TEXTS]
    expected = functional.normalize(torch.stack([state.mean(dim=0) for state in states]))
    assert _close(model.embed(TEXTS, RECIPE, role="query"), expected)


# --- against sentence-transformers -----------------------------------------------------------


def _theirs(folder: Path, texts: Sequence[str], prompt: str | None = None) -> Any:
    reason = "sentence-transformers is not installed; it is in the extra 'bench'"
    library: Any = pytest.importorskip("sentence_transformers", reason=reason)
    model = library.SentenceTransformer(str(folder), device="cpu")
    return model.encode([*texts], prompt=prompt, normalize_embeddings=True, batch_size=4)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("mode", get_args(Mode))
def test_each_pooling_is_the_librarys(
    folders: Folders, tmp_path: Path, family: str, mode: str
) -> None:
    if family == "llama":
        _pads(folders[family], tmp_path / "backbone")
    backbone = tmp_path / "backbone" if family == "llama" else folders[family]
    pooling = {"embedding_dimension": 32, "pooling_mode": mode}
    folder = encoders.e5(backbone, tmp_path / "m", **pooling)
    texts = [text for text in TEXTS if text]  # bare decoders read nothing of an empty text
    vectors = _published(folder).embed(texts, RECIPE.changed({"max_length": 128}))
    assert _close(vectors, _theirs(folder, texts))


def _pads(backbone: Path, folder: Path) -> None:
    """The library cannot pad where a tokenizer names no padding."""
    shutil.copytree(backbone, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    encoders.write(folder, "tokenizer_config.json", config | {"pad_token": "<|end|>"})


@pytest.mark.parametrize("activation", ["activation.Tanh", "linear.Identity", "activation.GELU"])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_layers_are_the_librarys(
    folders: Folders, tmp_path: Path, activation: str, bias: bool
) -> None:
    declaration = {"activation_function": f"torch.nn.modules.{activation}", "bias": bias}
    folder = encoders.labse(folders["bert"], tmp_path / "m", **declaration)
    assert _close(_published(folder).embed(TEXTS, RECIPE), _theirs(folder, TEXTS))


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_prompts_are_the_librarys(
    folders: Folders, tmp_path: Path, mode: str, included: bool
) -> None:
    pooling = {"embedding_dimension": 32, "pooling_mode": mode, "include_prompt": included}
    folder = encoders.e5(folders["bert"], tmp_path / "m", **pooling)
    vectors = _published(folder, prompts={"query": "who flies "}).embed(TEXTS, RECIPE, role="query")
    assert _close(vectors, _theirs(folder, TEXTS, "who flies "))


def test_a_text_that_is_cut_to_its_prompt_is_pooled_whole(folders: Folders, tmp_path: Path) -> None:
    pooling = {"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": False}
    folder = encoders.e5(folders["bert"], tmp_path / "m", **pooling)
    encoders.write(folder, "sentence_bert_config.json", {"max_seq_length": 4})
    model = _published(folder, prompts={"query": "who flies the red "})
    pooled = _states(model, "who flies the red bird", limit=4).mean(dim=0, keepdim=True)
    assert _close(model.embed(["bird"], RECIPE, role="query"), functional.normalize(pooled))


def test_several_poolings_are_concatenated_as_the_library_does(
    folders: Folders, tmp_path: Path
) -> None:
    older = {
        "word_embedding_dimension": 32,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_cls_token": True,
    }
    folder = encoders.e5(folders["bert"], tmp_path / "m", **older)
    vectors = _published(folder).embed(TEXTS, RECIPE)
    assert vectors.shape == (len(TEXTS), 64)
    assert _close(vectors, _theirs(folder, TEXTS))


def test_a_folder_that_the_library_saved_is_read(folders: Folders, tmp_path: Path) -> None:
    reason = "sentence-transformers is not installed; it is in the extra 'bench'"
    library: Any = pytest.importorskip("sentence_transformers", reason=reason)
    older = encoders.labse(folders["bert"], tmp_path / "older")
    model = library.SentenceTransformer(str(older), device="cpu", prompts=E5)
    model.save(str(tmp_path / "newer"))
    ours = _published(tmp_path / "newer")
    assert _close(ours.embed(TEXTS, RECIPE, role="query"), _theirs(older, TEXTS, "who: "))
    assert _close(ours.embed(TEXTS, RECIPE, role="passage"), _theirs(older, TEXTS, "the road: "))


def test_the_library_reads_what_was_saved(folders: Folders, tmp_path: Path) -> None:
    model = _published(encoders.labse(folders["bert"], tmp_path / "m"), prompts=E5)
    model.save(tmp_path / "saved")
    vectors = model.embed(TEXTS, RECIPE, role="passage")
    assert _close(vectors, _theirs(tmp_path / "saved", TEXTS, "the road: "))
    assert _close(model.embed(TEXTS, RECIPE), _theirs(tmp_path / "saved", TEXTS))


@pytest.mark.pretrained
def test_a_pretrained_sentence_encoder_is_the_librarys(tmp_path: Path) -> None:
    """`XHARNESS_PRETRAINED` names a folder; where it lacks its pooling, a mean is put beside it."""
    name = os.environ.get("XHARNESS_PRETRAINED")
    if not name or not (Path(name) / "modules.json").is_file():
        pytest.skip("no pretrained sentence encoder; set XHARNESS_PRETRAINED to its folder")
    folder = shutil.copytree(name, tmp_path / "m")
    if not (folder / "1_Pooling").is_dir():
        width = json.loads((folder / "config.json").read_text())["hidden_size"]
        pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
        encoders.write(folder, "1_Pooling/config.json", pooling)
    texts = ["A cat sat there.", "There sat a cat.", "Pay your taxes in time.", "word " * 400]
    vectors = _published(folder).embed(texts, Recipe(max_length=512))
    assert np.allclose(vectors, _theirs(folder, texts), atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


# --- batches, lengths, saving ----------------------------------------------------------------


def test_the_recipe_has_no_say_but_for_the_length(folders: Folders, tmp_path: Path) -> None:
    model = _published(encoders.labse(folders["bert"], tmp_path / "m"))
    vectors = model.embed(TEXTS, RECIPE)
    changed_recipe = RECIPE.changed({"pooling": "last", "layer": 0})
    assert np.array_equal(model.embed(TEXTS, changed_recipe), vectors)
    short, long = model.embed(["river " * 9, "river " * 40], Recipe(max_length=8))
    assert np.allclose(short, long, atol=1e-6)
    longest, longer = model.embed(["river " * 18, "river " * 40], RECIPE)
    assert np.allclose(longest, longer, atol=1e-6)  # max_seq_length is 20, specials included


def test_lower_case_is_made_where_the_folder_says_so(folders: Folders, tmp_path: Path) -> None:
    folder = encoders.e5(folders["bert"], tmp_path / "m")
    cased = _published(folder).embed(["the CAT", "the cat"], RECIPE)
    encoders.write(folder, "sentence_xlm-roberta_config.json", {"do_lower_case": True})
    lower = _published(folder).embed(["the CAT", "the cat"], RECIPE)
    assert not np.allclose(*cased, atol=1e-3)
    assert np.allclose(*lower, atol=1e-6)
    assert np.allclose(lower[1], cased[1], atol=1e-6)


def test_heads_read_by_the_recipe_and_vectors_stay_published(
    folders: Folders, tmp_path: Path
) -> None:
    """A backbone that learnt a task keeps the dense layer as it was, saved and loaded."""
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    published_model, usual_model = _published(folder, prompts=E5), tiny.start(folder)
    for index, model in enumerate((published_model, usual_model)):
        session = tiny.session(tmp_path / f"session{index}")
        model.fit([tiny.feed("classification", 32)], Recipe(steps=3, batch_size=8), session)
    examples = tiny.feed("classification", 9).examples
    card = toy_card("classification")
    answers = [
        model.predict(card, tiny.TASK_TYPES["classification"], examples, RECIPE)
        for model in (published_model, usual_model)
    ]
    assert answers[0] == answers[1]
    published_model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    for role in ("query", "passage", "sentence"):
        vectors = published_model.embed(TEXTS, RECIPE, role=role)
        assert np.array_equal(loaded_model.embed(TEXTS, RECIPE, role=role), vectors)
    dense = "2_Dense/model.safetensors"
    tensors, saved_tensors = load_file(folder / dense), load_file(tmp_path / "saved" / dense)
    assert all(torch.equal(tensors[name], saved_tensors[name]) for name in tensors)
    assert loaded_model.sizes() == usual_model.sizes()


def test_pairs_are_learnt_by_the_vectors_that_are_compared(
    folders: Folders, tmp_path: Path
) -> None:
    model = _published(encoders.labse(folders["bert"], tmp_path / "m"), prompts=E5)
    examples = [
        RetrievalExample(str(n), query, str(n), text)
        for n, (query, text) in enumerate([("red cat", "blue bird"), ("salt", "the wind flies")])
    ]
    task = model._objective(tiny.TASK_TYPES["retrieval"])
    assert isinstance(task, ContrastiveObjective)
    features = task.features(examples, model.tokens, RECIPE, gold=True)
    batch = collate(features, Layout(model.tokens.pad), torch.device("cpu"))
    states: list[Tensor] = []

    def head(cosines: Tensor) -> Tensor:
        states.append(cosines)
        return cosines

    model.backbone.module.eval()
    with torch.inference_mode():
        targets = exact_targets(task, batch, Layout(model.tokens.pad), RECIPE)
        task.loss(model.backbone.states(batch).flatten(0, 1), head, targets, RECIPE)
    queries = model.embed([example.query for example in examples], RECIPE, role="query")
    passages = model.embed([example.positive or "" for example in examples], RECIPE, role="passage")
    assert _close(queries @ passages.T, states[0])


def test_learning_pairs_moves_the_body_and_not_the_dense_layer(
    folders: Folders, tmp_path: Path
) -> None:
    model = _published(encoders.labse(folders["bert"], tmp_path / "m"))
    copies = [tensor.clone() for tensor in model.backbone.module.parameters()]
    dense = {
        name: tensor.clone() for name, tensor in model._embedder._upper_modules.state_dict().items()
    }
    card = toy_card("retrieval")
    feed = TrainingSet(
        card,
        tiny.TASK_TYPES["retrieval"],
        "task",
        card.head_name,
        tiny.feed("retrieval", 24).examples,
    )
    facts = model.fit([feed], Recipe(steps=3, batch_size=8), tiny.session(tmp_path / "s"))
    moved = zip(copies, model.backbone.module.parameters(), strict=True)
    assert any(not torch.equal(tensor, copy_of_tensor) for tensor, copy_of_tensor in moved)
    upper_state = model._embedder._upper_modules.state_dict()
    assert all(torch.equal(dense[name], upper_state[name]) for name in dense)
    assert np.isfinite(facts["loss"])


class TestSentenceEncoder(TrainedOnce):
    __test__ = True
    backend = tiny.BACKEND
    recipe = Recipe(epochs=8, learning_rate=8e-3, batch_size=16, max_length=32)

    @pytest.fixture(autouse=True)
    def _place(self, folders: Folders, tmp_path: Path) -> None:
        folder = encoders.labse(folders["bert"], tmp_path / "encoder")
        # the first state of a tiny backbone is nearly the same for all texts, and learns nothing
        _change(folder, "1_Pooling/config.json", pooling_mode="mean")
        type(self).options = {
            "path": str(folder),
            "embeddings": "sentence-transformers",
            "prompts": E5,
        }


# --- prompts ---------------------------------------------------------------------------------

texts = st.none() | st.sampled_from(["", "a: ", "b: ", "c: "])
names = st.sampled_from(["query", "passage", "document", "corpus", "sentence", "other"])
declarations = st.builds(
    lambda prompts, default: PromptsConfig(prompts=prompts, default_prompt_name=default),
    st.dictionaries(names, texts),
    st.none() | names,
)
study_prompts = st.builds(Prompts, query=texts, passage=texts, sentence=texts)


@given(declarations, study_prompts)
def test_what_was_resolved_is_resolved_again(
    declared: PromptsConfig, stated_prompts: Prompts
) -> None:
    prompts = prompts_by_role(declared, stated_prompts)
    saved = PromptsConfig.model_validate(prompts_file(prompts))
    assert prompts_by_role(saved, Prompts()) == prompts


@given(declarations, study_prompts)
def test_the_study_has_the_last_word(declared: PromptsConfig, stated_prompts: Prompts) -> None:
    prompts = prompts_by_role(declared, stated_prompts)
    for role, prompt in stated_prompts.model_dump(exclude_none=True).items():
        assert prompts[role] == prompt  # type: ignore[index]


@pytest.mark.parametrize(
    ("prompts", "default", "expected"),
    [
        ({}, None, ("", "", "")),
        ({"query": "q ", "document": "d "}, None, ("q ", "d ", "q ")),
        ({"query": "q ", "document": "", "passage": "p "}, None, ("q ", "p ", "q ")),
        ({"query": "q ", "sts": "s "}, "sts", ("q ", "", "s ")),
    ],
)
def test_the_folders_prompts(
    prompts: dict[str, str], default: str | None, expected: tuple[str, str, str]
) -> None:
    resolved_prompts = prompts_by_role(
        PromptsConfig(prompts=prompts, default_prompt_name=default), Prompts()
    )
    assert (
        resolved_prompts["query"],
        resolved_prompts["passage"],
        resolved_prompts["sentence"],
    ) == expected


@settings(deadline=None)
@given(
    st.integers(1, 6),
    st.sampled_from(get_args(Mode)),
    st.integers(0, 3),
)
def test_padding_changes_no_pooling(length: int, mode: Mode, padding: int) -> None:
    pooling = PoolingConfig.model_validate({"embedding_dimension": 4, "pooling_mode": [mode]})
    states = torch.randn(2, length, 4, generator=torch.Generator().manual_seed(length))
    unpadded = modules.pooled(states, torch.ones(2, length), pooling)
    padded = functional.pad(states, (0, 0, 0, padding), value=9.0)
    mask = functional.pad(torch.ones(2, length), (0, padding))
    assert torch.allclose(modules.pooled(padded, mask, pooling), unpadded, atol=1e-6)


# --- identity --------------------------------------------------------------------------------


def _identity(folder: Path, **options: Any) -> str:
    return fingerprint(
        Options(path=folder, **options), RunEnvironment(cache=folder.parent / "cache")
    )


def _change(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    known = json.loads(file.read_text()) if file.is_file() else {}
    encoders.write(folder, name, known | values)


CHANGES: dict[str, Callable[[Path], Any]] = {
    "pooling": lambda folder: _change(folder, "1_Pooling/config.json", pooling_mode="mean"),
    "activation": lambda folder: _change(
        folder, "2_Dense/config.json", activation_function="torch.nn.modules.activation.ReLU"
    ),
    "dense": lambda folder: save_file(
        {"linear.weight": torch.ones(12, 32), "linear.bias": torch.ones(12)},
        folder / "2_Dense" / "model.safetensors",
    ),
    "length": lambda folder: _change(folder, "sentence_bert_config.json", max_seq_length=9),
    "prompts": lambda folder: _change(
        folder, "config_sentence_transformers.json", prompts={"query": "q: "}
    ),
    "modules": lambda folder: encoders.modules(folder, "Pooling", "Dense"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_vectors_changes_the_identity(
    folders: Folders, tmp_path: Path, change: str
) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    default_identity, published = (
        _identity(folder),
        _identity(folder, embeddings="sentence-transformers"),
    )
    CHANGES[change](folder)
    assert _identity(folder) == default_identity
    assert _identity(folder, embeddings="sentence-transformers") != published


def test_what_changes_no_vector_changes_no_identity(folders: Folders, tmp_path: Path) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    assert _identity(folder) == _identity(folders["bert"])
    published = _identity(folder, embeddings="sentence-transformers")
    assert published != _identity(folder)
    assert (
        _identity(folder, embeddings="sentence-transformers", prompts={"query": "q "}) != published
    )
    _change(folder, "config_sentence_transformers.json", __version__={"pytorch": "9"})
    encoders.modules(folder, "Pooling", "Dense", "Normalize", prefix=encoders.NEWER)
    assert _identity(folder, embeddings="sentence-transformers", prompts={"query": ""}) == published


def test_prompts_of_a_hub_model_are_part_of_its_identity(tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path, offline=True)
    pinned = {"hub": "org/name", "revision": COMMIT}
    identities = [
        fingerprint(Options.model_validate(pinned | changes), environment)
        for changes in (
            {},
            {"embeddings": "sentence-transformers"},
            {"embeddings": "sentence-transformers", "prompts": E5},
        )
    ]
    assert len({*identities}) == 3


def test_telling_it_imports_nothing_heavy(folders: Folders, tmp_path: Path) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    code = (
        "import sys; from pathlib import Path; from xharness.plugin.api import RunEnvironment\n"
        "from xharness_hf.plugin import xharness_backends\n"
        "(backend,) = xharness_backends()\n"
        f"options = backend.options(path={str(folder)!r}, embeddings='sentence-transformers')\n"
        "backend.fingerprint(options, RunEnvironment(cache=Path(options.path) / 'cache'))\n"
        "heavy = {'torch', 'transformers', 'safetensors'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr


# --- the hub ---------------------------------------------------------------------------------


@pytest.fixture
def fetched(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[str]]:
    """The folder of a hub model that is fetched as asked, and the patterns it is asked for by."""
    import huggingface_hub
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--org--name" / "snapshots" / COMMIT
    patterns: list[str] = []

    def download(name: str, *, allow_patterns: list[str], **keywords: Any) -> str:
        patterns[:] = allow_patterns
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return folder, patterns


def test_a_hub_model_is_fetched_with_its_modules(
    folders: Folders, fetched: tuple[Path, list[str]]
) -> None:
    from huggingface_hub.utils import filter_repo_objects

    folder, patterns = fetched
    encoders.labse(folders["bert"], folder)
    encoders.write(folder, "config_sentence_transformers.json", {})
    (folder / "2_Dense" / "pytorch_model.bin").touch()
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def wanted(**options: Any) -> set[str]:
        hub.snapshot(Options(hub="org/name", revision=COMMIT, **options), RunEnvironment())
        return {*filter_repo_objects(files, allow_patterns=patterns)}

    expected_files = {
        "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
        "1_Pooling/config.json", "2_Dense/config.json",
    }  # fmt: skip
    pickled = "2_Dense/pytorch_model.bin"
    assert not expected_files & wanted()
    assert expected_files | {"2_Dense/model.safetensors"} <= wanted(
        embeddings="sentence-transformers"
    )
    assert pickled not in wanted(embeddings="sentence-transformers")
    assert pickled in wanted(embeddings="sentence-transformers", weights="any")


def test_what_is_fetched_is_checked_while_planning(
    folders: Folders, fetched: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, _ = fetched
    environment = RunEnvironment(cache=tmp_path / "cache", offline=True)
    options = Options(hub="org/name", revision=COMMIT, embeddings="sentence-transformers")
    shutil.copytree(folders["bert"], folder)
    identity = fingerprint(options, environment)  # fetched before, without its modules
    encoders.modules(folder, "Pooling", "WordWeights")
    with pytest.raises(ConfigurationError, match="no module 'WordWeights' is read here"):
        fingerprint(options, environment)
    encoders.modules(folder, "Pooling")
    assert fingerprint(options, environment) == identity


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"path": "a", "prompts": {"query": "q"}},
            "'prompts' belongs to 'embeddings: sentence-transformers'",
        ),
        ({"gguf": "a", "embeddings": "sentence-transformers"}, "needs a folder: 'path' or 'hub'"),
        (
            {"path": "a", "mode": "generate", "embeddings": "sentence-transformers"},
            "not for 'mode: generate'",
        ),
        (
            {"path": "a", "num_layers": 2, "embeddings": "sentence-transformers"},
            "shortened by 'num_layers'",
        ),
        (
            {"path": "a", "embeddings": "sentence-transformers", "prompts": {"document": "d"}},
            "unknown key 'document'",
        ),
    ],
)
def test_options_that_cannot_be(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Options.model_validate(values)


def _type(module_type: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        entries = json.loads((folder / "modules.json").read_text())
        entries[2]["type"] = module_type
        encoders.write(folder, "modules.json", entries)

    return change


def _path(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        entries = json.loads((folder / "modules.json").read_text())
        entries[2]["path"] = path
        encoders.write(folder, "modules.json", entries)

    return change


def _removed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no modules": (_removed("modules.json"), "modules.json: there is no such file"),
    "no pooling": (_removed("1_Pooling/config.json"), "1_Pooling/config.json: there is no such"),
    "not JSON": (
        lambda folder: (folder / "modules.json").write_text("[{"),
        "modules.json: not to be read as JSON",
    ),
    "not modules": (
        lambda folder: encoders.write(folder, "modules.json", {"a": 1}),
        "modules.json: a list is needed",
    ),
    "no dense weights": (
        _removed("2_Dense/model.safetensors"),
        "2_Dense: the folder has no weights",
    ),
    "unknown module": (
        _type("sentence_transformers.models.Dens"),
        "no module 'Dens' is read here; did you mean 'Dense'?",
    ),
    "foreign module": (_type("custom_st.Dense"), "'custom_st.Dense' is code from outside"),
    "order": (_type("sentence_transformers.models.Pooling"), "Transformer, Pooling, Pooling, Norm"),
    "above": (_path("../2_Dense"), "'../2_Dense' is no path inside its folder"),
    "inside and out": (_path("a/../../b"), "is no path inside its folder"),
    "absolute": (_path("/etc"), "'/etc' is no path inside its folder"),
    "backslash": (_path("..\\b"), "is no path inside its folder"),
    "itself": (_path("."), "'.' is no path inside its folder"),
    "twice": (_path("1_Pooling"), "two modules have one folder"),
    "pooling": (
        lambda folder: _change(folder, "1_Pooling/config.json", pooling_mode="meen"),
        "'meen' is not one of",
    ),
    "older pooling": (
        lambda folder: _change(folder, "1_Pooling/config.json", pooling_mode_attention=True),
        "no 'pooling_mode_attention' is read here",
    ),
    "activation": (
        lambda folder: _change(folder, "2_Dense/config.json", activation_function="os.system"),
        "'os.system' is not one of",
    ),
    "activation of torch": (
        lambda folder: _change(folder, "2_Dense/config.json", activation_function="torch.nn.Tanhh"),
        "did you mean 'Tanh'?",
    ),
    "residual": (
        lambda folder: _change(folder, "2_Dense/config.json", use_residual=True),
        "no dense layer with a residual connection",
    ),
    "token states": (
        lambda folder: _change(folder, "2_Dense/config.json", module_input_name="token_embeddings"),
        "'token_embeddings' is not read here",
    ),
    "width": (
        lambda folder: _change(folder, "2_Dense/config.json", in_features=7),
        "2_Dense: the dense layer takes vectors of width 7 and is given 32",
    ),
    "length": (
        lambda folder: _change(folder, "sentence_bert_config.json", max_seq_length=-1),
        "a number above 0 is needed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_while_planning(
    folders: Folders, tmp_path: Path, case: str
) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    change, says = REFUSED[case]
    change(folder)
    for read_folder in (
        lambda: _identity(folder, embeddings="sentence-transformers"),
        lambda: _published(folder),
    ):
        with pytest.raises((ConfigurationError, UnavailableError)) as caught:
            read_folder()
        assert says in str(caught.value)


def test_a_missing_declaration_says_how_to_do_without(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="leave out 'embeddings: sentence-transformers'"):
        _identity(
            shutil.copytree(folders["bert"], tmp_path / "m"), embeddings="sentence-transformers"
        )


def test_weights_of_another_shape_and_body_are_refused(folders: Folders, tmp_path: Path) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    save_file({"linear.weight": torch.ones(3, 3)}, folder / "2_Dense" / "model.safetensors")
    with pytest.raises(UnavailableError, match="not the weights of a dense layer of 32 by 12"):
        _published(folder)
    wide = {"embedding_dimension": 64, "pooling_mode": "cls"}
    encoders.e5(folders["bert"], tmp_path / "wide", **wide)
    with pytest.raises(ConfigurationError, match="width 64, the backbone has 32"):
        _published(tmp_path / "wide")


def test_pickled_dense_weights_are_read_when_they_are_asked_for(
    folders: Folders, tmp_path: Path
) -> None:
    folder = encoders.labse(folders["bert"], tmp_path / "m")
    vectors = _published(folder).embed(TEXTS, RECIPE)
    safe = folder / "2_Dense" / "model.safetensors"
    torch.save(load_file(safe), safe.with_name("pytorch_model.bin"))
    safe.unlink()
    with pytest.raises(UnavailableError, match="'weights: any' loads it"):
        _published(folder)
    assert np.array_equal(_published(folder, weights="any").embed(TEXTS, RECIPE), vectors)
    torch.save({"linear.weight": Path("x")}, safe.with_name("pytorch_model.bin"))
    with pytest.raises(UnavailableError, match="not the weights of a dense layer"):
        _published(folder, weights="any")


def test_the_declaration_is_read_without_the_body(folders: Folders, tmp_path: Path) -> None:
    declaration = read(encoders.labse(folders["bert"], tmp_path / "m"), Prompts(query="q "))
    assert (declaration.width, [*declaration.dense_modules]) == (encoders.DENSE, ["2_Dense"])
    assert declaration.prompts == {"query": "q ", "passage": "", "sentence": "q "}
