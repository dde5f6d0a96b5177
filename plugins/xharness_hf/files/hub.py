"""Models of the hub: a name is turned into a commit, and a commit into a local folder or file."""

from __future__ import annotations

import re
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from xharness import Download, RunEnvironment, UnavailableError, make_durable
from xharness_hf.files.folders import MODULES, PROMPTS, SETTINGS, TOKENIZER_FILES, Weights

_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubModel(Protocol):
    """What the hub has to know of a model's options."""

    @property
    def hub(self) -> str | None: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def weights(self) -> Weights: ...

    @property
    def embeddings(self) -> Literal["recipe", "sentence-transformers"]: ...


def commit(options: HubModel, environment: RunEnvironment) -> str:
    """The commit that `hub` and `revision` mean; offline, the one last fetched here.

    A process that has asked once keeps to the answer: what a plan was made for is what is loaded,
    even where the branch moves meanwhile.

    Raises:
        UnavailableError: it can be found neither on the hub nor in the local cache.
    """
    revision = options.revision or "main"
    if _COMMIT.fullmatch(revision):
        return revision
    assert options.hub is not None
    return _resolve(options.hub, revision, environment.offline)


@cache
def _resolve(name: str, revision: str, offline: bool) -> str:
    answer = None if offline else _ask_hub(name, revision)
    if isinstance(answer, str):
        return answer
    cached = _cached_commit(name, revision)
    if cached is None:
        raise _unavailable(name, revision, answer)
    return cached


@cache
def _ask_hub(name: str, revision: str) -> str | Exception | None:
    """The commit as the hub tells it, or its failure: it is asked once in a process."""
    from huggingface_hub import HfApi

    try:
        # a network that swallows packets must not hold up planning
        return HfApi().model_info(name, revision=revision, timeout=20).sha
    except Exception as error:  # the hub's library raises its transport's errors too
        return error


def file(options: HubModel, name: str, environment: RunEnvironment) -> Path | None:
    """The model's file `name` at its commit, fetched alone where it is not in the local cache.

    None where the model has no such file, and offline where it was not fetched before.

    Raises:
        UnavailableError: it cannot be fetched: gated, no such model, or no network.
    """
    assert options.hub is not None
    if environment.offline:
        folder = _cached_folder(options.hub, options.revision or "main")
        return _existing(folder / name) if folder is not None else None
    download = _file(options.hub, commit(options, environment), name)
    if isinstance(download, UnavailableError):
        raise download
    return download


@cache
def _file(model: str, commit: str, name: str) -> Path | UnavailableError | None:
    """The file, or why it cannot be had: that is asked once in a process, too."""
    folder = _cache(model) / "snapshots" / commit
    cached = _existing(folder / name)
    complete = any(folder.glob("*.safetensors")) or any(folder.glob("*.bin"))
    if cached is not None or complete:  # what was fetched with the weights is all there is
        return cached
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        return Path(hf_hub_download(model, name, revision=commit))
    except Exception as error:
        # by name: the library has moved these classes between its modules
        is_missing = type(error).__name__ in ("EntryNotFoundError", "RemoteEntryNotFoundError")
        return None if is_missing else _unavailable(model, commit, error)


def _existing(file: Path) -> Path | None:
    return file if file.is_file() else None


def _cached_folder(name: str, revision: str) -> Path | None:
    """The folder of the local cache with files of the model; of no noted commit, the latest."""
    snapshots = _cache(name) / "snapshots"
    commit = revision if _COMMIT.fullmatch(revision) else _cached_commit(name, revision)
    if commit is None and revision == "main":  # single files were fetched, which notes nothing
        folders = [folder for folder in snapshots.glob("*") if folder.is_dir()]
        return max(folders, key=lambda folder: folder.stat().st_mtime, default=None)
    folder = snapshots / (commit or revision)
    return folder if folder.is_dir() else None


def _cached_commit(name: str, revision: str) -> str | None:
    ref = _cache(name) / "refs" / revision
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None


def _cache(name: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / ("models--" + name.replace("/", "--"))


def snapshot(options: HubModel, environment: RunEnvironment) -> Path:
    """A local folder with the files of the model; fetched when it is not there yet.

    Raises:
        UnavailableError: offline and not fetched before, gated, or no such model.
    """
    from huggingface_hub import snapshot_download

    assert options.hub is not None
    revision = commit(options, environment)
    try:
        folder = snapshot_download(
            options.hub,
            revision=revision,
            allow_patterns=_patterns(options),
            local_files_only=environment.offline,
        )
    except Exception as error:
        raise _unavailable(options.hub, revision, error) from None
    if not environment.offline:  # before scores speak of what was downloaded
        make_durable(Path(folder))
    _record_commit(options.hub, options.revision or "main", revision)
    return Path(folder)


def downloads(options: HubModel, environment: RunEnvironment) -> list[Download]:
    """The files of the model that are not in the local cache, with their sizes.

    Raises:
        UnavailableError: gated, no such model, or no network.
    """
    from huggingface_hub import HfApi

    assert options.hub is not None
    revision = commit(options, environment)
    folder = _cache(options.hub) / "snapshots" / revision
    if environment.offline:
        return [] if folder.is_dir() else [Download(options.hub, "*", None)]
    try:
        info = HfApi().model_info(options.hub, revision=revision, files_metadata=True, timeout=20)
    except Exception as error:
        raise _unavailable(options.hub, revision, error) from None
    return [
        Download(options.hub, entry.rfilename, entry.size)
        for entry in info.siblings or ()
        if any(fnmatchcase(entry.rfilename, pattern) for pattern in _patterns(options))
        and not (folder / entry.rfilename).is_file()
    ]


def _patterns(options: HubModel) -> list[str]:
    """Of the files that are read."""
    patterns = ["config.json", *TOKENIZER_FILES, "*.safetensors", "*.safetensors.index.json"]
    patterns += ["source.spm", "target.spm", "generation_config.json"]  # of translation models
    if options.weights == "any":
        patterns += ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
    if options.embeddings == "sentence-transformers":
        patterns += [MODULES, SETTINGS, PROMPTS, "*/config.json"]
        patterns += ["*/pytorch_model.bin"] if options.weights == "any" else []
    return patterns


def _record_commit(name: str, revision: str, commit: str) -> None:
    """Remember for later runs offline; the hub's library does so only where it asked itself."""
    ref = _cache(name) / "refs" / revision
    if _COMMIT.fullmatch(revision) or _cached_commit(name, revision) == commit:
        return
    with suppress(OSError):
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit, encoding="utf-8")


def _unavailable(name: str, revision: str, failure: Exception | None) -> UnavailableError:
    error_name = type(failure).__name__
    if error_name == "GatedRepoError":
        hint = "accept its terms on its page, then log in with: hf auth login"
    elif error_name in ("RepositoryNotFoundError", "RevisionNotFoundError"):
        hint = "check the spelling of 'hub' and 'revision'; private models need: hf auth login"
    else:
        hint = (
            f"fetch it where there is a network: hf download {name} --revision {revision}; "
            "or name a folder with its files: path: FOLDER in a study, --model FOLDER of eval"
        )
    reason = f" ({error_name})" if failure else " (offline)"
    return UnavailableError(f"not in the local cache and not to be fetched{reason}",
                            where=f"hub model '{name}' at {revision}", hint=hint)  # fmt: skip
