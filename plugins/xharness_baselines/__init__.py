"""Floors for the leaderboard that need no weights: majority, random, character n-grams."""
