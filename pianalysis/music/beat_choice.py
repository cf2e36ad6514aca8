"""Which of several series of beats a melody is played on: how fast they go, and whether they are between the true ones.

In: onsets in real milliseconds, a voice, and what is beside it. Out: the likeliest of the tracker's `Beats`. Onsets alone say
little of that, as beats halfway between the true ones fit them nearly as well. So the notes are written on each series, and the
network that hears where bars begin (`downbeats`) says how likely beats are where this writing has them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.beat_hearing import HeardEvents, bundled_beats
from pianalysis.music.downbeats import METRES, STEPS, Part, bundled_downbeats, heard_channels
from pianalysis.music.notes import Notes
from pianalysis.music.regrid import meant_places
from pianalysis.music.tracking import Beats, beat_candidates, heard_at, heard_score, level_features

CHOICE_WEIGHTS: Final = (
    0.34, 0.13, 0.12, 0.91, 1.33, -0.34, 0.05, -0.21, 2.89, 2.94, 1.72, 0.62, 1.27, -43.55, 0.27, 1.05, 0.2, 1.89, 0.34, 0.08,
)  # fmt: skip
"""Of `choice_features`: a conditional logistic regression on performances of validation songs, as the networks know those of
training songs too well (`scripts/fit_beat_choice.py`); of a voice alone …"""
WEIGHTS_WITH_OTHERS: Final = (
    0.14, 0.04, -0.43, 1.61, 1.22, -0.24, -0.21, -0.05, 4.23, 1.48, 1.72, 1.39, 2.66, -54.04, 0.27, 0.87, 0.22, 1.52, 0.4, 0.07,
)  # fmt: skip
"""… and of a voice and what is beside it."""
SLOWEST_HEARD_MS, SLOW_NATS = 1_000.0, 4.0
"""Beats slower than one a second are hardly heard as beats (Parncutt 1994), though slow songs are written in them: what each
e-fold more costs."""
SHORTEST_QUARTERS: Final = 1 / 16

Floats = NDArray[np.float64]


def beats_of_voice(onsets_ms: Floats, voice: Notes, *, bpm: float | None = None, notes: Notes | None = None) -> Beats:
    """The likeliest beats of onsets in real ms, rising, among which a voice sings.

    voice: one voice by onset, real ms; not empty. bpm: about how many beats a minute there are, where somebody knows. notes:
    all that begin at the onsets, the voice and what is beside it; the voice alone without.
    Raises PianalysisError for fewer than four onsets, or for music that is too long.
    """
    notes = voice if notes is None else notes
    heard, others = heard_at(bundled_beats().heard(notes), onsets_ms), others_of(voice, notes)
    candidates = beat_candidates(onsets_ms, bpm=bpm, heard=heard)
    return max(candidates, key=lambda beats: choice_score(onsets_ms, voice, beats, heard, others))


def others_of(voice: Notes, notes: Notes) -> Notes:
    """The notes that aren't the voice's: of another pitch, or at another tenth of a millisecond."""

    def keys(some: Notes) -> list[tuple[float, int]]:
        return list(zip(some["onset_ms"].round(1).tolist(), some["pitch"].tolist(), strict=True))

    of_voice = {*keys(voice)}
    rest: Notes = notes[np.array([key not in of_voice for key in keys(notes)], bool)]
    return rest


def choice_score(onsets_ms: Floats, voice: Notes, beats: Beats, heard: HeardEvents, others: Notes) -> float:
    """How likely beats are, compared with others of the same notes, in nats."""
    slower = max(0.0, float(np.log(np.median(np.diff(beats.times_ms)) / SLOWEST_HEARD_MS)))
    weights = WEIGHTS_WITH_OTHERS if len(others) else CHOICE_WEIGHTS
    return float(choice_features(onsets_ms, voice, beats, heard, others) @ np.array(weights)) - SLOW_NATS * slower


def choice_features(onsets_ms: Floats, voice: Notes, beats: Beats, heard: HeardEvents, others: Notes) -> Floats:
    """What tells the true beats from others, ``[len(CHOICE_WEIGHTS)]``: how onsets lie on them, what the notes say of them.

    heard: what the network hears of each onset. others: notes beside the voice, or none.
    """
    fit = heard_score(heard, beats)
    bars = heard_beats(voice, beats, others)
    return np.concatenate(
        [
            level_features(onsets_ms, beats),
            bars,
            bars * (beats.division == 3),
            [fit, fit * np.sqrt(len(onsets_ms)) / 10],
        ]
    )


def heard_beats(voice: Notes, beats: Beats, others: Notes) -> Floats:
    """The log-likelihoods of beats as a voice, and others beside it, are written on them, ``[2]``.

    Of readings in whose metre and place these are the beats, among all; and of a beat at each of them and none between, in
    nats a sixteenth.
    """
    melody = _written(voice, beats)
    channels, lead = heard_channels(melody, _written(others, beats) if len(others) else None)
    first = round(float(melody.quarters[0, 0]) * STEPS) - lead
    readings, logits = bundled_downbeats().said(channels)
    size = 6 if beats.division == 3 else 4
    phase = -first % size
    on_them, off_them = [], []
    for metre, scores in readings.items():
        bar, beat = METRES[metre]
        agree = (np.arange(bar) % size == phase) & (beat == size)
        on_them.append(scores[agree])
        off_them.append(scores[~agree])
    these = float(np.logaddexp.reduce(np.concatenate(on_them)))
    every = float(np.logaddexp(these, np.logaddexp.reduce(np.concatenate(off_them))))
    beat_begins = logits[:, 1].astype(np.float64)
    signs = np.where(np.arange(len(beat_begins)) % size == phase, -1.0, 1.0)
    return np.array([these - every, -float(np.logaddexp(0, signs * beat_begins).mean())])


def _written(notes: Notes, beats: Beats) -> Part:
    """Notes by onset as they are written on beats."""
    times, quarters = beats.times_ms, 1.5 if beats.division == 3 else 1.0
    onsets = notes["onset_ms"].astype(np.float64)
    places = np.maximum.accumulate(meant_places(onsets, times, beats.division)) * quarters
    stops, starts = (np.interp(at, times, np.arange(len(times))) for at in (onsets + notes["duration_ms"], onsets))
    return Part(notes, np.stack([places, places + np.maximum((stops - starts) * quarters, SHORTEST_QUARTERS)]))
