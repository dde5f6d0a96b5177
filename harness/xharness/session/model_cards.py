"""Cards beside the trained models of a run: `README.md` in each one's folder."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable

from xharness.digests import digest
from xharness.files import write_text
from xharness.gaps.scores import Row, Score
from xharness.leaderboard.exports.model_card import hub_id, model_card
from xharness.planning.compile import Arm
from xharness.session.session import Session
from xharness.stages import SelectModel, Train

FILE = "README.md"
"""It is made from scores that came after the stage was committed: no receipt speaks of it."""


def write(job: Session, rows: Iterable[Row]) -> None:
    """Tell each trained model's scores beside its weights; a store that can't be written stays."""
    scored: dict[str, list[Score]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Score) and row.stage is not None:
            scored[row.stage].append(row)
    trained: dict[str, list[Arm]] = defaultdict(list)
    for arm in job.plan.arms:
        if arm.score.key in scored:
            for key in _trained(arm, job):
                trained[key].append(arm)
    try:
        for key, arms in trained.items():
            _write(job, key, arms, [row for arm in arms for row in scored[arm.score.key]])
    except OSError as error:
        print(f"warning: no model cards: {error.strerror or error}", file=sys.stderr)


def _trained(arm: Arm, job: Session) -> Iterable[str]:
    """The training that left the arm's model, if one did."""
    model = arm.score.predictions.model
    if isinstance(model, SelectModel) and job.store.has(model.key):
        yield str(job.store.receipt(model.key).facts["chosen"])
    if isinstance(model, Train):
        yield model.key


def _write(job: Session, key: str, arms: list[Arm], rows: list[Score]) -> None:
    folder = job.store.folder(key) / "model"
    if not folder.is_dir():
        return
    path, arm = folder / FILE, arms[0]
    spec = next(one for one in job.study.models if one.name == arm.model)
    own = [*{(row.task, row.language, row.metric, row.split): row for row in rows}.values()]
    name, base = (
        f"{arm.model}-{arm.strategy}-seed{arm.seed}",
        hub_id(spec.backend_options, spec.name),
    )
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    mark = _mark(name, base, own)
    if not old.endswith(mark):
        write_text(path, model_card(name, own, job.catalogue.card, base, old) + mark)


def _mark(name: str, base: str | None, rows: Iterable[Score]) -> str:
    """The last line of a card that was made from `rows`: it need not be read to be left alone."""
    return f"\n<!-- {digest([name, base, [row.model_dump(mode='json') for row in rows]])} -->\n"
