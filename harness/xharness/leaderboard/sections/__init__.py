"""What stands on a board, thought by thought: each module gives `section(board)`, as lines."""
