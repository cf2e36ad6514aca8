"""Which of several series of beats a melody is played on: how fast they go, and whether they are between the true ones.

In: onsets in real milliseconds, and a voice. Out: the likeliest of the tracker's `Beats`. Onsets alone say little of that, as
beats halfway between the true ones fit them nearly as well. So the voice is written on each series, and the network that hears
where bars begin (`downbeats`) says how likely beats are where this writing has them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.beat_hearing import HeardEvents, bundled_beats
from pianalysis.music.downbeats import METRES, STEPS, bundled_downbeats, melody_channels
from pianalysis.music.notes import Notes
from pianalysis.music.regrid import meant_places
from pianalysis.music.tracking import Beats, beat_candidates, heard_at, heard_score, level_features

CHOICE_WEIGHTS: Final = (
    0.33, 0.13, 0.09, 0.95, 1.38, -0.3, 0.05, -0.2, 3.0, 2.97, 1.74, 0.78, 1.41, -43.75, 0.3, 1.28, 0.28, 0.91, 0.34, 0.09,
)  # fmt: skip
"""Of `choice_features`: a conditional logistic regression on performances of validation songs, as the networks know those of
training songs too well (`scripts/fit_beat_choice.py`)."""
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
    heard = heard_at(bundled_beats().heard(voice if notes is None else notes), onsets_ms)
    candidates = beat_candidates(onsets_ms, bpm=bpm, heard=heard)
    return max(candidates, key=lambda beats: choice_score(onsets_ms, voice, beats, heard))


def choice_score(onsets_ms: Floats, voice: Notes, beats: Beats, heard: HeardEvents | None = None) -> float:
    """How likely beats are, compared with others of the same notes, in nats."""
    slower = max(0.0, float(np.log(np.median(np.diff(beats.times_ms)) / SLOWEST_HEARD_MS)))
    return float(choice_features(onsets_ms, voice, beats, heard) @ np.array(CHOICE_WEIGHTS)) - SLOW_NATS * slower


def choice_features(onsets_ms: Floats, voice: Notes, beats: Beats, heard: HeardEvents | None = None) -> Floats:
    """What tells the true beats from others, ``[len(CHOICE_WEIGHTS)]``: how onsets lie on them, what the voice says of them.

    heard: what the network hears of each onset; of the voice's without.
    """
    if heard is None:
        heard = heard_at(bundled_beats().heard(voice), onsets_ms)
    fit = heard_score(heard, beats)
    bars = heard_beats(voice, beats)
    return np.concatenate(
        [
            level_features(onsets_ms, beats),
            bars,
            bars * (beats.division == 3),
            [fit, fit * np.sqrt(len(onsets_ms)) / 10],
        ]
    )


def heard_beats(voice: Notes, beats: Beats) -> Floats:
    """The log-likelihoods of a voice's beats as it is written on beats, ``[2]``.

    Of readings in whose metre and place these are the beats, among all; and of a beat at each of them and none between, in
    nats a sixteenth.
    """
    channels, first = _written(voice, beats)
    net, size = bundled_downbeats(), 6 if beats.division == 3 else 4
    phase = -first % size
    on_them, others = [], []
    for metre, scores in net.scores(channels).items():
        bar, beat = METRES[metre]
        agree = (np.arange(bar) % size == phase) & (beat == size)
        on_them.append(scores[agree])
        others.append(scores[~agree])
    these = float(np.logaddexp.reduce(np.concatenate(on_them)))
    every = float(np.logaddexp(these, np.logaddexp.reduce(np.concatenate(others))))
    logits = net.logits(channels)[:, 1].astype(np.float64)
    signs = np.where(np.arange(len(logits)) % size == phase, -1.0, 1.0)
    return np.array([these - every, -float(np.logaddexp(0, signs * logits).mean())])


def _written(voice: Notes, beats: Beats) -> tuple[NDArray[np.float32], int]:
    """What is heard at each sixteenth of a voice that is written on beats, and its first note's sixteenth from the first beat."""
    times, quarters = beats.times_ms, 1.5 if beats.division == 3 else 1.0
    onsets = voice["onset_ms"].astype(np.float64)
    places = meant_places(onsets, times, beats.division) * quarters
    first = round(float(places[0]) * STEPS)
    stops, starts = (np.interp(at, times, np.arange(len(times))) for at in (onsets + voice["duration_ms"], onsets))
    channels = melody_channels(
        np.maximum.accumulate(np.maximum(places - first / STEPS, 0)),
        np.maximum((stops - starts) * quarters, SHORTEST_QUARTERS),
        voice["pitch"].astype(np.int64),
        voice["velocity"].astype(np.int64),
    )
    return channels, first
