"""The version, where everyone can read it without importing the package's rooms."""

from typing import Final

__version__: Final = "0.1.0"
