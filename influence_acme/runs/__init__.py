"""A run's directory: logs, checkpoints, progress, curves and pictures."""
