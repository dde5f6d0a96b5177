"""Trackers: a run's curves, scores and gaps in TensorBoard, MLflow and Weights & Biases."""
