"""Models of the hub: a name is turned into a commit, and a commit into a local folder."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from xharness.extend import Surroundings, UnavailableError
from xharness_hf.folders import TOKENIZER_FILES
from xharness_hf.options import Options
from xharness_hf.published.declared import MODULES, PROMPTS, SETTINGS

_COMMIT = re.compile(r"[0-9a-f]{40}")


def commit(options: Options, surroundings: Surroundings) -> str:
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
    return _resolved(options.hub, revision, surroundings.offline)


@cache
def _resolved(name: str, revision: str, offline: bool) -> str:
    failure: Exception | None = None
    if not offline:
        try:
            from huggingface_hub import HfApi

            found = HfApi().model_info(name, revision=revision, timeout=20).sha
            if found:
                return str(found)
        except Exception as error:  # the hub's library raises its transport's errors too
            failure = error
    cached = _cached_commit(name, revision)
    if cached is None:
        raise _unavailable(name, revision, failure)
    return cached


def fetched(options: Options) -> Path | None:
    """The folder of the local cache that holds the model's files; None where there is none yet."""
    assert options.hub is not None
    revision = options.revision or "main"
    commit = revision if _COMMIT.fullmatch(revision) else _cached_commit(options.hub, revision)
    folder = _cache(options.hub) / "snapshots" / (commit or revision)
    return folder if folder.is_dir() else None


def _cached_commit(name: str, revision: str) -> str | None:
    ref = _cache(name) / "refs" / revision
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None


def _cache(name: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / ("models--" + name.replace("/", "--"))


def snapshot(options: Options, surroundings: Surroundings) -> Path:
    """A local folder with the files of the model; fetched when it is not there yet.

    Raises:
        UnavailableError: offline and not fetched before, gated, or no such model.
    """
    from huggingface_hub import snapshot_download

    assert options.hub is not None
    revision = commit(options, surroundings)
    wanted = ["config.json", *TOKENIZER_FILES, "*.safetensors", "*.safetensors.index.json"]
    wanted += ["source.spm", "target.spm", "generation_config.json"]  # of translation models
    if options.weights == "any":
        wanted += ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
    if options.vectors == "published":
        wanted += [MODULES, SETTINGS, PROMPTS, "*/config.json"]
        wanted += ["*/pytorch_model.bin"] if options.weights == "any" else []
    try:
        folder = snapshot_download(
            options.hub,
            revision=revision,
            allow_patterns=wanted,
            local_files_only=surroundings.offline,
        )
    except Exception as error:
        raise _unavailable(options.hub, revision, error) from None
    _note(options.hub, options.revision or "main", revision)
    return Path(folder)


def _note(name: str, revision: str, commit: str) -> None:
    """Remember for later runs offline; the hub's library does so only where it asked itself."""
    ref = _cache(name) / "refs" / revision
    if _COMMIT.fullmatch(revision) or _cached_commit(name, revision) == commit:
        return
    with suppress(OSError):
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit, encoding="utf-8")


def _unavailable(name: str, revision: str, failure: Exception | None) -> UnavailableError:
    kind = type(failure).__name__
    if kind == "GatedRepoError":
        hint = "accept its terms on its page, then log in with: hf auth login"
    elif kind in ("RepositoryNotFoundError", "RevisionNotFoundError"):
        hint = "check the spelling of 'hub' and 'revision'; private models need: hf auth login"
    else:
        hint = f"fetch it where there is a network: hf download {name} --revision {revision}"
    reason = f" ({kind})" if failure else " (offline)"
    return UnavailableError(f"not in the local cache and not to be fetched{reason}",
                            where=f"hub model '{name}' at {revision}", hint=hint)  # fmt: skip
