"""What stages need of a machine: the rows that its data has, whatever their texts become."""

from __future__ import annotations

from dataclasses import replace

from xharness.executor.node_check import NodeNeeds
from xharness.spec.recipe import Recipe
from xharness.stages import DataSlice, Start, Train, TrainingFeed, Translate
from xharness.stages.feed import Mixture


def test_translated_rows_are_asked_for_in_their_own_language() -> None:
    english = DataSlice("red", "en", "train", None, "x")
    translation = Translate(english, Start("words", "{}", "y"), "en", "de")
    german = replace(english, language="de", translation=translation)
    feed = TrainingFeed((english, german), "task", "red")
    training = Train(Start("b", "{}", "z"), (feed,), Mixture(), Recipe(), "drop", 1)
    needs = NodeNeeds.of([translation, training])
    assert needs.data_slices == (english,)
    assert needs.translators == ((translation.translator, "en", "de"),)
