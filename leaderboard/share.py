"""Run a study by several processes on one store, what matters most first.

    python leaderboard/share.py STUDY --data-root DIR --store DIR --processes 12 \\
        --first seeds=1,2,3 --first models=me5-3,me5-12 --seconds 600

`xharness run` in several terminals does the same work in the order of the study's file, so that an
end before the last stage leaves some models without any score. Here each `--first` names seeds,
models and strategies (`seeds=1,2;models=a,b;strategies=single`) whose stages come before all that
no earlier one named; within it, a seed is finished before the next, and models take turns. What
`+` joins goes side by side: the first seed of one with the first of the other. After `--seconds`
the processes are asked to stop; the same command goes on.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import xharness
from xharness.planning import Plan
from xharness.planning.plan import Arm
from xharness.stages import Stage, Train

_GRACE = 20.0  # seconds between being asked to stop and being ended
_KEYS = ("models", "strategies", "seeds")
Choice = dict[str, set[str]]
"""Which models, strategies and seeds; what is not named is any."""


def main() -> None:
    """Start the processes, say every few seconds how far they are, and stop them in time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    logs = arguments.store / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, *sys.argv[1:], "--worker"]
    workers = []
    for number in range(arguments.processes):
        with (logs / f"worker-{number}.log").open("a", encoding="utf-8") as log:
            workers.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603
    watch(workers, arguments.store, arguments.seconds)


def watch(workers: Sequence[subprocess.Popen[bytes]], store: Path, seconds: float) -> None:
    """Until all have ended or time is up; a line every ten seconds."""
    start = time.monotonic()
    while any(worker.poll() is None for worker in workers):
        elapsed = time.monotonic() - start
        if elapsed > seconds:
            stop(workers)
            break
        time.sleep(min(10.0, max(0.1, seconds - elapsed)))
        count = sum(1 for _ in store.glob("*/*/receipt.json"))
        print(f"{time.monotonic() - start:6.0f} s  {count} stages are stored", flush=True)
    print("exit codes", Counter(worker.poll() for worker in workers), flush=True)


def stop(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all to stop, as Ctrl-C does; end those that do not."""
    for worker in workers:
        worker.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _GRACE
    for worker in workers:
        try:
            worker.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()


def work(arguments: argparse.Namespace) -> None:
    """One process: the whole plan in our order; its results go nowhere, the store has them."""
    with tempfile.TemporaryDirectory() as output:
        session = xharness.open_study(
            arguments.study, data_root=arguments.data_root, store=arguments.store, output=output
        )
        arrange(session.plan, [[*map(choice, text.split("+"))] for text in arguments.first])
        session.observe(Announcer())
        session.run()


class Announcer:
    """Says in the log which stage has ended, and when."""

    @xharness.hookimpl
    def xharness_stage_finished(self, label: object, outcome: str) -> None:
        """One line."""
        print(f"{time.time():.1f} {outcome} {label}", flush=True)


def choice(text: str) -> Choice:
    """`seeds=1,2;models=a` as sets of words."""
    parts = dict(part.split("=") for part in text.split(";"))
    unknown = parts.keys() - {*_KEYS}
    if unknown:
        sys.exit(f"--first knows {', '.join(_KEYS)}, not {', '.join(unknown)}")
    return {key: set(words.split(",")) for key, words in parts.items()}


def arrange(plan: Plan, phases: Sequence[Sequence[Choice]]) -> None:
    """Put the stages of `plan` in order; each still comes after those it needs.

    The choices of a phase go side by side.
    """
    turns: Counter[tuple[str, int]] = Counter()
    ranks = {}
    # The longest trainings first: nobody waits for them in the end.
    for arm in sorted(plan.arms, key=_length, reverse=True):
        turns[arm.model, arm.seed] += 1
        ranks[id(arm)] = (*_place(arm, phases), turns[arm.model, arm.seed])
    stages: dict[str, Stage] = {}
    for arm in sorted(plan.arms, key=lambda arm: ranks[id(arm)]):
        for stage in _in_order(arm.score):
            stages.setdefault(stage.key, stage)
    plan.stages = stages


def _length(arm: Arm) -> int:
    model = arm.score.predictions.model
    return len(model.feeds) * (model.recipe.steps or 0) if isinstance(model, Train) else 0


def _place(arm: Arm, phases: Sequence[Sequence[Choice]]) -> tuple[int, int]:
    """The number of the first phase that names `arm`, and of its seed among those named there."""
    for number, choices in enumerate(phases):
        for chosen in choices:
            if belongs(arm, chosen):
                earlier = [seed for seed in map(int, chosen.get("seeds", ())) if seed < arm.seed]
                return number, len(earlier) if "seeds" in chosen else arm.seed
    return len(phases), arm.seed


def belongs(arm: Arm, chosen: Choice) -> bool:
    """Whether the choice names the arm's model, strategy and seed."""
    words = {"models": arm.model, "strategies": arm.strategy, "seeds": str(arm.seed)}
    return all(words[key] in names for key, names in chosen.items())


def _in_order(stage: Stage) -> Iterator[Stage]:
    for need in stage.needs:
        yield from _in_order(need)
    yield stage


if __name__ == "__main__":
    main()
