"""GGUF files: converted once into an ordinary folder, which loads in seconds."""

from __future__ import annotations

import copy
import importlib.util
import io
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from xharness import RunEnvironment, UnavailableError, make_durable
from xharness_hf.files import folders
from xharness_hf.files.digests import cached_digest


def convert(path: Path, environment: RunEnvironment) -> Path:
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
    folder = environment.cache / "gguf" / cached_digest(file, environment.cache)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # a rename makes it whole, as another process may convert the same file
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as parts:
            model_folder = Path(parts) / "model"
            _write_converted(file, model_folder)
            make_durable(model_folder)
            model_folder.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was faster
            raise UnavailableError(
                f"the converted model cannot be kept: {error}", where=str(folder)
            ) from error
    return folder


def _write_converted(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    source: dict[str, Any] = {"gguf_file": file.name}
    try:
        with redirect_stderr(io.StringIO()):  # its progress bar listens to no setting
            tokenizer = AutoTokenizer.from_pretrained(file.parent, **source)
            model = AutoModel.from_pretrained(file.parent, dtype=torch.float32, **source)
    except Exception as error:  # unsupported architectures and damage, in many classes
        raise UnavailableError(
            f"the GGUF file cannot be read: {str(error).strip()[:300]}", where=str(file)
        ) from error
    _unquantised(model).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _unquantised(model: Any) -> Any:
    """The same weights in a model that does not count as quantised, and so can be saved."""
    config = copy.deepcopy(model.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    unquantised = type(model)(config)
    unquantised.load_state_dict(model.state_dict())
    return unquantised
