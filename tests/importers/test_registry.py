"""The registry of models."""

from __future__ import annotations

import pytest

from xharness.spec import registry


def test_names_hubs_and_aliases_are_each_one_models() -> None:
    owners: dict[str, str] = {}
    for one in registry.models():
        for name in {one.name, one.hub, *one.aliases}:
            found = registry.find_model(name)
            assert found is not None and found.name == one.name, name
            assert owners.setdefault(name.casefold(), one.name) == one.name


def test_sizes_add_up() -> None:
    for one in registry.models():
        if one.total and one.embedding and one.non_embedding:
            outside = one.total - one.embedding
            assert abs(outside - one.non_embedding) <= 0.02 * one.total, one.name
        assert one.total is None or one.total < 1_000_000_000


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("XLM-R base (MiniLM run)", "xlm-r-base"),
        ("XLM-R Large", "xlm-r-large"),
        ("facebook/xlm-v-base", "xlm-v-base"),
        ("xlm roberta large", "xlm-r-large"),
        ("google/mt5-small", "mt5-small"),
    ],
)
def test_models_are_found_by_what_publications_call_them(name: str, known: str) -> None:
    found = registry.find_model(name)
    assert found is not None and found.name == known


def test_an_unknown_model_is_unknown() -> None:
    assert registry.find_model("bert-of-nowhere") is None
