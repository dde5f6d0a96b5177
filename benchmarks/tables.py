"""Tables of figures on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def show_table(rows: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Print `rows` under their title, columns named after their keys; nothing for no rows."""
    if not rows:
        return
    # As objects: a column of whole numbers with a gap would turn into decimals.
    frame = pd.DataFrame([*rows], dtype=object)
    print(f"{title}\n\n{frame.where(frame.notna(), '—').to_string(index=False)}\n")
