"""The melody of a song found in an arrangement of it: what is left is the accompaniment.

In: a melody's notes, and those of a whole piece with the track of each, on one clock or on clocks that are yet to be told
apart. Out: which of the piece's notes are the melody, and by how much the piece is shifted.

Systems write their MIDI in many ways: with the input's tempi or at 120 quarters a minute throughout, with an intro, on a grid,
the melody on a track of its own or among the piano's notes. So both real time and beats are tried, a shift is looked for where
neither has the melody, and a note is the melody's where its pitch is and its onset is within half a sixteenth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.metrics.recall import melody_recall
from pianalysis.music.clock import SIXTEENTH_MS, Floats
from pianalysis.music.notes import Notes

MATCH_MS: Final = SIXTEENTH_MS / 2
"""A note of the melody may be moved so far, in clock-ms: to a grid of sixteenths and no farther."""
EXACT_MS: Final = 20.0
"""So near a note is where the melody has it: of two ways to read a piece in which all of it is found, one has more of these."""
FOUND: Final = 0.8
"""From this share of its notes on a melody counts as found, and no shift is looked for."""
GAIN, SHIFTED_GAIN = 0.02, 0.2
"""Another way to read a piece must have so many more of the melody's notes, one that is shifted more yet, as the best of many."""
SHIFTED: Final = 0.5
"""And this share of them at least: some are there by chance …"""
FEWEST_SHIFTED: Final = 16
"""… and so many notes: of few that are chord tones, as an introduction's in a lead sheet, half are met at some shift or other."""
BINS_PER_SIXTEENTH: Final = 4
TRANSPOSITIONS: Final = tuple(sorted({*range(-12, 13), -24, 24}, key=abs))
"""Octaves and keys that systems move melodies to, the smallest first."""

Bools = NDArray[np.bool_]
Tracks = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fit:
    """How a piece's times are read so that the melody is in it.

    lead, piece: which of the ways each is read. shift_ms: what is added to the piece's clock-ms. recall, exact: the share of the
    melody's notes that are there then, within `MATCH_MS` and `EXACT_MS`.
    """

    lead: str
    piece: str
    shift_ms: float
    recall: float
    exact: float


def best_fit(leads: Mapping[str, Notes], pieces: Mapping[str, Notes]) -> Fit:
    """The way to read melody and piece, each given in one or more, in which most of the melody is in the piece.

    The first way is taken unless another has clearly more. Notes in clock-ms.
    """
    ways = [(lead, piece) for lead in leads for piece in pieces]
    fits = [fit_of(leads, pieces, lead, piece, 0.0) for lead, piece in ways]
    best = _clearly_best(fits, GAIN)
    if best.recall >= FOUND:
        return best
    shifted = [fit_of(leads, pieces, lead, piece, likely_shift_ms(leads[lead], pieces[piece])) for lead, piece in ways]
    enough = [fit for fit in shifted if fit.recall >= max(SHIFTED, FEWEST_SHIFTED / max(1, len(leads[fit.lead])))]
    return _clearly_best([best, *enough], SHIFTED_GAIN)


def fit_of(leads: Mapping[str, Notes], pieces: Mapping[str, Notes], lead: str, piece: str, shift_ms: float) -> Fit:
    """How much of the melody is in the piece, read in these ways and shifted."""
    notes = moved(pieces[piece], shift_ms)
    return Fit(lead, piece, shift_ms, *(recall(leads[lead], notes, within) for within in (MATCH_MS, EXACT_MS)))


def _clearly_best(fits: list[Fit], gain: float) -> Fit:
    """The first, or the first of those with the most, if that is clearly more."""
    most = max(fits, key=_share)
    return most if _share(most) >= _share(fits[0]) + gain else fits[0]


def _share(fit: Fit) -> float:
    return (fit.recall + fit.exact) / 2


def moved(notes: Notes, shift_ms: float) -> Notes:
    """The notes so much later (a new array)."""
    later = notes.copy()
    later["onset_ms"] += shift_ms
    return later


def likely_shift_ms(melody: Notes, piece: Notes) -> float:
    """What is to be added to a piece's times so that most notes of a melody meet one of their pitch; 0 without any."""
    parts = [
        (
            melody["onset_ms"][melody["pitch"] == pitch][:, None] - piece["onset_ms"][piece["pitch"] == pitch][None, :]
        ).ravel()
        for pitch in np.unique(melody["pitch"])
    ]
    shifts: Floats = np.concatenate([np.zeros(0), *parts])
    if not len(shifts):
        return 0.0
    width = SIXTEENTH_MS / BINS_PER_SIXTEENTH
    bins, counts = np.unique(np.round(shifts / width).astype(np.int64), return_counts=True)
    # each with its neighbours: a shift may lie on the border of two
    around = counts.astype(np.float64)
    for step in (-1, 1):
        place = np.clip(np.searchsorted(bins, bins + step), 0, len(bins) - 1)
        around += np.where(bins[place] == bins + step, counts[place], 0) / 2
    middle = bins[int(np.argmax(around))] * width
    return float(np.median(shifts[np.abs(shifts - middle) <= width]))


def recall(melody: Notes, piece: Notes, within_ms: float = MATCH_MS) -> float:
    """The share of a melody's notes that meet one of the piece; 0 for no melody."""
    return melody_recall(melody, piece, tolerance_ms=within_ms) if len(melody) else 0.0


def likely_transposition(melody: Notes, piece: Notes) -> int:
    """The semitones, one of `TRANSPOSITIONS`, by which a melody stands higher in a piece; 0 where it is found nowhere.

    For telling people what is wrong: nothing is moved by it.
    """
    found = {up: recall(_up(melody, up), piece) for up in TRANSPOSITIONS}
    most = max(found, key=lambda up: found[up])
    return most if found[most] >= FOUND else 0


def _up(notes: Notes, semitones: int) -> Notes:
    higher = notes.copy()
    higher["pitch"] += semitones
    return higher


def melody_in(melody: Notes, piece: Notes, tracks: Tracks) -> Bools:
    """Which of a piece's notes are the melody's: its pitch, an onset within `MATCH_MS`, one note for each of its notes.

    tracks: of each note of the piece. Where several would do, one of the track that has least beside the melody, then the
    nearest, then the one whose length is likest: a part that doubles the melody keeps its notes.

    >>> from pianalysis.music.notes import make_notes
    >>> piece = make_notes([(0, 500, 48, 80), (10, 480, 72, 80), (0, 500, 72, 80)])
    >>> melody_in(make_notes([(0, 500, 72, 80)]), piece, np.array([1, 1, 0])).tolist()
    [False, False, True]
    """
    wanted, there = _pairs(melody, piece)
    meets = np.zeros(len(piece), bool)
    meets[there] = True
    share = np.zeros(int(tracks.max(initial=-1)) + 1)
    for track in np.unique(tracks):
        share[track] = meets[tracks == track].mean()
    # to a millionth: what differs by rounding alone is equal, in every order of the notes
    apart = np.round(np.abs(melody["onset_ms"][wanted] - piece["onset_ms"][there]), 6)
    lengths = np.round(np.abs(melody["duration_ms"][wanted] - piece["duration_ms"][there]), 6)
    order = np.lexsort((there, wanted, lengths, apart, -share[tracks[there]]))
    taken, mine = np.zeros(len(melody), bool), np.zeros(len(piece), bool)
    for pair in order.tolist():
        first, second = wanted[pair], there[pair]
        if not taken[first] and not mine[second]:
            taken[first] = mine[second] = True
    return mine


def _pairs(melody: Notes, piece: Notes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of a melody's and a piece's note, by their places, of one pitch and within `MATCH_MS`."""
    rows: list[NDArray[np.int64]] = []
    for pitch in np.unique(melody["pitch"]):
        ours, theirs = np.flatnonzero(melody["pitch"] == pitch), np.flatnonzero(piece["pitch"] == pitch)
        near = np.abs(melody["onset_ms"][ours][:, None] - piece["onset_ms"][theirs][None, :]) <= MATCH_MS + 1e-6
        first, second = np.nonzero(near)
        rows.append(np.stack([ours[first], theirs[second]], axis=1))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *rows])
    return pairs[:, 0], pairs[:, 1]
