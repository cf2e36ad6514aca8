"""Corpora to a checked dataset of parquet files."""
