"""`xharness push`: a trained model or a board on the Hugging Face hub; told first, then done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xharness.cli import flags
from xharness.cli.show import stage_key
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.session.pushing import Upload

Repository = Annotated[
    str, typer.Option("--to", metavar="USER/NAME", help="The repository; made where it is not.")
]
Arm = Annotated[str | None, typer.Option(metavar="NAME", help="Of a run: the model of this arm.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Of a run: of this seed.")]
Really = Annotated[bool, typer.Option("--yes", help="Upload; without it, only what would be.")]
Private = Annotated[bool, typer.Option("--private", help="A new repository is for you alone.")]


@flags.options_from("store")
def push(
    options: RunOptions,
    name: Annotated[
        str, typer.Argument(metavar="RUN", help="A folder of a run, or the key of a training.")
    ],
    repository: Repository,
    model: Arm = None,
    strategy: Arm = None,
    task: Arm = None,
    seed: Seed = None,
    yes: Really = False,
    private: Private = False,
    json: flags.Json = False,
) -> None:
    """Upload a run's board as a data set, or a trained model with its card; a dry run unless --yes.

    A run's model is chosen with --model, --strategy, --task and --seed. The credentials are those
    of HF_TOKEN or of `hf auth login`; they stand in no output and in no log.

    \b
    xharness push runs/demo --to me/demo-board
    xharness push runs/demo --model large --strategy single --to me/large --yes
    xharness push 3f9a21 --to me/large --yes
    """
    from xharness.session import pushing
    from xharness.session.environment import open_store

    store = open_store(options.store, None, Path.cwd())
    arm = {"model": model, "strategy": strategy, "task": task, "seed": seed}
    if not Path(name).is_dir():
        upload = pushing.model_upload(store, stage_key(name, store), repository)
    elif any(value is not None for value in arm.values()):
        key = pushing.trained_stage(Path(name), store, arm)
        upload = pushing.model_upload(store, key, repository)
    else:
        upload = pushing.board_upload(Path(name), repository)
    address = pushing.send(upload, private=private) if yes else None
    _show(upload, address, as_json=json)


def _show(upload: Upload, address: str | None, *, as_json: bool) -> None:
    from xharness.console import show_json, show_table

    sizes = upload.sizes()
    if as_json:
        show_json(
            {"url": upload.url, "repo_type": upload.repo_type, "files": sizes, "commit": address}
        )
        return
    rows = [{"file": name, "bytes": size} for name, size in sizes.items()]
    show_table(rows, title=f"{upload.url} ({upload.repo_type})", right=("bytes",))
    print(address or "nothing was uploaded: --yes does it")
