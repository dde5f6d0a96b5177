"""Models of the hub: a name is turned into a commit, and a commit into a local folder."""

from __future__ import annotations

import re
from pathlib import Path

from xharness.extend import Surroundings, UnavailableError
from xharness_hf.folders import TOKENIZER_FILES
from xharness_hf.options import Options


def commit(options: Options, surroundings: Surroundings) -> str:
    """The commit that `hub` and `revision` mean; offline, the one last fetched here.

    Raises:
        UnavailableError: it can be found neither on the hub nor in the local cache.
    """
    revision = options.revision or "main"
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    assert options.hub is not None
    failure: Exception | None = None
    if not surroundings.offline:
        try:
            from huggingface_hub import HfApi

            found = HfApi().model_info(options.hub, revision=revision, timeout=20).sha
            if found:
                return str(found)
        except Exception as error:  # the hub's library raises its transport's errors too
            failure = error
    cached = _cached_commit(options.hub, revision)
    if cached is None:
        raise _unavailable(options.hub, revision, failure)
    return cached


def _cached_commit(name: str, revision: str) -> str | None:
    from huggingface_hub import constants

    repository = "models--" + name.replace("/", "--")
    ref = Path(constants.HF_HUB_CACHE) / repository / "refs" / revision
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None


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
    try:
        return Path(
            snapshot_download(
                options.hub,
                revision=revision,
                allow_patterns=wanted,
                local_files_only=surroundings.offline,
            )
        )
    except Exception as error:
        raise _unavailable(options.hub, revision, error) from None


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
