"""The registry of models."""

from __future__ import annotations

import pytest

from xharness.spec import registry


def test_names_hubs_and_aliases_are_each_one_models() -> None:
    owners: dict[str, str] = {}
    for model in registry.models():
        for name in {model.name, model.hub, *model.aliases}:
            model_found = registry.find_model(name)
            assert model_found is not None and model_found.name == model.name, name
            assert owners.setdefault(name.casefold(), model.name) == model.name


def test_sizes_add_up() -> None:
    for model in registry.models():
        if model.total and model.embedding and model.non_embedding:
            outside = model.total - model.embedding
            assert abs(outside - model.non_embedding) <= 0.02 * model.total, model.name
        assert model.total is None or model.total < 1_000_000_000


@pytest.mark.parametrize(
    ("name", "known_name"),
    [
        ("XLM-R base (MiniLM run)", "xlm-r-base"),
        ("XLM-R Large", "xlm-r-large"),
        ("facebook/xlm-v-base", "xlm-v-base"),
        ("xlm roberta large", "xlm-r-large"),
        ("google/mt5-small", "mt5-small"),
    ],
)
def test_models_are_found_by_what_publications_call_them(name: str, known_name: str) -> None:
    model_found = registry.find_model(name)
    assert model_found is not None and model_found.name == known_name


def test_an_unknown_model_is_unknown() -> None:
    assert registry.find_model("bert-of-nowhere") is None
