"""What a strategy walks: pure values of the plan, made from the study and the catalogue."""

from __future__ import annotations

from xharness.planning.capabilities import Capabilities
from xharness.planning.context import ArmContext, UnsupportedError
from xharness.planning.memo import Memo
from xharness.planning.route import ArmRoute
from xharness.planning.translators import TranslatorStarts

__all__ = ["ArmContext", "ArmRoute", "Capabilities", "Memo", "TranslatorStarts", "UnsupportedError"]
