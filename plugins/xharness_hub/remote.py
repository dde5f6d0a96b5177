"""The Hugging Face hub, as far as a source needs it: a commit, and files of a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from xharness import UnavailableError, make_durable


class Remote(Protocol):
    """Somewhere data sets are published in commits."""

    def commit(self, dataset: str, revision: str | None) -> str:
        """The commit that `revision` (default: the main branch) stands for today.

        Raises:
            UnavailableError: no such data set or revision, gated, or no answer.
        """
        ...

    def sizes(self, dataset: str, commit: str) -> Mapping[str, int | None]:
        """The files of a commit and their bytes.

        Raises:
            UnavailableError: as `commit`.
        """
        ...

    def download(
        self, dataset: str, commit: str, patterns: Sequence[str] | None, offline: bool
    ) -> Path:
        """The folder of a commit, holding the files that match `patterns` (None: all files).

        Raises:
            UnavailableError: as `commit`; or offline, and never downloaded before.
        """
        ...


class HuggingFace:
    """huggingface.co, or what HF_ENDPOINT names, through its own library and cache."""

    def commit(self, dataset: str, revision: str | None) -> str:
        from huggingface_hub import HfApi

        try:
            return str(HfApi().dataset_info(dataset, revision=revision, timeout=30).sha)
        except Exception as error:  # what the HTTP library of the day raises is not fixed
            raise _unavailable(error, dataset, revision) from error

    def sizes(self, dataset: str, commit: str) -> Mapping[str, int | None]:
        from huggingface_hub import HfApi

        try:
            info = HfApi().dataset_info(dataset, revision=commit, files_metadata=True, timeout=30)
        except Exception as error:
            raise _unavailable(error, dataset, commit) from error
        return {entry.rfilename: entry.size for entry in info.siblings or ()}

    def download(
        self, dataset: str, commit: str, patterns: Sequence[str] | None, offline: bool
    ) -> Path:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars

        # The harness draws its own; two of them would overwrite each other.
        disable_progress_bars()
        try:
            folder = snapshot_download(
                dataset,
                repo_type="dataset",
                revision=commit,
                allow_patterns=None if patterns is None else list(patterns),
                local_files_only=offline,
            )
        except Exception as error:
            raise _unavailable(error, dataset, commit) from error
        if not offline:  # before the lock file, and scores, speak of what was downloaded
            make_durable(Path(folder))
        return Path(folder)


def _unavailable(error: Exception, dataset: str, revision: str | None) -> UnavailableError:
    from huggingface_hub import errors

    revision_text = f", revision '{revision}'" if revision else ""
    hint = None
    if isinstance(error, errors.GatedRepoError):
        problem = "is gated"
        hint = f"accept its terms at https://huggingface.co/datasets/{dataset}, then: hf auth login"
    elif isinstance(error, errors.RevisionNotFoundError):
        problem = "has no such revision"
    elif isinstance(error, errors.RepositoryNotFoundError):
        problem, hint = "does not exist, or is private", "for a private one: hf auth login"
    elif isinstance(error, errors.LocalEntryNotFoundError):
        problem = "was never downloaded, or the hub cannot be reached"
    else:
        problem = (
            f"cannot be had from the hub: {str(error).splitlines()[0] if str(error) else error!r}"
        )
    return UnavailableError(f"data set '{dataset}'{revision_text} {problem}", hint=hint)
