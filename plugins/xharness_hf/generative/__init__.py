"""Language models that answer in words: text-to-text, or by the likelihood of given answers."""
