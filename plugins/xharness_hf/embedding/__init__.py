"""Texts to sentence vectors."""
