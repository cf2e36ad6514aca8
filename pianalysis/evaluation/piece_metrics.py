"""What is measured of a piece, and how.

In: a song, a melody and an accompaniment in clock-ms. Out: a number a metric, NaN where it isn't defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from pianalysis.evaluation.songs import SHORTEST_MS, Song
from pianalysis.harmony.beats import WEAK, BeatGrid, clock_beats
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.recognise import recognise_spans
from pianalysis.metrics.chords import (
    chord_accuracy,
    chord_tone_share,
    root_in_bass,
    spans_of_labels,
    strong_notes_in_chord,
)
from pianalysis.metrics.harmony import clash_rate, coupling, pitch_consonance_score
from pianalysis.metrics.keys import find_key, out_of_key
from pianalysis.metrics.playability import playability
from pianalysis.metrics.progressions import chord_changes, distinct_chords, falling_fifths, final_tonic
from pianalysis.metrics.recall import melody_recall
from pianalysis.metrics.repetition import CopyIndex, longest_copy, self_similarity
from pianalysis.metrics.seams import seam_contrast
from pianalysis.metrics.statistics import (
    empty_beat_rate,
    groove_consistency,
    notes_per_beat,
    pitch_class_entropy,
    polyphony,
    scale_consistency,
)
from pianalysis.music.clock import QUARTER_MS, SIXTEENTH_MS
from pianalysis.music.notes import Notes

RECALL_MS: Final = 20.0
NAN: Final = float("nan")


Spans = Sequence[ChordSpan]


def beats_of(song: Song) -> BeatGrid:
    """The beats of a song, in its own metre."""
    return clock_beats(song.clock)


def own_chords(song: Song, accompaniment: Notes) -> list[ChordSpan]:
    """The chords that are heard in an accompaniment of a song, without its melody: how far that is in them is asked next."""
    return recognise_spans(accompaniment, beats_of(song))


def piece_measures(
    song: Song,
    melody: Notes,
    accompaniment: Notes,
    other: Notes | None,
    index: CopyIndex | None,
    own: Spans | None = None,
) -> dict[str, float]:
    """All of `METRICS` that a single piece has.

    melody: as the piece has it. other: the same system's accompaniment of another song. index: of the training set. own:
    `own_chords`, where they are known already.
    """
    below, bar_ms = on_bars(accompaniment, song), song.bar_ms
    return {
        "melody_recall": melody_recall(song.melody, melody, tolerance_ms=RECALL_MS),
        **_fit(song.melody, accompaniment, other),
        **_chords(song, accompaniment, own_chords(song, accompaniment) if own is None else own),
        "notes_per_beat": notes_per_beat(accompaniment, beat_ms=QUARTER_MS, length_ms=song.length_ms),
        "polyphony": polyphony(accompaniment, step_ms=SIXTEENTH_MS),
        "pitch_class_entropy_1": pitch_class_entropy(below, span_ms=bar_ms),
        "pitch_class_entropy_4": pitch_class_entropy(below, span_ms=4 * bar_ms),
        "scale_consistency": scale_consistency(accompaniment),
        "groove_consistency": groove_consistency(below, bar_ms=bar_ms, step_ms=SIXTEENTH_MS),
        "empty_beat_rate": empty_beat_rate(accompaniment, beat_ms=QUARTER_MS),
        "longest_gap_bars": longest_gap_ms(song.melody, accompaniment) / bar_ms,
        "end_after_melody_s": end_difference_s(song, accompaniment),
        "self_similarity": self_similarity(song.melody, accompaniment, bar_lines_ms=song.clock.bar_lines),
        "longest_copy": float(longest_copy(accompaniment, index)) if index is not None else NAN,
        **_hands_and_seams(song, accompaniment),
    }


def _fit(melody: Notes, accompaniment: Notes, other: Notes | None) -> dict[str, float]:
    """Consonance and clashes of the melody with an accompaniment, and what of them is owed to this very melody."""
    pcs = partial(pitch_consonance_score, step_ms=SIXTEENTH_MS)
    values = {"pcs": pcs(melody, accompaniment), "clash_rate": clash_rate(melody, accompaniment)}
    for name, metric in (("pcs_coupling", pcs), ("clash_coupling", clash_rate)):
        values[name] = NAN if other is None else coupling(metric, melody, accompaniment, other)
    return values


def _chords(song: Song, accompaniment: Notes, own: Spans) -> dict[str, float]:
    """How an accompaniment plays the song's chords and its own, and what its own are like."""
    wanted, grid, lines = spans_of_labels(song.chords), beats_of(song), song.clock.bar_lines
    agreement, key = chord_accuracy(own, wanted), find_key(np.concatenate([song.melody, song.accompaniment]))
    return {
        "chord_tones": chord_tone_share(accompaniment, wanted),
        "own_chord_tones": chord_tone_share(accompaniment, own),
        "chord_root": agreement.root,
        "chord_major_minor": agreement.major_minor,
        "root_in_bass": root_in_bass(accompaniment, wanted),
        "own_root_in_bass": root_in_bass(accompaniment, own),
        "out_of_key": out_of_key(key, accompaniment),
        "melody_in_chord": strong_notes_in_chord(song.melody, own, grid.borders_ms[:-1][grid.strength > WEAK]),
        "melody_time_in_chord": chord_tone_share(song.melody, own),
        "chord_changes": chord_changes(own, bars=len(lines) - 1),
        "distinct_chords": distinct_chords(own, bar_lines_ms=lines),
        "falling_fifths": falling_fifths(own),
        "final_tonic": final_tonic(own, key) if song.is_whole else NAN,
    }


def on_bars(notes: Notes, song: Song) -> Notes:
    """The notes moved so that bars of the song's commonest length, counted from 0, are its bars: an upbeat ends the first."""
    lines = song.clock.bar_lines
    moved = notes.copy()
    moved["onset_ms"] += -lines[min(1, len(lines) - 1)] % song.bar_ms
    return moved


def longest_gap_ms(melody: Notes, accompaniment: Notes) -> float:
    """The most time that the melody sounds between one sounding of the accompaniment and the next.

    >>> from pianalysis.music.notes import make_notes
    >>> longest_gap_ms(make_notes([(0, 3000, 72, 80)]), make_notes([(0, 500, 48, 80), (2000, 1000, 48, 80)]))
    1500.0
    """
    starts, ends = accompaniment["onset_ms"], accompaniment["onset_ms"] + accompaniment["duration_ms"]
    order = np.argsort(starts)
    begins = np.concatenate([[0.0], np.maximum.accumulate(ends[order])])
    stops = np.concatenate([starts[order], [np.inf]])
    above = np.stack([melody["onset_ms"], melody["onset_ms"] + melody["duration_ms"]])
    gaps = [
        float(np.maximum(np.minimum(above[1], stop) - np.maximum(above[0], begin), 0).sum())
        for begin, stop in zip(begins, stops, strict=True)
        if stop - begin > SHORTEST_MS
    ]
    return max(gaps, default=0.0)


def end_difference_s(song: Song, accompaniment: Notes) -> float:
    """How many seconds the accompaniment ends after the melody; below 0 before it; NaN without notes."""
    if not len(accompaniment):
        return NAN
    ends = [
        song.clock.to_real((notes["onset_ms"] + notes["duration_ms"]).max()) for notes in (accompaniment, song.melody)
    ]
    return float(ends[0] - ends[1]) / 1_000


def _hands_and_seams(song: Song, accompaniment: Notes) -> dict[str, float]:
    """Whether two hands can play it, and what is different where windows are joined."""
    hands = playability(accompaniment)
    seams = seam_contrast(song.melody, accompaniment, song.joints_ms(), beat_ms=QUARTER_MS)
    return {
        "in_reach": hands.in_reach,
        "notes_a_hand": float(max(hands.notes_left, hands.notes_right)),
        "seam_pcs": seams.pcs_near - seams.pcs_inside,
        "seam_density": seams.density_near / seams.density_inside if seams.density_inside else NAN,
    }
