"""The version, in a module that imports nothing: receipts and exports name it."""

__version__ = "0.1.0"
