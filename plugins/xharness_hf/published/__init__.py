"""Sentence encoders read as their publishers do: the modules, lengths and prompts of a folder."""
