"""Options to a trained checkpoint."""
