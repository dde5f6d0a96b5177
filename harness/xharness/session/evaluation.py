"""One line in place of a file: models and tasks by name, and the study that they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from xharness.digests import digest
from xharness.errors import ConfigurationError, nearest, suggestion
from xharness.files import make_folder, write_text, writing
from xharness.leaderboard import Board
from xharness.leaderboard.board import STUDY
from xharness.plugin.catalogue import Catalogue
from xharness.session.catalogue import open_catalogue
from xharness.session.options import PathName, RunOptions, words_in
from xharness.session.session import Session, open_session
from xharness.spec import documents
from xharness.spec.languages import select_languages
from xharness.spec.models import model_name
from xharness.spec.recipe import Recipe
from xharness.spec.study import MOST_SEEDS

_LONGEST_NAME = 60
_PRECISIONS = {"auto": "auto", "float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""What torch calls a `dtype`, and a recipe its `precision`."""


@dataclass(frozen=True)
class EvalRequest:
    """What one line asks."""

    models: tuple[str, ...]
    """Ids, folders, or backends such as `majority`."""
    tasks: tuple[str, ...]
    """Cards and groups by any of their names; `xnli_de` is XNLI in German."""
    languages: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    intermediate: tuple[str, ...] = ()
    """The cards that the strategy `intermediate` trains on first."""
    seeds: int = 1
    """How many."""
    limit: int | None = None
    """Items per language."""
    model_args: str = ""
    """`key=value,key=value`: what a study says of each model and of its recipe."""
    train_limit: int | None = None
    """Training examples per task; None: as many as `limit`."""
    split: str | None = None
    """Another split than the cards'."""

    def study(self, catalogue: Catalogue, folder: Path) -> dict[str, Any]:
        """The study that a file in `folder` would say.

        Raises:
            ConfigurationError: a name that nothing has, or a language of no task.
        """
        if not self.models or not self.tasks:
            missing = "--tasks" if self.models else "--model"
            raise ConfigurationError("names none", where=missing)
        models = [self._model(model, catalogue, folder) for model in self.models]
        targets = [*self._targets(catalogue)]
        names = [model_name(model) or "model" for model in models]
        title = "-".join([*names, *(target["task"] for target in targets)])
        return {
            "name": title[:_LONGEST_NAME].strip("-."),
            "models": models,
            "strategies": [*self._strategies(catalogue)],
            "targets": targets,
            # One too many is refused as all of them would be.
            "seeds": [*range(1, min(self.seeds, MOST_SEEDS + 1) + 1)],
            **_stated(train_limit=self.train_limit or self.limit),
        }

    def _model(self, model: str, catalogue: Catalogue, folder: Path) -> dict[str, Any]:
        arguments = _with_recipe(dict(_arguments(self.model_args)))
        # As lm-evaluation-harness writes it: the backend, and the model among its arguments.
        if model in catalogue.backends.offers:
            location = arguments.pop("pretrained", None)
            if location is None:
                return {"name": model, "backend": model, **arguments}
            arguments, model = {"backend": model, **arguments}, str(location)
        if Path(model).expanduser().is_dir():
            path = os.path.relpath(Path(model).expanduser(), folder)
            return {"name": model_name(model), "path": Path(path).as_posix(), **arguments}
        # An id of the hub has its organisation, but for a few old ones, which resemble no backend.
        if "/" not in model and (backend := nearest(model, catalogue.backends.offers)):
            raise ConfigurationError(
                f"there is no backend and no folder '{model}'",
                where="--model",
                hint=f"did you mean '{backend}'?",
            )
        return {"name": model_name(model), "model": model, **arguments}

    def _strategies(self, catalogue: Catalogue) -> Iterator[str | dict[str, Any]]:
        names = self.strategies or (self._default_strategy,)
        tasks = [catalogue.card(task).name for task in self.intermediate]
        if tasks and "intermediate" not in names:
            raise ConfigurationError(
                "is for the strategy 'intermediate'", where="--intermediate", hint="add it to "
                f"--strategy: {','.join((*names, 'intermediate'))}",
            )  # fmt: skip
        for name in names:
            catalogue.strategies.provider(name)
            yield {name: {"tasks": tasks}} if name == "intermediate" and tasks else name

    @property
    def _default_strategy(self) -> str:
        if self.intermediate:
            return "intermediate"
        # A model whose answers are only ranked is never trained, and has no other strategy.
        is_ranked = dict(_arguments(self.model_args)).get("mode") == "loglikelihood"
        return "prompt" if is_ranked else "single"

    def _targets(self, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
        for task, codes in _languages_of(self.tasks, catalogue).items():
            target: dict[str, Any] = {"task": task}
            if languages := self._languages(task, codes, catalogue):
                target["languages"] = languages
            yield target | _stated(split=self.split, limit=self.limit)

    def _languages(self, task: str, codes: Sequence[str], catalogue: Catalogue) -> list[str]:
        """What is asked and there is, and the language that the gap is measured from."""
        words = codes or self.languages
        cards = [catalogue.card(member.task) for member in catalogue.members(task)]
        task_codes = {code for card in cards for code in card.languages}
        matches = [word for word in words if select_languages([word], task_codes)]
        if words and not matches:
            hint = suggestion(words[0], task_codes)
            raise ConfigurationError(
                f"task '{task}' has no language '{words[0]}'", where="--languages", hint=hint
            )
        sources = dict.fromkeys(card.source_language for card in cards)
        needed = [code for code in sources if code is not None and code in task_codes]
        return [*dict.fromkeys((*needed, *matches))] if matches else []


def _stated(**values: Any) -> dict[str, Any]:
    """What a study is to say: the values that there are."""
    return {name: value for name, value in values.items() if value is not None}


def _languages_of(tasks: Iterable[str], catalogue: Catalogue) -> dict[str, list[str]]:
    """Card or group to the languages that its names say; none for all."""
    languages: dict[str, list[str]] = {}
    for word in tasks:
        (member, *_) = catalogue.members(word)
        name = catalogue.task_name(word)
        codes = languages.setdefault(name or member.task, [])
        codes += () if name else (member.languages or ())
    return languages


def _arguments(text: str) -> Iterator[tuple[str, Any]]:
    """`mode=generate,num_layers=6` as keys and values of a study."""
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigurationError(
                f"'{part}' is no key=value", where="--model-args", expected="key=value,key=value"
            )
        # As a study's file would be read: 6 is a number, true a truth value.
        yield key.strip(), yaml.safe_load(value)


def _with_recipe(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a model, those that are a recipe's as one."""
    arguments = dict(arguments)
    if (dtype := arguments.pop("dtype", None)) is not None:
        if dtype not in _PRECISIONS:
            raise ConfigurationError(
                f"there is no dtype '{dtype}'",
                where="--model-args",
                expected=", ".join(_PRECISIONS),
                hint=suggestion(str(dtype), _PRECISIONS),
            )
        arguments["precision"] = _PRECISIONS[dtype]
    names = [name for name in arguments if name in Recipe.model_fields]
    recipe = {name: arguments.pop(name) for name in names}
    return arguments | ({"recipe": recipe} if recipe else {})


def open_evaluation(request: EvalRequest, options: RunOptions, save: Path | None = None) -> Session:
    """The session of the study that `request` stands for, which is written to `save`.

    Raises:
        ConfigurationError: as `EvalRequest.study`, or another study stands in `save`.
    """
    catalogue = open_catalogue(options.plugins, options.cards)
    # In the study, not over it: what is printed and saved is all of the question.
    request, options = replace(request, split=options.split), replace(options, split=None)
    if save is None:
        study = request.study(catalogue, Path())
        # Another question may have the same name, and its results must not be written over.
        if _differs(Path("runs", study["name"], STUDY), _text(study)):
            study["name"] += f"-{digest(study)[:6]}"
        return open_session(options, documents.parse(_text(study), "xharness eval"))
    text = documents.dump(request.study(catalogue, save.parent))
    if _differs(save, text):
        raise ConfigurationError(
            "another study is there already", where=str(save), hint="name another file"
        )
    with writing(save):
        make_folder(save.parent)
        write_text(save, text)
    return open_session(replace(options, study=save))


def _text(study: dict[str, Any]) -> str:
    remark = "# from `xharness eval`; relative paths count from the folder it was typed in\n"
    return remark + documents.dump(study)


def _differs(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8", errors="replace") != text


def evaluate(
    model: str | Iterable[str],
    tasks: str | Iterable[str],
    *,
    languages: str | Iterable[str] = (),
    strategy: str | Iterable[str] = (),
    intermediate: str | Iterable[str] = (),
    seeds: int = 1,
    limit: int | None = None,
    train_limit: int | None = None,
    model_args: str = "",
    save: PathName | None = None,
    **options: Any,
) -> Board:
    """Train and score `model` on `tasks`, and return the board; `options` are those of `run`.

    Raises:
        XharnessError: as `open_study` and `Session.run`.
    """
    request = EvalRequest(
        words_in(model), words_in(tasks), words_in(languages), words_in(strategy),
        words_in(intermediate), seeds, limit, model_args, train_limit,
    )  # fmt: skip
    file = Path(save) if save is not None else None
    return open_evaluation(request, RunOptions.of(**options), file).run()
