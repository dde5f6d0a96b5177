"""What a backbone learns and predicts: one module for each task type."""
