from __future__ import annotations

import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.metre_reading import Asked, read_metre_of
from pianalysis.arranging.options import Options
from pianalysis.arranging.pieces import prepare
from pianalysis.errors import PianalysisError
from pianalysis.melody.find import find_melody
from pianalysis.music.downbeats import Part, readings
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.notes import make_notes, monophonic
from pianalysis.music.regrid import TICKS_PER_QUARTER
from pianalysis.music.typed import from_names

AMAZING = (
    "C4/4 F4/2 A4/8 F4/8 A4/2 G4/4 F4/2 D4/4 C4/2 C4/4 F4/2 A4/8 F4/8 A4/2 G4/4 C5/1 A4/4 C5/4. A4/8 C5/8 A4/8 F4/2 C4/4 "
    "D4/4. F4/8 F4/8 D4/8 C4/2 C4/4 F4/2 A4/8 F4/8 A4/2 G4/4 F4/1"
)
FIRST = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64]
ODE = [*FIRST, 64, 62, 62, *FIRST, 62, 60, 60]
ODE_LENGTHS = ([1] * 12 + [1.5, 0.5, 2]) * 2


def played(bpm=93.0, jitter_ms=20.0, seed=5, saved_at=120.0, start_ms=400.0):
    """Ode to Joy as somebody plays it without a click, in a file of another tempo; and the places it was meant at."""
    generator = np.random.default_rng(seed)
    places = np.concatenate([[0], np.cumsum(ODE_LENGTHS)[:-1]])
    onsets = start_ms + places * 60_000 / bpm + generator.normal(0, jitter_ms, len(places))
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, saved_at))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    score.tracks.append(symusic.Track("", 0, False))
    per_ms = 480 * saved_at / 60_000
    for onset, length, pitch in zip(onsets, ODE_LENGTHS, ODE, strict=True):
        ticks = round(length * 0.92 * 60_000 / bpm * per_ms)
        score.tracks[0].notes.append(symusic.Note(round(onset * per_ms), ticks, pitch, 80))
    return score, places


def read(score, **asked):
    return read_metre_of(score, find_melody(score), Asked(**asked))


def signatures(score):
    return [(item.time / score.tpq, item.numerator, item.denominator) for item in score.time_signatures]


def with_metre(score, *metre):
    score.time_signatures.clear()
    score.time_signatures.append(symusic.TimeSignature(0, *metre))
    return score


def test_a_pickup_at_tick_0_is_put_right_when_it_is_said():
    score = with_metre(from_names(AMAZING), 3, 4)
    result = read(score, pickup=1)
    assert signatures(result.score) == [(0, 1, 4), (1, 3, 4)]
    assert [n.time for n in result.score.tracks[0].notes] == [n.time for n in score.tracks[0].notes]
    assert signatures(score) == [(0, 3, 4)]  # what was given stays as it was


def test_the_options_reach_the_bars_of_any_score():
    source = prepare(from_names(AMAZING), None, None, Options(time_signature="3/4", pickup=1).metre_asked)
    assert source.clock.time_signature == (3, 4)
    assert source.clock.bar_lines[:4].tolist() == [0, 500, 2000, 3500]


@pytest.mark.parametrize("wrong", [{"time_signature": "3/5"}, {"pickup": -1}, {"time_signature": "three"}])
def test_options_that_say_no_metre_are_refused(wrong):
    with pytest.raises(PianalysisError, match="expected a"):
        Options(**wrong)


def test_a_pickup_longer_than_a_bar_is_refused():
    with pytest.raises(PianalysisError, match=r"shorter than a bar of 3/4, 3 quarters, found 3"):
        read(from_names(AMAZING), metre=(3, 4), pickup=3)


def test_a_metre_that_nobody_stated_is_heard():
    tune = "C5/4 C5 G5 G5 A5 A5 G5/2 F5/4 F5 E5 E5 D5 D5 C5/2 G5/4 G5 F5 F5 E5 E5 D5/2 G5/4 G5 F5 F5 E5 E5 D5/2"
    waltz = " ".join(
        f"{a}/2 {b}/4"
        for a, b in zip(("C5", "E5", "G5", "E5", "D5", "F5", "A5", "F5") * 3, ("E5", "D5") * 12, strict=True)
    )
    assert signatures(read(from_names(f"{tune} {tune}")).score)[-1:] in ([], [(0, 4, 4)])
    result = read(from_names(waltz))
    assert signatures(result.score) == [(0, 3, 4)]
    assert "3/4, without a pickup" in result.remarks[0]
    kept = read(from_names(waltz), keep=True)
    assert signatures(kept.score) == []
    assert not kept.remarks


def test_a_stated_metre_keeps_its_beats_in_a_bar():
    for metre in ((3, 4), (4, 4), (6, 8), (5, 4)):
        result = read(with_metre(from_names(AMAZING), *metre))
        assert signatures(result.score)[-1][1:] == metre


def test_bar_lines_that_somebody_thought_of_stay():
    score = from_names(f"C4/4 | {AMAZING[5:]}", time_signature=(3, 4))
    assert signatures(read(score).score) == [(0, 1, 4), (1, 3, 4)]


def test_a_performance_gets_its_own_beats_and_keeps_its_time():
    score, places = played()
    result = read(score)
    found = np.array([note.time for note in result.score.tracks[0].notes]) / TICKS_PER_QUARTER
    assert (found - found[0]).tolist() == places.tolist()
    assert signatures(result.score)[-1][1:] == (4, 4)
    first = signatures(result.score)[-1][0]
    assert (found[0] - first) % 4 == 0
    assert "about 9" in result.remarks[0]
    assert "--keep-metre" in result.remarks[0]
    assert result.melody.score_notes[0].time == result.score.tracks[0].notes[0].time


@pytest.mark.parametrize(
    ("tempo", "metre", "heard"), [(120.0, (4, 4), (3, 4)), (97.0, (4, 4), (4, 4)), (97.0, (3, 4), (3, 4))]
)
def test_a_waltz_that_is_played_is_barred_as_one_unless_somebody_stated_another_metre(tempo, metre, heard):
    generator = np.random.default_rng(2)
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, tempo))
    score.time_signatures.append(symusic.TimeSignature(0, *metre))
    score.tracks.append(symusic.Track("", 0, False))
    ticks_of_quarter = 480 * tempo / 83  # played at 83 a minute
    tune = zip((72, 76, 79, 76, 74, 77, 81, 77) * 3, (76, 74) * 12, strict=True)
    for bar, pitches in enumerate(tune):
        for place, pitch, length in zip((0, 2), pitches, (2, 1), strict=True):
            start = (1 + 3 * bar + place + generator.normal(0, 0.02)) * ticks_of_quarter
            score.tracks[0].notes.append(symusic.Note(round(start), round(0.9 * length * ticks_of_quarter), pitch, 80))
    result = read(score)
    assert result.tracked
    assert signatures(result.score)[-1][1:] == heard


@settings(deadline=None, max_examples=15)
@given(st.floats(70, 115), st.floats(0, 25), st.integers(0, 1000), st.sampled_from([0.0, 30.0, 400.0, 3000.0]))
def test_no_note_is_moved_in_time(bpm, jitter_ms, seed, start_ms):
    score, _ = played(bpm, jitter_ms, seed, start_ms=max(start_ms, 80))
    after = read(score).score
    times = [
        ticks_to_ms(s, [t for n in s.tracks[0].notes for t in (n.time, n.time + n.duration)]) for s in (score, after)
    ]
    assert np.abs(times[0] - times[1]).max() < 2


def test_the_files_beats_can_be_kept():
    score, _ = played()
    assert read(score, keep=True).score is score


def test_notes_near_a_click_keep_the_files_beats():
    for seed in range(5):
        score, _ = played(120.0, 15.0, seed, start_ms=500.0)
        assert len(read(score).score.tempos) == 1


def danced(seed, click):
    """A dance of many short notes, played at about 118 a minute without a click, or to that of the file's tempo, 120."""
    generator = np.random.default_rng(seed)
    lengths = np.array([0.5, 0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 1.0] * 20)
    places = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    walk = np.zeros(int(places[-1]) + 3)
    for beat in range(1, len(walk)):
        walk[beat] = 0 if click else 0.9 * walk[beat - 1] + generator.normal(0, 0.025)
    times = np.concatenate([[0], np.cumsum(60_000 / (120 if click else 118) * np.exp(walk))])
    onsets = (
        400 + np.interp(places, np.arange(len(times)), times) + generator.normal(0, 15 if click else 20, len(places))
    )
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120.0))
    score.tracks.append(symusic.Track("", 0, False))
    steps = (72, 74, 76, 77, 79, 76, 77, 76, 74, 72, 67, 69, 71, 72, 74, 71, 69, 67, 69, 71)
    for number, (onset, length) in enumerate(zip(np.maximum.accumulate(onsets), lengths, strict=True)):
        score.tracks[0].notes.append(symusic.Note(round(onset * 0.96), round(length * 432), steps[number % 20], 80))
    return score


def test_a_busy_dance_without_a_click_is_noticed_and_one_to_a_click_keeps_its_beats():
    for seed in (3, 4):
        assert len(read(danced(seed, click=False)).score.tempos) > 1
        assert len(read(danced(seed, click=True)).score.tempos) == 1


def test_few_notes_say_nothing():
    score = from_names("C4/4 D4 E4 F4")
    assert read(score).score is score


def test_a_stated_metre_whose_upbeat_stands_at_tick_0_is_doubted_in_a_line():
    score = with_metre(from_names(" ".join(AMAZING.split()[:16])), 3, 4)  # case 09
    result = read(score)
    assert signatures(result.score) == [(0, 3, 4)] or signatures(result.score) == [(0, 1, 4), (1, 3, 4)]
    assert len(result.remarks) == 1
    assert "with a pickup of 1 quarter" in result.remarks[0]
    assert "--pickup" in result.remarks[0]
    assert not read(with_metre(from_names(AMAZING), 3, 4), pickup=1).remarks


def accompanied(line):
    """Ode to Joy in no metre, with a bass and chords whose bars begin so many quarters after its first note."""
    score = symusic.Score(480)
    score.tracks.append(symusic.Track("Melody", 0, False))
    score.tracks.append(symusic.Track("Left hand", 0, False))
    places = np.concatenate([[0], np.cumsum(ODE_LENGTHS)[:-1]])
    for place, length, pitch in zip(places, ODE_LENGTHS, ODE, strict=True):
        score.tracks[0].notes.append(symusic.Note(round(480 * place), round(480 * length), pitch, 80))
    for bar in range(7):
        bass, chord = ((36, (52, 55)), (43, (53, 59)), (41, (57, 60)))[bar % 3]
        start = 480 * (line + 4 * bar)
        score.tracks[1].notes.append(symusic.Note(start, 480, bass, 80))
        for beat in (1, 2, 3):
            for pitch in chord:
                score.tracks[1].notes.append(symusic.Note(start + 480 * beat, 480, pitch, 60))
    return score


@pytest.mark.parametrize("line", [1, 2, 3])
def test_the_bass_says_where_bars_begin(line):
    score = accompanied(line)
    whole = find_melody(score, track=1)
    voice = monophonic(whole.notes)
    places = np.array([(note.time, note.time + note.duration) for note in whole.score_notes]).T / score.tpq
    left = score.tracks[1].notes.numpy()
    notes = make_notes((0, 0, pitch, velocity) for pitch, velocity in zip(left["pitch"], left["velocity"], strict=True))
    beside = Part(notes, np.stack([left["time"], left["time"] + left["duration"]]) / score.tpq)
    alone, together = (
        next(item.probability for item in readings(voice, places, (4, 4), part) if item.pickup == line)
        for part in (None, beside)
    )
    assert together > 5 * alone
    heard = read_metre_of(score, whole, Asked(metre=(4, 4)))
    score.tracks.pop()
    assert heard.remarks != read_metre_of(score, whole, Asked(metre=(4, 4))).remarks
