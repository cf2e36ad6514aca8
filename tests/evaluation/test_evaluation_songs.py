"""Excerpts of songs on the clock, their MIDI, and the references beside them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from songs import row_of, waltz

from pianalysis.arranging.arranger import Options
from pianalysis.arranging.planning import Planner
from pianalysis.evaluation.references import block_chords, chords_by_rule, fitted, half_bars, partner
from pianalysis.evaluation.songs import clock_of, cut, read_song
from pianalysis.music.clock import BeatClock
from pianalysis.music.metres import quarters_of
from pianalysis.music.notes import make_notes

C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)


def test_an_excerpt_begins_where_the_melody_does_and_holds_whole_bars():
    song = read_song(waltz(bars=12, first_bar=2, quarter_ms=600), seconds=8.0)
    assert song.clock.bar_lines.tolist() == [0, 1_500, 3_000, 4_500, 6_000]  # four bars of 1.8 s fit in 8 s
    assert song.seconds == pytest.approx(7.2)
    assert song.melody["onset_ms"].tolist() == [500 * beat for beat in range(12)]
    assert song.accompaniment["onset_ms"].tolist() == [0, 1_500, 3_000, 4_500]
    assert (song.bar_ms, song.style, song.name) == (1_500, "pop", "pop909-1")


def test_an_excerpt_ends_with_the_bar_of_the_last_melody_note_and_has_one_bar_at_least():
    row = waltz(bars=12)
    row["melody"] = row["melody"][:4]
    song = read_song(row)
    assert len(song.clock.bar_lines) == 3
    assert len(read_song(waltz(), seconds=0.1).clock.bar_lines) == 2


def test_notes_over_the_end_are_cut_and_chords_are_on_the_songs_clock():
    row = row_of(
        [(0, 1_000, 60, 80)],
        [(0, 9_000, 48, 80)],
        beats_ms=np.arange(9) * 1_000,
        downbeats=np.arange(9) % 4 == 0,
        chords=[(0, 2_000, "C:maj"), (2_000, 6_000, "F:maj"), (6_000, 8_000, "N")],
    )
    song = read_song(row)
    assert song.accompaniment["duration_ms"].tolist() == [2_000]  # a bar of four seconds is 2,000 clock-ms
    assert song.chords == ((0, 1_000, "C:maj"), (1_000, 2_000, "F:maj"))
    assert song.chord_source == "label"


@pytest.mark.parametrize(
    ("corpus", "style"),
    [
        ("pop909", "pop"),
        ("folder", "pop"),
        ("openscore_lieder", "classical"),
        ("polish_scores", "classical"),
        ("hymns", "hymn"),
    ],
)
def test_each_corpus_is_asked_for_in_its_style(corpus, style):
    song = read_song({**waltz(), "corpus": corpus})
    assert song.style == style
    assert Options(style=song.style).style == style


def test_a_song_is_whole_to_the_bar_of_its_last_melody_note():
    row = waltz(bars=12, first_bar=0, quarter_ms=600)  # its last bar line is at 21.6 s
    assert read_song(row).is_whole
    assert read_song(row, seconds=21.6).is_whole
    assert not read_song(row, seconds=21.5).is_whole


def test_a_row_of_a_dataset_without_chord_sources_has_labels_or_nothing():
    row = waltz()
    del row["chord_source"]
    assert read_song({**row, "chords": []}).chord_source == ""
    labels = [{"onset_ms": 0.0, "end_ms": 60_000.0, "label": "C:maj"}]
    assert read_song({**row, "chords": labels}).chord_source == "label"


@given(st.lists(st.floats(300, 900), min_size=9, max_size=24), st.sampled_from([2, 3, 4]))
def test_a_songs_score_gives_back_its_notes_and_its_clock(lengths, per_bar):
    beats = np.concatenate([[0.0], np.cumsum(lengths)])
    melody = [(start, (end - start) / 2, 60, 80) for start, end in pairwise(beats)]
    song = read_song(row_of(melody, melody, beats_ms=beats, downbeats=np.arange(len(beats)) % per_bar == 0))
    score = song.score(song.accompaniment)
    for track in (0, 1):
        again = song.notes_of(score, track)
        assert np.abs(again["onset_ms"] - song.melody["onset_ms"]).max() < 1.1
        assert np.abs(again["duration_ms"] - song.melody["duration_ms"]).max() < 2.1
    clock = BeatClock.from_score(score)
    scale = song.clock.bar_lines[1] / clock.bar_lines[1]  # the excerpt's own tempo may be folded otherwise
    count = len(song.clock.bar_lines)
    assert np.allclose(clock.bar_lines[:count] * scale, song.clock.bar_lines, atol=2)
    real = clock.to_real(clock.bar_lines[:count])
    assert np.allclose(real, song.clock.to_real(song.clock.bar_lines), atol=2)


def test_bar_lines_survive_a_tempo_change_inside_a_beat():
    """A row has quarter beats only: with an upbeat of an eighth a change at the bar line lies between two of them."""
    row = waltz()
    row["beats_ms"] = [0.0, 700.0, 1_500.0, 2_300.0]  # an eighth of 300, then eighths of 400
    row["downbeats_ms"] = [0.0, 300.0, 2_700.0]
    clock = clock_of(row)
    assert clock.bar_lines.tolist() == [0, 250, 1_750]
    assert clock.to_real([250, 500]).tolist() == [300, 700]


def test_joints_are_where_the_arranger_joins(tiny_arranger, monkeypatch):
    song = read_song(waltz(bars=40, first_bar=0))
    starts, window = [], Planner._prompt

    def watched(self, end_bar, density):
        starts.append(float(self.source.clock.bar_lines[self._bar]))
        return window(self, end_bar, density)

    monkeypatch.setattr(Planner, "_prompt", watched)
    tiny_arranger(song.score(), structure=False)
    assert song.joints_ms().tolist() == starts[1:]
    assert len(starts) > 3


def test_block_chords_of_a_scale_by_hand():
    melody = make_notes((500 * step, 500, pitch, 80) for step, pitch in enumerate(C_MAJOR))
    chords = block_chords(melody, spans_ms=np.arange(0, 4_001, 1_000))
    # C D | E F | G A | B C: no triad has both notes of a span, I has one of each, and I is first in rank
    roots = chords["pitch"].reshape(-1, 3)
    assert roots.tolist() == [[48, 52, 55]] * 4
    assert chords["onset_ms"].tolist() == [start for start in (0, 1_000, 2_000, 3_000) for _ in range(3)]
    # D F: ii and vii° have both, and ii is first in rank; G B: V and iii, and V is
    halves = block_chords(melody[[1, 3, 4, 6]], spans_ms=np.array([0, 2_000, 4_000]))
    assert halves["pitch"].reshape(-1, 3).tolist() == [[50, 53, 57], [55, 59, 62]]


def test_block_chords_hold_through_rests_and_follow_the_key():
    melody = make_notes((500 * step, 500, pitch + 2, 80) for step, pitch in enumerate(C_MAJOR))  # D major
    spans = np.array([0, 4_000, 6_000, 8_000])
    assert block_chords(melody, spans_ms=spans)["pitch"].reshape(-1, 3)[0].tolist() == [50, 54, 57]
    late = melody.copy()
    late["onset_ms"] += 6_000
    assert set(block_chords(late, spans_ms=spans[:3])["pitch"] % 12) == {2, 6, 9}  # the tonic, until it begins


def test_half_bars_of_four_and_whole_bars_of_three():
    song = read_song(waltz())
    assert half_bars(song).tolist() == song.clock.bar_lines.tolist()
    four = read_song(
        row_of([(0, 4_000, 60, 80)], [(0, 1, 48, 80)], beats_ms=np.arange(9) * 500, downbeats=np.arange(9) % 4 == 0)
    )
    assert half_bars(four).tolist() == [0, 1_000, 2_000, 3_000, 4_000]
    assert len(chords_by_rule(four)) == 4 * 3


def test_an_accompaniment_is_cut_or_repeated_to_a_length():
    notes = make_notes([(0, 400, 48, 80), (900, 400, 50, 80)])
    assert fitted(notes, 1_000, 500)["pitch"].tolist() == [48]
    longer = fitted(notes, 1_000, 2_100)
    assert longer["onset_ms"].tolist() == [0, 900, 1_000, 1_900, 2_000]
    assert longer["duration_ms"].tolist() == [400, 100, 400, 100, 100]


@given(st.integers(2, 50))
def test_a_partner_is_another_song(count):
    assert all(partner(index, count) != index for index in range(count))
    assert sorted(partner(index, count) for index in range(count)) == [*range(count)]


def test_cut_keeps_what_begins_inside():
    notes = make_notes([(-100, 500, 60, 80), (999.8, 500, 62, 80), (1_500, 900, 64, 80), (1_999.5, 500, 65, 80)])
    assert cut(notes, 1_000, 2_000).tolist() == [(0, 500, 62, 80), (500, 500, 64, 80)]


def test_a_bar_that_no_short_beats_can_count_has_a_metre_all_the_same():
    quarters = np.array([257 / 16, 4, 300, 4])  # 257/64 is more beats than a MIDI file can say
    lines = np.cumsum([0, *quarters]) * 500.0
    clock = BeatClock(lines[[0, -1]], lines[[0, -1]], lines, bpm=120.0, time_signature=(4, 4))
    signatures = replace(read_song(waltz(bars=12)), clock=clock).score().time_signatures
    lengths = np.array([float(quarters_of((item.numerator, item.denominator))) for item in signatures])
    assert np.all((lengths >= quarters) & (lengths - quarters < 0.125))  # as long, or a little longer
