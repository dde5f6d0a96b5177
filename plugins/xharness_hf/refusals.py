"""What a model that answers in words cannot do, told before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from xharness.extend import ConfigurationError, Objective, TaskCard
from xharness_hf.options import Manner

_RANKED = frozenset({"classification", "choice"})
_KINDS = {"likelihood": _RANKED, "text": _RANKED | {"span"}}
_ENCODERS = frozenset(
    {
        "albert", "bert", "camembert", "canine", "deberta", "deberta-v2", "distilbert", "electra",
        "eurobert", "modernbert", "mpnet", "rembert", "roberta", "xlm-roberta", "xlm-roberta-xl",
        "xmod",
    }
)  # fmt: skip


def refusal(manner: Manner, card: TaskCard, kind: str, objective: Objective | None) -> str | None:
    """Why a model that answers in words cannot answer or learn the card's items, or None."""
    said = f"a model with 'answers: {manner.answers}'"
    if objective not in (None, "task", "shots"):
        return f"{said} cannot learn by '{objective}'"
    if objective == "task" and manner.answers == "likelihood":
        return f"{said} is not trained: it has strategy 'prompt' alone"
    known = _KINDS[manner.answers]
    if kind not in known:
        return f"{said} cannot answer tasks of kind '{kind}', only {', '.join(sorted(known))}"
    if card.verbaliser is None:
        return f"task '{card.name}' has no verbaliser: its items cannot be put into words"
    return None


def check_writes(folder: Path) -> None:
    """Whether the model in `folder` can write at all, as far as its configuration tells.

    Raises:
        ConfigurationError: it is an encoder.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # what is wrong with it is said when it is read
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind in _ENCODERS:
        raise ConfigurationError(
            f"'{kind}' is an encoder: it has no words to answer with",
            where=str(folder),
            expected="a decoder or an encoder-decoder",
            hint="use 'answers: heads'",
        )
