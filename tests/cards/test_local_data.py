"""Cards of data that no address gives: read from local files, told about where there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cards.test_every_card import cards, catalogue, groups
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment

SUITES = [member.task for member in groups()["multichecklist"].tasks]


def _data(tmp_path: Path, root: Path | None = None) -> DataReader:
    return DataReader(
        catalogue(), RunEnvironment(root, True, tmp_path / "cache", False, tmp_path / "study")
    )


def _suite(folder: Path) -> None:
    """Two cases of each test, in Swahili."""
    question = {
        "context": "Asha ni mrefu kuliko Juma.",
        "question": "Nani mfupi?",
        "answers": ["Juma"],
    }
    names = [task.removeprefix("multichecklist_") for task in SUITES]
    rows = [
        {"test": name, "case": case, "items": [question] * 2} for name in names for case in "ab"
    ]
    (folder / "multichecklist").mkdir(parents=True)
    (folder / "multichecklist" / "sw.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.mark.parametrize("task", SUITES)
@pytest.mark.parametrize("root", ["study", "root"])
def test_suites_are_read_beside_the_study_or_from_the_data_root(
    task: str, root: str, tmp_path: Path
) -> None:
    _suite(tmp_path / root)
    data = _data(tmp_path, tmp_path / "root")
    loaded = data.load(data.data_slice(cards()[task], "sw", "test", None))
    assert [example.id for example in loaded.examples] == ["a", "b"]
    assert loaded.count.partial  # two cases where 200 are expected


@pytest.mark.parametrize(
    ("task", "split", "message"),
    [
        ("multichecklist_comparisons", "test", "the suites of MultiCheckList as JSON lines"),
        ("ccg", "train", "supertags made from CCGbank (LDC2005T13, licensed, so no download)"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(
    task: str, split: str, message: str, tmp_path: Path
) -> None:
    card = cards()[task]
    with pytest.raises(UnavailableError) as caught:
        _data(tmp_path).data_slice(card, "en", split, None)  # type: ignore[arg-type]
    assert "there is no such file" in caught.value.reason
    assert message in caught.value.reason


def test_supertags_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "ccgbank"
    folder.mkdir(parents=True)
    (folder / "ccg.train").write_text("Old\tN/N\nboats\tN\nleak\tS[dcl]\\NP\n\n")
    (folder / "ccg.dev").write_text("They\tNP\nleak\tS[dcl]\\NP\n\n")
    data = _data(tmp_path, tmp_path / "root")
    assert data.card("ccg").labels == ("N", "N/N", "NP", "S[dcl]\\NP")
    (example,) = data.load(data.data_slice(cards()["ccg"], "en", "validation", None)).examples
    assert example.tags == (2, 3)  # type: ignore[attr-defined]


def test_a_pickled_suite_is_refused(tmp_path: Path) -> None:
    text = (
        Path(__file__).parents[2] / "task_cards/target/multichecklist_properties.yaml"
    ).read_text()
    file = tmp_path / "multichecklist_properties.yaml"
    file.write_text(text.replace("{language}.jsonl", "{language}_squad_suite.pkl", 1))
    with pytest.raises(ConfigurationError, match="is a pickle"):
        catalogue().check_file(file)
