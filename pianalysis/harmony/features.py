"""What the harmoniser hears: a melody on the beat grid, in one key.

In: a melody, one voice, and its beats, on the beat clock. Out: a row of numbers a beat. They know pitches only relative to
the melody's key and to its mean, so a melody moved by some semitones, its key with it, has the same rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import BeatGrid
from pianalysis.harmony.symbols import PITCH_CLASSES
from pianalysis.music.notes import Notes

STYLES: Final = ("pop", "classical", "hymn")
"""What chords can be like: those of POP909; of art songs, piano music and lead sheets of 1900; of hymns."""
PARTS: Final = 2
"""A beat's parts of which is told what sounds in them."""
EARLY_MS: Final = 30.0
"""A note that begins so shortly before a beat is of that beat."""
ON_BEAT: Final = 0.15
"""So much of a beat away a note is still on it."""
LONGEST_BEATS: Final = 4.0
"""Longer notes aren't told from each other."""
FARTHEST_BEATS: Final = 32
PLACES: Final = 6
"""Beats of a bar, from its beginning and from its end, that are told from each other."""
EDGE_BARS: Final = 4
"""Bars from the melody's first and from its last that are told from each other."""

KEY_TIME: Final = (0.178, 0.012, 0.133, 0.015, 0.176, 0.071, 0.017, 0.158, 0.019, 0.132, 0.013, 0.076)
"""How much of a melody's time each pitch class takes, from the tonic of its major scale (or relative one) up …"""
KEY_FIRST: Final = (0.219, 0.002, 0.035, 0.007, 0.278, 0.013, 0.005, 0.279, 0.008, 0.127, 0.002, 0.024)
KEY_LAST: Final = (0.57, 0.019, 0.023, 0.001, 0.077, 0.02, 0.003, 0.047, 0.004, 0.216, 0.008, 0.012)
"""… and how often it is the first note and the last: of the corpora's training songs, by the scale of their chords."""
KEY_NOTES: Final = 40.0
"""The time of a whole melody says as much as so many notes that don't depend on each other."""
FIRST_WEIGHT: Final = 0.5
SMALL: Final = 1e-3

CLASS_COLUMNS: Final = PITCH_CLASSES * (PARTS + 5)
"""The first columns, which are pitch classes from the tonic (of C major or A minor, C) up, twelve at a time."""
FEATURES: Final = CLASS_COLUMNS + 10 + 2 * PLACES + 7 + 1 + 4 + 8 + 2 * (EDGE_BARS + 2) + 4 + 1 + len(STYLES)

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]


def melody_shift(melody: Notes) -> int:
    """The semitones, 0 … 11, that bring a melody's key to C major or A minor; a melody n higher has n less of them.

    melody: one voice by onset. The key is the likeliest by how long each pitch class sounds, how the melody begins and
    how it ends. For 0.90 of training songs, half of which its numbers don't come from, it is the key of their chords;
    without the ends, as by `key_shift`, for 0.87. Of keys as likely as each other the melody's first note chooses.
    """
    if not len(melody):
        return 0
    classes = (melody["pitch"].astype(np.int64) - int(melody["pitch"][0])) % PITCH_CLASSES
    time = np.bincount(classes, melody["duration_ms"], PITCH_CLASSES)
    profile, first, last = (np.log(np.array(shares) + SMALL) for shares in (KEY_TIME, KEY_FIRST, KEY_LAST))
    chances = [
        KEY_NOTES * time @ np.roll(profile, tonic) / max(time.sum(), SMALL)
        + FIRST_WEIGHT * first[-tonic % PITCH_CLASSES]
        + last[(classes[-1] - tonic) % PITCH_CLASSES]
        for tonic in range(PITCH_CLASSES)
    ]
    return (-int(np.argmax(chances)) - int(melody["pitch"][0])) % PITCH_CLASSES


def melody_features(melody: Notes, beats: BeatGrid, style: str, shift: int) -> Floats:
    """What a melody is like in each of n beats, ``[n, FEATURES]``, about 0 … 1.

    melody: one voice by onset, on the clock of the beats. style: one of `STYLES`. shift: `melody_shift`, or another to
    hear the melody in another key. The columns: `CLASS_COLUMNS` of pitch classes, then how the notes lie in time, the
    place in the bar, the place among the bars, and the style. Raises PianalysisError for another style.
    """
    if style not in STYLES:
        raise PianalysisError(f"expected one of the styles {list(STYLES)}, found {style!r}")
    starts = beats.index(melody["onset_ms"] + EARLY_MS)
    rows = [
        *_classes(melody, beats, starts, shift),
        _timing(melody, beats, starts),
        _metre(beats),
        _form(beats, starts),
        np.tile(np.eye(len(STYLES))[STYLES.index(style)], (len(beats), 1)),
    ]
    return np.concatenate(rows, axis=1, dtype=np.float32)


def _classes(melody: Notes, beats: BeatGrid, starts: Counts, shift: int) -> list[NDArray[np.float64]]:
    """Pitch classes: their share of each part of a beat, their onsets, the longest note of each, those struck on the beat,
    their share of the bar and of the melody."""
    n, classes = len(beats), (melody["pitch"].astype(np.int64) + shift) % PITCH_CLASSES
    borders, lengths = beats.borders_ms, np.diff(beats.borders_ms)
    parts = (borders[:-1, None] + lengths[:, None] * np.arange(PARTS) / PARTS).ravel()
    time = _time_shares(melody, classes, np.append(parts, borders[-1]))
    onsets, longest, struck = (np.zeros((n, PITCH_CLASSES)) for _ in range(3))
    np.add.at(onsets, (starts, classes), 1)
    np.maximum.at(longest, (starts, classes), np.minimum(melody["duration_ms"] / lengths[starts], LONGEST_BEATS))
    on_beat = np.abs(melody["onset_ms"] - borders[starts]) < ON_BEAT * lengths[starts]
    struck[starts[on_beat], classes[on_beat]] = 1
    shares = time.reshape(n, PARTS, PITCH_CLASSES).mean(axis=1)
    bars = np.zeros((int(beats.bar[-1]) + 1, PITCH_CLASSES))
    np.add.at(bars, beats.bar, shares)
    in_bar = (bars / np.maximum(np.bincount(beats.bar), 1)[:, None])[beats.bar]
    in_all = np.tile(3 * shares.sum(axis=0) / max(shares.sum(), 1e-6), (n, 1))
    return [time.reshape(n, -1), np.minimum(onsets, 2) / 2, longest / LONGEST_BEATS, struck, in_bar, in_all]


def _time_shares(melody: Notes, classes: Counts, borders: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each stretch between two borders in which each pitch class sounds, ``[stretches, 12]``."""
    start, end = melody["onset_ms"], melody["onset_ms"] + melody["duration_ms"]
    first = np.clip(np.searchsorted(borders, start, side="right") - 1, 0, len(borders) - 2)
    last = np.clip(np.searchsorted(borders, end, side="left") - 1, first, len(borders) - 2)
    counts = last - first + 1
    note = np.repeat(np.arange(len(melody)), counts)
    stretch = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[note]
    shared = np.minimum(end[note], borders[stretch + 1]) - np.maximum(start[note], borders[stretch])
    time = np.zeros((len(borders) - 1, PITCH_CLASSES))
    np.add.at(time, (stretch, classes[note]), np.maximum(shared, 0))
    return time / np.diff(borders)[:, None]


def _timing(melody: Notes, beats: BeatGrid, starts: Counts) -> NDArray[np.float64]:
    """Onsets, longest note, height, sounding time, whether it is the first beat of the melody or the last, before or
    after it, and how far the notes before and after are, ``[n, 10]``."""
    n, beat = len(beats), np.arange(len(beats))
    if not len(melody):
        return np.zeros((n, 10))
    count = np.bincount(starts, minlength=n)
    lengths = np.minimum(melody["duration_ms"] / np.diff(beats.borders_ms)[starts], LONGEST_BEATS)
    longest = np.zeros(n)
    np.maximum.at(longest, starts, lengths / LONGEST_BEATS)
    pitch = melody["pitch"].astype(np.float64) - float(melody["pitch"][0])
    height = np.where(count > 0, np.bincount(starts, pitch - pitch.mean(), n) / np.maximum(count, 1) / 12, 0.0)
    sounding = _time_shares(melody, np.zeros(len(melody), np.int64), beats.borders_ms)[:, 0]
    struck = np.flatnonzero(count)
    before = np.searchsorted(struck, beat, side="right") - 1
    after = np.searchsorted(struck, beat, side="right")
    since = np.where(before >= 0, beat - struck[before], 0)
    until = np.where(after < len(struck), struck[np.minimum(after, len(struck) - 1)] - beat, FARTHEST_BEATS / 2)
    far = (np.log1p(np.minimum(gap, FARTHEST_BEATS)) / 3 for gap in (since, until))
    first, last = struck[0], struck[-1]
    edges = (beat == first, beat == last, beat < first, beat > last)
    return np.stack([count / 4, longest, height, sounding, *edges, *far], axis=1)


def _metre(beats: BeatGrid) -> NDArray[np.float64]:
    """The place in the bar, from its beginning and its end, the beats of the bar, and whether it is the middle."""
    count, place = beats.beats_in_bar, beats.place
    middle = (2 * place == count)[:, None]
    return np.concatenate(
        [_one_hot(place, PLACES), _one_hot(count - 1 - place, PLACES), _one_hot(count, PLACES + 1), middle], axis=1
    )


def _form(beats: BeatGrid, starts: Counts) -> NDArray[np.float64]:
    """The bar's place in groups of four and eight, from the first bar with melody; how far it is from that and from the
    last; its place in a group of four from the last; how much of the melody is past."""
    beat = np.arange(len(beats))
    first, last = (int(starts.min()), int(starts.max())) if len(starts) else (0, len(beats) - 1)
    since, until = beats.bar - beats.bar[first], beats.bar[last] - beats.bar
    past = np.clip((beat - first) / max(last - first, 1), 0, 1)[:, None]
    edges = [_one_hot(np.clip(bars, -1, EDGE_BARS) + 1, EDGE_BARS + 2) for bars in (until, since)]
    return np.concatenate(
        [_one_hot(since % 4, 4), _one_hot(since % 8, 8), *edges, _one_hot(until % 4, 4), past], axis=1
    )


def _one_hot(values: Counts, size: int) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = np.eye(size)[np.clip(values, 0, size - 1)]
    return rows
