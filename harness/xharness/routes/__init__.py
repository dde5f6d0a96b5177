"""What a strategy walks: pure values of the plan, made from the study and the catalogue."""

from __future__ import annotations

from xharness.routes.abilities import Abilities
from xharness.routes.once import Once
from xharness.routes.translators import Translators
from xharness.routes.walk import Walk
from xharness.routes.way import CannotLearnError, Way

__all__ = ["Abilities", "CannotLearnError", "Once", "Translators", "Walk", "Way"]
