"""What an arrangement is compared with: another song's accompaniment, and block chords by rule.

In: songs on the clock. Out: accompaniments in clock-ms, as long as the song.
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np

from pianalysis.evaluation.songs import Song, cut
from pianalysis.music.keys import key_shift
from pianalysis.music.notes import Notes, make_notes

SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
DEGREES_BY_RANK: Final = (0, 4, 3, 5, 1, 2, 6)
"""Of chords that fit a half bar equally well the first is taken: I, V, IV, vi, ii, iii, vii°."""
LOWEST_ROOT: Final = 48
VELOCITY: Final = 64


def block_chords(melody: Notes, *, spans_ms: np.ndarray) -> Notes:
    """A triad of the melody's key in each span, the one whose pitch classes the melody spends most time on.

    melody: clock-ms; its key is `key_shift`'s, read off the melody alone. spans_ms: rising borders, n + 1 for n chords.
    Where the melody rests the chord before is struck again, and I at first. Roots lie from C3 to B3.

    >>> block_chords(make_notes([(0, 500, 72, 80), (500, 500, 76, 80)]), spans_ms=np.array([0, 1000]))["pitch"].tolist()
    [48, 52, 55]
    """
    tonic = -key_shift(melody) % 12
    triads = [[(tonic + SCALE[(degree + step) % 7]) % 12 for step in (0, 2, 4)] for degree in DEGREES_BY_RANK]
    rows: list[tuple[float, float, int, int]] = []
    chord = triads[0]
    for start, end in itertools.pairwise(spans_ms):
        time = _time_per_class(melody, start, end)
        if time.any():
            chord = triads[int(np.argmax([round(time[triad].sum(), 3) for triad in triads]))]
        root = LOWEST_ROOT + (chord[0] - LOWEST_ROOT) % 12
        for pitch_class in chord:
            rows.append((float(start), float(end - start), root + (pitch_class - root) % 12, VELOCITY))
    return make_notes(rows)


def _time_per_class(notes: Notes, start_ms: float, end_ms: float) -> np.ndarray:
    """How long each pitch class sounds in a span, ``[12]`` in ms."""
    shared = np.minimum(notes["onset_ms"] + notes["duration_ms"], end_ms) - np.maximum(notes["onset_ms"], start_ms)
    time: np.ndarray = np.bincount(notes["pitch"].astype(int) % 12, weights=np.maximum(shared, 0), minlength=12)
    return time


def half_bars(song: Song) -> np.ndarray:
    """The borders of a song's half bars in clock-ms; of its whole bars where the metre has an odd number of beats."""
    lines = song.clock.bar_lines
    if song.clock.time_signature[0] % 2:
        return lines
    return np.sort(np.concatenate([lines, (lines[:-1] + lines[1:]) / 2]))


def chords_by_rule(song: Song) -> Notes:
    """`block_chords` of a song, one a half bar."""
    return block_chords(song.melody, spans_ms=half_bars(song))


def fitted(accompaniment: Notes, length_ms: float, wanted_ms: float) -> Notes:
    """An accompaniment of one length cut to another; from its beginning again where it is too short."""
    copies = []
    for start in np.arange(0.0, wanted_ms, length_ms):
        copy = cut(accompaniment, 0.0, length_ms)
        copy["onset_ms"] += start
        copies.append(copy)
    return cut(np.concatenate(copies), 0.0, wanted_ms)


def partner(index: int, count: int) -> int:
    """The other song whose accompaniment is put under a song's melody: half-way round the list.

    >>> [partner(index, 5) for index in range(5)]
    [2, 3, 4, 0, 1]
    """
    return (index + max(count // 2, 1)) % count
