"""The door: what this plugin offers. Nothing heavy is imported before a model is wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from xharness import (
    Backend,
    CapabilityQuery,
    Download,
    Pace,
    RunEnvironment,
    Sizes,
    Translator,
    hookimpl,
)
from xharness_hf.config.capabilities import unsupported
from xharness_hf.config.configuration import configuration_file
from xharness_hf.config.options import Options
from xharness_hf.translation import HfTranslator

if TYPE_CHECKING:
    from xharness_hf.generative.model import GenerativeModel
    from xharness_hf.model import HfModel


class HfBackend(Backend):
    """Transformers models: with heads of the harness's own, or answering in words."""

    name = "hf"
    options: type[BaseModel] = Options
    task_types = frozenset(
        {
            "classification",
            "multiple_choice",
            "tagging",
            "extractive_qa",
            "extractive_qa_unanswerable",
            "bitext_retrieval",
            "retrieval",
            "entity_linking",
            "bitext_mining",
        }
    )

    def generates(self, options: Any) -> bool:
        """Whether the model of these options writes, or ranks, words."""
        return bool(options.mode != "head")

    def unsupported(
        self, options: Any, query: CapabilityQuery, environment: RunEnvironment
    ) -> str | None:
        """Why the model of these options cannot answer or learn what is asked, or None.

        Raises:
            UnavailableError: the configuration of a hub model is needed, and cannot be fetched.
        """
        return unsupported(options, query, environment)

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        """Digest of the model's files (or hub commit) and of what changes its answers.

        Raises:
            UnavailableError: no such model, or a folder without weights.
            ConfigurationError: the model is to answer in words, and is an encoder.
        """
        from xharness_hf.config.fingerprint import fingerprint

        return fingerprint(options, environment)

    def sizes(self, options: Any, environment: RunEnvironment) -> Sizes | None:
        """How large the model of these options is, or None where nothing tells its configuration.

        Raises:
            UnavailableError: the configuration is damaged, or cannot be fetched.
            ConfigurationError: the options ask for more than the model has.
        """
        if options.scratch is None and configuration_file(options, environment) is None:
            return None  # known before anything heavy is imported
        from xharness_hf.build import sizes

        return sizes(options, environment)

    def downloads(self, options: Any, environment: RunEnvironment) -> Iterable[Download]:
        """The files of a hub model that are not in the local cache."""
        from xharness_hf.files import hub

        return hub.downloads(options, environment) if options.hub is not None else ()

    def fetch(self, options: Any, environment: RunEnvironment) -> None:
        """Fetch a hub model's configuration, tokenizer and weights.

        Raises:
            UnavailableError: gated, no such model, or no network.
        """
        from xharness_hf.files import hub

        if options.hub is not None:
            hub.snapshot(options, environment)

    def paces(self, device: str | None) -> Mapping[str, Pace]:
        """How fast `device` trains in fp32 and in half precision, measured in ten seconds.

        Raises:
            UnavailableError: this machine has none.
        """
        from xharness_hf.backbone.precision import device_of
        from xharness_hf.pace import measured_paces

        return measured_paces(device_of(device))

    def check_device(self, device: str | None, precisions: Collection[str]) -> None:
        """Whether `device` is here and computes in all of `precisions`.

        Raises:
            ConfigurationError: no device is called so.
            UnavailableError: this machine has none, or it lacks a precision.
        """
        from xharness_hf.backbone.precision import check_device

        check_device(device, precisions)

    def start(
        self, options: Any, environment: RunEnvironment, device: str | None
    ) -> HfModel | GenerativeModel:
        """The model before any training here; `device` None means the best there is.

        Raises:
            UnavailableError: it cannot be read, or an extra is not installed.
            ConfigurationError: the options ask for more than the model has.
        """
        # planning imports this module, and must not wait for torch
        from xharness_hf.build import start

        return start(options, environment, device)

    def load(self, folder: Path, device: str | None) -> HfModel | GenerativeModel:
        """The model that `HfModel.save` wrote.

        Raises:
            UnavailableError: the folder is not one, or is damaged.
        """
        from xharness_hf.build import load

        return load(folder, device)


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    """The backend `hf`."""
    return [HfBackend()]


@hookimpl
def xharness_translators() -> Iterable[Translator]:
    """The translator `hf`."""
    return [HfTranslator()]
