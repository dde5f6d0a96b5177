"""The door: what this plugin offers. Nothing heavy is imported before a model is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from xharness.extend import Backend, Surroundings
from xharness.hookspecs import hookimpl
from xharness_hf.options import Options

if TYPE_CHECKING:
    from xharness_hf.model import HfModel


class HfBackend:
    """Transformers bodies, encoders and decoders, with the harness's own heads."""

    name = "hf"
    options: type[BaseModel] = Options
    kinds = frozenset({"classification", "choice", "tagging", "span", "bitext"})

    def fingerprint(self, options: Any, surroundings: Surroundings) -> str:
        """Digest of the model's files (or hub commit) and of what changes its answers.

        Raises:
            UnavailableError: no such model, or a folder without weights.
        """
        from xharness_hf.fingerprint import fingerprint

        return fingerprint(options, surroundings)

    def start(self, options: Any, surroundings: Surroundings, device: str | None) -> HfModel:
        """The model before any training here; `device` None means the best there is.

        Raises:
            UnavailableError: it cannot be read, or an extra is not installed.
            ConfigurationError: the options ask for more than the model has.
        """
        from xharness_hf.opening import start

        return start(options, surroundings, device)

    def load(self, folder: Path, device: str | None) -> HfModel:
        """The model that `HfModel.save` wrote.

        Raises:
            UnavailableError: the folder is not one, or is damaged.
        """
        from xharness_hf.opening import load

        return load(folder, device)


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    """The backend `hf`."""
    return [HfBackend()]
