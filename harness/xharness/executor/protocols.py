"""Protocols: how a model was made to answer; numbers of different ones never share an average."""

from __future__ import annotations

from xharness.stages import Checkpoint, Predict, SelectModel, Train


def protocol(stage: Predict) -> str:
    """What score rows call it."""
    if stage.prompt_digest is None:
        return "fine-tuned"
    shots = _shots(stage.model)
    return "fine-tuned, text-to-text" if shots is None else f"prompted, {shots}-shot"


def _shots(model: Checkpoint) -> int | None:
    """How many examples a model is shown that learnt nothing; None for one that learnt."""
    if isinstance(model, SelectModel):
        return _shots(model.candidates[0])
    if not isinstance(model, Train):
        return 0
    if any(feed.objective != "shots" for feed in model.feeds):
        return None
    return sum(portion.limit or 0 for feed in model.feeds for portion in feed.data_slices)
