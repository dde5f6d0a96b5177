"""Cards beside the trained models of a run: `README.md` in each one's folder."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable

from xharness.digests import digest
from xharness.files import write_text
from xharness.gaps.scores import Row, Score
from xharness.leaderboard.exports.model_card import hub_id, model_card
from xharness.planning.plan import Arm
from xharness.session.opened_study import OpenedStudy
from xharness.stages import SelectModel, Train

FILE = "README.md"
"""Its scores came after the stage was committed, so no receipt lists it."""


def write(opened: OpenedStudy, rows: Iterable[Row]) -> None:
    """Write each trained model's scores beside its weights; warn where the store is read-only."""
    scores_of_stage: dict[str, list[Score]] = defaultdict(list)
    for row in rows:
        if isinstance(row, Score) and row.stage is not None:
            scores_of_stage[row.stage].append(row)
    arms_of_training: dict[str, list[Arm]] = defaultdict(list)
    for arm in opened.plan.arms:
        if arm.score.key in scores_of_stage:
            for key in _training_keys(arm, opened):
                arms_of_training[key].append(arm)
    try:
        for key, arms in arms_of_training.items():
            _write(
                opened, key, arms, [row for arm in arms for row in scores_of_stage[arm.score.key]]
            )
    except OSError as error:
        print(f"warning: no model cards: {error.strerror or error}", file=sys.stderr)


def _training_keys(arm: Arm, opened: OpenedStudy) -> Iterable[str]:
    """The key of the training that left the arm's model, if one did."""
    model = arm.score.predictions.model
    if isinstance(model, SelectModel) and opened.store.has(model.key):
        yield str(opened.store.receipt(model.key).facts["chosen"])
    if isinstance(model, Train):
        yield model.key


def _write(opened: OpenedStudy, key: str, arms: list[Arm], rows: list[Score]) -> None:
    folder = opened.store.folder(key) / "model"
    if not folder.is_dir():
        return
    path, arm = folder / FILE, arms[0]
    spec = next(model for model in opened.study.models if model.name == arm.model)
    # Arms that share a score stage repeat its rows.
    model_rows = [*{(row.task, row.language, row.metric, row.split): row for row in rows}.values()]
    name = f"{arm.model}-{arm.strategy}-seed{arm.seed}"
    base = hub_id(spec.backend_options, spec.name)
    old_text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    mark = _mark(name, base, model_rows)
    if not old_text.endswith(mark):
        write_text(path, model_card(name, model_rows, opened.catalogue.card, base, old_text) + mark)


def _mark(name: str, base: str | None, rows: Iterable[Score]) -> str:
    """The last line of a card made from `rows`: a card that ends with it is up to date."""
    return f"\n<!-- {digest([name, base, [row.model_dump(mode='json') for row in rows]])} -->\n"
