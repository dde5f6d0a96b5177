"""What a strategy walks: pure values of the plan, made from the study and the catalogue."""

from __future__ import annotations

from xharness.routes.translators import Translators
from xharness.routes.walk import Walk
from xharness.routes.way import CannotLearnError, Way
from xharness.routes.words import Words

__all__ = ["CannotLearnError", "Translators", "Walk", "Way", "Words"]
