"""The tutorials, and the hour of a page that is one, do what they say: their files are written,
their scripts and commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow
DOCS = REPOSITORY / "docs"
TUTORIALS = [*sorted((DOCS / "tutorials").glob("*.md")), DOCS / "from-lm-evaluation-harness.md"]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./]+\.(?:yaml|py))\n")


def _run(words: list[str], folder: Path) -> None:
    process = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, f"{shlex.join(words)}\n{process.stdout}\n{process.stderr}"


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_can_be_followed(tutorial: Path, tmp_path: Path) -> None:
    commands = 0
    for language, text in _FENCE.findall(tutorial.read_text(encoding="utf-8")):
        file = _FILE.match(text)
        if file:
            path = tmp_path / file[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if language == "python" and "hookimpl" not in text:
                _run([sys.executable, str(path)], tmp_path)
        if language == "sh":
            for line in text.splitlines():
                words = shlex.split(line)
                assert words[0] == "xharness", "what is not run is fenced as 'bash'"
                _run([sys.executable, "-m", *words], tmp_path)
                commands += 1
    assert commands
