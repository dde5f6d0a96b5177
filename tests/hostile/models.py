"""Model folders as strangers publish them: configuration, tokenizer, weights, sentence encoders."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.project import fresh


def write(folder: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    """Fill `folder` with models and studies of them; name, file and the command that reads it."""
    # Imported here: torch and transformers take seconds, and no other scene needs them.
    from transformers import AutoModel

    from tests.hf import sentence_encoders, tiny

    fresh(folder)
    tiny.bert(folder / "bert")
    sentence_encoders.labse(folder / "bert", folder / "labse")
    AutoModel.from_pretrained(folder / "bert").save_pretrained(
        folder / "parts", max_shard_size="9KB"
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / "parts" / name).write_bytes((folder / "bert" / name).read_bytes())
    _study(folder, "bert", {"path": "bert"}, "mood")
    _study(folder, "parts", {"path": "parts"}, "mood")
    _study(folder, "labse", {"path": "labse", "embeddings": "sentence-transformers"}, "mini_bitext")
    return [
        ("configuration", "bert/config.json", _words("run", "bert")),
        ("configuration, listed", "bert/config.json", _words("models", "list", "bert")),
        ("tokenizer", "bert/tokenizer.json", _words("run", "bert")),
        ("tokenizer's configuration", "bert/tokenizer_config.json", _words("run", "bert")),
        ("weights", "bert/model.safetensors", _words("run", "bert")),
        ("index of weights", "parts/model.safetensors.index.json", _words("plan", "parts")),
        ("modules", "labse/modules.json", _words("run", "labse")),
        ("pooling", "labse/1_Pooling/config.json", _words("run", "labse")),
        ("dense", "labse/2_Dense/config.json", _words("run", "labse")),
        ("settings", "labse/sentence_bert_config.json", _words("run", "labse")),
    ]


def _words(*words: str) -> tuple[str, ...]:
    *command, name = words
    return (*command, f"{name}.yaml", "--cards", "cards", "--store", "store", "--offline")


def _study(folder: Path, name: str, model: dict[str, str], task: str) -> None:
    study = {
        "name": name,
        "models": [{"name": name, **model}],
        "strategies": ["single"],
        "targets": [
            {"task": task, "languages": ["en", "de"] if task == "mood" else ["de"], "limit": 4}
        ],
        "train_limit": 4,
        "recipe": {"steps": 1, "batch_size": 4, "max_length": 16},
        "runtime": {"device": "cpu"},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
