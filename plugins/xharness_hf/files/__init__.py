"""Folders, hub and weights: where a model comes from and goes to."""
