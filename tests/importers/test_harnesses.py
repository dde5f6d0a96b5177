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
    imported = _lm_eval(tmp_path, catalogue)
    score_rows = [
        row for row in rows(imported.reported_scores, catalogue) if isinstance(row, Score)
    ]
    cells = [(row.task, row.language, row.metric, row.value) for row in score_rows]
    assert cells == [
        ("xnli", "de", "accuracy", 45.0),
        ("xnli", "sw", "accuracy", 35.0),
        ("xcopa", "sw", "accuracy", pytest.approx(55.2)),
        ("xquad", "de", "exact_match", 40.0),
        ("xquad", "de", "f1", 60.0),
        ("xquad", "de", "squad_mean", 50.0),
    ]
    assert imported.names_without_card == ("gsm8k", "mlqa_de_en")


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
    other_line = EUROEVAL | {"dataset": "angry-tweets"}
    path.write_text(f"\n{json.dumps(EUROEVAL)}\n{json.dumps(other_line)}\n")
    imported = read([path], ImportOptions(), catalogue)
    f1, exact, mean = rows(imported.reported_scores, catalogue)
    assert isinstance(f1, Score) and isinstance(exact, Score) and isinstance(mean, Score)
    assert (f1.task, f1.language, f1.metric, f1.value) == ("xquad", "es", "f1", 60.5)
    assert (mean.metric, mean.value) == ("squad_mean", 50.25)
    assert (f1.protocol, f1.strategy) == ("fine-tuned in the tested language", "monolingual")
    assert f1.source == "EuroEval 15.0.0" and "own sample" in f1.notes[0]
    assert imported.names_without_card == ("angry-tweets",)


def test_euroeval_says_how_many_items_there_were_or_nobody_does(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    record = {
        "schema_version": "0.2.1",
        "model_info": {"id": "org/model", "additional_details": {"generative_type": "base"}},
        "eval_library": {
            "name": "euroeval",
            "version": "18.0.0",
            "additional_details": {
                "dataset": "xquad-es", "languages": '["es"]', "few_shot": "true",
                "validation_split": "false",
            },
        },
        "evaluation_results": [
            {
                "evaluation_name": "test_f1",
                "source_data": {"dataset_name": "xquad-es"},
                "score_details": {"score": 60.5, "uncertainty": {"num_samples": 2048}},
            },
            {"evaluation_name": "test_em", "score_details": {"score": 40}},
        ],
    }  # fmt: skip
    path = tmp_path / "euroeval_benchmark_results.jsonl"
    path.write_text(f"{json.dumps(record)}\n{json.dumps(EUROEVAL)}\n")
    imported = read([path], ImportOptions(), catalogue)
    f1, exact, old_f1, *_ = rows(imported.reported_scores, catalogue)
    assert isinstance(f1, Score) and isinstance(exact, Score) and isinstance(old_f1, Score)
    assert (f1.n, exact.n, old_f1.n) == (2048, None, None)
    assert (f1.model, f1.protocol, f1.split) == ("org-model", "prompted, few-shot", "test")
    assert f1.source == "EuroEval 18.0.0"


MTEB: dict[str, Any] = {
    "dataset_revision": "69e8f12",
    "mteb_version": "2.1.0",
    "task_name": "Tatoeba",
    "scores": {
        "test": [
            {
                "hf_subset": f"{code}-eng", "languages": [f"{code}-{script}", "eng-Latn"],
                "accuracy": accuracy, "f1": 0.5, "main_score": 0.5,
            }
            for code, script, accuracy in (
                ("swh", "Latn", 0.25), ("cmn", "Hans", 0.5), ("tgl", "Latn", 0.75),
                ("ang", "Latn", 0.125),
            )
        ]
    },
}  # fmt: skip


def _mteb(folder: Path, catalogue: Catalogue, **changes: Any) -> ImportedScores:
    path = folder / "intfloat__e5" / "abc123" / "Tatoeba.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(MTEB | changes))
    return read([path], ImportOptions(), catalogue)


def test_mteb_subsets_become_languages(tmp_path: Path, catalogue: Catalogue) -> None:
    imported = _mteb(tmp_path, catalogue)
    scores = [row for row in rows(imported.reported_scores, catalogue) if isinstance(row, Score)]
    cells = [(row.task, row.language, row.metric, row.value, row.n) for row in scores]
    assert cells == [
        ("tatoeba", "sw", "accuracy", 25.0, 390),
        ("tatoeba", "zh", "accuracy", 50.0, 1000),
        ("tatoeba", "tl", "accuracy", 75.0, 1000),
    ]
    assert imported.names_without_card == ("Tatoeba ang-eng",)
    assert {(row.model, row.source, row.protocol) for row in scores} == {
        ("intfloat-e5", "MTEB 2.1.0", "embedded, not fine-tuned")
    }
    assert scores[0].notes == ("MTEB searches from swh-Latn to eng-Latn",)


def test_mteb_names_the_model_beside_the_file(tmp_path: Path, catalogue: Catalogue) -> None:
    folder = tmp_path / "intfloat__e5" / "abc123"
    folder.mkdir(parents=True)
    (folder / "model_meta.json").write_text('{"name": "org/mine"}')
    (folder / "Tatoeba.json").write_text(json.dumps(MTEB))
    imported = read([folder / "Tatoeba.json"], ImportOptions(), catalogue)
    assert imported.reported_scores[0].model == "org/mine"


@pytest.mark.parametrize("name", ["XNLI", "BUCC.v2", "BUCC", "STS22"])
def test_mteb_tasks_that_ask_something_else_are_left_out(
    tmp_path: Path, catalogue: Catalogue, name: str
) -> None:
    imported = _mteb(tmp_path, catalogue, task_name=name)
    assert imported == ImportedScores((), (name,))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.json", "{", "r.json: not JSON"),
        ("r.json", "[]", "there are no 'results'"),
        ("r.jsonl", '{"a": 1}', "r.jsonl:1: not a result of EuroEval"),
        ("r.jsonl", "nope", "r.jsonl:1: not JSON"),
        ("r.xlsx", "", "--format: csv, lm-eval, euroeval, mteb"),
        ("r.jsonl", '{"eval_library": {"name": "other"}}', "r.jsonl:1: not a result of EuroEval"),
        ("r.json", '{"mteb_dataset_name": "Tatoeba"}', "r.json: a result of an early version"),
        ("r.json", '{"task_name": "Tatoeba", "scores": []}', "r.json: scores"),
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
    tmp_path: Path, catalogue: Catalogue, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read([tmp_path / name], ImportOptions(), catalogue)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "r.csv"])
def test_other_encodings_are_refused(tmp_path: Path, catalogue: Catalogue, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"results": "\xff"}')
    with pytest.raises(ConfigurationError, match=rf"{name}: not UTF-8 text"):
        read([tmp_path / name], ImportOptions(), catalogue)


def test_lm_eval_files_may_say_null(tmp_path: Path, catalogue: Catalogue) -> None:
    nulls = dict.fromkeys(("n-shot", "versions", "n-samples", "configs", "config"))
    german, *_ = rows(_lm_eval(tmp_path, catalogue, **nulls).reported_scores, catalogue)
    assert isinstance(german, Score)
    assert (german.protocol, german.model) == ("prompted", "unnamed")


def test_a_file_that_is_not_there(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read([tmp_path / "x.csv"], ImportOptions(), catalogue)
