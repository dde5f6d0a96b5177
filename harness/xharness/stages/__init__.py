"""Stages: the content-addressed steps that a study compiles to, and the values they are made of."""

from __future__ import annotations

from xharness.stages.checkpoint import Checkpoint, Start
from xharness.stages.feed import Mixture, Objective, TrainingFeed
from xharness.stages.predict import Predict
from xharness.stages.retrieval_data import RetrievalData
from xharness.stages.score import Score
from xharness.stages.select_model import SelectModel
from xharness.stages.stage import Stage
from xharness.stages.train import CheckpointSelection, Heads, Train
from xharness.stages.translate import DataSlice, Translate

__all__ = [
    "Checkpoint",
    "CheckpointSelection",
    "DataSlice",
    "Heads",
    "Mixture",
    "Objective",
    "Predict",
    "RetrievalData",
    "Score",
    "SelectModel",
    "Stage",
    "Start",
    "Train",
    "TrainingFeed",
    "Translate",
]
