"""Pianalysis: a melody in, a piano piece out.

>>> from pianalysis import Arranger
>>> Arranger.__name__
'Arranger'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pianalysis.version import __version__

if TYPE_CHECKING:
    from pianalysis.arranging.arranger import Arrangement, Arranger, Options

__all__ = ["Arrangement", "Arranger", "Options", "__version__"]


def __getattr__(name: str) -> Any:
    # Only what is asked for is imported: `pianalysis --help` must not wait for torch.
    if name in ("Arrangement", "Arranger", "Options"):
        from pianalysis.arranging import arranger

        return getattr(arranger, name)
    raise AttributeError(f"module 'pianalysis' has no attribute {name!r}")
