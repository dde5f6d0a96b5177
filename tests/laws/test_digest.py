"""Digests depend on meaning alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.digests import canonical, digest

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _JSON, max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert digest(value) == digest(backwards)


@given(_JSON, _JSON)
def test_other_values_have_other_digests(first: object, second: object) -> None:
    assert (digest(first) == digest(second)) == (canonical(first) == canonical(second))


def test_nan_and_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest(float("nan"))
    with pytest.raises(TypeError):
        digest(object())


def test_golden() -> None:
    assert digest({"b": [1, 2.5, "é"], "a": None}) == "f8df62ed4c32a3a1138f3eab72524768"
