"""Transformers kept quiet: what matters reaches the user as an error of xharness."""

from __future__ import annotations

from typing import Any

from transformers import utils


def quiet() -> None:
    """No progress bars and no warnings about heads left out on purpose."""
    logging: Any = utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
