"""Small models with random weights learn to write the answers of a mini task, and are asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import transformers as hf

from tests.families.zoo import write
from tests.strategies.running import RECIPE, Ran, run
from xharness.stages import Train
from xharness_hf import scratch
from xharness_mini.tasks import rows

ENGLISH = [{"task": "mini_topic", "languages": ["en"]}]
CHANCE = 100 / 6


def _tokenizer() -> Any:
    """Learnt from the texts, and the words that prompt and answers add."""
    texts = [str(row["text"]) for row in rows("topic", "en", "train", seed=0, size=1000)]
    return scratch.learnt_tokenizer([*texts, "Topic: food sport school music health travel"], 1200)


def _decoder(folder: Path) -> Path:
    words = _tokenizer()
    config = hf.LlamaConfig(
        vocab_size=len(words), hidden_size=48, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256,
        bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )  # fmt: skip
    return write(folder, hf.LlamaForCausalLM, config, words)


def _encoder_decoder(folder: Path) -> Path:
    words = _tokenizer()
    config = hf.MT5Config(
        vocab_size=len(words), d_model=48, d_ff=96, d_kv=24, num_layers=1, num_decoder_layers=1,
        num_heads=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        decoder_start_token_id=words.pad_token_id, pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
    )  # fmt: skip
    return write(folder, hf.MT5ForConditionalGeneration, config, words)


def _learnt(make: Callable[[Path], Path], folder: Path) -> Ran:
    model = {"name": "writer", "path": str(make(folder / "writer")), "mode": "generate"}
    recipe = {**RECIPE, "steps": 200, "max_length": 96}
    return run(folder, models=[model], targets=ENGLISH, strategies=["single"], recipe=recipe)


@pytest.mark.slow
def test_an_encoder_decoder_learns_to_write(tmp_path: Path) -> None:
    ran = _learnt(_encoder_decoder, tmp_path)
    assert ran.value("single", "mini_topic", "en") > 3 * CHANCE


@pytest.mark.slow
def test_a_decoder_learns_to_write_and_is_asked_as_it_is(tmp_path: Path) -> None:
    ran = _learnt(_decoder, tmp_path)
    assert ran.value("single", "mini_topic", "en") > 4 * CHANCE

    trained_folder = ran.work.store.open(ran.plan.arms[0].score.predictions.model.key) / "model"
    prompted = run(
        tmp_path,
        models=[{"name": "asked", "path": str(trained_folder), "mode": "loglikelihood"}],
        targets=ENGLISH,
        strategies=["prompt", {"name": "shown", "strategy": "prompt", "shots": 2}],
        recipe={**RECIPE, "max_length": 160},
    )
    assert prompted.value("prompt", "mini_topic", "en") > 4 * CHANCE
    zero_shot, two_shot = (arm.score.predictions for arm in prompted.plan.arms)
    assert not isinstance(zero_shot.model, Train), "nothing is learnt"
    assert isinstance(two_shot.model, Train)
    assert prompted.work.store.receipt(two_shot.model.key).facts["training"]["shots"] == 2
    answers = [_answers(prompted, stage.key) for stage in (zero_shot, two_shot)]
    assert len(answers[0]) == len(answers[1]) == 200
    assert answers[0] != answers[1]


def _answers(ran: Ran, key: str) -> list[Any]:
    table = parquet.read_table(ran.work.store.open(key) / "predictions" / "en.parquet")
    return list(table["prediction"].to_pylist())
