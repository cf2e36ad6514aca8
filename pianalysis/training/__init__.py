"""Options to a trained checkpoint."""

from pianalysis.errors import needs

needs("train", "transformers", "accelerate", "datasets")
