"""Licensed and pickled data become files that cards read, and no code in them is run."""

from __future__ import annotations

import collections
import functools
import json
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import invoke
from xharness.data.reader import DataReader
from xharness.plugin.api import RunEnvironment
from xharness.session.catalogue import open_catalogue

DERIVATION = (
    "ID={name} PARSER=GOLD NUMPARSE=1\n"
    r"(<T S[dcl] 0 2> (<T NP 0 1> (<T N 1 2> (<L N/N NNP NNP Pierre N_73/N_73>) "
    r"(<L N NNP NNP Vinken N>) ) ) (<T S[dcl]\NP 1 2> (<L S[dcl]\NP VBD VBD ran "
    r"S[dcl]\NP_10>) (<L . . . . .>) ) )"
    "\n"
)


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    """A CCGbank in the folders of LDC2005T13, with a sentence a section."""
    root = tmp_path / "LDC2005T13"
    for section in ("00", "01", "02", "21", "22", "23"):
        folder = root / "data" / "AUTO" / section
        folder.mkdir(parents=True)
        text = DERIVATION.format(name=f"wsj_{section}01.1")
        (folder / f"wsj_{section}01.auto").write_text(text, encoding="utf-8")
    return root


def load(root: Path, card: str, language: str, split: Any) -> list[Any]:
    catalogue = open_catalogue()
    data = DataReader(catalogue, RunEnvironment(data_root=root, base=root))
    return data.load(data.data_slice(catalogue.card(card), language, split, None)).examples


def test_ccgbank_is_what_its_card_reads(treebank: Path, tmp_path: Path) -> None:
    result = invoke(tmp_path, "convert", "ccgbank", str(treebank), "--to", "data")
    assert result.exit_code == 0, result.stderr
    train = load(tmp_path / "data", "ccg", "en", "train")
    assert len(train) == 2  # sections 02 and 21; neither 01 nor 22
    assert train[0].tokens == ("Pierre", "Vinken", "ran", ".")
    labels = open_catalogue()
    data = DataReader(labels, RunEnvironment(data_root=tmp_path / "data", base=tmp_path / "data"))
    names = data.card("ccg").label_names
    assert [names[tag] for tag in train[0].tags] == ["N/N", "N", r"S[dcl]\NP", "."]
    assert len(load(tmp_path / "data", "ccg", "en", "validation")) == 1


class Suite:
    """What `checklist` pickles, under its own names; `expect` and `info` hold code."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


@pytest.fixture
def checklist() -> Iterator[type[Suite]]:
    """The modules that a suite names, only while it is written: the reader must not need them."""
    module = types.ModuleType("checklist.test_suite")
    Suite.__module__, Suite.__qualname__ = "checklist.test_suite", "Suite"
    module.Suite = Suite  # type: ignore[attr-defined]
    sys.modules |= {"checklist": types.ModuleType("checklist"), "checklist.test_suite": module}
    yield Suite
    del sys.modules["checklist"], sys.modules["checklist.test_suite"]


def suite(suite_class: type[Suite], **changes: Any) -> Suite:
    """Two of the six tests: one with cases of two questions, one with a question a case."""
    comparisons = suite_class(
        data=[[("Ann is older than Bo.", "Who is younger?"), ("Ann is older than Bo.", "Older?")]],
        labels=[["Bo", "Ann"]],
        expect=functools.partial(print, "ran"),
        name="A is COMP than B. Who is more / less COMP?",
    )
    animals = suite_class(data=[("Bo has a cat.", "What?")], labels=["a cat"], expect=len)
    tests = collections.OrderedDict({comparisons.name: comparisons, "Animal vs Vehicle": animals})
    info = collections.defaultdict(dict, {"x": {"type": "MFT"}})
    return suite_class(tests=tests, info=info, print_fn=None, **changes)


class Attack:
    """Runs a command when it is unpickled by anything but a restricted reader."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch attacked",)


def test_suites_are_read_and_nothing_in_them_runs(
    checklist: type[Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "lang_suites"
    folder.mkdir()
    content = pickle.dumps(suite(checklist, attack=Attack()), protocol=3)
    (folder / "en_squad_suite.pkl").write_bytes(content)
    del sys.modules["checklist.test_suite"]
    result = invoke(tmp_path, "convert", "multichecklist", "lang_suites", "--to", "data")
    sys.modules["checklist.test_suite"] = types.ModuleType("checklist.test_suite")
    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "attacked").exists()
    lines = (tmp_path / "data" / "multichecklist" / "en.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert [item["answers"] for item in first["items"]] == [["Bo"], ["Ann"]]
    assert second == {
        "test": "animal_vs_vehicle",
        "case": "animal_vs_vehicle-0",
        "items": [{"context": "Bo has a cat.", "question": "What?", "answers": ["a cat"]}],
    }
    (example,) = load(tmp_path / "data", "multichecklist_comparisons", "en", "test")
    assert [part.question for part in example.parts] == ["Who is younger?", "Older?"]


BOMB = b"]r\xff\xff\xff\xff."  # a list, noted as the four billionth value


@pytest.mark.parametrize(
    "content", [b"no pickle", pickle.dumps(3), pickle.dumps({"tests": 1}), BOMB]
)
def test_what_is_no_suite_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "sw_squad_suite.pkl").write_bytes(content)
    result = invoke(tmp_path, "convert", "multichecklist", ".", "--to", "data")
    assert result.exit_code == 2
    assert "sw_squad_suite.pkl: not a suite of MultiCheckList" in result.stderr
    assert not (tmp_path / "data").exists()


def test_derivations_of_another_encoding_are_named(treebank: Path, tmp_path: Path) -> None:
    (treebank / "data" / "AUTO" / "02" / "wsj_0201.auto").write_bytes(b"(<L N NNP NNP caf\xe9 N>)")
    result = invoke(tmp_path, "convert", "ccgbank", str(treebank), "--to", "data")
    assert result.exit_code == 2
    assert "wsj_0201.auto: not UTF-8 text" in result.stderr


def test_files_that_are_there_stay(treebank: Path, tmp_path: Path) -> None:
    file = tmp_path / "data" / "ccgbank" / "ccg.train"
    file.parent.mkdir(parents=True)
    file.write_text("mine\n", encoding="utf-8")
    result = invoke(tmp_path, "convert", "ccgbank", str(treebank), "--to", "data")
    assert result.exit_code == 2 and "stays as it is" in result.stderr
    assert file.read_text(encoding="utf-8") == "mine\n"


def test_other_folders_say_what_was_expected(tmp_path: Path) -> None:
    for name, expected in (("ccgbank", "wsj_*.auto"), ("multichecklist", "_squad_suite.pkl")):
        result = invoke(tmp_path, "convert", name, ".")
        assert result.exit_code == 2 and expected in result.stderr


def test_six_tests_of_two_hundred_cases_are_what_the_cards_expect(
    checklist: type[Suite], tmp_path: Path
) -> None:
    """Names: google-research/xtreme@838c13b, multichecklist/generate_test_utils.py, TEST_NAMES."""
    names = (
        "A is COMP than B. Who is more / less COMP?",
        "Intensifiers (very, super, extremely) and reducers (somewhat, kinda, etc)?",
        "size, shape, age, color", "Profession vs nationality", "Animal vs Vehicle",
        "Animal vs Vehicle v2",
    )  # fmt: skip
    cases = [[(f"Bo has cat {number}.", "What?")] for number in range(200)]
    tests = {name: checklist(data=cases, labels=[["cat"]] * 200, name=name) for name in names}
    folder = tmp_path / "lang_suites"
    folder.mkdir()
    content = pickle.dumps(checklist(tests=collections.OrderedDict(tests), info={}))
    (folder / "wo_squad_suite.pkl").write_bytes(content)
    result = invoke(tmp_path, "convert", "multichecklist", "lang_suites", "--to", "data")
    assert result.exit_code == 0, result.stderr
    cards = [member.task for member in open_catalogue().members("multichecklist")]
    assert len(cards) == 6
    for card in cards:
        examples = load(tmp_path / "data", card, "wo", "test")
        assert len(examples) == open_catalogue().card(card).expected_rows("wo", "test") == 200
