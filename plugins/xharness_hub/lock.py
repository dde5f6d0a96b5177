"""`xharness.lock`: which commit a data set was taken from, and what every download contained.

The first download writes an entry; every later one is held to it, so that a study asks the same
question next year.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from xharness import ConfigurationError, RunEnvironment, UnavailableError, digest, read_json
from xharness_hub.atomic import atomic_binary_file


class Lock:
    """The lock file beside the study: committed with it, it binds every machine that runs it."""

    def __init__(self, environment: RunEnvironment) -> None:
        self.path = environment.base / "xharness.lock"
        # The guard lies in the cache: beside the study it would be committed by mistake.
        self._guard = environment.cache / f"{digest(str(self.path.absolute()))}.guard"

    def commit(self, dataset: str) -> str | None:
        """The commit that `dataset`, such as 'org/name@main', is held to."""
        commit = self._read()["datasets"].get(dataset, {}).get("commit")
        return None if commit is None else str(commit)

    def hold_commit(self, dataset: str, commit: str) -> str:
        """Hold `dataset` to `commit` unless it is held already; returns what it is held to."""
        with self._entries_to_change() as entries:
            entry = entries["datasets"].setdefault(dataset, {"commit": commit, "files": {}})
            return str(entry["commit"])

    def hold_files(self, dataset: str, commit: str, files: Mapping[str, str]) -> None:
        """Hold the files of `dataset`, name to SHA-256, to what they contained at first.

        Raises:
            UnavailableError: a file has changed; names it, and how to accept the change.
        """
        with self._entries_to_change() as entries:
            entry = entries["datasets"].setdefault(dataset, {"commit": commit, "files": {}})
            self._hold_digests(entry["files"], files, f"datasets: {dataset}")

    def hold_url(self, url: str, sha256: str) -> None:
        """Hold the download from `url` to what it contained at first.

        Raises:
            UnavailableError: it has changed.
        """
        with self._entries_to_change() as entries:
            self._hold_digests(entries["urls"], {url: sha256}, f"urls: {url}")

    def _hold_digests(self, digests: dict[str, str], files: Mapping[str, str], entry: str) -> None:
        changed_files = [
            name for name, sha256 in files.items() if digests.get(name, sha256) != sha256
        ]
        if changed_files:
            # One name and a count: a data set may have hundreds of files.
            name = changed_files[0]
            count = f" (and {len(changed_files) - 1} more)" if len(changed_files) > 1 else ""
            raise UnavailableError(
                f"'{name}'{count} has changed since it was first downloaded: "
                f"sha256 {digests[name][:12]}… then, {files[name][:12]}… now",
                where=str(self.path),
                hint=f"to accept the new data, delete the entry '{entry}' from the lock file",
            )
        digests.update(files)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            entries = read_json(self.path)
        # Before the first download there is none.
        except FileNotFoundError:
            entries = {}
        except ValueError as error:
            raise ConfigurationError(
                f"not a lock file: {error}",
                where=str(self.path),
                hint="restore it, or delete it to take the data as it is today",
            ) from None
        return {"datasets": entries.get("datasets", {}), "urls": entries.get("urls", {})}

    @contextmanager
    def _entries_to_change(self) -> Iterator[dict[str, dict[str, Any]]]:
        from filelock import FileLock

        for folder in (self.path.parent, self._guard.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._guard):
            entries = self._read()
            # Compared at the end: a run that adds nothing must not need to write beside the study.
            old_text = json.dumps(entries, sort_keys=True)
            yield entries
            if json.dumps(entries, sort_keys=True) != old_text:
                with atomic_binary_file(self.path) as file:
                    new_text = json.dumps(entries, indent=2, sort_keys=True, ensure_ascii=False)
                    file.write(f"{new_text}\n".encode())
