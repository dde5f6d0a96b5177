"""What people see: progress while stages run, and tables."""

from __future__ import annotations

from xharness.console.progress import tracked, watching
from xharness.console.tables import show_facts, show_json, show_table

__all__ = ["show_facts", "show_json", "show_table", "tracked", "watching"]
