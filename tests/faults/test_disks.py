"""What the disk refuses is named, and the same command goes on when it no longer does."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.project import fresh
from tests.faults.disks import ERRORS, fail_at, run_as_nobody


@pytest.mark.parametrize("number", [0, 9, 31])
@pytest.mark.parametrize("name", ERRORS)
def test_a_disk_that_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    project = fresh(tmp_path)
    with monkeypatch.context() as patch:
        fail_at(patch, tmp_path, number, ERRORS[name])
        result = project.run("--offline")
    assert result.exit_code in (1, 2), result.stderr
    assert os.strerror(ERRORS[name]) in result.stderr
    assert "Traceback" not in result.stderr
    assert "run with --debug" not in result.stderr
    again = project.run("--offline")
    assert again.exit_code == 0, again.stderr
    assert project.scores


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("cards/mood.yaml", ("plan", "study.yaml", "--cards", "cards")),
        ("scores.jsonl", ("leaderboard", "build", ".")),
        ("evidence.parquet", ("leaderboard", "build", ".")),
        ("leaderboard.md", ("leaderboard", "check", ".")),
    ],
)
def test_a_file_that_may_not_be_read_is_named(path: str, words: tuple[str, ...]) -> None:
    with TemporaryDirectory() as name:  # pytest's own are closed to all other users
        folder = Path(name)
        folder.chmod(0o755)
        _check_unreadable(folder, path, words)


def _check_unreadable(folder: Path, path: str, words: tuple[str, ...]) -> None:
    project = fresh(folder)
    assert project.run("--offline").exit_code == 0
    (folder / path).chmod(0)
    code, err = run_as_nobody(project, *words)
    assert code in (1, 2, 3), err
    assert Path(path).name in err
    assert "Permission denied" in err
    assert "run with --debug" not in err


def test_data_that_may_not_be_read_is_missing_data(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    project = fresh(tmp_path_factory.mktemp("unreadable"))

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hashlib.file_digest", lambda file, _: refuse(file.name))
        result = project.run("--offline")
    assert result.exit_code == 3
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError()]
)
def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    result = fresh(tmp_path).run("--offline")
    assert result.exit_code == 1
    assert "cannot be locked" in result.stderr
    assert "--store" in result.stderr


def test_a_store_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    assert project.run("--offline", "--store", "exp:1").exit_code == 0
    assert project.run("--offline", "--store", "file:x").exit_code == 0
