"""Every command line that a document names is one that the command understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.conftest import REPOSITORY
from xharness.cli import app

DOCUMENTS = sorted(
    [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")]
)
_FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ANY_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(xharness [^`]+)`")
_COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
_VARIABLES = re.compile(r"^(?:[A-Z_]+=\S+ )+")


def command_lines(text: str) -> Iterator[str]:
    """Those in fences and in running text; comments behind them and variables before them gone."""
    for block in _FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            command = _VARIABLES.sub("", _COMMENT.sub("", line).strip())
            if command.startswith("xharness "):
                yield command.partition(" | ")[0].partition(" && ")[0]
    for line in _INLINE.findall(_ANY_FENCE.sub("", text)):
        yield " ".join(line.split())


@pytest.fixture(scope="module")
def command() -> Any:
    """The command, of which every part only parses what it is told."""
    parser = typer.main.get_command(app)
    parts: list[Any] = [parser]
    while parts:
        part = parts.pop()
        parts += getattr(part, "commands", {}).values()
        part.callback = _nothing
        part.no_args_is_help = False
    return parser


def _nothing(**values: Any) -> None:
    pass


def complaint(command: Any, line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is wrong with `line`; empty where it is understood."""
    with pytest.raises(SystemExit) as end:
        command.main(args=shlex.split(line)[1:], prog_name="xharness")
    text = capsys.readouterr().err
    # A text may speak of a command, or a group of them, by its name alone.
    is_name = re.fullmatch(r"xharness( [a-z]+)+", line) and "Missing" in text
    return "" if end.value.code == 0 or is_name else f"{line}: {text}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_command_line_is_understood(
    document: Path, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*command_lines(document.read_text(encoding="utf-8"))]
    assert [text for line in lines if (text := complaint(command, line, capsys))] == []


@pytest.mark.parametrize(
    "line",
    ["xharness evil", "xharness run --limits 5", "xharness show -v", "xharness cards shwo x"],
)
def test_a_wrong_line_would_be_found(
    line: str, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint(command, line, capsys)
