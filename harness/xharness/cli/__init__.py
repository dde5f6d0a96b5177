"""The command line: `app` says what can be typed, the other modules do it."""

from xharness.cli.app import app, main

__all__ = ["app", "main"]
