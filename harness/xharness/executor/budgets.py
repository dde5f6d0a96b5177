"""What weights were trained with: steps and examples, as the receipts of their trainings tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xharness.executor.context import RunContext
from xharness.plugin.api import Checkpoint
from xharness.stages import SelectModel, Start, Train


def trainings(checkpoint: Checkpoint, context: RunContext) -> list[dict[str, Any]]:
    """One entry a training behind the weights, the last one last; of candidates, the chosen one's.

    Each has its key as `stage`, its `steps`, `target_steps` by card, and `examples` by card and
    data slice. A backend that learns without steps has none to tell, and a receipt may be gone.
    """
    if isinstance(checkpoint, SelectModel) and context.store.has_facts(checkpoint.key):
        return trainings(context.resolved(checkpoint), context)
    if not isinstance(checkpoint, Train):
        return [] if isinstance(checkpoint, Start) else [{"stage": checkpoint.key}]
    earlier = trainings(checkpoint.start, context)
    if not context.store.has_facts(checkpoint.key):
        return [*earlier, {"stage": checkpoint.key}]
    facts = context.store.receipt(checkpoint.key).facts
    return [*earlier, {"stage": checkpoint.key, **_entry(checkpoint, facts)}]


def _entry(training: Train, facts: Mapping[str, Any]) -> dict[str, Any]:
    steps = facts["training"].get("steps")
    feed_steps = facts["training"].get("feed_steps")
    # All steps are those of the only feed, whether the backend says so or not.
    if feed_steps is None and len(training.feeds) == 1:
        feed_steps = [steps]
    target_steps: dict[str, float | None] = {}
    examples: dict[str, dict[str, int]] = {}
    # The receipt counts all data since the start; this training's slices come last.
    slice_count = sum(len(feed.data_slices) for feed in training.feeds)
    counts = iter(facts["data"][len(facts["data"]) - slice_count :])
    for index, feed in enumerate(training.feeds):
        slice_counts = [next(counts) for _ in feed.data_slices]
        if feed.objective != "task":
            continue
        card = feed.data_slices[0].card
        number = None if feed_steps is None else feed_steps[index]
        earlier = target_steps.get(card, 0)
        target_steps[card] = None if number is None or earlier is None else earlier + number
        examples.setdefault(card, {}).update(
            {f"{count['language']} {count['split']}": count["used"] for count in slice_counts}
        )
    return {"steps": steps, "target_steps": target_steps, "examples": examples}


def labelled_languages(entries: Sequence[Mapping[str, Any]]) -> set[str] | None:
    """The languages of the examples that tasks were learnt from; None where a receipt is gone."""
    if any("examples" not in entry for entry in entries):
        return None
    return {
        data_slice.split()[0]
        for entry in entries
        for slices in entry["examples"].values()
        for data_slice in slices
    }


def budget_columns(
    entries: Sequence[Mapping[str, Any]], cards: Collection[str], *, pretrained: bool
) -> dict[str, Any]:
    """The columns of a score row on a task that learns from `cards`; None where nothing tells.

    `pretrained`: the first training is the model's own, which no strategy chose.
    """
    keys = tuple(entry["stage"] for entry in entries)
    steps = [entry.get("steps") for entry in entries]
    if pretrained and entries:
        steps[0] = 0
    known_steps = tuple(number for number in steps if number is not None)
    target_steps = [
        entry["target_steps"][card]
        for entry in entries
        for card in entry.get("target_steps", ())
        if card in cards
    ]
    examples: dict[tuple[str, str], int] = {}
    for entry in entries:
        for card, slices in entry.get("examples", {}).items():
            for data_slice, count in slices.items():
                key = card, data_slice
                # Of one slice two trainings read the first rows: the larger number holds both.
                examples[key] = max(count, examples.get(key, 0))
    complete = len(known_steps) == len(keys)
    return {
        "trainings": keys,
        "training_steps": known_steps if complete else None,
        "target_steps": round(sum(target_steps)) if complete and None not in target_steps else None,
        "examples": sum(count for (card, _), count in examples.items() if card in cards)
        if all("examples" in entry for entry in entries)
        else None,
    }
