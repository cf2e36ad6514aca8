"""Notes as played to notes as written: every onset and end on the grid of its beat.

In: a track in ticks and its score's measures. Out: chords of one key, in the units of `measures`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.output.measures import (
    QUARTER,
    SIXTEENTH,
    SMALLEST,
    THIRTYSECOND,
    TRIPLET_EIGHTH,
    TRIPLET_SIXTEENTH,
    Chord,
    Floats,
    Measure,
)
from pianalysis.output.swing import straight, swung_beats

EARLY: Final = 4
"""Units before a beat at which a note still belongs to it."""
EXACT: Final = 0.5
"""Units from the grid that coarse ticks explain."""
FINER_GAIN: Final = 1.0
"""By how many units a note, on average, triplets or 32nds must fit a beat better than sixteenths to be written."""
WRITTEN_STEPS: Final = (THIRTYSECOND, TRIPLET_SIXTEENTH, QUARTER / 5, QUARTER / 7)
"""Of what is written, in units: five and seven in a beat, too, though they are spelled as what is nearest to them."""
MET, ONLY_APART = 10_000.0, 1_000.0
"""What it costs, in units, that two notes of a line come to lie at one place, and a step that is there to keep them apart."""


def grid_of(
    score: symusic.Score,
    track: symusic.Track,
    measures: list[Measure],
    steps: tuple[int, ...] = (SIXTEENTH,),
    *,
    swing: bool = False,
    apart: bool = False,
) -> Grid:
    """The grid that a track's onsets choose.

    steps: units of the grids to choose from. Beats are on the first but where another clearly fits their onsets better.
    swing: long and short eighths are written as even ones. apart: the track is a line, whose notes are never a chord because
    they are fast: beats where they would be are on 32nds.
    """
    onsets = np.asarray(track.notes.numpy()["time"], np.float64) * QUARTER / score.tpq
    return Grid(measures, onsets, steps, swing=swing, apart=apart)


def write_notes(
    score: symusic.Score, track: symusic.Track, measures: list[Measure], grid: Grid, *, sung: bool = False
) -> list[Chord]:
    """A track's notes on their grid, each as a chord of one key, sorted; no key struck while it sounds.

    What isn't `sung` is let go, in triplets, on whole eighths of them.
    """
    table = track.notes.numpy()
    onsets = np.asarray(table["time"], np.float64) * QUARTER / score.tpq
    ends = onsets + np.asarray(table["duration"], np.float64) * QUARTER / score.tpq
    begin, stop = grid.place(onsets), grid.place(ends, coarse=not sung)
    stop = np.maximum(stop, grid.next_place(begin))
    last = measures[-1].start + measures[-1].length
    notes: dict[tuple[int, int], Chord] = {}
    columns = (column.tolist() for column in (begin, stop, table["pitch"], table["velocity"]))
    for onset, end, pitch, velocity in sorted(zip(*columns, strict=True)):
        if onset < last:
            notes[onset, pitch] = Chord(onset, end, ((pitch, velocity),))
    return _let_go(sorted(notes.values(), key=lambda note: (note.onset, note.keys)))


def is_exact(onsets: Floats) -> bool:
    """Whether nearly all onsets, in units, are 32nds, or three, five, six or seven in a beat, as what is written is and what is
    played isn't.

    >>> is_exact(np.array([0.0, 6.0, 16.0, 96.0])), is_exact(np.array([1.5, 10.0, 22.0, 97.0]))
    (True, False)
    """
    off = np.min([np.abs(_rounded(onsets, step) - onsets) for step in WRITTEN_STEPS], axis=0)
    return bool(np.mean(off <= EXACT) >= 0.95)


class Grid:
    """The beats of all measures, each with its step: of those to choose from the one that fits the onsets."""

    def __init__(
        self,
        measures: list[Measure],
        onsets: Floats,
        steps: tuple[int, ...],
        *,
        swing: bool = False,
        apart: bool = False,
    ) -> None:
        beats = [(m, beat, stop) for m in measures for beat, stop in pairwise([*m.beats, m.length])]
        self.played = np.array([m.played + beat for m, beat, _ in beats], np.float64)
        self.written = np.array([m.start + beat for m, beat, _ in beats], np.int64)
        self.lengths = np.array([stop - beat for _, beat, stop in beats], np.int64)
        may_be_ternary = np.array([not m.compound for m, _, _ in beats]) & (self.lengths == QUARTER)
        beat = self._beat_of(onsets)
        inside = onsets - self.played[beat]
        self.swung = swing & may_be_ternary & swung_beats(beat, inside, len(beats))
        inside = self._straight(inside, beat)
        count = np.bincount(beat, minlength=len(beats))
        offered = (*steps, THIRTYSECOND) if apart and THIRTYSECOND not in steps else steps
        errors = np.zeros((len(offered), len(beats)))
        for error, step in zip(errors, offered, strict=True):
            rounded = _rounded(inside, step)
            error += np.bincount(beat, np.abs(rounded - inside), len(beats))
            error += FINER_GAIN * count * (step != steps[0]) + ONLY_APART * (step not in steps)
            if apart:
                places = self.written[beat] + np.clip(rounded, 0, self.lengths[beat]).astype(np.int64)
                error += MET * _met(onsets, beat, places, len(beats))
            error[~may_be_ternary & (step == TRIPLET_SIXTEENTH)] = np.inf
        self.steps = np.array(offered, np.int64)[errors.argmin(axis=0)]

    def _beat_of(self, moments: Floats) -> NDArray[np.int64]:
        return np.asarray(np.maximum(np.searchsorted(self.played, moments + EARLY, side="right") - 1, 0), np.int64)

    def place(self, moments: Floats, *, coarse: bool = False) -> NDArray[np.int64]:
        """Played moments as written ones, each within its beat; coarse: on whole eighths in triplets."""
        beat = self._beat_of(moments)
        steps = self.steps[beat]
        if coarse:
            steps = np.where(steps == TRIPLET_SIXTEENTH, TRIPLET_EIGHTH, steps)
        inside = _rounded(self._straight(moments - self.played[beat], beat), steps)
        return np.asarray(self.written[beat] + np.clip(inside, 0, self.lengths[beat]), np.int64)

    def _straight(self, inside: Floats, beat: NDArray[np.int64]) -> Floats:
        return np.where(self.swung[beat], straight(inside), inside)

    def next_place(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first place of the grid after each: where the shortest note that begins there ends."""
        beat = np.searchsorted(self.written, places, side="right") - 1
        return np.asarray(np.minimum(places + self.steps[beat], self.written[beat] + self.lengths[beat]), np.int64)


def _met(onsets: Floats, beat: NDArray[np.int64], places: NDArray[np.int64], count: int) -> Floats:
    """How often in each of so many beats two notes in turn come to lie at one place that were clearly struck one by one."""
    order = np.argsort(onsets, kind="stable")
    met = (np.diff(onsets[order]) > SMALLEST) & (np.diff(places[order]) <= 0)
    # over a beat's edge either of both beats may keep them apart
    both = np.bincount(beat[order][1:], met, count) + np.bincount(beat[order][:-1], met, count)
    return np.asarray(both, np.float64)


def _rounded(moments: Floats, step: float | NDArray[np.int64]) -> Floats:
    return np.asarray(np.floor(moments / step + 0.5) * step, np.float64)


def _let_go(notes: list[Chord]) -> list[Chord]:
    struck: dict[int, int] = {}
    result = []
    for note in reversed(notes):
        pitch = note.keys[0][0]
        result.append(replace(note, end=min(note.end, struck.get(pitch, note.end))))
        struck[pitch] = note.onset
    return result[::-1]
