"""Links between documents lead somewhere as they lie in the repository, headings included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _broken_links(document: Path, text: str) -> list[str]:
    """Targets in `text` that are not there, seen from `document`."""
    broken = []
    for target, heading in _LINK.findall(_CODE.sub("", text)):
        path = document.parent / target if target else document
        if not path.exists():
            broken.append(target)
        elif heading and heading not in _headings(text if not target else path.read_text("utf-8")):
            broken.append(f"{target}#{heading}")
    return broken


def _headings(text: str) -> set[str]:
    """What can stand behind `#`: headings in small letters, as GitHub and MkDocs spell them."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    anchors = (
        re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(without_code)
    )
    return {heading.strip().replace(" ", "-") for heading in anchors}


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_links_lead_somewhere(document: Path) -> None:
    assert _broken_links(document, document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](reference/study.md)", ["reference/study.md"]),
        ("[a](studies.md#no-such)", ["studies.md#no-such"]),
        ("# How to\n[a](#how-to) [b](#whereto)", ["#whereto"]),
        ("[a](studies.md#keys) [b](../README.md) [c](https://example.org/x) `[d](e)`", []),
    ],
)
def test_a_broken_link_is_seen(text: str, broken: list[str]) -> None:
    assert _broken_links(REPOSITORY / "docs" / "index.md", text) == broken
