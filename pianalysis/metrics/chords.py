"""Do the notes play the chords: those that the song has, or those that are heard in the notes themselves.

In: notes, and chords as `ChordSpan`s, on one clock. Out: plain numbers, NaN without a chord to compare with. What is
heard in notes: `pianalysis.harmony.recognise`.

Listeners follow these: on 60 rated clips of published systems the share of chord tones has a rank correlation of 0.73 to
0.79 with their ratings, a root in the bass 0.5 to 0.6, pitch consonance 0.27.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_CHORD, NO_ROOT, parse_chord
from pianalysis.metrics.progressions import MAJOR, MINOR, triad_of
from pianalysis.metrics.rolls import PITCH_CLASSES, Floats, ends_ms, sounding
from pianalysis.music.clock import QUARTER_MS, SIXTEENTH_MS
from pianalysis.music.notes import Notes

NAN: Final = float("nan")

Spans = Sequence[ChordSpan]
Labels = Iterable[tuple[float, float, str]]
"""Start, end and label of each chord."""


@dataclass(frozen=True)
class ChordAccuracy:
    """The share of the time under chords with the same root, and, where the chord is major or minor, root and mode."""

    root: float
    major_minor: float


def spans_of_labels(labels: Labels) -> list[ChordSpan]:
    """Labels on the notes' clock as spans; a label that says no chord, or none that is known, is no chord's.

    >>> spans_of_labels([(0.0, 500.0, "A:min7"), (500.0, 1000.0, "N")])[0].chord
    Chord(root=9, quality='min7', bass=9)
    """
    spans = []
    for start, end, label in labels:
        try:
            chord = parse_chord(label)
        except PianalysisError:
            chord = NO_CHORD
        spans.append(ChordSpan(start, end, chord))
    return spans


def chord_accuracy(found: Spans, wanted: Spans) -> ChordAccuracy:
    """How much of the time under wanted chords has the chords that were found, both shares from 0 to 1.

    Time without a wanted chord isn't compared; no chord found under one is wrong. As in `mir_eval` (Raffel et al. 2014),
    sevenths and sixths count as their triads, and suspended, diminished and augmented chords for the root only. Of
    people's accompaniments of POP909, read by rule, 0.96 have the labels' roots.
    """
    shared = _shared(_times(found), _times(wanted))
    ours, theirs = (np.array([triad_of(span.chord) for span in spans]).reshape(-1, 2) for spans in (found, wanted))
    lengths = np.diff(_times(wanted), axis=1).ravel() * (theirs[:, 0] != NO_ROOT)
    triads = np.isin(theirs[:, 1], (MAJOR, MINOR))
    same_root = ours[:, None, 0] == theirs[None, :, 0]
    same = same_root & (ours[:, None, 1] == theirs[None, :, 1])
    right = theirs[:, 0] != NO_ROOT
    return ChordAccuracy(
        root=_share((shared * same_root)[:, right].sum(), lengths.sum()),
        major_minor=_share((shared * same)[:, right & triads].sum(), (lengths * triads).sum()),
    )


def chord_tone_share(notes: Notes, spans: Spans) -> float:
    """The share of the notes' sounding time, under chords, whose pitch class is the chord's or its bass's; 0 to 1.

    Each note counts for as long as it sounds; where there is no chord nothing counts. People's
    accompaniments have 0.92 (classical) to 0.96 (pop) in their songs' chords, their melodies 0.70 to 0.77 in the chords
    below. What a listener follows most.
    """
    shared = _shared(np.stack([notes["onset_ms"], ends_ms(notes)], axis=1), _times(spans))
    chords = _members(spans)
    shared = shared * chords.any(axis=1)
    return _share((shared * chords[:, notes["pitch"] % PITCH_CLASSES].T).sum(), shared.sum())


def strong_notes_in_chord(melody: Notes, spans: Spans, strong_beats_ms: ArrayLike) -> float:
    """Of the strong beats at which the melody sounds, the share at which its note is in the chord there; 0 to 1.

    strong_beats_ms: rising times, such as downbeats and half bars; looked at in the middle of the sixteenth that begins
    there, so that a note struck a little late is the beat's. Beats without a chord don't count. People have 0.73 to 0.79.
    """
    times = np.asarray(strong_beats_ms, np.float64) + SIXTEENTH_MS / 2
    sounds = sounding(melody, times) > 0
    chords = _members_at(spans, times)
    asked = np.flatnonzero(sounds.any(axis=1) & chords.any(axis=1))
    return _share(int(np.any(sounds & chords, axis=1)[asked].sum()), len(asked))


def root_in_bass(notes: Notes, spans: Spans) -> float:
    """The share of chords whose root is the lowest key that sounds in their first beat; 0 to 1.

    What sounds from before for less than half a sixteenth doesn't count, and chords over silence don't. People, who
    invert chords too, have 0.93 in pop songs, 0.6 to 0.7 in Lieder, piano pieces and hymns.
    """
    rights = []
    for span in spans:
        end_ms = min(span.end_ms, span.onset_ms + QUARTER_MS)
        heard = np.minimum(ends_ms(notes), end_ms) - np.maximum(notes["onset_ms"], span.onset_ms)
        pitches = notes["pitch"][heard >= min(SIXTEENTH_MS / 2, end_ms - span.onset_ms)]
        root, _ = triad_of(span.chord)
        if root != NO_ROOT and len(pitches):
            rights.append(int(pitches.min()) % PITCH_CLASSES == root)
    return float(np.mean(rights)) if rights else NAN


def _times(spans: Spans) -> Floats:
    """Onsets and ends, shape (spans, 2)."""
    return np.array([(span.onset_ms, span.end_ms) for span in spans], np.float64).reshape(-1, 2)


def _shared(first: Floats, second: Floats) -> Floats:
    """How long each of the first times and each of the second overlap, shape (first, second)."""
    starts, ends = np.maximum(first[:, None, 0], second[None, :, 0]), np.minimum(first[:, None, 1], second[None, :, 1])
    shared: Floats = np.maximum(ends - starts, 0.0)
    return shared


def _members(spans: Spans) -> NDArray[np.bool_]:
    """Which pitch classes each chord has, shape (spans, 12)."""
    members = np.zeros((len(spans), PITCH_CLASSES), bool)
    for row, span in enumerate(spans):
        members[row, list(span.chord.pitch_classes if span.chord else ())] = True
    return members


def _members_at(spans: Spans, times_ms: Floats) -> NDArray[np.bool_]:
    """Which pitch classes the chord at each time has, shape (times, 12)."""
    times = _times(spans)
    inside = (times[None, :, 0] <= times_ms[:, None]) & (times_ms[:, None] < times[None, :, 1])
    members: NDArray[np.bool_] = np.any(inside[:, :, None] & _members(spans)[None], axis=1)
    return members


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else NAN
