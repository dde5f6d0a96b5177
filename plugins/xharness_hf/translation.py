"""The translator `hf`: encoder-decoders that translate, such as Marian, M2M100 and NLLB."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, model_validator

from xharness import (
    Download,
    RunEnvironment,
    Strict,
    TranslateTexts,
    Translator,
    UnavailableError,
    digest,
)
from xharness_hf.config.configuration import model_file
from xharness_hf.config.language_codes import code_of
from xharness_hf.config.options import Options
from xharness_hf.config.special_tokens import special_tokens
from xharness_hf.files.folders import Weights

if TYPE_CHECKING:
    from torch import Tensor

_VERSION = 1  # raised when this code gives other translations: it enters the fingerprint
_FILES = ("source.spm", "target.spm", "generation_config.json")
"""What decides translations beside the files of any model."""


class TranslatorOptions(Strict):
    """A translation model; `{source}` and `{target}` stand for the languages."""

    path: str | None = Field(
        default=None, description="a folder, such as opus-mt-{source}-{target}"
    )
    hub: str | None = Field(default=None, description="organisation/name, languages as in path")
    revision: str | None = Field(default=None, description="commit, tag or branch of `hub`")
    weights: Weights = "safetensors"
    language_codes: dict[str, str] = Field(
        default={}, description="what the model calls a language, where that cannot be guessed"
    )
    beams: int = Field(default=1, ge=1, description="1: greedy")
    length: int = Field(default=256, ge=8, description="sub-words of a text and of its translation")
    batch: int = Field(default=32, gt=0, description="texts at a time")

    @model_validator(mode="after")
    def _one_origin(self) -> TranslatorOptions:
        if (self.path is None) == (self.hub is None):
            raise ValueError("exactly one of 'path' and 'hub' is needed")
        return self

    def model(self, source: str, target: str) -> Options:
        """The model for one pair of languages, as the backend `hf` has it."""
        path = None if self.path is None else Path(_expanded(self.path, source, target))
        hub = None if self.hub is None else _expanded(self.hub, source, target)
        return Options(path=path, hub=hub, revision=self.revision, weights=self.weights)


class HfTranslator(Translator):
    """Translates by transformers; the same text always gives the same translation."""

    name = "hf"
    options: type[BaseModel] = TranslatorOptions

    def fingerprint(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> str:
        """Digest of the model's files (or hub commit), the languages, and how it decodes.

        Raises:
            ConfigurationError: the model does not know one of the languages.
            UnavailableError: there is no such model.
        """
        from xharness_hf.config.fingerprint import fingerprint
        from xharness_hf.files import folders
        from xharness_hf.files.digests import cached_digest

        model = options.model(source, target)
        extra_files: dict[str, str] = {}
        if model.path is not None:
            folder = folders.model_folder(model.path, environment)
            tokens = special_tokens(partial(model_file, model, environment))
            # While planning: what the model lacks would else show only after its loading.
            for language in (source, target) if tokens else ():
                code_of(language, tokens, options.language_codes)
            files = [folder / name for name in _FILES if (folder / name).is_file()]
            extra_files = {file.name: cached_digest(file, environment.cache) for file in files}
        decoding = [options.beams, options.length, options.language_codes, source, target]
        return digest([_VERSION, fingerprint(model, environment), extra_files, decoding])

    def downloads(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> Iterable[Download]:
        """The files of a hub model that are not in the local cache."""
        from xharness_hf.files import hub

        model = options.model(source, target)
        return hub.downloads(model, environment) if model.hub is not None else ()

    def fetch(self, options: Any, source: str, target: str, environment: RunEnvironment) -> None:
        """Fetch a hub model; errors as those of the backend's."""
        from xharness_hf.files import hub

        model = options.model(source, target)
        if model.hub is not None:
            hub.snapshot(model, environment)

    def check_device(self, device: str | None, precisions: Collection[str]) -> None:
        """Whether `device` is here; errors as those of the backend's."""
        from xharness_hf.backbone.precision import check_device

        check_device(device, precisions)

    def open(
        self,
        options: Any,
        source: str,
        target: str,
        environment: RunEnvironment,
        device: str | None,
    ) -> TranslateTexts:
        """The model, loaded.

        Raises:
            UnavailableError: it cannot be read, or what its tokenizer needs is not installed.
        """
        return _TranslationModel(options, source, target, environment, device)


class _TranslationModel:
    def __init__(
        self,
        options: TranslatorOptions,
        source: str,
        target: str,
        environment: RunEnvironment,
        device: str | None,
    ) -> None:
        from xharness_hf.backbone.precision import device_of
        from xharness_hf.files.loading import silence_transformers

        silence_transformers()
        folder = _model_folder(options.model(source, target), environment)
        self._options, self._device = options, device_of(device)
        self._tokenizer, self._model = _loaded(folder, options.weights)
        self._model.to(self._device).eval()
        tokens = {*self._tokenizer.all_special_tokens, *self._tokenizer.get_added_vocab()}
        # Marian keeps its codes among the words, not among the specials
        tokens |= {token for token in self._tokenizer.get_vocab() if token.startswith(">>")}
        self._target_code = code_of(target, tokens, options.language_codes)
        origin = (
            None
            if _is_text_prefix(self._target_code)
            else code_of(source, tokens, options.language_codes)
        )
        if origin is not None:
            # M2M100's tokenizer wants the bare code, though its token has underscores
            self._tokenizer.src_lang = origin.removeprefix("__").removesuffix("__")

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """The translations, in order; texts of like length go together."""
        # texts of one length need no padding
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        translations = [""] * len(texts)
        for first in range(0, len(order), self._options.batch):
            batch_indices = order[first : first + self._options.batch]
            for index, translation in zip(
                batch_indices, self._batch([texts[index] for index in batch_indices]), strict=True
            ):
                translations[index] = translation
        return translations

    def _batch(self, texts: Sequence[str]) -> list[str]:
        import torch

        target_code, length = self._target_code, self._options.length
        inputs = (
            [f"{target_code} {text}" for text in texts]
            if _is_text_prefix(target_code)
            else list(texts)
        )
        encoded = self._tokenizer(
            inputs, return_tensors="pt", padding=True, truncation=True, max_length=length
        ).to(self._device)
        options: dict[str, Any] = {}
        if target_code is not None and not _is_text_prefix(target_code):
            options["forced_bos_token_id"] = self._tokenizer.convert_tokens_to_ids(target_code)
        with torch.inference_mode():
            ids: Tensor = self._model.generate(
                **encoded,
                num_beams=self._options.beams,
                do_sample=False,
                max_length=None,
                max_new_tokens=length,
                **options,
            )
        decoded: list[str] = self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return decoded


def _loaded(folder: Path, weights: Weights) -> tuple[Any, Any]:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from xharness_hf.files import loading

    try:
        with warnings.catch_warnings():  # Marian's tokenizer recommends a package it can do without
            warnings.simplefilter("ignore", UserWarning)
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForSeq2SeqLM.from_pretrained(
            folder,
            config=loading.data_of_config(folder),
            use_safetensors=weights == "safetensors" or None,
            weights_only=True,
            trust_remote_code=False,
        )
    except ImportError as error:
        raise UnavailableError(
            "the model's tokenizer needs a package that is not installed",
            where=str(folder),
            hint='pip install "xharness-eval[translate]"',
        ) from error
    except Exception as error:  # every tokenizer class and every damaged file fails in its own way
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UnavailableError(
            f"the translation model cannot be read: {lines[0][:300]}", where=str(folder)
        ) from error
    return tokenizer, model


def _model_folder(model: Options, environment: RunEnvironment) -> Path:
    from xharness_hf.files import folders, hub

    if model.hub is not None:
        return hub.snapshot(model, environment)
    assert model.path is not None
    return folders.model_folder(model.path, environment)


def _expanded(text: str, source: str, target: str) -> str:
    return text.replace("{source}", source).replace("{target}", target)


def _is_text_prefix(code: str | None) -> bool:
    """Whether the text itself says into which language, as a many-target Marian wants it."""
    return code is not None and code.startswith(">>")
