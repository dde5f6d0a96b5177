"""What a plan will cost, before anything runs: steps, sub-words, operations, hours, disk."""
