"""Windows: nothing is lost where an input is longer than the backbone reads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hf import tiny
from xharness.plugin.api import Recipe
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.tagging import TaggingExample
from xharness_hf.backbone.batch import Feature, Layout, collate
from xharness_hf.backbone.tokens import Tokens, shorten
from xharness_hf.files import loading
from xharness_hf.heads.extractive_qa import SpanPrediction, best_spans, context_windows, trimmed
from xharness_hf.heads.objectives import exact_targets
from xharness_hf.heads.tagging import split
from xharness_hf.heads.tasks import TASKS, MaskedLmObjective, hide
from xharness_hf.training.sampler import random

CPU = torch.device("cpu")
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
words = st.sampled_from([*tiny.WORDS, "riverbird", "x", "\u200b"])


@pytest.fixture(scope="module", params=["bert", "xlmr", "gemma"])
def tokens(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Tokens:
    family = request.param
    return Tokens(loading.tokenizer(folders[family]), causal=family == "gemma")


@QUICK
@given(sentences=st.lists(st.lists(words, max_size=30), max_size=4), limit=st.integers(8, 40))
def test_every_word_is_tagged_exactly_once(
    tokens: Tokens, sentences: list[list[str]], limit: int
) -> None:
    task, recipe = TASKS["tagging"], Recipe(max_length=limit)
    examples = [
        TaggingExample(str(index), tuple(sentence), tuple(range(len(sentence))))
        for index, sentence in enumerate(sentences)
    ]
    features = task.features(examples, tokens, recipe, gold=True)
    assert task.join(examples, features, [feature.gold for feature in features]) == [
        list(example.tags) for example in examples
    ]
    for feature in features:
        (window,) = feature.windows
        assert len(window.ids) <= limit
        for mark, tag in zip(feature.marks, feature.gold, strict=True):
            word = examples[feature.owner].tokens[tag]
            spelled = tokens.word_ids([word])[word]
            piece = spelled[: limit - len(tokens.frame.prefix)][-1] if tokens.causal else spelled[0]
            assert window.ids[mark] == piece


@given(lengths=st.lists(st.integers(1, 30)), room=st.integers(1, 20))
def test_a_split_keeps_every_word(lengths: list[int], room: int) -> None:
    runs = list(split(lengths, room))
    assert [index for first, last in runs for index in range(first, last)] == list(
        range(len(lengths))
    )
    assert all(sum(lengths[a:b]) <= room or b - a == 1 for a, b in runs)


@QUICK
@given(limit=st.integers(16, 60), longest=st.none() | st.integers(4, 80))
def test_a_question_is_cut_at_its_length(tokens: Tokens, limit: int, longest: int | None) -> None:
    recipe = Recipe(max_length=limit, doc_stride=4, max_query_length=longest)
    example = ExtractiveQAExample("1", "river " * 50, "stone " * 50, (GoldAnswer("stone", 0),))
    question, context = (len(ids) for ids in tokens.ids([example.question, example.context]))
    features = TASKS["extractive_qa"].features([example], tokens, recipe, gold=False)
    for feature in features:
        (window,) = feature.windows
        assert len(window.ids) <= limit
    room = limit - tokens.pair_specials
    question_limit = limit // 2 - tokens.pair_specials if longest is None else longest
    context_room = room - min(question_limit, question, room - 1)
    # a short question leaves more room than the context fills
    assert max(len(feature.marks) for feature in features) == min(context_room, context)


@given(length=st.integers(0, 200), room=st.integers(1, 50), shared=st.integers(0, 60))
def test_context_windows_cover_everything_and_share(length: int, room: int, shared: int) -> None:
    windows = list(context_windows(length, room, shared))
    assert windows[0][0] == 0
    assert windows[-1][1] == length
    assert all(last - first <= room for first, last in windows)
    shared = min(shared, room // 2)
    assert all(a[1] - b[0] == shared for a, b in pairwise(windows))


@QUICK
@given(data=st.data())
def test_the_answer_is_found_again_in_the_windows(tokens: Tokens, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(tiny.WORDS), min_size=1, max_size=40))
    gap = data.draw(st.sampled_from([" ", "  ", "\n", ", "]))
    first = data.draw(st.integers(0, len(words) - 1))
    answer = gap.join(words[first : first + data.draw(st.integers(1, 2))])
    context = gap.join(words)
    start = len(gap.join(words[:first])) + (len(gap) if first else 0)
    example = ExtractiveQAExample("0", "who flies", context, (GoldAnswer(answer, start),))
    # wide enough for the answer to fit into what two windows share
    recipe = Recipe(max_length=64 if len(tokens.frame.suffix) else 100, doc_stride=32)
    task = TASKS["extractive_qa"]
    features = task.features([example], tokens, recipe, gold=True)
    predictions = []
    for feature in features:
        gold, (window,) = feature.gold, feature.windows
        assert len(window.ids) <= recipe.max_length
        assert len(feature.marks) == len(gold.offsets)
        if gold.end:
            zero = feature.marks[0]
            span = gold.offsets[gold.start - zero][0], gold.offsets[gold.end - zero][1]
            predictions.append(SpanPrediction(1.0, int(span[0]), int(span[1])))
        else:
            predictions.append(SpanPrediction(0.0, 0, 0))
    assert max(prediction.score for prediction in predictions) == 1.0
    assert task.join([example], features, predictions) == [answer]


def test_a_long_question_leaves_half_of_the_window(tokens: Tokens) -> None:
    example = ExtractiveQAExample("0", "who " * 90, "the red bird", (GoldAnswer("bird", 8),))
    (feature, *_) = TASKS["extractive_qa"].features(
        [example], tokens, Recipe(max_length=40), gold=True
    )
    assert feature.windows[0].second <= 20
    assert len(feature.marks) > 0


def test_an_empty_context_is_answered_with_nothing(tokens: Tokens) -> None:
    task, recipe = TASKS["extractive_qa"], Recipe()
    example = ExtractiveQAExample("0", "who?", "", ())
    features = task.features([example], tokens, recipe, gold=True)
    batch = collate(features, Layout(tokens.pad), CPU)
    states = torch.zeros(*batch.ids.shape, 2)
    answers = task.answers(states, lambda logits: logits, batch, recipe).result()
    assert task.join([example], features, answers) == [""]
    targets = exact_targets(task, batch, Layout(tokens.pad), recipe)
    assert torch.isfinite(task.loss(states.flatten(0, 1), lambda logits: logits, targets, recipe))


@given(st.integers(1, 12), st.integers(1, 15), st.integers(0, 10**6))
def test_the_best_span_is_the_best_of_all(length: int, longest: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    starts, ends = (torch.from_numpy(draw.normal(size=(1, length))) for _ in range(2))
    (score,), (first,), (last,) = (part.tolist() for part in best_spans(starts, ends, longest))
    allowed = [
        (float(starts[0, a] + ends[0, b]), a, b)
        for a in range(length)
        for b in range(a, min(a + longest, length))
    ]
    assert (score, first, last) == pytest.approx(max(allowed))


@given(st.text(" \t\u3000ab", max_size=12), st.data())
def test_blanks_are_left_out_of_both_ends(text: str, data: st.DataObject) -> None:
    position = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(position, position).map(sorted), max_size=5))
    offsets = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    for (start, end), (first, last) in zip(offsets, trimmed(text, offsets), strict=True):
        assert text[first:last] == text[start:end].strip()
        assert start <= first <= last <= end


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 40))
def test_pairs_are_cut_at_the_longer_text(first: int, second: int, room: int) -> None:
    first_ids, second_ids = shorten(np.zeros(first, np.int32), np.zeros(second, np.int32), room)
    assert len(first_ids) + len(second_ids) == min(first + second, room)
    if first + second > room:
        assert min(len(first_ids), len(second_ids)) == min(first, second, room // 2)


def test_choices_may_differ_in_number(tokens: Tokens) -> None:
    task, recipe = TASKS["multiple_choice"], Recipe()
    examples = [
        MultipleChoiceExample("0", "who", ("bird", "cat", "stone"), 2),
        MultipleChoiceExample("1", "who", (), 0),
        MultipleChoiceExample("2", "who", ("bird",), 0),
    ]
    features = task.features(examples, tokens, recipe, gold=True)
    batch = collate(features, Layout(tokens.pad), CPU)
    scores = torch.arange(4.0)[:, None, None].expand(4, batch.ids.shape[1], 1)
    answers = task.answers(scores, lambda states: states, batch, recipe).result()
    assert task.join(examples, features, answers) == [2, 0, 0]
    targets = exact_targets(task, batch, Layout(tokens.pad), recipe)
    assert torch.isfinite(task.loss(scores.flatten(0, 1), lambda states: states, targets, recipe))


def test_pairs_and_single_texts_stand_side_by_side(tokens: Tokens) -> None:
    task = TASKS["classification"]
    examples = [
        ClassificationExample("0", "the cat", None, 0),
        ClassificationExample("1", "the cat", "", 1),
        ClassificationExample("2", "", "flies", 1),
    ]
    single, pair, third = task.features(examples, tokens, Recipe(), gold=True)
    assert len(single.windows[0].ids) < len(pair.windows[0].ids)
    assert third.windows[0].second < len(third.windows[0].ids)


def test_hidden_words_are_a_share_of_the_marks(folders: dict[str, Path]) -> None:
    tokens = Tokens(loading.tokenizer(folders["bert"]), causal=False)
    pairs = [BitextExample(str(n), "the cat flies " * 8, "red river " * 9, n) for n in range(60)]
    assert tokens.mask is not None
    for objective in ("mlm", "tlm"):
        features = MaskedLmObjective(objective).features(
            pairs, tokens, Recipe(max_length=64), gold=True
        )
        assert len(features) == (120 if objective == "mlm" else 60)
        hidden = hide(features, tokens.mask, tokens.size, 0.15, random(1))
        marks = sum(len(feature.marks) for feature in hidden)
        assert marks == sum(max(1, round(0.15 * len(feature.marks))) for feature in features)
        masked = changed_count = 0
        for before, hidden_feature in zip(features, hidden, strict=True):
            (old,), (new,) = before.windows, hidden_feature.windows
            assert old.ids[hidden_feature.marks].tolist() == hidden_feature.gold.tolist()
            assert set(hidden_feature.marks) <= set(before.marks)
            assert set(np.flatnonzero(old.ids != new.ids)) <= set(hidden_feature.marks)
            masked += int((new.ids == tokens.mask).sum())
            changed_count += int((old.ids != new.ids).sum())
        assert masked / marks == pytest.approx(0.8, abs=0.06)
        assert changed_count / marks == pytest.approx(0.9, abs=0.06)
        assert not any(set(feature.gold) & {2, 3} for feature in hidden), (
            "specials are never hidden"
        )


def test_positions_count_anew_in_the_second_text(folders: dict[str, Path]) -> None:
    tokens = Tokens(loading.tokenizer(folders["bert"]), causal=False)
    examples = [
        BitextExample("0", "the cat", "red river stone", 0),
        BitextExample("1", "a", "the red bird", 1),
    ]
    features = MaskedLmObjective("tlm").features(examples, tokens, Recipe(), gold=True)
    batch = collate(features, Layout(tokens.pad, resets=True), CPU)
    assert batch.positions is not None
    assert batch.positions[0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert features[1].windows[0].second == 5, "the second example is turned round"
    assert batch.positions[1].tolist()[:7] == [0, 1, 2, 3, 4, 0, 1]


def test_batches_keep_every_window_apart(tokens: Tokens) -> None:
    ids = tokens.ids(["the", "the cat flies", ""])
    features = [Feature((tokens.single(window, 60),), index) for index, window in enumerate(ids)]
    batch = collate(features, Layout(tokens.pad), CPU)
    for row, mask, feature in zip(batch.ids, batch.mask, features, strict=True):
        length = int(mask.sum())
        assert row[:length].tolist() == feature.windows[0].ids.tolist()
        assert set(row[length:].tolist()) <= {tokens.pad}


@pytest.mark.parametrize("family", sorted(tiny.FAMILIES))
def test_texts_are_spelled_as_transformers_spells_them(family: str, tmp_path: Path) -> None:
    """Cut or padded by nobody, whatever was asked of the tokenizer before."""
    tokens = tiny.start(tiny.FAMILIES[family](tmp_path / family)).tokens
    texts = ["the cat", "", " Straße 東京 ", "<s> [SEP] <pad>", "naïve\\n" * 40]
    tokenizer = tokens.tokenizer
    if tokenizer.pad_token_id is not None:
        tokenizer(texts, padding="max_length", truncation=True, max_length=3)
    expected = tokenizer(texts, add_special_tokens=False)["input_ids"]
    assert [ids.tolist() for ids in tokens.ids(texts)] == expected
