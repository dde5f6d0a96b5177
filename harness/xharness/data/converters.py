"""Data that no address gives in a form that can be read: licensed files, and pickled ones.

CCGbank: LDC2005T13, `data/AUTO/<section>/wsj_*.auto`, the machine-readable derivations of section
D.2 of its manual; sections 02-21 train and 00 tunes (Hockenmaier and Steedman 2007).

MultiCheckList: google-research/xtreme@838c13b, multichecklist: `<language>_squad_suite.pkl`, which
`checklist.test_suite.TestSuite.save` wrote; six tests, each with its cases under `data` and their
answers under `labels`.
"""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from xharness.errors import ConfigurationError, reason_of

_LEAF = re.compile(r"<L (\S+) \S+ \S+ (\S+) \S+>")
_SECTIONS = {"train": range(2, 22), "dev": range(1)}
_SUITE = "_squad_suite.pkl"
_TESTS = {
    "A is COMP than B. Who is more / less COMP?": "comparisons",
    "Intensifiers (very, super, extremely) and reducers (somewhat, kinda, etc)?": "intensifiers",
    "size, shape, age, color": "properties",
    "Profession vs nationality": "profession_vs_nationality",
    "Animal vs Vehicle": "animal_vs_vehicle",
    "Animal vs Vehicle v2": "animal_vs_vehicle_2",
}
"""The suite's own names of its tests, in generate_test_utils.py, to those of the cards."""


def ccgbank(folder: Path) -> Iterator[tuple[str, str]]:
    """File name to text: `ccgbank/ccg.train` and `.dev`, a line a word with its supertag.

    Raises:
        ConfigurationError: there is no CCGbank in `folder`, or a line that is no derivation.
    """
    roots = [folder, *(path.parent for path in folder.rglob("AUTO"))]
    for split, sections in _SECTIONS.items():
        names = [f"{section:02}" for section in sections]
        files = [
            file
            for root in dict.fromkeys(roots)
            for name in names
            for file in sorted((root / "AUTO" / name).glob("wsj_*.auto"))
        ]
        if not files:
            raise ConfigurationError(
                f"there are no derivations of sections {names[0]} to {names[-1]}",
                where=str(folder),
                expected="data/AUTO/<section>/wsj_*.auto, as in LDC2005T13",
            )
        yield f"ccgbank/ccg.{split}", "\n".join(map(_sentences, files))


def _sentences(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(reason_of(error), where=str(file)) from None
    sentences = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("ID=") or not line.strip():
            continue
        leaves = _LEAF.findall(line)
        if not leaves:
            raise ConfigurationError("this line is no derivation", where=f"{file}:{number}")
        sentences.append("".join(f"{word}\t{category}\n" for category, word in leaves))
    return "\n".join(sentences)


def multichecklist(folder: Path) -> Iterator[tuple[str, str]]:
    """File name to text: `multichecklist/<language>.jsonl`, a line a case.

    Raises:
        ConfigurationError: there is no suite in `folder`, or one that is not as published.
    """
    files = sorted(folder.rglob(f"*{_SUITE}"))
    if not files:
        raise ConfigurationError(
            "there are no suites here", where=str(folder), expected=f"<language>{_SUITE}"
        )
    for file in files:
        lines = [json.dumps(case, ensure_ascii=False) for case in _cases(file)]
        language = file.name.removesuffix(_SUITE)
        yield f"multichecklist/{language}.jsonl", "\n".join(lines) + "\n"


def _cases(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as stream:
            _check_memo(stream)
            tests = dict(_InertUnpickler(stream).load().__dict__["tests"])
        for name, test in tests.items():
            cases = zip(test.__dict__["data"], test.__dict__["labels"], strict=True)
            for index, (questions, answers) in enumerate(cases):
                yield _case(_TESTS[name], index, questions, answers)
    except ConfigurationError:
        raise
    # A pickle may hold anything: whatever is not as published ends here.
    except Exception as error:
        raise ConfigurationError(
            f"not a suite of MultiCheckList: {type(error).__name__}: {error}", where=str(file)
        ) from None


def _case(test: str, index: int, questions: Any, answers: Any) -> dict[str, Any]:
    if isinstance(questions, tuple):  # a case of one question
        questions, answers = [questions], [answers]
    items = [
        {"context": _text(context), "question": _text(question), "answers": [_text(answer)]}
        for (context, question), answer in zip(questions, answers, strict=True)
    ]
    return {"test": test, "case": f"{test}-{index}", "items": items}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _check_memo(stream: BinaryIO) -> None:
    """Refuse a number in the table of values seen before that only a far larger file could have.

    The table is made as long as the largest number in it, whatever memory that takes.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name in _NUMBERED and int(argument or 0) > size:
            raise ValueError(f"value number {argument} in a file of {size} bytes")
    stream.seek(0)


_NUMBERED = ("PUT", "BINPUT", "LONG_BINPUT")


class _Inert:
    """Stands for every class and function that a pickle names: it keeps state, and does nothing."""

    def __new__(cls, *arguments: Any, **keywords: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.entries: dict[Any, Any] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> _Inert:
        return _Inert()

    def __setstate__(self, state: Any) -> None:
        for values in state if isinstance(state, tuple) else (state,):
            if isinstance(values, Mapping):
                self.__dict__.update(values)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        """Items of lists that are more than lists are not looked at."""

    extend = add = append


def _inert_type(*arguments: Any) -> type[_Inert]:
    return _Inert


_TYPE_MAKERS = ("_load_type", "_create_type", "_get_attr", "_import_module")
"""What dill calls where a class is needed afterwards."""


class _InertUnpickler(pickle.Unpickler):
    """Reads lists, mappings, texts and numbers; all else becomes inert, and no code is run."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)

    def find_class(self, module: str, name: str) -> type | Callable[..., Any]:
        # The only class whose content counts: a suite keeps its tests in one.
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        return _inert_type if name in _TYPE_MAKERS else _Inert

    def persistent_load(self, pid: Any) -> _Inert:
        return _Inert()


CONVERTERS: Mapping[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "ccgbank": ccgbank,
    "multichecklist": multichecklist,
}
"""Name to what yields the files, by their names in a data root."""
