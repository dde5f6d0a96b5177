"""The registry of known models: each can be named in a study."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from xharness.spec.models import ModelSpec
from xharness.spec.registry import models


def test_every_known_model_can_stand_in_a_study() -> None:
    for model in models():
        assert ModelSpec(name=model.name).name == model.name


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "end.", "", "a..b/../c"])
def test_a_name_cannot_leave_its_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        ModelSpec(name=name)
