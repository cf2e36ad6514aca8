"""Chord symbols that stand as text events in a MIDI file, as accompaniment programs write them.

In: the file's bytes. Out: (tick, text), where most of its text events are symbols; a score has them as markers.
"""

from __future__ import annotations

import re
from typing import Final

import symusic

from pianalysis.music.midi_events import TEXT, text_events
from pianalysis.music.midi_texts import texts_in_utf8

SYMBOL: Final = re.compile(
    r"[A-H](?:[#b♯♭]|is|es)?(?:maj|min|dim|aug|sus|add|alt|omit|no|[mM°øΔ+\-\d#b♯♭()^])*(?:/[A-H](?:[#b♯♭]|is|es)?)?"
)
FEWEST: Final = 2
MOST_SHARE: Final = 0.8
"""So many of a file's texts must be symbols: “A” may be a word, or a section's name."""


def read_chord_texts(data: bytes) -> list[tuple[int, str]]:
    """The chord symbols among a file's text events, by tick; [] where its texts are something else."""
    if b"\xff\x01" not in data:
        return []
    data = texts_in_utf8(data)
    texts = [
        (event.tick, data[event.start : event.end].decode(errors="replace").strip())
        for event in text_events(data)
        if event.kind == TEXT
    ]
    later = [(tick, text) for tick, text in texts if tick and text]
    symbols = [(tick, text) for tick, text in texts if SYMBOL.fullmatch(text)]
    said = [text for tick, text in later if SYMBOL.fullmatch(text)]
    if len(symbols) < FEWEST or len(said) < MOST_SHARE * len(later):
        return []
    return sorted(symbols)


def put_chord_texts(score: symusic.Score, symbols: list[tuple[int, str]]) -> None:
    """Make chord symbols markers, in place, of a score that has none."""
    if not len(score.markers):
        score.markers.extend([symusic.TextMeta(tick, text) for tick, text in symbols])
