"""What a plugin is written with: the base classes of its offers, and the values they are handed.

Plugins import these names from `xharness` itself.
"""

from __future__ import annotations

from xharness.digests import digest, file_digest
from xharness.errors import (
    ConfigurationError,
    StageError,
    UnavailableError,
    UnsupportedError,
    XharnessError,
    nearest,
    suggestion,
)
from xharness.files import atomic_file, make_durable, path_inside, writing
from xharness.json_text import parse_json, read_json
from xharness.plugin.api.backend import (
    Backend,
    CapabilityQuery,
    CheckpointPolicy,
    Model,
    NoOptions,
    Pace,
    Progress,
    Sizes,
    TrainingSession,
    TrainingSet,
)
from xharness.plugin.api.executor import Executor
from xharness.plugin.api.source import Download, RunEnvironment, Source, SourceRequest
from xharness.plugin.api.strategy import Route, Strategy, TranslateTest
from xharness.plugin.api.tracker import Observer, TrackedRun, Tracker
from xharness.plugin.api.translator import TranslateTexts, Translator
from xharness.spec.cards import TaskCard
from xharness.spec.documents import parse as parse_yaml
from xharness.spec.fields import Name, Strict
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
    Stage,
    Start,
    Train,
    TrainingFeed,
)
from xharness.stages.label import StageLabel
from xharness.task_types.base import (
    AnswerRepairs,
    Example,
    Floats,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    f1,
    ratio,
)
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.checklist import ChecklistExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.corpus import PassageExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.search import CandidateIndex, Encode, SearchRequest, TextRole
from xharness.task_types.tagging import TaggingExample
from xharness.task_types.verbalized import VerbalizedItem, verbalize, verbalizer_of

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
    "Download",
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
    "Observer",
    "Pace",
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
    "Stage",
    "StageError",
    "StageLabel",
    "Start",
    "Strategy",
    "Strict",
    "TaggingExample",
    "TaskCard",
    "TaskType",
    "TextRole",
    "TrackedRun",
    "Tracker",
    "Train",
    "TrainingFeed",
    "TrainingSession",
    "TrainingSet",
    "TranslateTest",
    "TranslateTexts",
    "Translator",
    "UnavailableError",
    "UnsupportedError",
    "VectorBlocks",
    "VerbalizedItem",
    "Verbalizer",
    "XharnessError",
    "atomic_file",
    "digest",
    "f1",
    "file_digest",
    "make_durable",
    "nearest",
    "parse_json",
    "parse_yaml",
    "path_inside",
    "ratio",
    "read_json",
    "suggestion",
    "verbalize",
    "verbalizer_of",
    "writing",
]
