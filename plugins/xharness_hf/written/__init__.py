"""Models that answer in words: text-to-text, and by the likelihood of given answers."""
