"""Local folders and files of models: which files count, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from xharness import RunEnvironment, UnavailableError, path_inside, read_json

Weights = Literal["safetensors", "any"]

TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "sentencepiece.bpe.model",
    "spiece.model",
)  # fmt: skip
MODULES, PROMPTS = "modules.json", "config_sentence_transformers.json"
SETTINGS = "sentence_*_config.json"
"""Named after the family of the backbone in older folders, after BERT in all newer ones."""


def model_folder(path: Path, environment: RunEnvironment) -> Path:
    """The folder a study names, relative to the study's own folder.

    Raises:
        UnavailableError: there is no such folder, or it holds no model.
    """
    folder = environment.base / path.expanduser()
    if not folder.is_dir():
        raise UnavailableError(
            "there is no such model folder",
            where=str(folder),
            hint=f"a relative 'path' counts from {environment.base.resolve()}",
        )
    if not (folder / "config.json").is_file():
        raise UnavailableError(
            "the folder holds no model",
            where=str(folder),
            expected="a config.json beside model.safetensors",
            hint="point 'path' at the folder that from_pretrained would take",
        )
    return folder


def model_files(folder: Path, weights: Weights) -> list[Path]:
    """The files that decide what a model answers: configuration, tokenizer and weights.

    Raises:
        UnavailableError: no weights of an allowed form, or a listed shard is missing.
    """
    candidates = [folder / "config.json", *(folder / name for name in TOKENIZER_FILES)]
    return [*(file for file in candidates if file.is_file()), *weight_files(folder, weights)]


def weight_files(folder: Path, weights: Weights) -> list[Path]:
    """The weights in `folder`, one file or the shards of an index.

    Raises:
        UnavailableError: as `model_files`.
    """
    # safetensors first: they need no unpickling
    stems = ["model.safetensors"] + ["pytorch_model.bin"] * (weights == "any")
    for stem in stems:
        if (folder / stem).is_file():
            return [folder / stem]
        if (index := folder / f"{stem}.index.json").is_file():
            return [index, *_shards(index)]
    other_weights = sorted(file.name for file in folder.glob("*.bin"))
    raise UnavailableError(
        "the folder has no weights",
        where=str(folder),
        expected=" or ".join(stems),
        hint=f"it has {other_weights[0]}; 'weights: any' loads it without running code"
        if other_weights
        else "fetch the model's weights into the folder, or use 'scratch' for random ones",
    )


def _shards(index: Path) -> list[Path]:
    try:
        names = set(read_json(index)["weight_map"].values())
        shards = [path_inside(index.parent, name) for name in sorted(names)]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnavailableError(
            f"not an index of weight shards: {error}", where=str(index)
        ) from None
    # an interrupted download leaves the index and some of its shards
    for shard in shards:
        if not shard.is_file():
            raise UnavailableError(f"shard {shard.name} is missing", where=str(index.parent))
    return shards


def gguf_file(path: Path, environment: RunEnvironment) -> Path:
    """The .gguf file a study names.

    Raises:
        UnavailableError: there is no such file.
    """
    file = environment.base / path.expanduser()
    if not file.is_file():
        raise UnavailableError("there is no such GGUF file", where=str(file))
    return file


def tokenizer_files(path: Path, environment: RunEnvironment) -> list[Path]:
    """The tokenizer files at `path`, a folder or one tokenizer.json.

    Raises:
        UnavailableError: there are none.
    """
    location = environment.base / path.expanduser()
    if location.is_file():
        return [location]
    files = [location / name for name in TOKENIZER_FILES if (location / name).is_file()]
    if not files:
        raise UnavailableError(
            "there is no tokenizer here", where=str(location), expected="a tokenizer.json"
        )
    return files
