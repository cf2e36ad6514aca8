"""Four bars of a piece in numbers: what a classifier goes by that is to tell people's accompaniments from a model's.

In: a melody, an accompaniment, its own chords and its bar lines, in clock-ms. Out: a row of `FEATURES` for each four
bars.

Nothing here knows a key: pitches are heights, intervals, or places in the melody's scale, so that trees split a
transposed set of pieces as they split the set itself. Nor what the model's vocabulary can't say: times are taken on its
grid of 25 ms, so that a classifier doesn't win by the grid alone. Nor how loud all is: that says how a score was made into
MIDI, and is a knob's turn away.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.harmony.chart import ChordSpan
from pianalysis.metrics.chords import chord_tone_share, root_in_bass
from pianalysis.metrics.harmony import clash_rate, pitch_consonance_score
from pianalysis.metrics.keys import find_key, out_of_key
from pianalysis.metrics.progressions import falling_fifths, progression
from pianalysis.metrics.rolls import Floats, ends_ms, sounding
from pianalysis.metrics.statistics import pitch_class_entropy, scale_consistency
from pianalysis.music.clock import QUARTER_MS, SIXTEENTH_MS
from pianalysis.music.notes import Notes

BARS: Final = 4
GRID_MS: Final = 25.0
NAN: Final = float("nan")

FEATURES: Final = {
    "notes_per_beat": "notes a beat (500 clock-ms)",
    "onsets_per_beat": "moments a beat at which notes begin",
    "notes_per_onset": "notes that begin at such a moment, mean",
    "most_notes": "notes that begin at one moment, most",
    "single_notes": "share of moments at which a single note begins",
    "span": "semitones from the lowest to the highest note of a moment, mean",
    "polyphony": "keys that sound at each sixteenth at which one does, mean",
    "silence": "share of sixteenths at which nothing sounds",
    "first_onset": "beats until the first note",
    "pitch_mean": "MIDI pitch, mean",
    "pitch_spread": "MIDI pitch, standard deviation",
    "pitch_lowest": "lowest MIDI pitch",
    "pitch_highest": "highest MIDI pitch",
    "below_melody": "semitones from the mean pitch up to the melody's",
    "crossing": "share of notes that begin while the melody sounds and lie above it",
    "length_mean": "log2 of a note's length in beats, mean",
    "length_spread": "log2 of a note's length in beats, standard deviation",
    "short_notes": "share of notes no longer than a sixteenth",
    "long_notes": "share of notes longer than two beats",
    "velocity_spread": "MIDI velocity, standard deviation",
    "gap_mean": "log2 of the beats from one moment to the next, mean",
    "gap_spread": "log2 of the beats from one moment to the next, standard deviation",
    "on_beat": "share of moments on a beat of the bar, to the nearest sixteenth",
    "on_eighth": "share of moments half-way between beats",
    "on_downbeat": "share of bars at whose first sixteenth a note begins",
    "with_melody": "share of moments at which a note of the melody begins too",
    "bars_alike": "share of sixteenths, of neighbouring bars, with onsets in both or in neither",
    "bars_same": "share of neighbouring bars with the same onsets, to the sixteenth",
    "bars_repeated": "share of neighbouring bars with the same onsets and pitches",
    "pitch_class_entropy": "entropy of the pitch classes, bits",
    "pitch_classes": "different pitch classes",
    "scale_consistency": "largest share of notes in one major or minor scale",
    "out_of_key": "share of notes out of the key of these bars' melody",
    "pcs": "pitch consonance score with the melody",
    "clash_rate": "share of the melody's time with a clash",
    "doubling": "share of the melody's time in which its pitch class is in the accompaniment too",
    "bass_mean": "lowest pitch of a beat, mean",
    "bass_motion": "semitones from one beat's lowest pitch to the next's, mean",
    "bass_steps": "share of these moves of the bass that are one or two semitones",
    "top_motion": "semitones from one moment's highest pitch to the next's, mean",
    "chords": "own chords, different neighbours counted, a bar",
    "distinct_chords": "different own chords",
    "chord_tones": "share of the sounding time in its own chords",
    "melody_in_chord": "share of the melody's sounding time in the accompaniment's own chords",
    "root_in_bass": "share of its own chords whose root is in the bass",
    "falling_fifths": "share of root motions down a fifth",
}
"""All features, and what each is. NaN where one isn't defined, in an excerpt without notes or chords."""

Spans = Sequence[ChordSpan]


def excerpt_features(melody: Notes, accompaniment: Notes, own: Spans, bar_lines_ms: ArrayLike) -> Floats:
    """The features of each whole four bars from the first bar line on, shape (excerpts, features).

    Notes that begin inside count, ended at the excerpt's end. own: the chords heard in the accompaniment.
    """
    lines = np.asarray(bar_lines_ms, np.float64)
    starts = range(0, len(lines) - BARS, BARS)
    rows = []
    for bar in starts:
        inside = lines[bar : bar + BARS + 1]
        above, below = (_part(notes, inside[0], inside[-1]) for notes in (melody, accompaniment))
        rows.append(_row(above, below, _spans_between(own, inside[0], inside[-1]), inside - inside[0]))
    return np.array(rows, np.float64).reshape(-1, len(FEATURES))


def _part(notes: Notes, start_ms: float, end_ms: float) -> Notes:
    """The notes that begin in a span, on the grid, counted from its start and ended at its end; by onset, then pitch."""
    part = notes.copy()
    part["onset_ms"] = np.round((part["onset_ms"] - start_ms) / GRID_MS) * GRID_MS
    part["duration_ms"] = np.maximum(np.round(part["duration_ms"] / GRID_MS), 1) * GRID_MS
    part = part[(part["onset_ms"] >= 0) & (part["onset_ms"] < end_ms - start_ms - GRID_MS / 2)]
    part["duration_ms"] = np.minimum(part["duration_ms"], end_ms - start_ms - part["onset_ms"])
    return part[np.lexsort((part["pitch"], part["onset_ms"]))]


def _spans_between(spans: Spans, start_ms: float, end_ms: float) -> list[ChordSpan]:
    return [
        ChordSpan(max(span.onset_ms, start_ms) - start_ms, min(span.end_ms, end_ms) - start_ms, span.chord)
        for span in spans
        if span.onset_ms < end_ms and span.end_ms > start_ms
    ]


def _row(melody: Notes, below: Notes, own: Spans, lines: Floats) -> list[float]:
    values = {
        **_density(below, lines[-1]),
        **_heights(melody, below),
        **_lengths_and_loudness(below),
        **_rhythm(melody, below, lines),
        **_bars(below, lines),
        **_harmony(melody, below),
        **_lines(below, lines[-1]),
        **_chords(melody, below, own),
    }
    return [values[name] for name in FEATURES]


def _mean(values: ArrayLike) -> float:
    numbers = np.asarray(values, np.float64)
    return float(numbers.mean()) if numbers.size else NAN


def _spread(values: ArrayLike) -> float:
    numbers = np.asarray(values, np.float64)
    return float(numbers.std()) if numbers.size else NAN


def _moments(notes: Notes) -> tuple[Floats, list[Notes]]:
    """The moments at which notes begin, and the notes of each, lowest first."""
    times, first = np.unique(notes["onset_ms"], return_index=True)
    return times, np.split(notes, first[1:]) if len(times) else []


def _density(below: Notes, length_ms: float) -> dict[str, float]:
    times, struck = _moments(below)
    counts = np.array([len(notes) for notes in struck])
    keys = sounding(below, np.arange(SIXTEENTH_MS / 2, length_ms, SIXTEENTH_MS), classes=128).astype(bool).sum(axis=1)
    return {
        "notes_per_beat": len(below) / length_ms * QUARTER_MS,
        "onsets_per_beat": len(times) / length_ms * QUARTER_MS,
        "notes_per_onset": _mean(counts),
        "most_notes": float(counts.max(initial=0)),
        "single_notes": _mean(counts == 1),
        "span": _mean([int(notes["pitch"][-1]) - int(notes["pitch"][0]) for notes in struck]),
        "polyphony": _mean(keys[keys > 0]),
        "silence": _mean(keys == 0),
        "first_onset": float(times[0]) / QUARTER_MS if len(times) else NAN,
    }


def _heights(melody: Notes, below: Notes) -> dict[str, float]:
    pitches = below["pitch"].astype(float)
    above = sounding(melody, np.unique(below["onset_ms"]), classes=128) > 0
    row = np.searchsorted(np.unique(below["onset_ms"]), below["onset_ms"])
    melodies = np.where(above.any(axis=1), above.argmax(axis=1), 128)[row]  # the melody's key at each note's onset
    return {
        "pitch_mean": _mean(pitches),
        "pitch_spread": _spread(pitches),
        "pitch_lowest": float(pitches.min()) if len(pitches) else NAN,
        "pitch_highest": float(pitches.max()) if len(pitches) else NAN,
        "below_melody": _mean(melody["pitch"]) - _mean(pitches),
        "crossing": _mean((pitches > melodies)[melodies < 128]),
    }


def _lengths_and_loudness(below: Notes) -> dict[str, float]:
    beats = below["duration_ms"] / QUARTER_MS
    return {
        "length_mean": _mean(np.log2(beats)),
        "length_spread": _spread(np.log2(beats)),
        "short_notes": _mean(beats <= 1 / 4),
        "long_notes": _mean(beats > 2),
        "velocity_spread": _spread(below["velocity"]),
    }


def _rhythm(melody: Notes, below: Notes, lines: Floats) -> dict[str, float]:
    times = np.unique(below["onset_ms"])
    gaps = np.log2(np.diff(times) / QUARTER_MS)
    bar = np.clip(np.searchsorted(lines, times + SIXTEENTH_MS / 2, side="right") - 1, 0, len(lines) - 2)
    places = np.floor((times - lines[bar]) / SIXTEENTH_MS + 0.5).astype(int)
    return {
        "gap_mean": _mean(gaps),
        "gap_spread": _spread(gaps),
        "on_beat": _mean(places % 4 == 0),
        "on_eighth": _mean(places % 4 == 2),
        "on_downbeat": len(np.unique(bar[places == 0])) / (len(lines) - 1),
        "with_melody": _mean(np.isin(times, melody["onset_ms"])),
    }


def _bars(below: Notes, lines: Floats) -> dict[str, float]:
    """How alike neighbouring bars are; of bars of different lengths the shorter is compared."""
    alike, same, repeated = [], [], []
    bars = [_bar_roll(below, start, end) for start, end in pairwise(lines.tolist())]
    for first, second in pairwise(bars):
        count = min(len(first), len(second))
        onsets = first[:count].any(axis=1), second[:count].any(axis=1)
        alike.append(_mean(onsets[0] == onsets[1]))
        same.append((onsets[0] == onsets[1]).all())
        repeated.append((first[:count] == second[:count]).all())
    return {"bars_alike": _mean(alike), "bars_same": _mean(same), "bars_repeated": _mean(repeated)}


def _bar_roll(notes: Notes, start_ms: float, end_ms: float) -> NDArray[np.bool_]:
    """Which keys are struck at each sixteenth of a bar, shape (sixteenths, 128)."""
    roll = np.zeros((max(1, round((end_ms - start_ms) / SIXTEENTH_MS)), 128), bool)
    step = np.floor((notes["onset_ms"] - start_ms) / SIXTEENTH_MS + 0.5).astype(int)
    inside = (step >= 0) & (step < len(roll))
    roll[step[inside], notes["pitch"][inside]] = True
    return roll


def _harmony(melody: Notes, below: Notes) -> dict[str, float]:
    edges = np.unique(
        np.concatenate([part for notes in (melody, below) for part in (notes["onset_ms"], ends_ms(notes))])
    )
    above, under = (sounding(notes, edges[:-1]) > 0 for notes in (melody, below))
    lengths = np.diff(edges)
    total = float(lengths[above.any(axis=1)].sum()) if len(edges) else 0.0
    return {
        "pitch_class_entropy": pitch_class_entropy(below, span_ms=np.inf),
        "pitch_classes": float(len(np.unique(below["pitch"] % 12))),
        "scale_consistency": scale_consistency(below),
        "out_of_key": out_of_key(find_key(melody), below),
        "pcs": pitch_consonance_score(melody, below, step_ms=SIXTEENTH_MS),
        "clash_rate": clash_rate(melody, below),
        "doubling": float(lengths[(above & under).any(axis=1)].sum()) / total if total > 0 else NAN,
    }


def _lines(below: Notes, length_ms: float) -> dict[str, float]:
    """How bass and top move."""
    keys = sounding(below, np.arange(SIXTEENTH_MS / 2, length_ms, QUARTER_MS), classes=128) > 0
    bass = keys.argmax(axis=1)[keys.any(axis=1)]
    motion = np.abs(np.diff(bass))
    tops = [int(notes["pitch"][-1]) for notes in _moments(below)[1]]
    return {
        "bass_mean": _mean(bass),
        "bass_motion": _mean(motion),
        "bass_steps": _mean((motion == 1) | (motion == 2)),
        "top_motion": _mean(np.abs(np.diff(tops))),
    }


def _chords(melody: Notes, below: Notes, own: Spans) -> dict[str, float]:
    chords = progression(own)
    return {
        "chords": len(chords) / BARS,
        "distinct_chords": float(len(set(chords))),
        "chord_tones": chord_tone_share(below, own),
        "melody_in_chord": chord_tone_share(melody, own),
        "root_in_bass": root_in_bass(below, own),
        "falling_fifths": falling_fifths(own),
    }
