"""Add what a store has finished of a study to the scores that lie beside the study's file.

    python leaderboard/add_scores.py STUDY --data-root DIR --store DIR --only "strategies=single"

`xharness run` writes the results of a whole run. A study that is computed piece by piece, on
several machines, collects here what each piece brought: of what `--only` names (as `--first` of
`share.py` does), arms that are finished in all targets. Scores that are there stay as they are, and
stand for an arm that shares their stage, too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from share import Choice, belongs, choice

import xharness
from xharness.executor import RunContext, RunReport, collect, collect_items
from xharness.gaps import evidence, scores
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard.board import EVIDENCE, SCORES
from xharness.planning.plan import Arm

_Group = tuple[str, str, int]
"""A model, a strategy and a seed."""


def main() -> None:
    """Collect, and say what was added."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[], type=choice)
    arguments = parser.parse_args()
    session = xharness.open_study(
        arguments.study, data_root=arguments.data_root, store=arguments.store
    )
    folder = arguments.study.parent
    present_rows = [*scores.read(folder / SCORES)] if (folder / SCORES).is_file() else []
    present = {_group(row) for row in present_rows if isinstance(row, ScoreRow)}
    wanted = set(_finished(session, arguments.only)) - present
    context = RunContext(
        session.catalogue, session.data, session.store, session.environment, session.study.runtime
    )
    report = RunReport()
    known = {_cell(row): row for row in present_rows if isinstance(row, ScoreRow)}
    rows = [
        _as_known(row, known)
        for row in collect(session.plan, context, report)
        if isinstance(row, ScoreRow) and _group(row) in wanted
    ]
    stages = {row.stage for row in rows}
    items = [item for item in collect_items(session.plan, context, report) if item.stage in stages]
    order = {_group(arm): number for number, arm in enumerate(session.plan.arms)}
    # A stable sort: within an arm rows keep their order.
    rows = sorted([*present_rows, *rows], key=lambda row: order[_group(row)])
    if (folder / EVIDENCE).is_file():
        items += evidence.read(folder / EVIDENCE).values()
    evidence.write(folder / EVIDENCE, items)
    scores.write(folder / SCORES, rows)
    for model, strategy, seed in sorted(wanted):
        print(f"added: {model} · {strategy} · seed {seed}")


def _group(arm: Arm | ScoreRow) -> _Group:
    return arm.model, arm.strategy, arm.seed


def _cell(row: ScoreRow) -> tuple[str | None, str, str]:
    return row.stage, row.language, row.metric


def _as_known(row: ScoreRow, known: Mapping[tuple[str | None, str, str], ScoreRow]) -> ScoreRow:
    """The row with the numbers that its stage has already: evidence has one result of a stage."""
    if _cell(row) not in known:
        return row
    return replace(known[_cell(row)], model=row.model, strategy=row.strategy, seed=row.seed)


def _finished(session: xharness.Session, choices: Iterable[Choice]) -> Iterable[_Group]:
    """Models, strategies and seeds of which every target that the plan has is stored."""
    missing = Counter(
        _group(arm) for arm in session.plan.arms if not session.store.has(arm.score.key)
    )
    for arm in session.plan.arms:
        if not missing[_group(arm)] and any(belongs(arm, chosen) for chosen in choices):
            yield _group(arm)


if __name__ == "__main__":
    main()
