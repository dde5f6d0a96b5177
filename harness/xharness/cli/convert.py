"""`xharness convert`: data that has no loader becomes files that cards read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from xharness.errors import ConfigurationError
from xharness.files import write_text, writing


def convert(
    name: Annotated[Literal["ccgbank", "multichecklist"], typer.Argument(help="What it is.")],
    folder: Annotated[Path, typer.Argument(help="Where it lies, as its publisher hands it out.")],
    target: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="A data root, or the folder of a study."),
    ] = Path(),
) -> None:
    """Write what a card reads, from data that only its owner has.

    Pickled suites are read without running anything in them.

    \b
    xharness convert ccgbank LDC2005T13 --to data
    xharness convert multichecklist lang_suites --to data
    """
    from xharness.data.converters import CONVERTERS

    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    # All is read before anything is written: half of a data set would look like the whole.
    texts = {target / file: text for file, text in CONVERTERS[name](folder)}
    for path, text in texts.items():
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise ConfigurationError(
                "another file is there already, and stays as it is",
                where=str(path),
                hint="name another folder with --to",
            )
    for path, text in texts.items():
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
        print(path)
