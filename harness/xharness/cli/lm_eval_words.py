"""Words of lm-evaluation-harness that are others here: who types one is told which."""

from __future__ import annotations

_OURS = {
    "--batch-size": "--model-args batch_size=N",
    "--gen-kwargs": "fields of the recipe in a study",
    "--include-path": "--cards DIR",
    "--log-samples": "nothing to ask for: xharness show runs/NAME --items 5 --wrong",
    "--model-name": "--model ID",
    "--num-fewshot": "the strategy {prompt: {shots: N}} in a study",
    "--output-path": "--output DIR",
    "--seed": "--seeds N",
    "--use-cache": "nothing to ask for: what is stored is reused",
    "ls": "xharness cards list",
    "validate": "xharness cards validate",
}


def translation(word: str) -> str | None:
    """What stands for a flag or command here; None where it is none of theirs."""
    ours = _OURS.get(word)
    return None if ours is None else f"lm-evaluation-harness's {word} is here: {ours}"
