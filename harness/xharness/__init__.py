"""xharness: a benchmark harness for cross-lingual transfer."""

__version__ = "0.1.0"
