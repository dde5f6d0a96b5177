"""`xharness eval`: models on tasks in one line, and the study that the line stands for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags, guard
from xharness.cli.run import carry_out
from xharness.session.options import RunOptions, words_in

if TYPE_CHECKING:
    from xharness.gaps import Estimate
    from xharness.leaderboard import Board

_LANGUAGES = 12  # that a row of a table names; the board has all
_NUMBERS = ("English", "others", "gap")
_FLAGS = [name for name in flags.RUN if name not in ("study", "languages", "limit", "seeds")]


Models = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="ID-OR-FOLDER",
        help="organisation/name on the hub, a folder, or a backend; or several.",
    ),
]
Tasks = Annotated[
    list[str], typer.Option("--tasks", metavar="NAMES", help="xnli,panx, xtreme-r, xnli_de.")
]
SeedCount = Annotated[
    int, typer.Option("--seeds", metavar="N", min=1, help="How many seeds: 3 is 1, 2 and 3.")
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        help="The first N items of each language and, but for --train-limit, N training examples "
        "of each task.",
    ),
]
TrainLimit = Annotated[
    int | None,
    typer.Option(
        "--train-limit",
        metavar="N",
        min=1,
        help="The first N training examples of each task; default: as many as --limit, else all.",
    ),
]
Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy", metavar="NAMES", help="Default: single; prompt for mode=loglikelihood."
    ),
]
Intermediate = Annotated[
    list[str] | None,
    typer.Option(
        "--intermediate", metavar="TASKS", help="English tasks to train on first: mnli,qqp."
    ),
]
ModelArguments = Annotated[
    str,
    typer.Option(
        "--model-args",
        metavar="KEY=VALUE,…",
        help="What a study says of a model and its recipe: mode=loglikelihood, "
        "num_layers=6,steps=200,dtype=bfloat16.",
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        "--save", metavar="FILE", help="Keep the study there; its results go beside the file."
    ),
]


@flags.options_from(*_FLAGS)
def evaluate(
    options: RunOptions,
    model: Models,
    tasks: Tasks,
    languages: flags.Languages = None,
    seeds: SeedCount = 1,
    limit: Limit = None,
    train_limit: TrainLimit = None,
    strategy: Strategies = None,
    intermediate: Intermediate = None,
    model_args: ModelArguments = "",
    save: Save = None,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = False,
    json: flags.Json = False,
) -> None:
    """Train and score models on tasks, without a file; prints the study that this stands for.

    The source language is scored too, because a gap is measured from it.

    \b
    xharness eval --model FacebookAI/xlm-roberta-base --tasks xnli --languages de,sw --limit 200
    xharness eval --model majority --tasks mini_topic
    """
    from xharness.console import show_table
    from xharness.session.evaluation import EvalRequest, open_evaluation

    request = EvalRequest(
        words_in(model), words_in(tasks), words_in(languages), words_in(strategy),
        words_in(intermediate), seeds, limit, model_args, train_limit,
    )  # fmt: skip
    session = open_evaluation(request, options, save)
    if not json:
        # Flushed: the run writes to standard error, and a log is to have the study first.
        print(session.document.text, flush=True)
    carry_out(session, quiet=quiet, verbose=verbose, as_json=json)
    if session.report is not None and not json:
        with guard.readers_may_leave():
            show_table(_scored_tasks(session.board), title="tasks", right=_NUMBERS)
    raise typer.Exit(session.exit_code)


def _scored_tasks(board: Board) -> list[dict[str, Any]]:
    """One row an arm and task: the source language, the mean of the others, and some of them."""
    from xharness.leaderboard import columns
    from xharness.leaderboard.text import points

    def number(estimate: Estimate | None) -> str:
        return "—" if estimate is None else points(estimate.value)

    return [
        {
            "model": task_gap.model,
            "strategy": task_gap.strategy,
            "task": task_gap.task,
            "metric": task_gap.metric,
            board.source_name: number(task_gap.source),
            columns.OTHERS: number(task_gap.others),
            columns.GAP: number(task_gap.gap),
            "languages": ", ".join(
                f"{code} {points(score.value)}"
                for code, score in [*task_gap.scores.items()][:_LANGUAGES]
            ),
        }
        for task_gap in board.gaps.tasks
    ]
