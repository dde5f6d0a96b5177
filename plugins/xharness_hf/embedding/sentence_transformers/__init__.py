"""Sentence encoders in the layout of sentence-transformers: modules, lengths and prompts."""
