"""A plugin package for xharness, installed beside it."""
