"""Which files of a hub data set's clone hold a split, told from its README alone.

The README's front matter declares configs and their files (`configs:` … `data_files:`); reading it
here keeps planning free of heavy libraries, and reading of splits nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from xharness import ConfigurationError, UnavailableError, parse_yaml, suggestion

_FRONT_MATTER = re.compile(
    r"\A\s*---(?:\r\n|\r|\n)(.*?)(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|\Z)", re.DOTALL
)
"""As the hub's libraries find it: what they read of a README must have passed the limits here."""
_OTHER_DECLARATIONS = ".huggingface.yaml"

Splits = Mapping[str, tuple[str, ...]]
"""The patterns of each split's files, relative to the clone."""


@dataclass(frozen=True)
class Clone:
    """A folder that holds the data set `id`, as the hub holds it."""

    id: str
    folder: Path

    def patterns(self, config: str | None, split: str) -> tuple[str, ...] | None:
        """Which files hold `split` of `config`; None where the clone does not declare it.

        Raises:
            UnavailableError: no such config or split (names the existing ones), or a script that
                would have to be run.
        """
        declared = self._declared_configs()
        if declared is None:
            # What a script would have made cannot be told from its files.
            self._refuse_script()
            return None
        config = self._config_name(config, declared)
        splits = declared[config]
        if splits is not None and split not in splits:
            raise UnavailableError(
                f"data set '{self.id}', config '{config}' has no split '{split}'; "
                f"it has: {', '.join(splits)}",
                where=str(self.folder),
                hint=f"{suggestion(split, splits)}; a study says it by 'split: {_usual(splits)}', "
                f"a command by --split {_usual(splits)}",
            )
        return None if splits is None else splits[split]

    def files(self, config: str | None, split: str) -> list[Path]:
        """The files that hold `split` of `config`: all of the config's where none are declared.

        Raises:
            UnavailableError: as `patterns`, or a declared file is not here.
        """
        patterns = self.patterns(config, split)
        if patterns is None:
            # Without declarations a config can only be a folder.
            part = self.folder / (config or "")
            return self._visible(part if part.is_dir() else self.folder)
        matched_paths: dict[Path, None] = {}
        for pattern in patterns:
            # Sorted, so that shards come in the order of their numbers on every file system.
            matches = sorted(path for path in self.folder.glob(pattern) if path.is_file())
            if not matches:
                raise UnavailableError(
                    f"data set '{self.id}' lacks the file '{pattern}' of split '{split}'",
                    where=str(self.folder),
                    hint=f"complete the clone: {how_to_clone(self.id, self.folder)}",
                )
            matched_paths.update(dict.fromkeys(matches))
        return list(matched_paths)

    def config_names(self) -> tuple[str, ...]:
        """The configs that are declared; where none are, the folders, each of which can be one."""
        declared = self._declared_configs()
        if declared is not None:
            return tuple(declared)
        folders = (path.name for path in self.folder.iterdir() if path.is_dir())
        return tuple(sorted(name for name in folders if name[0] != "."))

    def relative(self, path: Path) -> str:
        """How the data set itself calls one of its files."""
        return path.relative_to(self.folder).as_posix()

    def _declared_configs(self) -> Mapping[str, Splits | None] | None:
        readme = self.folder / "README.md"
        if (self.folder / _OTHER_DECLARATIONS).exists():
            raise UnavailableError(
                f"data set '{self.id}' declares files in {_OTHER_DECLARATIONS}, which is not read",
                where=str(self.folder),
                hint="write its configs into the README's front matter, and remove it",
            )
        if not readme.is_file():
            return None
        return _configs(readme, readme.stat().st_mtime_ns, self.id)

    def _config_name(self, config: str | None, declared: Mapping[str, Splits | None]) -> str:
        if config is None and len(declared) == 1:
            return next(iter(declared))
        config_name = config or "default"
        if config_name not in declared:
            raise UnavailableError(
                f"data set '{self.id}' has no config '{config_name}'",
                where=str(self.folder),
                hint=f"{suggestion(config_name, declared)}; name one as `config`"
                if config is None
                else suggestion(config_name, declared),
            )
        return config_name

    def _refuse_script(self) -> None:
        # The hub runs a file of the repository's own name as the maker of its data.
        script = f"{self.id.rpartition('/')[2]}.py"
        if (self.folder / script).is_file():
            raise UnavailableError(
                f"data set '{self.id}' is made by a script, {script}, and remote code is never run",
                where=str(self.folder),
                hint="the hub keeps converted files of most of these: 'revision: "
                "refs/convert/parquet', or a clone of that revision",
            )

    def _visible(self, folder: Path) -> list[Path]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return [
            path
            for path in paths
            if not any(part[0] == "." for part in self.relative(path).split("/"))
        ]


def find(root: Path | None, dataset: str) -> Clone | None:
    """The clone of `dataset` in the data root, if there is one."""
    if root is None or not (root / dataset).is_dir():
        return None
    return Clone(dataset, root / dataset)


def how_to_clone(dataset: str, folder: Path | str, revision: str | None = None) -> str:
    """The command that makes or completes a clone."""
    revision_option = f" --revision {revision}" if revision else ""
    return f"hf download --repo-type dataset {dataset}{revision_option} --local-dir {folder}"


@lru_cache(maxsize=64)
def _configs(readme: Path, modified_ns: int, dataset: str) -> Mapping[str, Splits | None] | None:
    """The declared configs; None for a config whose files are not declared."""
    try:
        front = _FRONT_MATTER.match(readme.read_bytes().decode())
        data = parse_yaml(front[1], str(readme)).data if front else None
        return _declared(data, readme, dataset)
    except ConfigurationError as error:
        raise UnavailableError(f"broken front matter: {error.what}", where=str(readme)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"cannot be read: {error}", where=str(readme)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnavailableError(
            f"front matter of another shape ({type(error).__name__}: {error})",
            where=str(readme),
            expected="configs: a list of {config_name, data_files}",
        ) from None


def _declared(data: Any, readme: Path, dataset: str) -> Mapping[str, Splits | None] | None:
    entries = data.get("configs") if isinstance(data, dict) else None
    if not entries:
        return None
    # An entry without `data_files` is a config all the same: its folder holds it.
    configs: dict[str, Splits | None] = {}
    for entry in entries:
        name = str(entry.get("config_name", "default"))
        splits = _splits(entry.get("data_files"))
        # At the first look, rather than when such a split is asked for.
        _refuse_escapes(splits or {}, readme, dataset)
        configs[name] = splits
        if entry.get("default"):
            configs.setdefault("default", splits)
    return configs


def _splits(files: Any) -> Splits | None:
    """The three forms of `data_files`: paths, a list of {split, path}, or split to paths."""
    if not files:
        return None
    if isinstance(files, Mapping):
        return {str(split): _as_tuple(paths) for split, paths in files.items()}
    if isinstance(files, str) or all(isinstance(entry, str) for entry in files):
        return {"train": _as_tuple(files)}
    patterns_of_split: dict[str, tuple[str, ...]] = {}
    for entry in files:
        split = str(entry["split"])
        patterns_of_split[split] = patterns_of_split.get(split, ()) + _as_tuple(entry["path"])
    return patterns_of_split


def _as_tuple(patterns: str | Sequence[str]) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else tuple(map(str, patterns))


def _refuse_escapes(splits: Splits, readme: Path, dataset: str) -> None:
    for pattern in (pattern for patterns in splits.values() for pattern in patterns):
        # A README is somebody else's text; its patterns must not read other files of this machine.
        path = PurePosixPath(pattern)
        if path.is_absolute() or ".." in path.parts or "://" in pattern:
            raise UnavailableError(
                f"data set '{dataset}' declares a file outside itself: '{pattern}'",
                where=str(readme),
            )


def _usual(splits: Iterable[str]) -> str:
    """The split that one would score: the first of test and validation that is there."""
    names = [*splits]
    usual = [name for name in ("test", "validation") if name in names]
    return next(iter([*usual, *names]), "NAME")
