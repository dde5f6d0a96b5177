"""The site builds without a network and without a dead link, and every key is found in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel

import xharness
from tests.conftest import REPOSITORY
from xharness.cli import app
from xharness.plugin import hookspecs
from xharness.spec.cards import TaskCard
from xharness.spec.study import Study

pytest.importorskip("material", reason="MkDocs Material is not installed: the extra 'docs'")
pytestmark = pytest.mark.slow

_NO_NETWORK = "http://127.0.0.1:9"
_FETCHED = re.compile(r"<(?:script|img|iframe)[^>]*src=\"https?:|<link[^>]*stylesheet[^>]*https?:")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)]
    proxies = {"http_proxy": _NO_NETWORK, "https_proxy": _NO_NETWORK}
    process = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | proxies, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return folder


@pytest.fixture(scope="module")
def reference_text(site: Path) -> str:
    """All that the search knows of the reference."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    return "\n".join(
        f"{entry['title']} {re.sub('<[^>]+>', ' ', entry['text'])}"
        for entry in index["docs"]
        if entry["location"].startswith("reference/")
    )


def _is_found(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _words(annotation: Any) -> Iterator[str]:
    """Keys and choices that an annotation lets people write."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield field.alias or name
            yield from _words(field.annotation)
    for argument in get_args(annotation):
        yield from _words(argument) if not isinstance(argument, str) else ()


def _option_models() -> Iterator[type[BaseModel]]:
    catalogue = xharness.open_catalogue(())
    for registry in (
        catalogue.backends, catalogue.strategies, catalogue.sources, catalogue.translators,
        catalogue.executors,
    ):  # fmt: skip
        yield from (registry[name].options for name in registry)


def test_every_option_of_every_key_is_found_by_its_name(reference_text: str) -> None:
    words = {word for model in (Study, TaskCard, *_option_models()) for word in _words(model)}
    assert {"learning_rate", "source-dev", "lora_alpha", "from"} <= words
    assert [word for word in sorted(words) if not _is_found(word, reference_text)] == []


def test_every_hook_flag_and_name_is_found(reference_text: str) -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("xharness_")]
    commands = [typer.main.get_command(app)]
    flags = []
    for command in commands:
        flags += [name for parameter in command.params for name in parameter.opts]
        commands += getattr(command, "commands", {}).values()
    names = [*hooks, *(flag for flag in flags if flag.startswith("--")), "Backend", "open_study"]
    # Methods of plain classes, and what objects of others hold.
    names += ["Verbalizer.prompt_text", "fewshot_delimiter", "text_language", "label_names"]
    assert [name for name in names if not _is_found(name, reference_text)] == []


def test_no_page_fetches_anything(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        assert not _FETCHED.search(page.read_text(encoding="utf-8")), page
