"""Results of other harnesses, in files of the form that they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xharness.errors import ConfigurationError
from xharness.gaps.scores import Mean, Score
from xharness.importers import ImportedScores, ImportOptions, read, rows
from xharness.plugin.catalogue import Catalogue

LM_EVAL: dict[str, Any] = {
    "results": {
        "xnli_de": {"alias": "xnli_de", "acc,none": 0.45, "acc_stderr,none": 0.01},
        "xnli_sw": {"alias": "xnli_sw", "acc,none": 0.35, "acc_stderr,none": 0.01},
        "xcopa_sw": {"acc,none": 0.552, "acc_stderr,none": "N/A"},
        "xquad_de": {"exact_match,none": 40.0, "f1,none": 60.0},
        "gsm8k": {"exact_match,strict-match": 0.1},
        "mlqa_de_en": {"exact_match,none": 0.3},
    },
    "n-shot": {"xnli_de": 0, "xnli_sw": 0, "xcopa_sw": 4},
    "versions": {"xnli_de": 1.0},
    "n-samples": {
        "xnli_de": {"original": 2490, "effective": 2490},
        "xnli_sw": {"original": 2490, "effective": 100},
    },
    "configs": {"xnli_de": {"validation_split": "validation"}, "xcopa_sw": {"test_split": "test"}},
    "config": {"model": "hf", "model_args": "pretrained=bigscience/bloom-560m,dtype=float32"},
}
EUROEVAL: dict[str, Any] = {
    "dataset": "xquad-es",
    "task": "reading-comprehension",
    "languages": ["es"],
    "model": "FacebookAI/xlm-roberta-base",
    "results": {
        "raw": [{"test_f1": 60.0}],
        "total": {"test_f1": 60.5, "test_f1_se": 1.2, "test_em": 40.0, "test_em_se": 1.0},
    },
    "num_model_parameters": 278_000_000,
    "generative": False,
    "few_shot": False,
    "validation_split": False,
    "euroeval_version": "15.0.0",
}


def _lm_eval(tmp_path: Path, catalogue: Catalogue, **changes: Any) -> ImportedScores:
    path = tmp_path / "results_2026-01-01T00-00-00.json"
    path.write_text(json.dumps(LM_EVAL | changes))
    return read([path], ImportOptions(), catalogue)


def test_lm_eval_tasks_become_a_card_and_a_language(tmp_path: Path, catalogue: Catalogue) -> None:
    found = _lm_eval(tmp_path, catalogue)
    made = [row for row in rows(found.reported_scores, catalogue) if isinstance(row, Score)]
    places = [(row.task, row.language, row.metric, row.value) for row in made]
    assert places == [
        ("xnli", "de", "accuracy", 45.0),
        ("xnli", "sw", "accuracy", 35.0),
        ("xcopa", "sw", "accuracy", pytest.approx(55.2)),
        ("xquad", "de", "exact_match", 40.0),
        ("xquad", "de", "f1", 60.0),
        ("xquad", "de", "squad_mean", 50.0),
    ]
    assert found.names_without_card == ("gsm8k", "mlqa_de_en")


def test_lm_eval_rows_say_how_they_were_made(tmp_path: Path, catalogue: Catalogue) -> None:
    german, swahili, xcopa, *_ = rows(_lm_eval(tmp_path, catalogue).reported_scores, catalogue)
    assert isinstance(german, Score) and isinstance(swahili, Score) and isinstance(xcopa, Score)
    assert (german.model, german.parameters) == ("bigscience-bloom-560m", 560_000_000)
    assert (german.strategy, german.protocol, german.split) == (
        "prompted", "prompted, 0-shot", "validation",
    )  # fmt: skip
    assert xcopa.protocol == "prompted, 4-shot" and xcopa.split == "test"
    assert german.notes == () and german.n == 2490
    assert swahili.notes == ("limited: 100 of 2490 items",) and swahili.n == 100
    assert german.source == "lm-evaluation-harness, task version 1.0"


def test_an_lm_eval_group_is_an_average(tmp_path: Path, catalogue: Catalogue) -> None:
    results = {"xnli": {"acc,none": 0.4}, "xnli_de": {"acc,none": 0.45}}
    average, german = rows(
        _lm_eval(tmp_path, catalogue, results=results).reported_scores, catalogue
    )
    assert isinstance(average, Mean) and average.mean == 40.0
    assert isinstance(german, Score)


def test_euroeval_lines_become_rows_of_their_card(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "euroeval_benchmark_results.jsonl"
    other = EUROEVAL | {"dataset": "angry-tweets"}
    path.write_text(f"\n{json.dumps(EUROEVAL)}\n{json.dumps(other)}\n")
    found = read([path], ImportOptions(), catalogue)
    f1, exact, mean = rows(found.reported_scores, catalogue)
    assert isinstance(f1, Score) and isinstance(exact, Score) and isinstance(mean, Score)
    assert (f1.task, f1.language, f1.metric, f1.value) == ("xquad", "es", "f1", 60.5)
    assert (mean.metric, mean.value) == ("squad_mean", 50.25)
    assert (f1.protocol, f1.strategy) == ("fine-tuned in the tested language", "monolingual")
    assert f1.source == "EuroEval 15.0.0" and "own sample" in f1.notes[0]
    assert found.names_without_card == ("angry-tweets",)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("r.json", "{", "r.json: not JSON"),
        ("r.json", "[]", "there are no 'results'"),
        ("r.jsonl", '{"a": 1}', "r.jsonl:1: not a result of EuroEval"),
        ("r.jsonl", "nope", "r.jsonl:1: not JSON"),
        ("r.xlsx", "", "--format: csv, lm-eval, euroeval"),
        ("r.json", '{"results": {}, "n-shot": 3}', "r.json: n-shot"),
        ("r.json", '{"results": {}, "configs": {"a": []}}', "r.json: configs.a"),
        ("r.jsonl", '{"dataset": "a", "model": "b", "results": []}', "r.jsonl:1: results"),
        (
            "r.jsonl",
            '{"dataset": "a", "model": "b", "results": {"total": {"f1": "x"}}}',
            "r.jsonl:1: results.total.f1",
        ),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, catalogue: Catalogue, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read([tmp_path / name], ImportOptions(), catalogue)
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "r.csv"])
def test_other_encodings_are_refused(tmp_path: Path, catalogue: Catalogue, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"results": "\xff"}')
    with pytest.raises(ConfigurationError, match=rf"{name}: not UTF-8 text"):
        read([tmp_path / name], ImportOptions(), catalogue)


def test_lm_eval_files_may_say_null(tmp_path: Path, catalogue: Catalogue) -> None:
    nothing = dict.fromkeys(("n-shot", "versions", "n-samples", "configs", "config"))
    german, *_ = rows(_lm_eval(tmp_path, catalogue, **nothing).reported_scores, catalogue)
    assert isinstance(german, Score)
    assert (german.protocol, german.model) == ("prompted", "unnamed")


def test_a_file_that_is_not_there(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read([tmp_path / "x.csv"], ImportOptions(), catalogue)
