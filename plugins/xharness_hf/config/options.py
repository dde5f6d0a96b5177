"""What a study may write about a model of the backend `hf`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from xharness import LanguageCode, Strict
from xharness_hf.embedding.sentence_transformers.prompts import Prompts
from xharness_hf.files.folders import Weights

AnswerMode = Literal["head", "generate", "loglikelihood"]
EmbeddingSource = Literal["recipe", "sentence-transformers"]


class LearntTokenizer(Strict):
    """A tokenizer learnt from the first texts that the model trains on."""

    vocabulary: int = Field(ge=32, description="pieces, specials included, at most")


class Scratch(Strict):
    """A backbone with random weights, drawn from the seed of its first training."""

    architecture: Literal["bert", "xlm-roberta"] = "bert"
    hidden: int = Field(gt=0, description="width of the hidden states")
    num_layers: int = Field(gt=0)
    heads: int = Field(gt=0, description="attention heads per layer")
    intermediate: int | None = Field(default=None, gt=0, description="default: four times hidden")
    max_positions: int = Field(default=512, ge=8, description="sub-words of the longest input")
    dropout: float = Field(default=0.1, ge=0, lt=1)
    tokenizer: LearntTokenizer | Path = Field(
        description="a folder or tokenizer.json, or {vocabulary: n}"
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Scratch:
        if self.hidden % self.heads:
            raise ValueError(f"'hidden' ({self.hidden}) is not a multiple of 'heads' {self.heads}")
        return self


class AnswerOptions(Strict):
    """How a model answers."""

    mode: AnswerMode = Field(
        default="head",
        description="head: a head for each task, on hidden states; generate: trained to write the "
        "answer; loglikelihood: the answer whose words are likeliest, without training",
    )
    length_normalized: bool = Field(
        default=False, description="the log-probability of an answer is divided by its characters"
    )
    language_codes: dict[LanguageCode, str] = Field(
        default={}, description="what the model calls a language, where that cannot be guessed"
    )

    @model_validator(mode="after")
    def _heads_have_no_words(self) -> AnswerOptions:
        option = next(
            (name for name in ("length_normalized", "language_codes") if getattr(self, name)), None
        )
        if option is not None and self.mode == "head":
            raise ValueError(f"'{option}' belongs to answers in words")
        return self


class Options(AnswerOptions):
    """A model: exactly one of `path`, `hub`, `gguf` and `scratch`."""

    path: Path | None = Field(default=None, description="a folder in the Hugging Face layout")
    hub: str | None = Field(default=None, description="organisation/name on the model hub")
    revision: str | None = Field(default=None, description="commit, tag or branch of `hub`")
    gguf: Path | None = Field(default=None, description="a .gguf file")
    scratch: Scratch | None = None
    num_layers: int | None = Field(
        default=None,
        gt=0,
        description="the first layers of the backbone, the others left out; the middle layers of a "
        "decoder often encode better than its last",
    )
    # A pickle may run code when it is read, so it takes a word of the study's.
    weights: Weights = Field(
        default="safetensors",
        description="any: also PyTorch .bin files, unpickled with weights_only",
    )
    embeddings: EmbeddingSource = Field(
        default="recipe",
        description="recipe: texts become vectors by its pooling and layer; sentence-transformers: "
        "as the folder declares, in the layout of sentence-transformers",
    )
    prompts: Prompts = Field(
        default=Prompts(), description="in place of those that the folder declares"
    )

    @model_validator(mode="after")
    def _words_need_a_language_model(self) -> Options:
        if self.mode != "head" and self.scratch is not None:
            raise ValueError("a scratch model is an encoder: it answers by heads")
        return self

    # prompts, pooling and layers were trained together: none is published without the others
    @model_validator(mode="after")
    def _published_as_a_whole(self) -> Options:
        if self.embeddings == "recipe":
            if self.prompts != Prompts():
                raise ValueError("'prompts' belongs to 'embeddings: sentence-transformers'")
            return self
        if self.path is None and self.hub is None:
            raise ValueError("'embeddings: sentence-transformers' needs a folder: 'path' or 'hub'")
        if self.mode != "head":
            raise ValueError(f"'embeddings: sentence-transformers' is not for 'mode: {self.mode}'")
        if self.num_layers is not None:
            raise ValueError("a backbone shortened by 'num_layers' is not the published one")
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> Options:
        origins = [key for key in ("path", "hub", "gguf", "scratch") if getattr(self, key)]
        if len(origins) != 1:
            finding = f"'{origins[0]}' and '{origins[1]}' are" if origins else "none is"
            raise ValueError(
                "exactly one of 'model' (an id or a folder), 'path', 'hub', 'gguf', 'scratch' is "
                f"needed; {finding}"
            )
        if self.revision is not None and self.hub is None:
            raise ValueError("'revision' belongs to 'hub'")
        if self.num_layers is not None and self.scratch is not None:
            raise ValueError(
                "'num_layers' shortens a pretrained backbone; use 'scratch.num_layers'"
            )
        if self.hub is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+|[\w.-]+", self.hub):
            raise ValueError(f"'{self.hub}' is not organisation/name; a folder goes under 'path'")
        return self
