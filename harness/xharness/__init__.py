"""xharness: a benchmark harness for cross-lingual transfer.

    import xharness

    session = xharness.open_study("study.yaml", data_root="data")
    board = session.run()

Plugins import from here, too: `hookimpl`, the base classes of what they offer (`Backend`,
`Strategy`, `TaskType`, `Source`, `Translator`, `Executor`, `Tracker`), and the values those are
handed. Names are looked up when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from xharness.version import __version__ as __version__

if TYPE_CHECKING:
    from xharness.data.reader import DataReader as DataReader
    from xharness.executor.attempt import attempt as attempt
    from xharness.executor.attempt import reuse as reuse
    from xharness.executor.context import RunContext as RunContext
    from xharness.executor.node_check import NodeNeeds as NodeNeeds
    from xharness.executor.outcome import RunReport as RunReport
    from xharness.executor.outcome import StageOutcome as StageOutcome
    from xharness.executor.pool import PoolEvent as PoolEvent
    from xharness.executor.pool import StageEnded as StageEnded
    from xharness.executor.pool import StageProgressed as StageProgressed
    from xharness.executor.pool import StageTaken as StageTaken
    from xharness.executor.pool import WorkerLost as WorkerLost
    from xharness.executor.pool import WorkerPool as WorkerPool
    from xharness.executor.provenance import processor_name as processor_name
    from xharness.executor.provenance import provenance as provenance
    from xharness.executor.provenance import software_versions as software_versions
    from xharness.executor.readiness import StageLimits as StageLimits
    from xharness.executor.readiness import carry_out_plan as carry_out_plan
    from xharness.gaps.scores import MissingRow as MissingRow
    from xharness.gaps.scores import ScoreRow as ScoreRow
    from xharness.leaderboard.board import Board as Board
    from xharness.planning.plan import Plan as Plan
    from xharness.plugin.api import LANGUAGES as LANGUAGES
    from xharness.plugin.api import Adapter as Adapter
    from xharness.plugin.api import AnswerRepairs as AnswerRepairs
    from xharness.plugin.api import Backend as Backend
    from xharness.plugin.api import BitextExample as BitextExample
    from xharness.plugin.api import BitextMiningExample as BitextMiningExample
    from xharness.plugin.api import CandidateIndex as CandidateIndex
    from xharness.plugin.api import CapabilityQuery as CapabilityQuery
    from xharness.plugin.api import Changes as Changes
    from xharness.plugin.api import ChecklistExample as ChecklistExample
    from xharness.plugin.api import Checkpoint as Checkpoint
    from xharness.plugin.api import CheckpointPolicy as CheckpointPolicy
    from xharness.plugin.api import ClassificationExample as ClassificationExample
    from xharness.plugin.api import ConfigurationError as ConfigurationError
    from xharness.plugin.api import DataSlice as DataSlice
    from xharness.plugin.api import Download as Download
    from xharness.plugin.api import Encode as Encode
    from xharness.plugin.api import Example as Example
    from xharness.plugin.api import Executor as Executor
    from xharness.plugin.api import ExtractiveQAExample as ExtractiveQAExample
    from xharness.plugin.api import Floats as Floats
    from xharness.plugin.api import GoldAnswer as GoldAnswer
    from xharness.plugin.api import Heads as Heads
    from xharness.plugin.api import LanguageCode as LanguageCode
    from xharness.plugin.api import Metric as Metric
    from xharness.plugin.api import Mixture as Mixture
    from xharness.plugin.api import Model as Model
    from xharness.plugin.api import MultipleChoiceExample as MultipleChoiceExample
    from xharness.plugin.api import Name as Name
    from xharness.plugin.api import NoOptions as NoOptions
    from xharness.plugin.api import Objective as Objective
    from xharness.plugin.api import Observer as Observer
    from xharness.plugin.api import Pace as Pace
    from xharness.plugin.api import PassageExample as PassageExample
    from xharness.plugin.api import Prediction as Prediction
    from xharness.plugin.api import PredictionShape as PredictionShape
    from xharness.plugin.api import Progress as Progress
    from xharness.plugin.api import Reader as Reader
    from xharness.plugin.api import Recipe as Recipe
    from xharness.plugin.api import RetrievalExample as RetrievalExample
    from xharness.plugin.api import Route as Route
    from xharness.plugin.api import Row as Row
    from xharness.plugin.api import RunEnvironment as RunEnvironment
    from xharness.plugin.api import Sampling as Sampling
    from xharness.plugin.api import SearchRequest as SearchRequest
    from xharness.plugin.api import Sizes as Sizes
    from xharness.plugin.api import Source as Source
    from xharness.plugin.api import SourceRequest as SourceRequest
    from xharness.plugin.api import Split as Split
    from xharness.plugin.api import Stage as Stage
    from xharness.plugin.api import StageError as StageError
    from xharness.plugin.api import StageLabel as StageLabel
    from xharness.plugin.api import Start as Start
    from xharness.plugin.api import Strategy as Strategy
    from xharness.plugin.api import Strict as Strict
    from xharness.plugin.api import TaggingExample as TaggingExample
    from xharness.plugin.api import TaskCard as TaskCard
    from xharness.plugin.api import TaskType as TaskType
    from xharness.plugin.api import TextRole as TextRole
    from xharness.plugin.api import TrackedRun as TrackedRun
    from xharness.plugin.api import Tracker as Tracker
    from xharness.plugin.api import Train as Train
    from xharness.plugin.api import TrainingFeed as TrainingFeed
    from xharness.plugin.api import TrainingSession as TrainingSession
    from xharness.plugin.api import TrainingSet as TrainingSet
    from xharness.plugin.api import TranslateTest as TranslateTest
    from xharness.plugin.api import TranslateTexts as TranslateTexts
    from xharness.plugin.api import Translator as Translator
    from xharness.plugin.api import UnavailableError as UnavailableError
    from xharness.plugin.api import UnsupportedError as UnsupportedError
    from xharness.plugin.api import VectorBlocks as VectorBlocks
    from xharness.plugin.api import VerbalizedItem as VerbalizedItem
    from xharness.plugin.api import Verbalizer as Verbalizer
    from xharness.plugin.api import XharnessError as XharnessError
    from xharness.plugin.api import atomic_file as atomic_file
    from xharness.plugin.api import digest as digest
    from xharness.plugin.api import f1 as f1
    from xharness.plugin.api import file_digest as file_digest
    from xharness.plugin.api import make_durable as make_durable
    from xharness.plugin.api import nearest as nearest
    from xharness.plugin.api import parse_json as parse_json
    from xharness.plugin.api import parse_yaml as parse_yaml
    from xharness.plugin.api import path_inside as path_inside
    from xharness.plugin.api import ratio as ratio
    from xharness.plugin.api import read_json as read_json
    from xharness.plugin.api import suggestion as suggestion
    from xharness.plugin.api import verbalize as verbalize
    from xharness.plugin.api import verbalizer_of as verbalizer_of
    from xharness.plugin.api import writing as writing
    from xharness.plugin.catalogue import Catalogue as Catalogue
    from xharness.plugin.hookspecs import hookimpl as hookimpl
    from xharness.session import dataframes as dataframes
    from xharness.session.catalogue import open_catalogue as open_catalogue
    from xharness.session.context_spec import ContextSpec as ContextSpec
    from xharness.session.evaluation import evaluate as evaluate
    from xharness.session.session import Session as Session
    from xharness.session.session import open_study as open_study
    from xharness.session.session import read_board as read_board
    from xharness.session.session import run as run
    from xharness.spec.documents import Document as Document
    from xharness.spec.examination import validate as validate
    from xharness.spec.study import Runtime as Runtime
    from xharness.spec.study import Study as Study
    from xharness.store import Store as Store
else:
    _PLUGIN_MODULES = ("xharness.plugin.api", "xharness.plugin.hookspecs")
    """All that these list in `__all__`."""
    _MODULE_OF = {
        "Board": "xharness.leaderboard.board",
        "Catalogue": "xharness.plugin.catalogue",
        "ContextSpec": "xharness.session.context_spec",
        "DataReader": "xharness.data.reader",
        "Document": "xharness.spec.documents",
        "MissingRow": "xharness.gaps.scores",
        "NodeNeeds": "xharness.executor.node_check",
        "Plan": "xharness.planning.plan",
        "PoolEvent": "xharness.executor.pool",
        "RunContext": "xharness.executor.context",
        "RunReport": "xharness.executor.outcome",
        "Runtime": "xharness.spec.study",
        "ScoreRow": "xharness.gaps.scores",
        "Session": "xharness.session.session",
        "Stage": "xharness.stages",
        "StageEnded": "xharness.executor.pool",
        "StageLimits": "xharness.executor.readiness",
        "StageOutcome": "xharness.executor.outcome",
        "StageProgressed": "xharness.executor.pool",
        "StageTaken": "xharness.executor.pool",
        "Store": "xharness.store",
        "Study": "xharness.spec.study",
        "WorkerLost": "xharness.executor.pool",
        "WorkerPool": "xharness.executor.pool",
        "attempt": "xharness.executor.attempt",
        "carry_out_plan": "xharness.executor.readiness",
        "dataframes": "xharness.session.dataframes",
        "evaluate": "xharness.session.evaluation",
        "open_catalogue": "xharness.session.catalogue",
        "open_study": "xharness.session.session",
        "processor_name": "xharness.executor.provenance",
        "provenance": "xharness.executor.provenance",
        "read_board": "xharness.session.session",
        "reuse": "xharness.executor.attempt",
        "run": "xharness.session.session",
        "software_versions": "xharness.executor.provenance",
        "validate": "xharness.spec.examination",
    }

    def __getattr__(name):
        if name in _MODULE_OF:
            module = import_module(_MODULE_OF[name])
            return getattr(module, name, module)  # `dataframes` is a module itself
        # Private names are asked for by copy, pickle and doctest, and are worth no import.
        for module in () if name.startswith("_") else map(import_module, _PLUGIN_MODULES):
            if name in module.__all__:
                return getattr(module, name)
        raise AttributeError(f"module 'xharness' has no attribute '{name}'")

    def __dir__():
        plugin_names = chain.from_iterable(import_module(name).__all__ for name in _PLUGIN_MODULES)
        return sorted({*globals(), *_MODULE_OF, *plugin_names})
