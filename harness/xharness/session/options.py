"""What is run, on what and where; light, because `--help` must not wait for more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args

from xharness.errors import ConfigurationError, suggestion

PathName = str | Path
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(min|h|d)")
_SECONDS = {"min": 60, "h": 3600, "d": 86400}


class TimeBudget(NamedTuple):
    """The longest that a run may take, as it was written and in seconds."""

    text: str
    seconds: float

    @classmethod
    def of(cls, text: str) -> TimeBudget:
        """The budget of a text such as 20h, 90min or 2d.

        Raises:
            ConfigurationError: it is no time.
        """
        match = _DURATION.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(
                f"'{text}' is no time", where="--budget", expected="such as 20h, 90min or 2d"
            )
        return cls(text, float(match[1]) * _SECONDS[match[2]])


@dataclass(frozen=True)
class RunOptions:
    """What replaces a study's own values, and where a run takes place; None: as the study says."""

    study: Path | None = None
    data_root: Path | None = None
    store: Path | None = None
    output: Path | None = None
    plugins: tuple[object, ...] = ()
    """Names of modules, paths of Python files, or plugins themselves."""
    cards: tuple[Path, ...] = ()
    split: str | None = None
    limit: int | None = None
    languages: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    device: str | None = None
    executor: str | None = None
    address: str | None = None
    budget: TimeBudget | None = None
    offline: bool = False
    strict_data: bool = False
    debug: bool = False
    deterministic: bool = False
    trackers: tuple[str, ...] = ()

    @classmethod
    def of(cls, **values: Any) -> RunOptions:
        """Options from values as people write them: text for paths, `"en,sw"` for languages.

        Where no data root or store is named, `XHARNESS_DATA_ROOT` and `XHARNESS_STORE` name it.

        Raises:
            ConfigurationError: a value that cannot be right.
        """
        for name, variable in (("data_root", "XHARNESS_DATA_ROOT"), ("store", "XHARNESS_STORE")):
            # The command line reads them itself; from Python nobody else would.
            values[name] = values.get(name) or os.environ.get(variable)
        for name in ("study", "data_root", "store", "output"):
            values[name] = Path(values[name]) if values.get(name) else None
        values["plugins"] = tuple(_as_list(values.get("plugins")))
        values["cards"] = tuple(Path(folder) for folder in _as_list(values.get("cards")))
        values["languages"] = words_in(values.get("languages"))
        values["trackers"] = words_in(values.get("trackers"))
        values["seeds"] = _numbers(values.get("seeds"))
        values["split"] = _split(values.get("split"))
        budget = values.get("budget")
        values["budget"] = TimeBudget.of(budget) if budget is not None else None
        _check(values.get("limit"))
        return cls(**values)

    @property
    def changes_question(self) -> bool:
        """Whether they make it another question than the one in the file."""
        return bool(self.split or self.limit or self.languages or self.seeds)


def words_in(texts: str | Iterable[str] | None) -> tuple[str, ...]:
    """The words of texts such as `"en,sw"`, each once."""
    words = (word.strip() for text in _as_list(texts) for word in str(text).split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _as_list(values: Any) -> Iterable[Any]:
    """A single value may stand for a list of one."""
    if values is None:
        return ()
    is_list = isinstance(values, Iterable) and not isinstance(values, str | Path)
    return values if is_list else (values,)


def _numbers(seeds: int | str | Iterable[int] | None) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(word) for word in words_in(_as_list(seeds))))
    except ValueError:
        raise ConfigurationError(
            f"'{seeds}' is not a list of whole numbers",
            where="seeds",
            expected="such as 1 or 1,2,3",
        ) from None


def _split(name: str | None) -> str | None:
    # Here alone: `--help` reads this module and must not wait for pydantic.
    from xharness.spec.sources import Split, split_name

    splits, split = get_args(Split), split_name(name)
    if split is not None and split not in splits:
        hint = suggestion(split, splits)
        raise ConfigurationError(f"there is no split '{split}'", where="split", hint=hint)
    return str(split) if split is not None else None


def _check(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise ConfigurationError(
            f"{limit} is no number of items", where="limit", expected="1 or more"
        )
