"""Notes and the beats that they are played on, whatever they come in: a file, a score, or an array with its beats.

In: a path, bytes, a `symusic.Score`, or a note array in ms of any clock and where its beats are. Out: `Timed`: notes on the beat
clock, where a quarter is 500 unless the tempo is folded. An array alone says nothing of its unit, and none is assumed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

import numpy as np
import symusic
from numpy.typing import ArrayLike

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import QUARTER_MS, BeatClock, Floats, tempo_fold
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import Notes
from pianalysis.music.reading import read_score

FOUR_FOUR: Final = (4, 4)
SAME_BAR: Final = 0.25
"""A bar that differs from the middle one by no more than this share of it is a whole bar, played faster or slower."""
TICKS_PER_QUARTER: Final = 9_600
"""Fine enough for notes that weren't on ticks before: a twentieth of a millisecond."""

File = str | os.PathLike[str] | bytes
Beats = float | Sequence[float] | Floats
"""How long a quarter lasts, or when each quarter begins, in the notes' own ms."""
HOW: Final = (
    "give a path or a symusic.Score, or say where the beats are: beats_ms, the length of a quarter in the notes' own ms "
    "(500 on the beat clock, 60000 / bpm in real ms) or the times of all quarters"
)


@dataclass(frozen=True, eq=False)
class Timed:
    """notes: on the clock, sorted as they came. clock: from the notes' own ms, real ones or any other, to clock-ms."""

    notes: Notes
    clock: BeatClock


def is_score(source: object) -> TypeGuard[symusic.Score]:
    """Whether something is a score, in ticks as `symusic.Score` reads files, or in quarters or seconds."""
    return isinstance(source, symusic.core.ScoreTick | symusic.core.ScoreQuarter | symusic.core.ScoreSecond)


def is_file_or_score(source: object) -> bool:
    """Whether something says its own beats."""
    return is_score(source) or isinstance(source, str | os.PathLike | bytes)


def score_of(source: File | symusic.Score, *, name: str = "") -> symusic.Score:
    """A score in ticks: one as it is, or read from a file of any kind. Raises what `read_score` raises."""
    if not is_score(source):
        return read_score(source, name=name)
    return source if isinstance(source, symusic.core.ScoreTick) else source.to("tick")


def pitched_notes(score: symusic.Score) -> Notes:
    """All notes of a score but those of drums, in real ms."""
    return track_notes(score, [track for track in score.tracks if not track.is_drum])


def quarter_ms_of(clock: BeatClock) -> float:
    """A quarter in clock-ms: 500, or half or twice that and so on where the tempo is folded."""
    return QUARTER_MS * tempo_fold(clock.bpm)


def beat_by_beat(notes: Notes, own: BeatClock, clock: BeatClock) -> Notes:
    """Notes in real ms of one score on another's clock: quarter on quarter, whatever the tempi of both are."""
    placed = own.notes_to_clock(notes)
    for field in ("onset_ms", "duration_ms"):
        placed[field] *= quarter_ms_of(clock) / quarter_ms_of(own)
    return placed


def timed_score(source: File | symusic.Score, *, name: str = "") -> Timed:
    """The notes of a score or a file on its own clock."""
    score = score_of(source, name=name)
    clock = BeatClock.from_score(score)
    return Timed(clock.notes_to_clock(pitched_notes(score)), clock)


def timed(
    source: File | symusic.Score | Notes,
    *,
    beats_ms: Beats | None = None,
    metre: tuple[int, int] = FOUR_FOUR,
    name: str = "the notes",
) -> Timed:
    """Notes on the beat clock; an array needs `beats_ms` (see `Beats`), a file or a score says them itself.

    metre: of an array, whose first bar begins at 0, or at the first of the beats. Raises PianalysisError for an array without
    beats.

    >>> from pianalysis.music.notes import make_notes
    >>> at_60_bpm = make_notes([(2000, 1000, 60, 80)])
    >>> timed(at_60_bpm, beats_ms=1000).notes["onset_ms"].tolist()
    [1000.0]
    """
    if is_file_or_score(source):
        return timed_score(source, name=name)
    notes: Notes = np.asarray(source)
    if beats_ms is None:
        raise PianalysisError(f"{name}: expected notes that say where their beats are, found an array alone; {HOW}")
    end_ms = float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0.0)) if len(notes) else 0.0
    clock = clock_of_beats(beats_ms, metre=metre, end_ms=end_ms)
    return Timed(clock.notes_to_clock(notes), clock)


def clock_of_beats(beats_ms: Beats, *, metre: tuple[int, int] = FOUR_FOUR, end_ms: float = 0.0) -> BeatClock:
    """The clock of beats: see `Beats`. Bars are counted from 0, or from the first of the beats, until end_ms is covered.

    Raises PianalysisError for a length that isn't above 0, and for fewer than two times or times that don't rise.
    """
    try:
        times = np.asarray(beats_ms, np.float64)
    except (TypeError, ValueError):
        times = np.zeros(0)
    if times.ndim == 0:
        times = np.array([0.0, 1.0]) * float(times)
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise PianalysisError(
            f"expected beats_ms as the length of a quarter above 0 ms or two or more times that rise, found {beats_ms!r}"
        )
    bpm = 60_000 / float(np.median(np.diff(times)))
    quarter_ms = QUARTER_MS * tempo_fold(bpm)
    knots: Floats = np.arange(len(times), dtype=np.float64) * quarter_ms
    rough = BeatClock(times, knots, knots, bpm, metre)
    bar_ms = metre[0] * 4 / metre[1] * quarter_ms
    bars = max(1, int(np.ceil(float(rough.to_clock(end_ms)) / bar_ms - 1e-6)))
    return BeatClock(times, knots, np.arange(bars + 1, dtype=np.float64) * bar_ms, bpm, metre)


def clock_of_bars(bar_lines_ms: ArrayLike, *, metre: tuple[int, int] = FOUR_FOUR) -> BeatClock:
    """The clock of bar lines in a metre: a bar about as long as the middle one is a whole bar, another has so many sixteenths.

    Raises PianalysisError for fewer than two bar lines, or ones that don't rise.

    >>> clock_of_bars([0, 1000, 5000, 9200]).bar_lines.tolist()
    [0.0, 500.0, 2500.0, 4500.0]
    """
    lines = np.asarray(bar_lines_ms, np.float64)
    if lines.ndim != 1 or len(lines) < 2 or not np.isfinite(lines).all() or not (np.diff(lines) > 0).all():
        raise PianalysisError(f"expected at least two bar lines that rise, found {lines.ravel()[:8].tolist()}")
    lengths, quarters = np.diff(lines), metre[0] * 4 / metre[1]
    middle = float(np.median(lengths))
    bpm = 60_000 * quarters / middle
    sixteenths = np.maximum(np.rint(lengths / middle * quarters * 4), 1)
    shares = np.where(np.abs(lengths - middle) <= SAME_BAR * middle, 1.0, sixteenths / (quarters * 4))
    knots = np.concatenate([[0.0], np.cumsum(shares)]) * quarters * QUARTER_MS * tempo_fold(bpm)
    return BeatClock(lines, knots, knots, bpm, metre)


def score_of_notes(
    notes: Notes, *, beats_ms: Beats, metre: tuple[int, int] = FOUR_FOUR, name: str = ""
) -> symusic.Score:
    """A score of an array and its beats: a track of a name, the tempi of the beats.

    What is before the first of the beats is at the first. Raises what `clock_of_beats` raises.
    """
    times = np.asarray(beats_ms, np.float64)
    clock = clock_of_beats(beats_ms, metre=metre)
    quarter_ms = float(clock.clock_ms[1] - clock.clock_ms[0])
    score = symusic.Score(TICKS_PER_QUARTER)
    lengths = np.diff(times) if times.ndim else times[None]
    for number, length in enumerate(lengths.tolist()):
        score.tempos.append(symusic.Tempo(number * TICKS_PER_QUARTER, 60_000 / length))
    score.time_signatures.append(symusic.TimeSignature(0, *metre))
    track = symusic.Track(name, 0, False)
    ends = np.rint(clock.to_clock(notes["onset_ms"] + notes["duration_ms"]) / quarter_ms * TICKS_PER_QUARTER)
    starts = np.maximum(np.rint(clock.to_clock(notes["onset_ms"]) / quarter_ms * TICKS_PER_QUARTER), 0)
    for start, end, pitch, velocity in zip(starts, ends, notes["pitch"], notes["velocity"], strict=True):
        track.notes.append(symusic.Note(int(start), max(int(end - start), 1), int(pitch), int(velocity)))
    score.tracks.append(track)
    return score
