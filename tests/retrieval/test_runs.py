"""Runs of retrieval tasks: which candidates are searched, what is reused, what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.retrieval import small
from xharness.errors import ConfigurationError, StageError
from xharness.executor import search
from xharness.executor.search import CachedEncoder
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.plugin.api import Model, Recipe
from xharness.store.parts import Parts
from xharness.store.tables import read_table
from xharness_baselines.ngrams import NgramModel


def predictions(result: Any, language: str) -> list[Any]:
    plan, work, *_ = result
    folder = work.store.open(plan.arms[0].score.predictions.key) / "predictions"
    return list(read_table(folder / f"{language}.parquet").column("prediction").to_pylist())


def scores(result: Any) -> dict[str, ScoreRow]:
    return {row.language: row for row in result[3] if isinstance(row, ScoreRow)}


def test_all_languages_search_one_pool(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    result = small.run(tmp_path)
    all_ids = sorted(f"{language}:{n}" for language in ("en", "de") for n in range(6))
    for language in ("en", "de"):
        for number, answer in enumerate(predictions(result, language)):
            assert sorted(answer["ranked"]) == all_ids
            assert answer["relevant"] == [f"en:{number}", f"de:{number}"]
            assert answer["ranked"][0] == f"{language}:{number}"
    assert {row.metric for row in scores(result).values()} == {"map_at_20"}
    assert scores(result)["en"].notes == ()


def test_each_language_searches_its_own_candidates(tmp_path: Path) -> None:
    small.retrieval(tmp_path, "own")
    result = small.run(tmp_path)
    for number, answer in enumerate(predictions(result, "de")):
        assert answer["relevant"] == [str(number)]
        assert sorted(answer["ranked"]) == [*map(str, range(6))]
    assert scores(result)["de"].value == 100


def test_a_language_less_or_a_limit_leaves_the_pool_as_it_is(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    result = small.run(tmp_path, targets=[{"task": "asks", "languages": ["de"], "limit": 2}])
    assert len(predictions(result, "de")) == 2
    assert len(predictions(result, "de")[0]["ranked"]) == 12
    assert scores(result)["de"].notes == ("limited: first 2 items",)


def test_a_missing_part_of_the_pool_is_everybodys_loss(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    (tmp_path / "says-de-test.jsonl").unlink()
    plan, _ = small.plan(tmp_path)
    assert not plan.arms
    assert [(row.task, row.language) for row in plan.missing] == [("asks", "en"), ("asks", "de")]
    assert all("there is no such file" in row.reason for row in plan.missing)


def test_missing_candidates_of_its_own_cost_one_language(tmp_path: Path) -> None:
    small.retrieval(tmp_path, "own")
    (tmp_path / "says-de-test.jsonl").unlink()
    *_, rows = small.run(tmp_path)
    assert [row.language for row in rows if isinstance(row, MissingRow)] == ["de"]
    assert [row.language for row in rows if isinstance(row, ScoreRow)] == ["en"]


def test_partial_candidates_mark_the_numbers(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    path = tmp_path / "says-de-test.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:4]))
    result = small.run(tmp_path)
    note = "candidates from partial data: says has 10 of 12 rows"
    assert {row.notes for row in scores(result).values()} == {(note,)}


def test_the_pool_enters_the_key(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    old_predict = small.plan(tmp_path)[0].arms[0].score.predictions
    (tmp_path / "says-de-test.jsonl").write_text('{"id": 0, "text": "x", "answers": []}\n')
    assert small.plan(tmp_path)[0].arms[0].score.predictions.key != old_predict.key
    small.retrieval(tmp_path)
    assert small.plan(tmp_path)[0].arms[0].score.predictions.key == old_predict.key
    small.retrieval(tmp_path, "own")
    assert small.plan(tmp_path)[0].arms[0].score.predictions.key != old_predict.key


def test_a_target_without_an_index_is_refused(tmp_path: Path) -> None:
    small.card(tmp_path, "asks", "retrieval", {"query": "text"}, metrics=["map_at_20"])
    with pytest.raises(ConfigurationError, match="needs candidates: name an 'index'"):
        small.plan(tmp_path)


# --- mining ----------------------------------------------------------------------------------


def test_mining_tunes_on_one_split_and_scores_the_other(tmp_path: Path) -> None:
    small.mining(tmp_path)
    result = small.run(tmp_path, targets=["mined"])
    assert predictions(result, "de") == ["", "e1", "", "e3", "", "e5"]
    row = scores(result)["de"]
    assert (row.metric, row.value, row.n, row.notes) == ("mining_f1", 100, 6, ())


def test_tuning_on_what_is_scored_is_told(tmp_path: Path) -> None:
    small.mining(tmp_path)
    result = small.run(tmp_path, targets=[{"task": "mined", "split": "validation"}])
    assert scores(result)["de"].notes == (
        "scored on validation, not on the card's test",
        "tuned on the items that are scored",
    )


def test_without_the_tuning_split_the_language_is_missing(tmp_path: Path) -> None:
    small.mining(tmp_path)
    (tmp_path / "english-de-validation.jsonl").unlink()
    plan, _ = small.plan(tmp_path, targets=["mined"])
    ((language, reason),) = [(row.language, row.reason) for row in plan.missing]
    assert language == "de"
    assert "english-de-validation.jsonl: there is no such file" in reason


def test_a_limit_holds_for_tuning_too(tmp_path: Path) -> None:
    small.mining(tmp_path)
    result = small.run(tmp_path, targets=[{"task": "mined", "limit": 4}])
    assert scores(result)["de"].notes == ("limited: first 4 items", "tuned on the first 4 items")


# --- vectors ---------------------------------------------------------------------------------


def test_after_an_interruption_no_block_is_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.retrieval(tmp_path)
    monkeypatch.setattr(search, "_ROWS", 4)
    asked: list[str] = []
    embed = NgramModel.embed

    def stopping(
        model: NgramModel, texts: list[str], recipe: Recipe, role: str = "sentence"
    ) -> Any:
        if len(asked) >= 8:
            raise KeyboardInterrupt
        asked.extend(texts if texts != ["a"] else [])
        return embed(model, texts, recipe)

    monkeypatch.setattr(NgramModel, "embed", stopping)
    with pytest.raises(KeyboardInterrupt):
        small.run(tmp_path)
    old_texts, plan = [*asked], small.plan(tmp_path)[0]
    folder = tmp_path / "store"
    assert len([*folder.rglob("unfinished/shared/*.npy")]) == 2
    asked.clear()
    monkeypatch.setattr(NgramModel, "embed", lambda *args: (asked.extend(args[1]), embed(*args))[1])
    result = small.run(tmp_path)
    assert len(old_texts) == 8
    assert not {*old_texts} & {*asked}
    assert sum(text.endswith(".") for text in asked) == 4  # the pool, once for both languages
    assert len(scores(result)) == 2
    assert not [*folder.rglob("unfinished")], plan


def test_queries_are_cut_where_the_recipe_says(tmp_path: Path) -> None:
    lengths: list[int] = []

    class Noting:
        def embed(self, texts: list[str], recipe: Recipe, role: str) -> Any:
            lengths.append(recipe.max_length)
            return np.ones((len(texts), 2), dtype=np.float32)

    encode = CachedEncoder(
        lambda: Noting(), Recipe(max_length=64, max_query_length=16), tmp_path, Parts(tmp_path)
    )  # type: ignore[arg-type,return-value]
    encode(["a", "b"], "passage")
    encode(["a", "b"], "query")
    encode(["a", "b"], "passage")
    assert lengths == [64, 64, 16]


def test_blocks_depend_on_the_role(tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = []

    class Prompted:
        def embed(self, texts: list[str], recipe: Recipe, role: str) -> Any:
            calls.extend((role, text) for text in texts)
            return np.ones((len(texts), 2), dtype=np.float32)

    encode = CachedEncoder(lambda: Prompted(), Recipe(), tmp_path, Parts(tmp_path))  # type: ignore[arg-type,return-value]
    for role in ("query", "passage", "query"):
        encode(["x"], role)  # type: ignore[arg-type]
    assert calls == [("sentence", "a"), ("query", "x"), ("passage", "x")]


@pytest.mark.parametrize(
    ("task", "queries", "answer_role"),
    [("asks", "query", "passage"), ("mined", "sentence", "sentence")],
)
def test_texts_have_the_roles_of_their_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, queries: str, answer_role: str
) -> None:
    roles: dict[str, set[str]] = {}
    embed = NgramModel.embed

    def noting(model: NgramModel, texts: list[str], recipe: Recipe, role: str = "none") -> Any:
        for text in texts:
            roles.setdefault(text, set()).add(role)
        return embed(model, texts, recipe)

    monkeypatch.setattr(NgramModel, "embed", noting)
    (small.retrieval if task == "asks" else small.mining)(tmp_path)
    small.run(tmp_path, targets=[task])
    question, answering = ("hausen", "hausen.") if task == "asks" else ("hausen 0", "house 0")
    assert roles[question] == {queries}
    assert roles[answering] == {answer_role}


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((1, 2)), "shape (1, 2) for 2 texts"),
        (np.ones(2), "shape (2,) for 2 texts"),
        (np.array([[1, np.nan], [1, 1]]), "not finite"),
    ],
)
def test_vectors_are_checked(tmp_path: Path, vectors: Any, message: str) -> None:
    class Wrong:
        def embed(self, texts: list[str], recipe: Recipe, role: str) -> Any:
            return np.ones((1, 2)) if texts == ["a"] else vectors

    encode = CachedEncoder(lambda: Wrong(), Recipe(), tmp_path, Parts(tmp_path))  # type: ignore[arg-type,return-value]
    with pytest.raises(StageError) as caught:
        encode(["b", "c"], "passage")
    assert message in str(caught.value)
    assert not [*tmp_path.glob("*.npy")]


def test_a_model_without_vectors_is_told(tmp_path: Path) -> None:
    class Mute:
        embed = Model.embed

    encode = CachedEncoder(lambda: Mute(), Recipe(), tmp_path, Parts(tmp_path))  # type: ignore[arg-type,return-value]
    with pytest.raises(StageError, match="makes no vectors of texts"):
        encode(["a"], "passage")


def test_rankings_survive_the_store(tmp_path: Path) -> None:
    small.retrieval(tmp_path)
    plan, work, *_ = small.run(tmp_path)
    key = plan.arms[0].score.key
    stored = json.loads((work.store.open(key) / "scores.json").read_text())
    table = read_table(work.store.open(key) / "statistics" / "en.parquet")
    assert stored["en"]["values"]["map_at_20"] == pytest.approx(
        np.mean(table["map_at_20.ap"].to_numpy())
    )
