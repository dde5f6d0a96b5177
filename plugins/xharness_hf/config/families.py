"""What the installed transformers has for a family of models, read from its sources.

Planning must know it, and may not import transformers, which takes seconds. Where the sources do
not tell, nothing is said: the loaded model decides.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Purpose = Literal["base", "causal-lm", "masked-lm", "seq2seq-lm", "sequence-classification"]

_REGISTRIES: Mapping[Purpose, str] = {
    "base": "MODEL_MAPPING_NAMES",
    "causal-lm": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "masked-lm": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "seq2seq-lm": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "sequence-classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
}
_SHARED_MODULES = "SPECIAL_MODEL_TYPE_TO_MODULE_NAME"


def has_class(family: str, purpose: Purpose) -> bool:
    """Whether transformers has a class of `family` for `purpose`."""
    return family in _registry("modeling_auto", _REGISTRIES[purpose])


def takes_past_key_values(family: str, *, encoder: bool) -> bool | None:
    """Whether the base model of `family`, or its encoder, is given keys and values by a caller.

    None where the sources do not tell.
    """
    class_name = _registry("modeling_auto", _REGISTRIES["base"]).get(family)
    if class_name is None:
        return None
    if encoder:  # as every encoder-decoder names it, but for T5's: there both sides are one class
        class_name = re.sub("Model$", "Encoder", class_name)
    return _forward_takes(_module(family), class_name, "past_key_values")


@cache
def _registry(module: str, name: str) -> Mapping[str, str]:
    """A literal table of transformers' auto classes, by family; empty where it is not there."""
    for statement in _statements(_sources() / "auto" / f"{module}.py"):
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            if name not in [ast.unparse(target) for target in statement.targets]:
                continue
            # Literal pairs alone: nothing of transformers is executed, so nothing can fail.
            pairs = ast.literal_eval(statement.value.args[0])
            return {family: entry for family, entry in pairs if isinstance(entry, str)}
    return {}


@cache
def _forward_takes(file: Path, class_name: str, parameter: str) -> bool | None:
    for statement in _statements(file):
        if isinstance(statement, ast.ClassDef) and statement.name == class_name:
            for method in statement.body:
                if isinstance(method, ast.FunctionDef) and method.name == "forward":
                    arguments = [*method.args.args, *method.args.kwonlyargs]
                    return parameter in [argument.arg for argument in arguments]
    return None


def _module(family: str) -> Path:
    """The file with the models of `family`; some families share the module of another."""
    name = family.replace("-", "_")
    if not (_sources() / name).is_dir():
        name = _registry("auto_mappings", _SHARED_MODULES).get(family, name)
    return _sources() / name / f"modeling_{name}.py"


@cache
def _sources() -> Path:
    spec = find_spec("transformers")  # the package alone: finding a module of it would import it
    return Path((spec.origin if spec else None) or "transformers").parent / "models"


def _statements(file: Path) -> Iterator[ast.stmt]:
    try:
        yield from ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError):
        return
