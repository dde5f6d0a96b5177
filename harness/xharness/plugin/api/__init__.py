"""What a plugin is written with: the base classes of its offers, and the values they are handed.

Plugins import these names from `xharness` itself.
"""

from __future__ import annotations

from xharness.digests import digest, file_digest
from xharness.errors import (
    ConfigurationError,
    StageError,
    UnavailableError,
    XharnessError,
    nearest,
    suggestion,
)
from xharness.plugin.api.backend import (
    Backend,
    CapabilityQuery,
    CheckpointPolicy,
    Model,
    NoOptions,
    Progress,
    Sizes,
    TrainingSession,
    TrainingSet,
)
from xharness.plugin.api.executor import Executor
from xharness.plugin.api.source import RunEnvironment, Source, SourceRequest
from xharness.plugin.api.strategy import Route, Strategy, TranslateTest
from xharness.plugin.api.translator import TranslateTexts, Translator
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Name, Strict
from xharness.spec.languages import LANGUAGES, LanguageCode
from xharness.spec.recipe import Adapter, Changes, Recipe, Sampling
from xharness.spec.sources import Split
from xharness.spec.verbalizer import Verbalizer
from xharness.stages import (
    Checkpoint,
    DataSlice,
    Heads,
    Mixture,
    Objective,
    Start,
    Train,
    TrainingFeed,
)
from xharness.task_types import (
    AnswerRepairs,
    BitextExample,
    BitextMiningExample,
    CandidateIndex,
    ChecklistExample,
    ClassificationExample,
    Encode,
    Example,
    ExtractiveQAExample,
    Floats,
    GoldAnswer,
    Metric,
    MultipleChoiceExample,
    PassageExample,
    Prediction,
    PredictionShape,
    Reader,
    RetrievalExample,
    Row,
    SearchRequest,
    TaggingExample,
    TaskType,
    TextRole,
    f1,
    ratio,
)

__all__ = [
    "LANGUAGES",
    "Adapter",
    "AnswerRepairs",
    "Backend",
    "BitextExample",
    "BitextMiningExample",
    "CandidateIndex",
    "CapabilityQuery",
    "Changes",
    "ChecklistExample",
    "Checkpoint",
    "CheckpointPolicy",
    "ClassificationExample",
    "ConfigurationError",
    "DataSlice",
    "Encode",
    "Example",
    "Executor",
    "ExtractiveQAExample",
    "Floats",
    "GoldAnswer",
    "Heads",
    "LanguageCode",
    "Metric",
    "Mixture",
    "Model",
    "MultipleChoiceExample",
    "Name",
    "NoOptions",
    "Objective",
    "PassageExample",
    "Prediction",
    "PredictionShape",
    "Progress",
    "Reader",
    "Recipe",
    "RetrievalExample",
    "Route",
    "Row",
    "RunEnvironment",
    "Sampling",
    "SearchRequest",
    "Sizes",
    "Source",
    "SourceRequest",
    "Split",
    "StageError",
    "Start",
    "Strategy",
    "Strict",
    "TaggingExample",
    "TaskCard",
    "TaskType",
    "TextRole",
    "Train",
    "TrainingFeed",
    "TrainingSession",
    "TrainingSet",
    "TranslateTest",
    "TranslateTexts",
    "Translator",
    "UnavailableError",
    "Verbalizer",
    "XharnessError",
    "digest",
    "f1",
    "file_digest",
    "nearest",
    "ratio",
    "suggestion",
]
