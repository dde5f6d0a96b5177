"""What a run made, on the Hugging Face hub: a trained model with its card, or a board as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xharness.errors import ConfigurationError, StageError, UnavailableError, without_secrets
from xharness.gaps import scores
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard import FILES
from xharness.leaderboard.board import EVIDENCE, SCORES, STUDY
from xharness.session.outputs import MODEL_CARD
from xharness.spec import study
from xharness.store import MODEL, Store

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_ARM = ("model", "strategy", "task", "seed")


@dataclass(frozen=True)
class Upload:
    """What would go to the hub: a repository, and files by their names in it."""

    repository: str
    repo_type: Literal["model", "dataset"]
    files: Mapping[str, Path]
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files that are made for the hub alone."""

    @property
    def url(self) -> str:
        """Where it will be."""
        prefix = "datasets/" if self.repo_type == "dataset" else ""
        return f"https://huggingface.co/{prefix}{self.repository}"

    def sizes(self) -> dict[str, int]:
        """File name to bytes."""
        sizes = {name: path.stat().st_size for name, path in self.files.items()}
        return sizes | {name: len(text.encode()) for name, text in self.texts.items()}


def board_upload(folder: Path, repository: str) -> Upload:
    """The board in `folder` as a data set: its question, rows, evidence and pages.

    Raises:
        ConfigurationError: there is no board, or `repository` is no name.
    """
    _check_repository(repository)
    if not (folder / SCORES).is_file() or not (folder / STUDY).is_file():
        raise ConfigurationError(
            "there is no board here", where=str(folder), expected=f"{STUDY} and {SCORES}"
        )
    paths = [folder / name for name in (STUDY, SCORES, EVIDENCE)]
    paths += [path for pattern in FILES for path in sorted(folder.glob(pattern))]
    files = {path.relative_to(folder).as_posix(): path for path in paths if path.is_file()}
    return Upload(repository, "dataset", files, {MODEL_CARD: _dataset_card(folder)})


def model_upload(store: Store, key: str, repository: str) -> Upload:
    """The model that the training `key` left, with the card of its scores.

    Raises:
        ConfigurationError: another sort of stage, or `repository` is no name.
        StageError: the weights were let go of, or damaged.
    """
    _check_repository(repository)
    facts = store.receipt(key).facts
    if facts["stage"] != "train":
        raise ConfigurationError(
            f"a stage that does '{facts['stage']}' leaves no model",
            where=key[:12],
            hint="name a training, or a run with --model",
        )
    folder = store.folder(key) / MODEL
    if not folder.is_dir():
        raise StageError(
            "the weights were let go of when the run needed them no more",
            where=key[:12],
            hint="run with 'runtime: {keep: all}' and another --store: what is stored is not "
            "trained again",
        )
    # Opened, not just looked up: files that differ from their digests must not be published.
    paths = sorted(path for path in store.open(key).joinpath(MODEL).rglob("*") if path.is_file())
    return Upload(
        repository, "model", {path.relative_to(folder).as_posix(): path for path in paths}
    )


def trained_stage(folder: Path, store: Store, arm: Mapping[str, str | int | None]) -> str:
    """The training behind the scores of the board in `folder` that `arm` chooses.

    Raises:
        ConfigurationError: no score, or those of several trainings, are like that.
    """
    chosen_values = {name: value for name, value in arm.items() if value is not None}
    rows = [
        row
        for row in scores.read(folder / SCORES)
        if isinstance(row, ScoreRow)
        and row.stage is not None
        and all(str(getattr(row, name)) == str(value) for name, value in chosen_values.items())
    ]
    last_trainings: dict[str, ScoreRow] = {}
    for row in rows:
        trainings = store.receipt(str(row.stage)).facts["trainings"]
        # The last one left the model that was scored; those before it, such as an intermediate
        # task's, are where it started.
        if trainings:
            last_trainings[trainings[-1]["stage"]] = row
    if len(last_trainings) == 1:
        return next(iter(last_trainings))
    if not last_trainings:
        words = ", ".join(f"{name} {value}" for name, value in chosen_values.items())
        raise ConfigurationError(f"no trained model has scores of {words}", where=str(folder))
    choices = [
        ", ".join(f"{name} {getattr(row, name)}" for name in _ARM)
        for row in last_trainings.values()
    ]
    raise ConfigurationError(
        f"{len(choices)} trained models are like that",
        where=str(folder),
        hint="choose with --model, --strategy, --task, --seed: " + "; ".join(choices[:6]),
    )


def send(upload: Upload, *, private: bool) -> str:
    """Make the repository where it is not there yet, and commit the files; the commit's address.

    Raises:
        UnavailableError: there are no credentials, or the hub refuses; no token is told.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    # Asked first: without a token the library would try, and fail with its address alone.
    if get_token() is None:
        raise UnavailableError(
            "the hub wants to know who uploads",
            where=upload.url,
            hint="set HF_TOKEN to a token that may write, or log in with: hf auth login",
        )
    operations = [CommitOperationAdd(name, str(path)) for name, path in upload.files.items()] + [
        CommitOperationAdd(name, text.encode()) for name, text in upload.texts.items()
    ]
    api = HfApi()
    try:
        api.create_repo(
            upload.repository, repo_type=upload.repo_type, private=private, exist_ok=True
        )
        commit = api.create_commit(
            upload.repository,
            operations,
            commit_message="Results of xharness",
            repo_type=upload.repo_type,
        )
    except Exception as error:  # what the HTTP library of the day raises is not fixed
        reason = without_secrets(str(error).splitlines()[0] if str(error) else "")
        raise UnavailableError(
            f"the hub refused ({type(error).__name__}): {reason}",
            where=upload.url,
            # The original's text, which a traceback would show, may hold the token.
        ) from None
    return str(commit.commit_url)


def _check_repository(repository: str) -> None:
    if not _REPOSITORY.fullmatch(repository):
        raise ConfigurationError(
            f"'{repository}' is no repository", where="--to", expected="USER/NAME"
        )


def _dataset_card(folder: Path) -> str:
    """What the hub shows of a board: the first page, and the rows as a table."""
    question = study.load(folder / STUDY)[0]
    head = {
        "pretty_name": question.title or question.name,
        "tags": ["xharness", "cross-lingual-transfer", "leaderboard"],
        "configs": [{"config_name": "scores", "data_files": SCORES}],
    }
    front = "\n".join(f"{key}: {json.dumps(value)}" for key, value in head.items())
    page = folder / "leaderboard.md"
    body = page.read_text(encoding="utf-8") if page.is_file() else ""
    return f"---\n{front}\n---\n{body}"
