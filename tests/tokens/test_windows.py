from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays, scores

from pianalysis.music.clock import BeatClock
from pianalysis.music.keys import fold_to_keyboard
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import make_notes, monophonic, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import ChordTones, decode, encode
from pianalysis.tokens.windows import (
    DENSITY_CUTS,
    MAX_TOKENS,
    HeldChord,
    bars_in_window,
    chords_between,
    cut_windows,
    density_of,
    make_window,
)

BARS_MS = {(4, 4): 2000.0, (3, 4): 1500.0, (6, 8): 1500.0, (2, 4): 1000.0, (5, 4): 2500.0, (7, 8): 1750.0}


def clock_of(bars_ms):
    """A clock that is real time, with bars of these lengths."""
    lines = np.concatenate([[0.0], np.cumsum(bars_ms)])
    ends = np.array([0.0, float(lines[-1])])
    return BeatClock(ends, ends, lines, 120.0, (4, 4))


def tune(bars, *, bar_ms=2000.0):
    """A melody of one note in each of these bars."""
    return make_notes((bar * bar_ms, 400, 60, 80) for bar in bars)


def places(notes, start_ms=0.0):
    """Where notes are struck on the grid: (onset, key), doubles once, keys off the piano left out."""
    onsets = np.floor((notes["onset_ms"] + start_ms) / 25 + 0.5).astype(int) * 25
    return {
        (onset, key) for onset, key in zip(onsets.tolist(), notes["pitch"].tolist(), strict=True) if 21 <= key <= 108
    }


@st.composite
def pieces(draw):
    """Melody, accompaniment and a clock whose bars change metre and reach past the last note."""
    bars = draw(st.lists(st.sampled_from(sorted(set(BARS_MS.values()))), min_size=1, max_size=45))
    return draw(note_arrays()), draw(note_arrays()), clock_of([*bars, *[2000.0] * 35])


@given(pieces())
def test_windows_lose_no_note_between_the_first_and_the_last_melody_bar(piece):
    melody, accompaniment, clock = piece
    windows = list(cut_windows(melody, accompaniment, clock))
    if not len(melody):
        assert windows == []
        return
    starts = [window.start_bar for window in windows]
    assert starts[1:] == [window.start_bar + window.bars for window in windows[:-1]]
    assert clock.bar_lines[starts].tolist() == [window.start_ms for window in windows]
    first, end = windows[0].start_ms, windows[-1].start_ms + windows[-1].length_ms
    found = [places(window.notes.accompaniment, window.start_ms) for window in windows]
    assert set().union(*found) == {place for place in places(accompaniment) if first <= place[0] < end}
    assert sum(map(len, found)) == len(set().union(*found))
    sung = set().union(*(places(window.notes.melody, window.start_ms) for window in windows))
    assert sung == places(monophonic(melody))


@given(scores())
def test_windows_of_any_file_hold_whole_bars_and_notes_that_can_be_encoded(score):
    clock = BeatClock.from_score(score)
    melody = track_notes(score, score.tracks[:1])
    for window in cut_windows(melody, track_notes(score, score.tracks[1:]), clock, style="classical"):
        line = clock.bar_lines[window.start_bar : window.start_bar + window.bars + 1]
        assert window.length_ms == pytest.approx(line[-1] - line[0])
        assert 0 < window.length_ms <= vocab.WINDOW_MS
        for notes in (window.notes.melody, window.notes.accompaniment):
            assert ((notes["onset_ms"] >= 0) & (notes["onset_ms"] < window.length_ms)).all()
        ids = encode(window.notes)
        assert len(ids) <= MAX_TOKENS
        np.testing.assert_array_equal(decode(ids).accompaniment, window.notes.accompaniment)
        assert decode(ids).style == "classical"


@given(scores())
def test_no_accompaniment_note_of_any_file_is_lost(score):
    clock = BeatClock.from_score(score)
    below = fold_to_keyboard(track_notes(score, score.tracks[1:]))
    windows = list(cut_windows(track_notes(score, score.tracks[:1]), below, clock))
    for onset, _, pitch, _ in clock.notes_to_clock(below).tolist():
        near = [w for w in windows if w.start_ms - 12 <= onset < w.start_ms + w.length_ms - 13]
        rows = [(w.start_ms + row[0], row[2]) for w in windows for row in w.notes.accompaniment.tolist()]
        assert not near or any(key == pitch and abs(place - onset) <= 12.5 + 1e-3 for place, key in rows)


@pytest.mark.parametrize(
    ("metre", "bars"), [((4, 4), 8), ((3, 4), 10), ((6, 8), 10), ((2, 4), 16), ((5, 4), 6), ((7, 8), 9)]
)
def test_as_many_bars_as_fit(metre, bars):
    clock = clock_of([BARS_MS[metre]] * 20)
    assert bars_in_window(clock.bar_lines, 1) == bars
    window = next(cut_windows(tune(range(20), bar_ms=BARS_MS[metre]), make_notes(), clock))
    assert (window.bars, window.length_ms) == (bars, bars * BARS_MS[metre])
    assert window.notes.melody["onset_ms"].tolist() == [bar * BARS_MS[metre] for bar in range(bars)]


def test_as_many_bars_as_are_left():
    lines = clock_of([2000.0] * 10).bar_lines
    assert [bars_in_window(lines, bar) for bar in (0, 2, 3, 9)] == [8, 8, 7, 1]


def test_interludes_are_kept_intro_and_outro_are_not():
    everywhere = make_notes((1000.0 * beat, 500, 48, 64) for beat in range(160))
    windows = list(cut_windows(tune([10, 11, 41]), everywhere, clock_of([2000.0] * 80)))
    assert [window.start_bar for window in windows] == [8, 16, 24, 32, 40]
    assert [len(window.notes.melody) for window in windows] == [2, 0, 0, 0, 1]
    assert [len(window.notes.accompaniment) for window in windows] == [16] * 5


@pytest.mark.parametrize(("onset", "bars"), [(15_987.4, [0]), (15_988, [8]), (15_999.999, [8]), (16_000, [8])])
def test_a_note_a_little_before_the_bar_line_is_the_next_bars(onset, bars):
    windows = list(cut_windows(make_notes([(onset, 500, 60, 80)]), make_notes(), clock_of([2000.0] * 16)))
    assert [window.start_bar for window in windows] == bars
    assert len(windows[0].notes.melody) == 1


def test_windows_at_every_bar():
    windows = list(cut_windows(tune([0, 2]), make_notes(), clock_of([2000.0] * 12), every_bar=True))
    assert [(window.start_bar, window.bars) for window in windows] == [(0, 8), (1, 8), (2, 8)]
    assert [window.notes.melody["onset_ms"].tolist() for window in windows] == [[0, 4000], [2000], [0]]


def test_a_length_past_the_end_stays_and_what_began_before_is_out():
    below = make_notes([(1_000, 16_000, 40, 64), (15_500, 4_000, 45, 64), (16_000, 500, 50, 64)])
    first, second = cut_windows(tune([0, 8]), below, clock_of([2000.0] * 16))
    assert first.notes.accompaniment[["onset_ms", "duration_ms"]].tolist() == [(1_000, 16_000), (15_500, 4_000)]
    assert second.notes.accompaniment[["onset_ms", "pitch"]].tolist() == [(0, 50)]


def test_a_dense_piece_is_cut_to_fewer_bars():
    # 160 notes a bar, four at each of 40 onsets: 40 TIMEs and 480 others, 520 tokens a bar; three bars fit 2,048.
    below = sort_notes(make_notes((50.0 * step, 50, 40 + key, 64) for step in range(320) for key in range(4)))
    windows = list(cut_windows(tune(range(8)), below, clock_of([2000.0] * 8)))
    assert [window.bars for window in windows] == [3, 3, 2]
    assert [len(window.notes.accompaniment) for window in windows] == [480, 480, 320]
    assert all(len(encode(window.notes)) <= MAX_TOKENS for window in windows)


def test_one_bar_that_is_too_dense_is_left_out_and_the_rest_goes_on():
    storm = make_notes((2000 + 25.0 * step, 25, 30 + key, 64) for step in range(80) for key in range(10))
    windows = list(cut_windows(tune(range(4)), sort_notes(storm), clock_of([2000.0] * 4)))
    assert [(window.start_bar, window.bars) for window in windows] == [(0, 1), (2, 2)]
    assert (
        len(encode(make_window(tune(range(4)), sort_notes(storm), clock_of([2000.0] * 4).bar_lines, 1, "pop").notes))
        > 2048
    )


def test_the_melody_of_a_window_is_one_voice():
    chords = make_notes((500.0 * beat, 900, 60 + key, 80) for beat in range(8) for key in (0, 4, 7))
    window = next(cut_windows(chords, make_notes(), clock_of([2000.0] * 2)))
    assert window.notes.melody["pitch"].tolist() == [67] * 8
    assert window.notes.melody["duration_ms"].tolist() == [500] * 7 + [900]


def test_density_words_by_hand():
    low, high = DENSITY_CUTS
    beats = 16_000 / 500
    assert density_of(0, 16_000) == "low"
    assert density_of(int(low * beats), 16_000) == "low"
    assert density_of(int(low * beats) + 1, 16_000) == density_of(int(high * beats), 16_000) == "mid"
    assert density_of(int(high * beats) + 1, 16_000) == "high"
    assert density_of(34, 5_000, cuts=(3.4, 4.9)) == "mid"  # just the cut, 3.4 a beat


@st.composite
def held_chords(draw):
    """Chords one after the other on quarters of a beat, with gaps, some of them the same."""
    steps = sorted(draw(st.sets(st.integers(0, 320), max_size=24)))
    kinds = st.sampled_from([(-1, ()), (0, (0, 4, 7)), (4, (0, 4, 7)), (7, (2, 5, 7, 11))])
    spans = [(125.0 * first, 125.0 * last) for first, last in pairwise(steps)]
    return [HeldChord(start, end, *draw(kinds)) for start, end in spans if draw(st.integers(0, 3))]


def kind_at(chords, ms):
    """Bass and tones of what holds at a time, by a plain look at every chord."""
    found = [(chord.bass, chord.tones) for chord in chords if chord.start_ms <= ms < chord.end_ms]
    return found[0] if found else (-1, ())


@given(held_chords(), st.integers(0, 200), st.sampled_from([1_500.0, 2_000.0, 16_000.0]))
def test_a_windows_chords_are_those_that_hold_in_it(chords, start_step, length):
    start = 125.0 * start_step
    found = chords_between(chords, start, length)
    assert [chord.onset_ms for chord in found[:1]] in ([], [0])
    assert all((a.bass, a.tones) != (b.bass, b.tones) for a, b in pairwise(found))
    for ms in np.arange(0.0, length, 125.0) + 62.5:
        said = [(chord.bass, chord.tones) for chord in found if chord.onset_ms <= ms]
        assert (said[-1] if said else (-1, ())) == kind_at(chords, start + ms)


def test_the_chords_of_a_window_by_hand():
    chords = [
        HeldChord(0, 2_010, 0, (7, 4, 0)),
        HeldChord(2_010, 4_000, 7, (7, 11, 2, 5)),
        HeldChord(4_012.6, 6_000, 7, (7, 11, 2, 5)),  # a rounding error's gap, and the same chord
        HeldChord(6_000, 8_000),
        HeldChord(9_000, 9_010, 5, (5, 9, 0)),  # too short for the grid
        HeldChord(9_500, 12_000, 5, (5, 9, 0)),
    ]
    assert chords_between(chords, 1_000, 12_000) == (
        ChordTones(0, 0, (0, 4, 7)),
        ChordTones(1_000, 7, (2, 5, 7, 11)),
        ChordTones(5_000),
        ChordTones(8_500, 5, (0, 5, 9)),
        ChordTones(11_000),
    )
    assert chords_between(chords, 13_000, 2_000) == chords_between([], 0, 2_000) == ()
    assert chords_between(chords[:1], 0, 2_000) == (ChordTones(0, 0, (0, 4, 7)),)
    # A chord a little after the bar line stands on it.
    assert chords_between([HeldChord(20, 2_000, 0, (0,))], 0, 2_000) == (ChordTones(0, 0, (0,)),)
    assert chords_between([HeldChord(500, 2_000, 0, (0,))], 0, 2_000) == (ChordTones(0), ChordTones(500, 0, (0,)))


def test_windows_with_chords_and_lead_sheets():
    chords = [HeldChord(3_000.0 * index, 3_000.0 * index + 3_000, index, (index,)) for index in range(10)]
    clock, everywhere = clock_of([2000.0] * 16), make_notes((1000.0 * beat, 500, 48, 64) for beat in range(32))
    with_chords = list(cut_windows(tune(range(16)), everywhere, clock, chords=chords))
    plain = list(cut_windows(tune(range(16)), everywhere, clock))
    sheets = list(cut_windows(tune(range(16)), None, clock, chords=chords))
    assert [window.notes.chords for window in plain] == [None, None]
    for window, without, sheet in zip(with_chords, plain, sheets, strict=True):
        assert window.notes.chords == sheet.notes.chords == chords_between(chords, window.start_ms, 16_000)
        np.testing.assert_array_equal(window.notes.accompaniment, without.notes.accompaniment)
        assert window.notes.density == without.notes.density
        assert (sheet.notes.accompaniment, sheet.notes.density) == (None, "mid")
        assert decode(encode(sheet.notes)).chords == sheet.notes.chords
    assert with_chords[1].notes.chords[0] == ChordTones(0, 5, (5,))  # began a second before
    assert with_chords[1].notes.chords[-1] == ChordTones(14_000)


def test_chords_count_among_the_tokens_of_a_window():
    below = sort_notes(make_notes((50.0 * step, 50, 40 + key, 64) for step in range(320) for key in range(4)))
    chords = [HeldChord(25.0 * step, 25.0 * step + 25, step % 12, (*range(12),)) for step in range(640)]
    bars = [
        [window.bars for window in cut_windows(tune(range(8)), below, clock_of([2000.0] * 8), chords=held)]
        for held in (None, chords)
    ]
    assert bars == [[3, 3, 2], [1] * 8]
