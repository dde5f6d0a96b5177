"""GGUF files: converted once into an ordinary folder, which loads in seconds."""

from __future__ import annotations

import copy
import importlib.util
import io
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from xharness import RunEnvironment, UnavailableError
from xharness_hf.files import folders
from xharness_hf.files.digests import remembered


def converted(path: Path, environment: RunEnvironment) -> Path:
    """A folder in the Hugging Face layout with the dequantised model of a .gguf file.

    Raises:
        UnavailableError: no such file, a damaged one, or the extra is not installed.
    """
    file = folders.gguf_file(path, environment)
    if importlib.util.find_spec("gguf") is None:
        raise UnavailableError(
            "reading GGUF files needs the package 'gguf'",
            where=str(file),
            hint='pip install "xharness-eval[gguf]"',
        )
    place = environment.cache / "gguf" / remembered(file, environment.cache)
    if place.is_dir():
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".part-") as parts:
            whole = Path(parts) / "model"
            _convert(file, whole)
            whole.rename(place)
    except OSError as error:
        if not place.is_dir():  # else another process was faster
            raise UnavailableError(
                f"the converted model cannot be kept: {error}", where=str(place)
            ) from error
    return place


def _convert(file: Path, place: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    where: dict[str, Any] = {"gguf_file": file.name}
    try:
        with redirect_stderr(io.StringIO()):  # its progress bar listens to no setting
            tokenizer = AutoTokenizer.from_pretrained(file.parent, **where)
            read = AutoModel.from_pretrained(file.parent, dtype=torch.float32, **where)
    except Exception as error:  # unsupported architectures and damage, in many classes
        raise UnavailableError(
            f"the GGUF file cannot be read: {str(error).strip()[:300]}", where=str(file)
        ) from error
    _plain(read).save_pretrained(place)
    tokenizer.save_pretrained(place)


def _plain(read: Any) -> Any:
    """The same weights in a model that does not count as quantised, and so can be saved."""
    config = copy.deepcopy(read.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = type(read)(config)
    plain.load_state_dict(read.state_dict())
    return plain
