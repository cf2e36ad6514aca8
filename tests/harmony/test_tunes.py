"""The tunes are the tunes, and their expected charts fit them: the test of the harmoniser is itself tested."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from tunes import (
    AMAZING_GRACE,
    AULD_LANG_SYNE,
    GREENSLEEVES,
    IRISH_WASHERWOMAN,
    ODE_TO_JOY,
    SILENT_NIGHT,
    TUNES,
    TWINKLE,
)

from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.symbols import Chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi, track_notes

PLAIN = {
    "Twinkle, Twinkle, Little Star": "C | F C | F C | G7 C | C F | C G7 | C F | C G7 | C | F C | F C | G7 C",
    "Ode to Joy": "C | G7 C | C | C G7 | C | G7 C | C | G7 C | G7 C | G7 C | G7 E7 | Am . G7 . | C | G7 C | C | G7 C",
    "Amazing Grace": "D7 | G | G7 | C | G | G | Em | D | D7 | G | G7 | C | G | Em | D7 | G | G",
    "Silent Night": "C | C | G7 | C | F | C | F | C | G7 | C | C G7 | C",
    "Auld Lang Syne": "C7 | F | C7 | F F7 | Bb | F | C7 | Bb C7 | F | F | C7 | F F7 | Bb | F | C7 | Dm Gm7 | F",
    "Greensleeves": "Am | Am C | G | Am F | E7 | Am | G | Am E7 | Am | C | G | Am | E | C | G | F E7 | Am",
    "The Irish Washerwoman": "G |"
    + "G | G | Am | D7 | G | G | Am D7 | G |" * 2
    + "G | G | D7 | D7 | C G | C G | Am D7 | G |" * 2,
}
"""One way to play each, as songbooks have it."""


def chart_of(tune, text):
    return Chart.from_text(text, bar_lines=tune.bar_lines, beats=tune.beats.borders_ms)


@pytest.mark.parametrize("tune", TUNES, ids=lambda tune: tune.title)
def test_songbooks_chords_are_accepted(tune):
    chart = chart_of(tune, PLAIN[tune.title])
    assert all(tune.accepted(chart))
    assert tune.ends_on_tonic(chart)


@pytest.mark.parametrize("tune", TUNES, ids=lambda tune: tune.title)
def test_chords_by_chance_are_not_accepted(tune):
    """A drone on the tonic fails where it matters; songbooks' chords a second, a third or a tritone off fail mostly."""
    right = chart_of(tune, PLAIN[tune.title])
    drone = right.with_chords([Chord(tune.tonic, "min" if tune.minor else "maj")] * len(right.chords))
    decisive = np.array(tune.decisive(right))
    assert decisive.mean() >= 0.2
    assert not np.array(tune.accepted(drone))[decisive].any()
    assert max(np.mean(tune.accepted(right.transposed(semitones))) for semitones in (1, 2, 3, 4, 6, 8, 9, 11)) < 0.5
    assert not tune.ends_on_tonic(right.transposed(7))


@pytest.mark.parametrize("tune", TUNES, ids=lambda tune: tune.title)
def test_plain_chords_have_the_strong_notes(tune):
    """At least seven in ten of the notes that begin with a beat are tones of the chord there."""
    chart = chart_of(tune, PLAIN[tune.title])
    strong = [note for note in tune.melody if np.abs(tune.beats.borders_ms - note["onset_ms"]).min() < 1]
    fitting = [int(note["pitch"]) % 12 in chart.at(float(note["onset_ms"]) + 1).pitch_classes for note in strong]
    assert np.mean(fitting) >= 0.7


@pytest.mark.parametrize(
    ("tune", "file"),
    [
        (TWINKLE, "ah_vous_dirai_je"),
        (ODE_TO_JOY, "ode_to_joy"),
        (AMAZING_GRACE, "amazing_grace"),
        (SILENT_NIGHT, "silent_night"),
        (AULD_LANG_SYNE, "auld_lang_syne"),
        (GREENSLEEVES, "greensleeves"),
        (IRISH_WASHERWOMAN, "irish_washerwoman"),
    ],
    ids=lambda value: getattr(value, "title", ""),
)
def test_the_notes_are_those_of_the_example(tune, file):
    """Typed twice by different hands: pitches and lengths of the first verse agree (Twinkle in 2/4 there, an octave up)."""
    score = read_midi(EXAMPLES / f"{file}.mid")
    clock = BeatClock.from_score(score)
    theirs, ours = clock.notes_to_clock(track_notes(score, score.tracks)), tune.melody
    theirs = theirs[: len(ours)]
    assert len(set((theirs["pitch"] - ours["pitch"]).tolist())) == 1
    scale = np.diff(theirs["onset_ms"])[0] / np.diff(ours["onset_ms"])[0]
    assert np.diff(theirs["onset_ms"]) == pytest.approx(scale * np.diff(ours["onset_ms"]), abs=2)
    assert min(abs(scale - other) for other in (0.5, 1, 2)) < 1e-6


@pytest.mark.parametrize("tune", TUNES, ids=lambda tune: tune.title)
def test_metre_and_bars(tune):
    assert tune.clock.time_signature == tune.time_signature
    assert len(set(np.diff(tune.bar_lines).round(3))) == 1
    assert len(clock_beats(tune.clock)) == len(chart_of(tune, PLAIN[tune.title]).chords)


def test_accepted_beat_by_beat():
    wrong = chart_of(TWINKLE, "C | F C | F C | G7 C | C F | C G7 | C F | C G7 | C | Fm C/E | F7 C | Dm C")
    assert [i for i, good in enumerate(TWINKLE.accepted(wrong)) if not good] == [36, 37, 40, 41, 44, 45]
    assert not any(TWINKLE.accepted(wrong.with_chords([None] * 48)))
    with pytest.raises(ValueError, match="12 bars, the tune 16"):
        TWINKLE.accepted(chart_of(ODE_TO_JOY, PLAIN["Ode to Joy"]))
