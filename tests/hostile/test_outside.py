"""What strangers name, write and pack: read inside its folder, as data, within limits."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import resource
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.project import fresh, invoke, sentiment
from xharness.errors import ConfigurationError, UnavailableError, printable
from xharness.files import atomic_file, path_inside
from xharness.gaps import evidence, scores
from xharness.leaderboard.exports.tidy import _no_formula
from xharness.session.board_server import _board_files
from xharness.spec import fields
from xharness_hub import arrow, parquet
from xharness_hub.clones import Clone
from xharness_hub.readers import ReaderOptions, read
from xharness_hub.urls import UrlOptions


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/passwd", "~/x", "C:/x", "a\\b", "", "a//b", ".", "a/\0", "x" * 256],
)
def test_no_name_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"no path inside|longer than"):
        path_inside(tmp_path, name)


def test_names_inside_are_paths(tmp_path: Path) -> None:
    assert path_inside(tmp_path, "a/b..c/é.json") == tmp_path / "a" / "b..c" / "é.json"


@pytest.mark.parametrize("url", ["https://../x", "https://./x", "https://a b/x", "https://.a/x"])
def test_the_host_of_an_address_is_a_name(url: str) -> None:
    with pytest.raises(ValueError, match="not an https address"):
        UrlOptions(url=url, reader="lines")


@pytest.mark.parametrize("path", ["../secret.jsonl", "/etc/passwd"])
def test_a_card_reads_nothing_outside(tmp_path: Path, path: str) -> None:
    project = fresh(tmp_path)
    project.cards["mood"]["sources"][0]["path"] = path
    result = project.write().run()
    assert result.exit_code == 3, result.stderr
    assert "is no path inside its folder" in result.stderr


@pytest.mark.parametrize(
    "front",
    [
        "[" * 200_000,
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}, *b{n - 1}]\n" for n in range(1, 40)),
        "configs: 7",
        "configs: [7]",
        "configs: [{config_name: en, data_files: [{split: test}]}]",
        "configs: [{config_name: en, data_files: {test: [[1]]}}]",
        "n: " + "1" * 5000,
        "configs: [{config_name: en, data_files: ../x}]",
    ],
)
def test_front_matter_is_read_within_limits(tmp_path: Path, front: str) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
    with pytest.raises(UnavailableError) as caught:
        Clone("org/name", tmp_path).files("en", "test")
    assert "README.md" in str(caught.value) or str(tmp_path) in str(caught.value)


def test_a_served_board_follows_no_link_out_of_its_folder(tmp_path: Path) -> None:
    board = tmp_path / "board"
    (board / "figures").mkdir(parents=True)
    (tmp_path / "secret.svg").write_text("secret")
    (board / "leaderboard.html").write_text("")
    (board / "figures" / "size.svg").write_text("")
    (board / "figures" / "x.svg").symlink_to(tmp_path / "secret.svg")
    assert {*_board_files(board)} == {"/", "/leaderboard.html", "/figures/size.svg"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([_no_formula(text)])
    assert next(csv.reader(io.StringIO(file.getvalue()))) == [f"'{text}"]
    assert _no_formula("−1.5 (a)") == "−1.5 (a)"


def test_control_characters_reach_no_terminal(tmp_path: Path) -> None:
    assert printable("a\x1b[2Jb\r\n\tc\x9b") == "a\\x1b[2Jb\\x0d\n\tc\\x9b"
    (tmp_path / "study.yaml").write_text('name: x\nmodels: ["\\e]0;owned\\a"]\n', encoding="utf-8")
    result = invoke(tmp_path, "plan", "study.yaml")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr + result.stdout
    assert "study.yaml:2:10: a control character" in result.stderr


def test_a_row_of_somebody_s_board_has_none_either(tmp_path: Path) -> None:
    row = scores.MissingRow(model="m", strategy="s", seed=1, task="t", reason=r"C:\but \u001b")
    scores.write(tmp_path / "scores.jsonl", [row])
    assert [*scores.read(tmp_path / "scores.jsonl")] == [row]
    text = json.dumps(scores.record(row) | {"reason": "\x1b[2J"})
    (tmp_path / "scores.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"scores\.jsonl:1: .*control character"):
        [*scores.read(tmp_path / "scores.jsonl")]


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x]( JavaScript:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](data:text/html;base64,x)",
        "[x]: vbscript:x",
    ],
)
def test_links_of_cards_and_studies_lead_to_the_web(text: str) -> None:
    with pytest.raises(ValueError, match="must lead to an address"):
        fields._prose(text)


@pytest.mark.parametrize(
    "text", ["[x](https://a.example/?b=1&c=2)", "[x](docs/a.md)", "a[1]: b", "5 < 6", "[x](#y)"]
)
def test_other_prose_stays(text: str) -> None:
    assert fields._prose(text) == text


def test_a_packed_file_ends_at_a_size(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(80):
            file.write(b'{"a": "%b"}\n' % (b"x" * 2**20))
    with pytest.raises(UnavailableError, match=r"bomb\.jsonl\.gz: .*more than 64 MiB"):
        for _ in read([path], ReaderOptions(reader="jsonl"), "x"):
            pass


def _bomb(path: Path, rows: int) -> None:
    """A text of a mebibyte, stored once, that many rows have."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    indices = pa.array([0] * rows, pa.int32())
    texts = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 2**20]))
    pq.write_table(pa.table({"text": texts}), path, row_group_size=rows)


@pytest.mark.parametrize("declared", [True, False])
def test_parquet_ends_at_a_size(tmp_path: Path, declared: bool) -> None:
    front = "configs: [{config_name: x, data_files: a.parquet}]" if declared else "license: mit"
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
    _bomb(tmp_path / "a.parquet", 100_000)
    assert (tmp_path / "a.parquet").stat().st_size < 2**20
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnavailableError, match="more than 64 MiB"):
        for _ in arrow.rows(Clone("org/name", tmp_path), None, "train"):
            pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - kib
    assert grown < 2**19, f"{grown >> 10} MiB"


def test_parquet_that_says_it_is_large_is_not_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": pa.nulls(80_000_000)}), tmp_path / "a.parquet")
    with pytest.raises(OSError, match="more than 64 MiB"):
        parquet.count([tmp_path / "a.parquet"])


@pytest.mark.parametrize("suffix", [".gz", ".zip", ".xz"])
def test_other_packed_files_of_a_clone_end_at_a_size(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "README.md").write_text(
        f"---\nconfigs: [{{config_name: x, data_files: a.jsonl{suffix}}}]\n---\n"
    )
    content, path = b'{"a": 1}\n' * 8_000_000, tmp_path / f"a.jsonl{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.jsonl", content)
    else:
        path.write_bytes(gzip.compress(content) if suffix == ".gz" else content[:9])
    with pytest.raises(UnavailableError, match=r"more than 64 MiB|are not read: unpack"):
        arrow.rows(Clone("org/name", tmp_path), "x", "train")


@pytest.mark.parametrize("index", [20, -6, 300])
def test_a_broken_block_is_told(tmp_path: Path, index: int) -> None:
    path = tmp_path / "x.jsonl.gz"
    content = bytearray(gzip.compress(b"".join(b'{"a": %d}\n' % n for n in range(3000))))
    content[index] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match=r"x\.jsonl\.gz"):
        for _ in read([path], ReaderOptions(reader="jsonl"), "x"):
            pass


@pytest.mark.parametrize("count", ["1001", "1000000000"])
def test_more_seeds_than_anybody_has_are_refused(tmp_path: Path, count: str) -> None:
    fresh(tmp_path)
    words = ("--model", "majority", "--tasks", "mood", "--seeds", count, "--cards", "cards")
    result = invoke(tmp_path, "eval", *words, "--offline")
    assert result.exit_code == 2
    assert "seeds: at most 1000 are allowed" in result.stderr


def test_an_executor_that_can_be_none_is_told(tmp_path: Path) -> None:
    result = fresh(tmp_path).run("--executor", "x<script>")
    assert result.exit_code == 2
    assert "--executor: name: 'x<script>' must be made of" in result.stderr


def test_half_a_character_in_a_folder_s_name_is_spelt_out(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    name = os.fsdecode(b"out\xff")
    assert project.run("--offline", "--output", name).exit_code == 0
    result = invoke(tmp_path, "leaderboard", "build", name)
    assert result.exit_code == 0, result.stderr
    assert "\\udcff" in result.stdout


@pytest.mark.parametrize("choices", ["ab", 7, {"a": 1}, None])
def test_choices_are_a_list(tmp_path: Path, choices: Any) -> None:
    row = {"prompt": "x", "choices": choices, "label": 0}
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    source = {"from": "file", "reader": "jsonl", "path": "x.jsonl", "splits": {"test": "test"}}
    card = sentiment("x", task_type="multiple_choice", sources=[source], languages=["en"])
    fields = {name: name for name in ("prompt", "choices", "label")}
    changes = {"fields": fields, "labels": ["a", "b"], "train_on": [], "rows": {"test": 1}}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(card | changes))
    result = invoke(tmp_path, "cards", "validate", "x.yaml", "--rows", "1", "--offline")
    assert result.exit_code == 3, result.stderr
    assert "card 'x', item 0: field 'choices' is " in result.stderr


@pytest.mark.parametrize("indices", [[0, 1, -1], [0, 1, 7], [0, None, 1]])
def test_evidence_names_its_items(indices: list[int]) -> None:
    import pyarrow as pa

    sound = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), ["a", "b"])
    assert evidence._names_and_numbers(sound)[0] == ["a", "b"]
    names = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), ["a", "b"], safe=False)
    with pytest.raises(ValueError, match="a name that is not there"):
        evidence._names_and_numbers(names)


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    leftovers = [
        tmp_path / f"scores.jsonl.{process}.partial" for process in (2**22 + 7, os.getpid())
    ]
    other = tmp_path / "other.4194311.partial"
    for path in (*leftovers, other):
        path.write_text("half")
    with atomic_file(tmp_path / "scores.jsonl") as partial:
        partial.write_text("all")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "scores.jsonl"]


@pytest.mark.parametrize("code", [0, 7])
def test_a_plugin_that_exits_is_no_success(tmp_path: Path, code: int) -> None:
    project = fresh(tmp_path)
    (tmp_path / "exits.py").write_text(
        "import sys\nfrom xharness import hookimpl\n"
        f"@hookimpl\ndef xharness_stage_started():\n    sys.exit({code})\n"
    )
    exit_code, _, err = project.call(*project.words("run", "--plugin", "exits.py"))
    assert exit_code == 1
    assert f"SystemExit: {code}" in err


def _config(folder: Path, **changes: Any) -> Path:
    values = {
        "model_type": "bert", "vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 8,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(values | changes), encoding="utf-8")
    return folder


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("value", ["org/name", "org/name@main:f", "flash_attention_2", {"": "a/b"}])
def test_a_configuration_names_no_code(tmp_path: Path, key: str, value: Any) -> None:
    from xharness_hf.files import loading

    config = loading.config(_config(tmp_path, **{key: value}))
    assert config._attn_implementation is None
    assert config.hidden_size == 8


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auto_map", {"AutoModel": "org/name--modeling.Model"}),
        ("transformers_weights", "../outside.safetensors"),
        ("quantization_config", {"quant_method": "org/name"}),
        ("experts_implementation", "org/name"),
        ("custom_pipelines", {"x": {"impl": "x.py"}}),
        ("_name_or_path", "org/name"),
        ("what_comes_next_year", ["org/name"]),
    ],
)
def test_a_configuration_keeps_only_what_is_data(tmp_path: Path, key: str, value: Any) -> None:
    from xharness_hf.files import loading

    config = loading.config(_config(tmp_path, **{key: value}))
    assert getattr(config, key, None) in (None, "")
    assert str(value) not in str(config.to_dict())


def test_words_that_models_read_are_kept(tmp_path: Path) -> None:
    from xharness_hf.files import loading

    words = {"norm_rel_ebd": "layer_norm", "pos_att_type": ["p2c", "c2p"], "share_att_key": True}
    deberta = loading.config(_config(tmp_path, model_type="deberta-v2", **words))
    assert {name: getattr(deberta, name) for name in words} == words
    scaling = {"type": "linear", "factor": 2.0}
    llama = loading.config(_config(tmp_path, model_type="llama", rope_scaling=scaling))
    assert llama.rope_parameters["rope_type"] == "linear"


def test_parts_of_a_configuration_keep_as_little(tmp_path: Path) -> None:
    from xharness_hf.files import loading

    text = {"hidden_size": 8, "hidden_activation": "silu", "attn_implementation": "org/name"}
    folder = _config(tmp_path, model_type="gemma3", text_config=text)
    config = loading.data_of_config(folder)
    assert config.text_config.hidden_activation == "silu"
    assert config.text_config._attn_implementation is None


def test_an_adapter_beside_the_weights_changes_nothing_in_silence(tmp_path: Path) -> None:
    from transformers import AutoModel

    from xharness_hf.files import loading

    folder = _config(tmp_path)
    AutoModel.from_config(loading.config(folder)).save_pretrained(folder)
    assert loading.backbone(folder, "safetensors")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(UnavailableError, match=r"adapter_config\.json"):
        loading.backbone(folder, "safetensors")


def test_a_tokenizer_is_read_from_its_own_folder(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    from xharness_hf.files import loading

    for name, word in (("outside", "secret"), ("model", "word")):
        (tmp_path / name).mkdir()
        tokenizer = Tokenizer(models.WordLevel({word: 0}, unk_token=word))
        tokenizer.save(str(tmp_path / name / "tokenizer.json"))
    names = {"tokenizer_file": str(tmp_path / "outside" / "tokenizer.json")}
    (tmp_path / "model" / "tokenizer_config.json").write_text(json.dumps(names))
    tokenizer = loading.tokenizer(tmp_path / "model")
    assert tokenizer.get_vocab() == {"word": 0}
    tokenizer.save_pretrained(tmp_path / "stored")
    assert str(tmp_path) not in (tmp_path / "stored" / "tokenizer_config.json").read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"num_hidden_layers": 1_000_000_000},
        {"hidden_size": 10**9},
        {"vocab_size": 10**12},
        {"num_hidden_layers": -1},
        {"text_config": {"num_hidden_layers": 10**6}},
    ],
)
def test_sizes_that_no_model_has_are_refused_before_it_is_built(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    from xharness_hf.files import loading

    with pytest.raises(UnavailableError, match="which no model has"):
        loading.config(_config(tmp_path, **changes))


def test_the_shards_of_a_model_lie_in_its_folder(tmp_path: Path) -> None:
    from xharness_hf.files import folders

    index = {"weight_map": {"a": "../outside.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(UnavailableError, match="is no path inside its folder"):
        folders.weight_files(tmp_path, "safetensors")
