"""A window of notes and chords as token ids and back, and what may follow what.

In: note arrays in clock-ms. Out: ids that a model reads, and notes from the ids that it writes; no torch.

events: the event view of a window: note-ons and note-offs in one time order.
forcing: notes that are already there, around which a sequence is written: the grammar with forced tokens.
four_parts: four-part harmony as a grammar: what alto, tenor and bass may sing under a soprano, from one chord to the
    next.
grammar: what may follow what.
guidance: what a window's melody and chords say about the keys that are struck under them.
hand_limits: what two hands may strike where a piece is to be easy to play: which keys, and when, after what they
    struck before.
midi: MIDI files to windows of ids, and ids back to MIDI.
tokenizer: notes and chords of one window to token ids and back.
vocab: the vocabulary: 801 token ids, every one of them named. No other module knows a number.
windows: cutting a piece into windows: as many whole bars as fit in 16,000 clock-ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pianalysis.tokens.midi import from_midi, to_midi

__all__ = ["from_midi", "to_midi"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: the modules of this room import one another through it.
    if name in __all__:
        from pianalysis.tokens import midi

        return getattr(midi, name)
    raise AttributeError(f"module 'pianalysis.tokens' has no attribute {name!r}")
