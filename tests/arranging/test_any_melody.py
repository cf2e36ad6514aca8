"""Melodies of every kind, with a tiny untrained model: kept note for note, and accompanied to the last bar."""

from __future__ import annotations

import numpy as np
import pytest
import symusic
from strategies import add_track, simple_score

from pianalysis.arranging.arranger import LONGEST_REST_MS
from pianalysis.errors import PianalysisError
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi, ticks_to_ms
from pianalysis.output.musicxml import to_musicxml

FREE = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def tune(quarters=32, step=1.0, pitches=SCALE):
    return [(place * step, step, pitches[place % len(pitches)]) for place in range(int(quarters / step))]


def rubato():
    """Notes whose lengths nobody counted, without a tempo or a metre."""
    rng = np.random.default_rng(0)
    onsets = np.cumsum(rng.uniform(0.3, 1.7, 40))
    score = simple_score([(onset, 0.29, 60 + n % 12) for n, onset in enumerate(onsets)])
    score.tempos.clear()
    return score


def with_tempi(*tempi):
    score = simple_score(tune(), bpm=90)
    for quarter, bpm in tempi:
        score.tempos.append(symusic.Tempo(quarter * 480, bpm))
    return score


def with_metres(*metres, rows=None):
    score = simple_score(rows or tune())
    for quarter, numerator, denominator in metres:
        score.time_signatures.append(symusic.TimeSignature(round(quarter * 480), numerator, denominator))
    return score


MELODIES = {
    "rubato": rubato(),
    "3/4": simple_score(tune(), metre=(3, 4)),
    "6/8": simple_score(tune(step=0.5), metre=(6, 8)),
    "7/8": simple_score(tune(step=0.5), metre=(7, 8)),
    "tempo changes": with_tempi((8, 140), (17, 45), (20, 110)),
    "a slow end": with_tempi((29, 60), (30, 40), (31, 20)),
    "a metre of its own for the pickup": with_metres((0, 1, 4), (1, 3, 4)),
    "a pickup after silence": with_metres(
        (0, 4, 4), rows=[(3, 1, 67), *((quarter + 4, 1, 72) for quarter in range(8))]
    ),
    "metres that change": with_metres((0, 4, 4), (8, 7, 8), (15, 3, 4), (21, 6, 8)),
    "30 s of silence": simple_score([*tune(8), *((place + 68, 1, 72) for place in range(8))]),
    "20 bpm": simple_score(tune(16), bpm=20),
    "300 bpm": simple_score(tune(64), bpm=300),
    "the whole keyboard": simple_score([(place / 2, 0.5, 21 + place) for place in range(88)]),
    "leaps from end to end": simple_score(tune(pitches=[21, 108, 22, 107])),
    "one note": simple_score([(0, 1, 60)]),
    "one note late": simple_score([(50, 0.25, 60)]),
    "very long notes": simple_score([(0, 40, 60), (40, 70, 67), (110, 33, 72)]),
    "notes of no length": simple_score([(place, 0, 60 + place) for place in range(8)]),
}


def rows(track):
    return sorted((note.time, note.duration, note.pitch, note.velocity) for note in track.notes)


@pytest.mark.parametrize("name", [*MELODIES])
def test_any_melody_is_kept_and_accompanied_to_its_last_bar(tiny_arranger, name):
    given = read_midi(MELODIES[name].dumps_midi())
    piece = tiny_arranger(given, seed=1, **FREE)
    written = read_midi(piece.score.dumps_midi())
    if name == "rubato":  # on beats of its own: what is kept is the time
        times = [ticks_to_ms(score, [note.time for note in score.tracks[0].notes]) for score in (written, given)]
        assert np.abs(times[0] - times[1]).max() < 2
        given = written
    assert rows(written.tracks[0]) == rows(given.tracks[0])
    assert [(t.time, t.mspq) for t in written.tempos] == [(t.time, t.mspq) for t in given.tempos]
    end = float((piece.melody["onset_ms"] + piece.melody["duration_ms"]).max())
    assert piece.bar_lines_ms[0] <= piece.melody["onset_ms"].min() + 1e-6
    assert piece.bar_lines_ms[-2] <= end <= piece.bar_lines_ms[-1] + 1e-6
    onsets = np.concatenate([piece.bar_lines_ms[:1], piece.accompaniment["onset_ms"], piece.bar_lines_ms[-1:]])
    assert np.diff(BeatClock.from_score(given).to_clock(onsets)).max() <= LONGEST_REST_MS + 200
    assert to_musicxml(piece.score).count(b"<measure ") >= 2 * piece.bars


def many_tracks():
    score = simple_score(tune(), name="Bass line")
    for note in score.tracks[0].notes:
        note.pitch -= 24
    add_track(score, [(place, 1, 50 + n) for place in range(32) for n in (0, 4, 7)], name="Strings")
    add_track(score, tune(pitches=[72, 74, 76, 77]), name="Flute")
    add_track(score, [(place, 0.1, 36) for place in range(32)], name="Kit", is_drum=True)
    return score


@pytest.mark.parametrize(
    ("track", "chosen", "said"),
    [(None, 2, "track 3 of 4 “Flute”, which is one voice"), (1, 0, "track 1 “Bass line”, as you chose")],
)
def test_of_many_tracks_the_choice_is_said_and_can_be_made(tiny_arranger, track, chosen, said):
    score = many_tracks()
    piece = tiny_arranger(score, track=track, max_bars=2)
    assert piece.how_found == said
    assert rows(piece.score.tracks[0]) == rows(score.tracks[chosen])


def test_a_track_that_is_not_there_is_said(tiny_arranger):
    with pytest.raises(PianalysisError, match="track from 1 to 4, found 5"):
        tiny_arranger(many_tracks(), track=5)


def test_in_a_polyphonic_file_the_melody_is_found(tiny_arranger):
    score = simple_score([(place, 1, pitch) for place in range(32) for pitch in (40, 47, 52, 56)], name="")
    add_track(score, [(place, 1, 64 + pitch) for place in range(32) for pitch in (0, SCALE[place % 8] - 52)], name="")
    piece = tiny_arranger(score, max_bars=2)
    assert "its top line" in piece.how_found
    tops = {(place * 480, 64 + SCALE[place % 8] - 52) for place in range(32)}
    found = {(time, pitch) for time, _, pitch, _ in rows(piece.score.tracks[0])}
    assert len(found & tops) >= 0.9 * len(tops)
