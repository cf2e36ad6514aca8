"""Chords from notes: which chord sounds in each beat, whatever the texture.

In: notes and a beat grid, on one clock. Out: a `Chord` a beat, or the spans in which one chord holds.

A chord's fit to a beat is a weighted sum of what sounds there: the time shares of its tones and of strangers, of the
bass, and how well it suits the key around. The chords found are those of the largest sum of fits, where a change costs
something, less on strong beats (Viterbi, exact). The weights go by what a note is to a chord (root, third, fifth,
seventh, stranger), so there are few, and they hold beyond the music that they were chosen on: POP909's training songs
and Bach chorales, by a search like that of `scripts/evaluate_recognition.py --fit`, then rounded by hand. Freely fitted profiles of
every quality (a CRF with 400 weights, three epochs) have fewer of POP909's roots right, of the validation songs'
accompaniments 0.916 against 0.933.

On POP909's test songs, accompaniment alone, this has 0.937 of the labels' roots right, 0.923 with major or minor, 0.870
with sevenths; in 19 Bach chorales, beat by beat, 0.904, 0.935 and 0.807 (mir_eval's measures).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.harmony.beats import BeatGrid
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.symbols import CORE_QUALITIES, NO_CHORD, PITCH_CLASSES, QUALITIES, Chord
from pianalysis.music.notes import Notes

MOMENTS: Final = 12
"""Moments of a beat at which is asked what sounds: halves, thirds and quarters of a beat are whole moments."""
KEYBOARD: Final = 128
RING: Final = 11
"""A bass note rings on, to the end of its bar, under notes more semitones higher: a waltz's bass under its chords."""
KEY_BEATS: Final = 12
"""How many beats on either side tell the key."""

_STEPS: Final = {name: QUALITIES[name] for name in (*CORE_QUALITIES, "sus2")}
"""Semitones above the root, from the root by thirds up. A sus2 would be a sus4 a fifth higher, so it is told apart by
its bass; it is given as the triad that the key has on its root."""
_QUALITIES: Final = tuple(_STEPS)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Weights:
    """What counts for a chord, for each beat in which it is all that sounds, and what against it."""

    tones: tuple[float, float, float, float] = (2.8, 1.8, 2.3, 1.3)
    """Root, third (or the second or fourth in its place), fifth and seventh sounding."""
    stranger: float = -2.3
    """A pitch class that isn't in the chord."""
    other_third: float = -3.0
    """More for a stranger that is a third above the root: the minor third in a major chord, either in a suspension."""
    bass: tuple[float, float, float, float] = (0.8, 0.3, -0.6, 0.4)
    """Root, third, fifth and seventh as the bass: once for the one that rings, and once for the lowest note of several
    that sound together. A single line, such as an Alberti bass, has no other lowest note than the one that rings."""
    strange_bass: float = -1.2
    key: float = 0.6
    """A chord tone that surely isn't of the key counts so much less than one that surely is. (POP909's labels call every
    bare fifth major: with 0 here 0.7 % more of them agree, but a bare A–E in A minor isn't A major.)"""
    suspended: tuple[float, float] = (-2.2, -3.4)
    """For sus4 and for sus2, beside 0 for a major or minor triad."""
    seventh: tuple[float, float] = (-0.8, -1.9)
    """For a dominant seventh and for any other."""
    altered: tuple[float, float] = (-0.8, -1.0)
    """For a diminished and for an augmented fifth."""
    silence: float = 1.7
    """For no chord in a silent beat, and against it in one that isn't."""
    change: tuple[float, float, float] = (4.3, 2.5, 1.5)
    """The cost of a change on a weak beat, on a half bar, on a downbeat."""


WEIGHTS: Final = Weights()


@dataclass(frozen=True)
class _Profiles:
    """What sounds in each of n beats, all keys and pitch classes counted from `reference`.

    tones, bass, ringing: time shares ``[n, 12]`` of the pitch classes that sound, of the lowest and of the bass that
    rings. lowest: ``[n, MOMENTS]`` the lowest key of each moment, −1 for none.
    """

    reference: int
    tones: Floats
    bass: Floats
    ringing: Floats
    lowest: Counts


def recognise(notes: Notes, beats: BeatGrid, *, weights: Weights = WEIGHTS) -> list[Chord]:
    """The chord of each beat: root, quality (one of the ten of `QUALITIES`) and bass; `NO_CHORD` where there is none.

    notes: on the clock of the beats, in any order; those outside the grid are left out. Notes transposed by n give the
    chords transposed by n. In a short silence the chord holds, in a long one there is none.

    >>> from pianalysis.harmony.beats import beat_grid
    >>> from pianalysis.music.notes import make_notes
    >>> waltz = make_notes([(0, 500, 45, 80), (500, 500, 60, 80), (500, 500, 64, 80), (1000, 500, 60, 80)])
    >>> [chord.symbol() for chord in recognise(waltz, beat_grid([0, 1500], (3, 4)))]
    ['Am', 'Am', 'Am']
    """
    profiles = _profiles(notes, beats)
    in_key = _in_key(profiles.tones)
    path = _steady_path(_fits(profiles, in_key, weights), np.array(weights.change)[beats.strength])
    basses = _basses(path, profiles, beats.bar)
    chords = []
    for state, bass, row in zip(path.tolist(), basses, in_key, strict=True):
        quality, root = divmod(state, PITCH_CLASSES)
        if quality == len(_QUALITIES):
            chords.append(NO_CHORD)
            continue
        name = _QUALITIES[quality]
        if name == "sus2":
            name = "min" if row[(root + 3) % PITCH_CLASSES] > row[(root + 4) % PITCH_CLASSES] else "maj"
        above = profiles.reference
        chords.append(Chord((root + above) % PITCH_CLASSES, name, (bass + above) % PITCH_CLASSES))
    return chords


def recognised_chart(notes: Notes, beats: BeatGrid, *, weights: Weights = WEIGHTS) -> Chart:
    """What `recognise` finds, as a chart on these beats."""
    chords: tuple[Chord | None, ...] = tuple(recognise(notes, beats, weights=weights))
    lines = [*beats.borders_ms[:-1][np.diff(beats.bar, prepend=-1) > 0], beats.borders_ms[-1]]
    return Chart(chords, tuple(beats.borders_ms.tolist()), tuple(float(line) for line in lines))


def recognise_spans(notes: Notes, beats: BeatGrid, *, weights: Weights = WEIGHTS) -> list[ChordSpan]:
    """What `recognise` finds, beats of the same chord together: each span ends where the next begins."""
    chords = recognise(notes, beats, weights=weights)
    starts = [beat for beat, chord in enumerate(chords) if beat == 0 or chord != chords[beat - 1]]
    borders = beats.borders_ms.tolist()
    return [ChordSpan(borders[start], borders[stop], chords[start]) for start, stop in pairwise([*starts, len(chords)])]


def _profiles(notes: Notes, beats: BeatGrid) -> _Profiles:
    """Counted from the first note's pitch class, so that a tie is decided alike in every transposition."""
    moments = (np.arange(MOMENTS) + 0.5) / MOMENTS
    times = (beats.borders_ms[:-1, None] + np.diff(beats.borders_ms)[:, None] * moments).ravel()
    first = np.searchsorted(times, notes["onset_ms"])
    stop = np.maximum(np.searchsorted(times, notes["onset_ms"] + notes["duration_ms"]), first)
    pitches = notes["pitch"].astype(np.int64)
    reference = int(pitches[np.lexsort((pitches, first))[0]]) % PITCH_CLASSES if len(notes) else 0
    keys = pitches - reference
    keys -= int(keys.min(initial=KEYBOARD)) // PITCH_CLASSES * PITCH_CLASSES
    width = (int(keys.max(initial=0)) // PITCH_CLASSES + 1) * PITCH_CLASSES
    changes = np.zeros((len(times) + 1, width), np.int16)
    np.add.at(changes, (first, keys), 1)
    np.subtract.at(changes, (stop, keys), 1)
    sounding = np.cumsum(changes[:-1], axis=0, dtype=np.int16) > 0
    classes: NDArray[np.bool_] = np.logical_or.reduce(sounding.reshape(len(times), -1, PITCH_CLASSES), axis=1)
    lowest = np.where(classes.any(axis=1), sounding.argmax(axis=1), -1)
    ringing = _ringing(lowest, np.repeat(beats.bar, MOMENTS))
    shape = (len(beats), MOMENTS, PITCH_CLASSES)
    return _Profiles(
        reference,
        classes.reshape(shape).mean(axis=1),
        _one_hot(lowest).reshape(shape).mean(axis=1),
        _one_hot(ringing).reshape(shape).mean(axis=1),
        lowest.reshape(shape[:2]),
    )


def _one_hot(keys: Counts) -> Floats:
    rows: Floats = np.vstack([np.eye(PITCH_CLASSES), np.zeros(PITCH_CLASSES)])[
        np.where(keys < 0, PITCH_CLASSES, keys % PITCH_CLASSES)
    ]
    return rows


def _ringing(lowest: Counts, bar: Counts) -> Counts:
    """The bass that rings at each moment: the lowest note, or the one before in its bar where that is far below.

    >>> _ringing(np.array([40, 55, 59, 45, -1, 60]), np.array([0, 0, 0, 0, 0, 1])).tolist()
    [40, 40, 40, 45, 45, 60]
    """
    rings, last, last_bar = [], -1, -1
    for key, index in zip(lowest.tolist(), bar.tolist(), strict=True):
        if index != last_bar:
            last, last_bar = -1, index
        if key >= 0 and (last < 0 or key <= last + RING):
            last = key
        rings.append(last)
    return np.array(rings, np.int64)


def _in_key(tones: Floats) -> Floats:
    """How surely each pitch class is of the key around each beat, 0 … 1, ``[n, 12]``.

    The key is one of the twelve major scales, each as likely as e to the time that the notes around spend in it more
    than in others, in beats.
    """
    scale = np.isin((np.arange(PITCH_CLASSES)[:, None] - np.arange(PITCH_CLASSES)) % 12, (0, 2, 4, 5, 7, 9, 11))
    total = np.vstack([np.zeros(PITCH_CLASSES), np.cumsum(tones, axis=0)])
    beat = np.arange(len(tones))
    around = total[np.minimum(beat + KEY_BEATS + 1, len(tones))] - total[np.maximum(beat - KEY_BEATS, 0)]
    time = around @ scale
    likely = np.exp(time - time.max(axis=1, keepdims=True))
    inside: Floats = likely @ scale.T / likely.sum(axis=1, keepdims=True)
    return inside


def _fits(profiles: _Profiles, in_key: Floats, weights: Weights) -> Floats:
    """How well each chord fits each beat, ``[n, 12 × qualities + 1]``, no chord last."""
    tones, bass, member, bias = _templates(weights)
    chordal = np.clip(profiles.tones.sum(axis=1, keepdims=True) - 1, 0, 1)
    fits = profiles.tones @ tones + (chordal * profiles.bass + profiles.ringing) @ bass + bias
    fits += weights.key * (in_key - 1) @ member
    silent = profiles.tones.sum(axis=1) == 0
    return np.column_stack([fits, np.where(silent, weights.silence, -weights.silence)])


def _templates(weights: Weights) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights of tones and of basses and the chord's members, ``[12, chords]`` each, and each chord's own weight."""
    tones = np.full((PITCH_CLASSES, len(_QUALITIES)), weights.stranger)
    bass = np.full_like(tones, weights.strange_bass)
    member = np.zeros_like(tones)
    bias = np.zeros(len(_QUALITIES))
    for column, (name, steps) in enumerate(_STEPS.items()):
        tones[[3, 4], column] += weights.other_third
        tones[steps, column] = weights.tones[: len(steps)]
        bass[steps, column] = weights.bass[: len(steps)]
        member[steps, column] = 1
        bias[column] += {"sus4": weights.suspended[0], "sus2": weights.suspended[1]}.get(name, 0.0)
        bias[column] += weights.seventh[0 if name == "7" else 1] if len(steps) == 4 else 0.0
        bias[column] += {6: weights.altered[0], 8: weights.altered[1]}.get(steps[2], 0.0)
    turn = (np.arange(PITCH_CLASSES)[:, None] - np.arange(PITCH_CLASSES)) % PITCH_CLASSES
    return (
        *(table[turn].transpose(0, 2, 1).reshape(PITCH_CLASSES, -1) for table in (tones, bass, member)),
        np.repeat(bias, PITCH_CLASSES),
    )


def _steady_path(fits: Floats, cost: Floats) -> Counts:
    """The column of each row that together have the largest sum, less the row's cost wherever the column changes."""
    rows, columns = fits.shape
    stay = np.arange(columns)
    came_from = np.zeros((rows, columns), np.int64)
    total = fits[0].copy()
    for row in range(1, rows):
        best = int(total.argmax())
        changed = total[best] - cost[row]
        came_from[row] = np.where(total >= changed, stay, best)
        total = np.maximum(total, changed) + fits[row]
    path = np.zeros(rows, np.int64)
    path[-1] = total.argmax()
    for row in range(rows - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    return path


def _basses(path: Counts, profiles: _Profiles, bar: Counts) -> list[int]:
    """The bass of each beat's chord, a pitch class; while a chord holds in a bar, the lowest bass so far stays."""
    basses = []
    last, before = -1, (-1, -1)
    for state, index, keys in zip(path.tolist(), bar.tolist(), profiles.lowest.tolist(), strict=True):
        if (state, index) != before:
            last, before = -1, (state, index)
        key = _bass_key([key for key in keys if key >= 0], state)
        if key >= 0 and (last < 0 or key < last):
            last = key
        basses.append(last % PITCH_CLASSES if last >= 0 else state % PITCH_CLASSES)
    return basses


def _bass_key(keys: list[int], state: int) -> int:
    """The key that is the bass of a beat, of the lowest keys at its moments; −1 for none.

    It is the first that is a tone of the chord, or one an octave and more below. A stranger is the bass if it is there
    all beat long, as a pedal point is.
    """
    quality, root = divmod(state, PITCH_CLASSES)
    if quality == len(_QUALITIES) or not keys:
        return -1
    if len(set(keys)) == 1:
        return keys[0]
    steps = _STEPS[_QUALITIES[quality]]
    tones = [key for key in keys if (key - root) % PITCH_CLASSES in steps]
    if not tones:
        return -1
    return tones[0] if tones[0] - min(tones) < PITCH_CLASSES else min(tones)
