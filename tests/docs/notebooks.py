"""Runs the notebooks of the documents: `python -m tests.docs.notebooks` renews what they show.

Cells are run in this process, one namespace a notebook; what a kernel would show (printed text, and
the last expression as HTML, SVG or text) is stored in the notebook's own format.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "notebooks"
_FORMATS = {
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
}


class _Svg:
    """What IPython.display.SVG shows; IPython itself is the reader's."""

    def __init__(self, filename: str) -> None:
        self._filename = filename

    def _repr_svg_(self) -> str:
        return Path(self._filename).read_text(encoding="utf-8")


@contextlib.contextmanager
def _displays() -> Iterator[None]:
    display = types.ModuleType("IPython.display")
    display.SVG = _Svg  # type: ignore[attr-defined]
    package = types.ModuleType("IPython")
    package.version_info = (9, 0)  # type: ignore[attr-defined]  # matplotlib asks for it
    modules = {"IPython": package, "IPython.display": display}
    loaded_modules = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in loaded_modules.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def executed(notebook: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook with the outputs of its cells, run in the empty `folder`."""
    names: dict[str, Any] = {}
    cells, count = [], 0
    previous = Path.cwd()
    os.chdir(folder)
    try:
        with _displays():
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    count += 1
                    outputs = _outputs("".join(cell["source"]), names, count)
                    cell = {**cell, "execution_count": count, "outputs": outputs}
                cells.append(cell)
    finally:
        os.chdir(previous)
    return {**notebook, "cells": cells}


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "cell", "exec"), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        data = {
            format_name: getattr(value, method)().splitlines(keepends=True)
            for format_name, method in _FORMATS.items()
            if hasattr(value, method)
        } or {"text/plain": repr(value).splitlines(keepends=True)}
        outputs.append(
            {
                "data": data,
                "execution_count": count,
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    return outputs


def written(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as scratch:
            content = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(written(executed(content, Path(scratch))), encoding="utf-8")
        print(path)
