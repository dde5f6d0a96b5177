"""Flags of lm-evaluation-harness that are called otherwise here: who types one is told which."""

from __future__ import annotations

_OURS = {
    "--batch-size": "'recipe: {batch_size: N}' in a study",
    "--gen-kwargs": "fields of the recipe in a study",
    "--include-path": "--cards DIR",
    "--log-samples": "nothing to ask for: xharness show runs/NAME --items 5 --wrong",
    "--model-name": "--model ID",
    "--num-fewshot": "the strategy {prompt: {shots: N}} in a study",
    "--output-path": "--output DIR",
    "--seed": "--seeds N",
    "--use-cache": "nothing to ask for: what is stored is reused",
}


def translation(flag: str) -> str | None:
    """What stands for `flag` here; None where it is no flag of theirs."""
    ours = _OURS.get(flag)
    return None if ours is None else f"lm-evaluation-harness's {flag} is here: {ours}"
