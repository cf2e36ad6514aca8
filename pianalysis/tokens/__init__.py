"""A window of notes and chords as token ids and back, and what may follow what.

In: note arrays in clock-ms. Out: ids that a model reads, and notes from the ids that it writes. No torch.
"""

from __future__ import annotations

from typing import Any

__all__ = ["from_midi", "to_midi"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: the modules of this room import one another through it.
    if name in __all__:
        from pianalysis.tokens import midi

        return getattr(midi, name)
    raise AttributeError(f"module 'pianalysis.tokens' has no attribute {name!r}")
