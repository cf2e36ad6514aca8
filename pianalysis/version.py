"""The version, where everyone can read it without importing the package's rooms."""

__version__ = "0.1.0"
