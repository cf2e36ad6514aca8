"""The command line."""

from pianalysis.cli.main import main

__all__ = ["main"]
