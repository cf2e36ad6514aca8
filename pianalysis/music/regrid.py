"""A performance written on its own beats: every event keeps its time, and a tempo map says where the beats are.

In: a score in ticks and beats in real ms. Out: a score whose quarters are those beats, whose notes stand on sixteenths (or
triplets) of them where they were meant to, and whose tempo changes from note to note as the player's did.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.tracking import EARLY_MS, PLACES, Beats

TICKS_PER_QUARTER: Final = 960
SIMPLE, TERNARY = (0.0, 0.25, 0.5, 0.75), (0.0, 1 / 3, 2 / 3)
COMPOUND: Final = (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6)
"""Where in a beat notes may be meant: a quarter's sixteenths or its triplets, a dotted quarter's sixteenths."""
TRIPLET_GAIN: Final = 0.05
"""By how much of a beat, in all, triplets must fit a beat better than sixteenths."""
LARGEST_CHANGE: Final = 1.6
"""A note off its place that would make the tempo jump by more between two notes stays off it."""
LATE_END: Final = 0.25
"""What ends so shortly after a quarter, as a share of it, ends on it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regridded:
    """A score on other beats: `score`, and what maps ticks of the old one to those of the new."""

    score: symusic.Score
    old_ms: Floats
    new_quarters: Floats
    source: symusic.Score

    def ticks(self, ticks: NDArray[np.int64] | list[int]) -> NDArray[np.int64]:
        """Ticks of the old score as the new one has them, never before 0."""
        quarters = np.interp(ticks_to_ms(self.source, ticks), self.old_ms, self.new_quarters)
        return np.asarray(np.maximum(np.rint(quarters * TICKS_PER_QUARTER), 0), np.int64)


def on_beats(score: symusic.Score, onsets_ms: Floats, beats: Beats) -> Regridded:
    """The score with beats as its quarters, dotted ones where they divide in three, the first at tick 0.

    onsets_ms: those that the beats were found in. Times are kept to about half a millisecond.
    """
    quarters_of_beat = 1.5 if beats.division == 3 else 1.0
    times, places = _knots(onsets_ms, beats)
    times, places = _with_edges(times, places * quarters_of_beat, score)
    new = _tempo_map(places, times)
    result = Regridded(new, times, places, score)
    for track in score.tracks:
        new.tracks.append(_moved_track(track, result))
    for name in ("markers", "key_signatures"):
        for item in getattr(score, name):
            getattr(new, name).append(_moved(item, result))
    return result


def meant_places(onsets_ms: Floats, beats_ms: Floats, division: int) -> Floats:
    """Where notes are meant to begin, in beats from the first: on the sixteenths of a beat, or on triplets that fit better.

    >>> meant_places(np.array([10.0, 240.0, 505.0, 838.0]), np.array([0.0, 500.0, 1000.0]), 2).round(2).tolist()
    [0.0, 0.5, 1.0, 1.67]
    """
    beat = np.clip(np.searchsorted(beats_ms, onsets_ms + EARLY_MS, side="right") - 1, 0, len(beats_ms) - 2)
    share = (onsets_ms - beats_ms[beat]) / np.diff(beats_ms)[beat]
    grids = (COMPOUND,) if division == 3 else (SIMPLE, TERNARY)
    placed = [_nearest(share, beat, grid, division) for grid in grids]
    if len(placed) == 1:
        return np.asarray(beat + placed[0], np.float64)
    costs = [np.bincount(beat, np.abs(share - near), len(beats_ms)) for near in placed]
    ternary = (costs[1] + TRIPLET_GAIN < costs[0])[beat]
    return np.asarray(beat + np.where(ternary, placed[1], placed[0]), np.float64)


def _nearest(share: Floats, beat: NDArray[np.int64], grid: tuple[float, ...], division: int) -> Floats:
    """The likeliest place of each note: the nearest, but places where few notes begin are taken only where much nearer."""
    points = np.array([*grid, 1.0])
    rarely = np.array([0.0 if place in (0.0, 1.0) else -np.log(PLACES[division].get(place, 0.02)) for place in points])
    away = np.abs(share[:, None] - points) + 0.015 * rarely
    return np.asarray(points[away.argmin(axis=1)], np.float64)


def _knots(onsets_ms: Floats, beats: Beats) -> tuple[Floats, Floats]:
    """Moments and places in beats, both rising: the notes that were meant to be there, and beats on which none begins."""
    placed = meant_places(onsets_ms, beats.times_ms, beats.division)
    found: dict[float, list[float]] = {}
    for place, time in zip(placed.round(6).tolist(), onsets_ms.tolist(), strict=True):
        found.setdefault(place, []).append(time)
    struck = {place: float(np.mean(times)) for place, times in found.items()}
    for number, time in enumerate(beats.times_ms.tolist()):
        if float(number) not in struck:
            struck[float(number)] = time
    onto = np.arange(len(beats.times_ms))
    kept: list[tuple[float, float]] = []
    for place, time in sorted(struck.items()):
        whole = place == round(place)
        if kept and not _steady(kept[-1], (place, time), beats.times_ms, onto):
            if not whole or place not in found:
                continue  # an ornament, or a beat without a note: it isn't needed
            while len(kept) > 1 and not _steady(kept[-1], (place, time), beats.times_ms, onto):
                kept.pop()
        kept.append((place, time))
    array = np.array(kept)
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(array[:, 1])) > 0])
    return array[rising, 1], array[rising, 0]


def _steady(before: tuple[float, float], after: tuple[float, float], beats_ms: Floats, onto: NDArray[np.int64]) -> bool:
    """Whether the tempo between two knots is about that of the beats around."""
    expected = float(np.diff(np.interp([before[0], after[0]], onto, beats_ms))[0])
    took = after[1] - before[1]
    return expected / LARGEST_CHANGE < took < expected * LARGEST_CHANGE


def _with_edges(times: Floats, quarters: Floats, score: symusic.Score) -> tuple[Floats, Floats]:
    """Knots from real ms 0, at whole quarters from tick 0, to past the score's end."""
    first, last = ((times[k + 1] - times[k]) / (quarters[k + 1] - quarters[k]) for k in (0, len(times) - 2))
    if times[0] > 0:  # half a quarter more or less before it, so that the tempo of the silence is near the player's
        before = max(0.5, round(2 * times[0] / first) / 2)
        quarters = quarters - quarters[0] + before
        times, quarters = np.append(0.0, times), np.append(0.0, quarters)
    else:
        quarters = quarters - quarters[0]
    end = float(ticks_to_ms(score, [max(score.tpq, score.end())])[0])
    held = (end - times[-1]) / last
    if held > 1 and held % 1 < LATE_END:  # let go a little after a beat: the player slowed down
        last *= held / np.floor(held)
    beyond = np.ceil((end + last - times[-1]) / last)
    return np.append(times, times[-1] + beyond * last), np.append(quarters, quarters[-1] + beyond)


def _tempo_map(quarters: Floats, times: Floats) -> symusic.Score:
    """An empty score whose tempo map reaches each place at its time; rounding doesn't add up."""
    new = symusic.Score(TICKS_PER_QUARTER)
    ticks = np.rint(quarters * TICKS_PER_QUARTER).astype(np.int64)
    reached_us = 0.0
    for (tick, after), stop in zip(pairwise(ticks.tolist()), times[1:].tolist(), strict=True):
        length = (after - tick) / TICKS_PER_QUARTER
        mspq = max(1, round((stop * 1_000 - reached_us) / length))
        new.tempos.append(symusic.Tempo(tick, mspq=mspq))
        reached_us += mspq * length
    return new


def _moved_track(track: symusic.Track, grid: Regridded) -> symusic.Track:
    moved = symusic.Track(track.name, track.program, track.is_drum)
    starts = grid.ticks([note.time for note in track.notes]).tolist()
    stops = grid.ticks([note.time + note.duration for note in track.notes]).tolist()
    for note, start, stop in zip(track.notes, starts, stops, strict=True):
        moved.notes.append(symusic.Note(start, max(1, stop - start), note.pitch, note.velocity))
    for name in ("controls", "pitch_bends", "lyrics"):
        for item in getattr(track, name):
            getattr(moved, name).append(_moved(item, grid))
    for pedal in track.pedals:
        start, stop = grid.ticks([pedal.time, pedal.time + pedal.duration]).tolist()
        moved.pedals.append(symusic.Pedal(start, max(1, stop - start)))
    return moved


def _moved(item: symusic.TextMeta, grid: Regridded) -> symusic.TextMeta:
    copy = item.copy()
    copy.time = int(grid.ticks([item.time])[0])
    return copy
