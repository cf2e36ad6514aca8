"""The melody of a score: which notes they are."""
