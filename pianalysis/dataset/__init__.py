"""Corpora to a checked dataset of parquet files."""

from pianalysis.errors import needs

needs("data", "datasets")
