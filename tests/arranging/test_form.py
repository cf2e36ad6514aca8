"""Introductions, verses, transposition and tempo: the melody is kept, moved as a whole; what is streamed is the piece."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import simple_score

from pianalysis.arranging.arranger import Arrangement, Arranger, Options
from pianalysis.arranging.charting import typed_chart
from pianalysis.arranging.form import lay_out
from pianalysis.arranging.form_options import read_key
from pianalysis.arranging.introduction import fits_under
from pianalysis.arranging.metre_reading import Asked
from pianalysis.arranging.pieces import prepare
from pianalysis.arranging.transposing import home, transposed
from pianalysis.arranging.upbeat import has_upbeat
from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import make_model
from pianalysis.music.abc_notation import from_abc

PICKUP = "X:1\nM:3/4\nL:1/4\nQ:1/4=96\nK:G\nD|G2 B|A2 G|B2 d|d2 D|\nG2 B|A2 G|E2 D|G2|]"
PLAIN = "X:1\nM:4/4\nL:1/4\nK:C\nC D E F|G2 E2|F D B, D|C4|]"
CHORDS = "C | G | G7 | C"


@pytest.fixture(scope="module")
def arranger():
    """A tiny model that plays chords, untrained: what holds of it holds of any."""
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = model.config.normalises_key = True
    return Arranger(model, precision="float32")


def rows(track):
    return sorted((note.time, note.duration, note.pitch, note.velocity) for note in track.notes)


def shaped(text, **asked):
    """A melody's source, as it is and laid out, with the chart of its file."""
    source = prepare(from_abc(text), None, None)
    chart = typed_chart(
        asked.pop("chords", CHORDS if text == PLAIN else "G | G | D7 | G | D7 | G | D7 | D7 | G"), source
    )
    return source, lay_out(source, Options(**asked), chart)


@given(st.integers(0, 8), st.integers(1, 4), st.sampled_from([PLAIN, PICKUP]))
@settings(max_examples=30)
def test_each_verse_is_the_melody_shifted_as_a_whole(intro, verses, text):
    source, laid = shaped(text, intro=intro, verses=verses)
    given_rows = [(n.time, n.duration, n.pitch, n.velocity) for n in source.melody.score_notes]
    found = [(n.time, n.duration, n.pitch, n.velocity) for n in laid.source.melody.score_notes]
    size = len(given_rows)
    assert len(found) == verses * size
    shifts = []
    for verse in range(verses):
        part = found[verse * size : (verse + 1) * size]
        shift = part[0][0] - given_rows[0][0]
        assert part == [(onset + shift, *rest) for onset, *rest in given_rows]
        shifts.append(shift)
    assert len(set(np.diff(shifts))) <= 1
    assert all(b[0] >= a[0] + a[1] for a, b in pairwise(found))  # no verse begins in the one before


@given(st.integers(1, 8), st.sampled_from([PLAIN, PICKUP]))
@settings(max_examples=16)
def test_the_tunes_first_whole_bar_comes_after_the_introduction(intro, text):
    source, laid = shaped(text, intro=intro)
    down = source.first_bar + has_upbeat(source)
    first = int(np.searchsorted(laid.source.clock.bar_lines, source.clock.bar_lines[down]))  # of the same clock
    assert laid.source.first_bar == 0
    assert laid.source.bars == intro + source.last_bar - down
    whole = laid.source.voice[laid.source.voice["onset_ms"] >= laid.source.clock.bar_lines[intro] - 1]
    tune = source.voice[source.voice["onset_ms"] >= source.clock.bar_lines[down] - 1]
    assert whole["pitch"].tolist() == tune["pitch"].tolist()
    assert first == down


def test_an_upbeat_is_heard_in_the_introductions_last_bar():
    _, laid = shaped(PICKUP, intro=2)
    lines = laid.source.clock.bar_lines
    first = laid.source.melody.score_notes[0]
    assert first.time == 2 * 3 * laid.source.score.tpq - laid.source.score.tpq
    assert lines[1] <= first.time / laid.source.score.tpq * 500 < lines[2]


def test_a_short_first_bar_becomes_the_end_of_a_whole_one():
    score = simple_score([(0, 1, 67), *((quarter + 1, 1, 72) for quarter in range(12))])
    score.time_signatures.clear()
    score.time_signatures.extend([symusic.TimeSignature(0, 1, 4), symusic.TimeSignature(480, 4, 4)])
    source = prepare(score, None, None)
    assert has_upbeat(source)
    laid = lay_out(source, Options(intro=2), typed_chart("C | C | G7 | C", source))
    assert np.diff(laid.source.clock.bar_lines).tolist() == [2000.0] * 5
    assert laid.source.melody.score_notes[0].time == 2 * 4 * 480 - 480


def test_bars_that_the_file_leaves_empty_are_the_introductions():
    score = simple_score([(quarter + 16, 1, 60 + quarter % 5) for quarter in range(16)])
    source = prepare(score, None, None)
    laid = lay_out(source, Options(intro=4), typed_chart("C | F | G | C", source))
    assert laid.source.melody.score_notes[0].time == 16 * 480
    assert (laid.source.first_bar, laid.source.last_bar) == (0, 8)
    longer = lay_out(source, Options(intro=6), typed_chart("C | F | G | C", source))
    assert longer.source.melody.score_notes[0].time == 24 * 480


def test_the_introduction_plays_the_last_phrase_and_leads_into_the_first_chord():
    """C D E F | G2 E2 | F D B D | C4: the last two bars are F D B D | C, of which the second half is G7."""
    _, laid = shaped(PLAIN, intro=2, chords="C | F | G7 | C")
    assert laid.chart.text().replace("\n", " | ") == "G7 | C G7 | C | F | G7 | C"
    assert laid.source.line["pitch"].tolist() == [65, 62, 59, 62, 60]
    assert laid.source.line["onset_ms"] == pytest.approx([0, 500, 1000, 1500, 2000])
    assert laid.source.line["duration_ms"] == pytest.approx([500, 500, 500, 500, 1000])


def test_the_introduction_plays_the_first_phrase_where_that_ends_on_the_dominant():
    _, laid = shaped(PLAIN, intro=2, chords="C | G7 | F | C")
    assert laid.chart.text().replace("\n", " | ") == "C | G7 | C | G7 | F | C"
    assert "first phrase" in " ".join(laid.source.remarks)


def test_verses_have_the_same_chart_and_textures_of_their_own():
    _, laid = shaped(PLAIN, verses=3)
    assert laid.chart.text().split("\n") == ["C | G | G7 | C"] * 3
    assert [laid.options.density_at(bar) for bar in (0, 3, 4, 7, 8, 11)] == ["low", "low", "mid", "mid", "high", "high"]
    assert laid.source.verses == (range(0, 4), range(4, 8), range(8, 12))
    _, asked = shaped(PLAIN, verses=2, density="low,v2:high", left_hand="v2:arpeggio")
    assert [asked.options.density_at(bar) for bar in (3, 4)] == ["low", "high"]
    assert [asked.options.left_hand_at(bar) for bar in (3, 4)] == ["auto", "arpeggio"]


def test_bars_return_within_a_verse_only():
    abc = "X:1\nM:4/4\nL:1/4\nK:C\n" + "C D E F|G2 E2|" * 4 + "]"
    source = prepare(from_abc(abc), None, None)
    laid = lay_out(source, Options(verses=2), typed_chart(" | ".join(["C | G"] * 4), source))
    one = {bar: earlier.bar for bar, earlier in source.earlier_bars.items()}
    assert one
    found = {bar: earlier.bar for bar, earlier in laid.source.earlier_bars.items()}
    assert found == one | {bar + 8: earlier + 8 for bar, earlier in one.items()}


def test_metres_and_tempi_are_repeated_with_their_verse():
    score = simple_score([(quarter, 1, 60 + quarter % 7) for quarter in range(14)])
    score.tempos.append(symusic.Tempo(8 * 480, 90))
    score.time_signatures.extend([symusic.TimeSignature(0, 4, 4), symusic.TimeSignature(8 * 480, 3, 4)])
    source = prepare(score, None, None)
    laid = lay_out(source, Options(verses=2), typed_chart("C | C | C | C", source)).source
    assert [(s.time // 480, s.numerator) for s in laid.score.time_signatures if s.time >= 8 * 480][:3] == [
        (8, 3),
        (14, 4),
        (22, 3),
    ]
    assert [round(t.qpm) for t in laid.score.tempos][-2:] == [round(score.tempos[0].qpm), 90]


@given(st.integers(-12, 12))
@settings(max_examples=12)
def test_a_transposed_piece_is_the_piece_transposed(tiny, semitones):
    piece, moved = tiny(PLAIN), tiny(PLAIN, transpose=semitones)
    assert (moved.melody["pitch"] - piece.melody["pitch"] == semitones).all()
    assert moved.chart.chords == piece.chart.transposed(semitones).chords
    assert len(moved.accompaniment) == len(piece.accompaniment)
    assert (moved.accompaniment["pitch"] - piece.accompaniment["pitch"] == semitones).all()
    assert (moved.accompaniment["onset_ms"] == piece.accompaniment["onset_ms"]).all()


@pytest.fixture(scope="module")
def tiny(arranger):
    """Pieces by the tiny model, on keys that move with the piece: the keyboard doesn't, and this model goes to its ends."""
    return lambda text, transpose=0: arranger(
        from_abc(text), chart=CHORDS, style="pop", transpose=transpose, lowest=36 + transpose, highest=90 + transpose
    )


@pytest.mark.parametrize(
    ("text", "semitones", "fifths"), [("G", -5, 1), ("Bb", -2, -2), ("F#", 6 - 12, 6), ("Db major", 1, -5), ("C", 0, 0)]
)
def test_a_key_is_asked_for_by_name(text, semitones, fifths):
    source = prepare(from_abc(PLAIN), None, None)
    moved = transposed(source, Options(key=text))
    assert moved.melody.notes["pitch"][0] - source.melody.notes["pitch"][0] == semitones
    assert [item.key for item in moved.score.key_signatures][:1] == [fifths]
    assert home(moved).tonic == read_key(text).tonic


def test_a_minor_tune_is_asked_for_in_a_minor_key():
    source = prepare(from_abc("X:1\nM:4/4\nL:1/4\nK:Am\nA B c d|e2 c2|d B ^G B|A4|]"), None, None)
    moved = transposed(source, Options(key="E minor"))
    assert moved.melody.notes["pitch"][0] - source.melody.notes["pitch"][0] == -5
    assert moved.score.key_signatures[0].key == 1
    with pytest.raises(PianalysisError, match=r"melody is in A minor, .* ask for a minor key"):
        transposed(source, Options(key="E major"))


def test_key_signatures_move_with_the_piece():
    source = prepare(from_abc(PICKUP), None, None)
    assert [item.key for item in transposed(source, Options(transpose=3)).score.key_signatures] == [-2]


def test_another_tempo_keeps_ticks_and_proportions():
    score = simple_score([(quarter, 1, 60 + quarter % 7) for quarter in range(16)], bpm=100)
    score.tempos.append(symusic.Tempo(12 * 480, 50))
    source = prepare(score, None, None, Asked(keep=True, bpm=80))
    assert [round(tempo.qpm) for tempo in source.score.tempos] == [80, 40]
    assert [note.time for note in source.melody.score_notes] == [quarter * 480 for quarter in range(16)]
    assert source.melody.notes["onset_ms"][1] == pytest.approx(750)
    assert source.clock.bpm == pytest.approx(80)


FORMS = [
    {"intro": 2, "verses": 2, "ending": "ritardando", "pedal": True},
    {"intro": 1, "transpose": 5, "left_hand": "v1:waltz"},
    {"verses": 3, "bpm": 70},
    {"style": "hymn", "intro": 2},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", [PLAIN, PICKUP])
def test_what_is_streamed_is_the_piece(arranger, text, form):
    asked = {"style": "pop"} | form
    piece = arranger(from_abc(text), seed=3, **asked)
    stream = arranger.stream(from_abc(text), seed=3, **asked)
    fresh = list(stream)
    assert stream.piece.score.dumps_midi() == piece.score.dumps_midi()
    assert fresh[-1].bars_done == fresh[-1].bars == piece.bars
    told = {(round(n["onset_ms"], 3), int(n["pitch"])) for part in fresh for n in part.notes}
    kept = {(round(n["onset_ms"], 3), int(n["pitch"])) for n in piece.accompaniment}
    assert {pitch for _, pitch in told} == {pitch for _, pitch in kept}
    assert len(told) == len(kept)
    (take, _) = arranger.takes(from_abc(text), seeds=[3, 4], **asked)
    assert take.score.dumps_midi() == piece.score.dumps_midi()


@pytest.mark.parametrize("bars", [(1, 2), (3, 3), (6, 8)])
def test_bars_of_a_piece_with_a_form_are_rewritten_alone(arranger, tmp_path, bars):
    piece = arranger(from_abc(PICKUP), seed=1, style="pop", intro=2, verses=2, pedal=True, ending="ritardando")
    for old in (piece, Arrangement.read(piece.save(tmp_path / "full.mid"))):
        new = arranger.regenerate(old, bars, seed=9)
        assert rows(new.score.tracks[0]) == rows(piece.score.tracks[0])
        lines = [round(tick) for tick in np.array(bars) * 3 * piece.score.tpq + np.array([-3, 0]) * piece.score.tpq]
        outside = [
            [row for row in rows(item.score.tracks[1]) if not lines[0] <= row[0] < lines[1]] for item in (old, new)
        ]
        assert outside[0] == outside[1]
        assert [*new.score.tempos] == [*old.score.tempos]
        assert {c.number for c in new.score.tracks[1].controls} == {64}


def test_chords_of_a_piece_with_a_form_are_changed_alone(arranger):
    piece = arranger(from_abc(PLAIN), seed=1, style="pop", intro=2, verses=2, chart=CHORDS)
    new = arranger.reharmonise(piece, (4, 4), chords="Em")
    changed = [bar for bar, (a, b) in enumerate(zip(piece.chart.chords, new.chart.chords, strict=True)) if a != b]
    assert changed == [12, 13, 14, 15]


def test_a_piece_that_is_there_keeps_its_form(arranger):
    piece = arranger(from_abc(PLAIN), style="pop", intro=1)
    for change in (
        {"intro": 2},
        {"verses": 2},
        {"transpose": 1},
        {"key": "D"},
        {"bpm": 90.0},
        {"ending": "ritardando"},
    ):
        with pytest.raises(PianalysisError, match="a piece that is there keeps its"):
            arranger.regenerate(piece, (1, 2), **change)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"intro": 9}, "introduction of 0 to 8 bars"),
        ({"verses": 0}, "1 to 8 verses"),
        ({"ending": "fade"}, "one of the endings"),
        ({"transpose": 2, "key": "D"}, "either semitones to transpose by or a key"),
        ({"transpose": 99}, "-36 to 36 semitones"),
        ({"key": "H"}, "a key such as G"),
        ({"bpm": 5.0}, "20 to 300 bpm"),
    ],
)
def test_options_that_cant_be(asked, said):
    with pytest.raises(PianalysisError, match=said):
        Options(**asked)


def test_forms_that_this_melody_cant_have(arranger, tiny_arranger):
    with pytest.raises(PianalysisError, match=r"found max_bars 2; leave one of the two out"):
        arranger(from_abc(PLAIN), verses=2, max_bars=2)
    with pytest.raises(PianalysisError, match=r"v3:high: expected one of 2 verses"):
        arranger(from_abc(PLAIN), style="pop", verses=2, density="v3:high")
    with pytest.raises(PianalysisError, match=r"chords for an introduction"):
        tiny_arranger(from_abc(PLAIN), intro=2)
    with pytest.raises(PianalysisError, match=r"chords for the ending 'plain'"):
        tiny_arranger(from_abc(PLAIN), ending="plain")
    source = prepare(simple_score([(0, 1, 60), (1, 1, 103)]), None, None)
    with pytest.raises(PianalysisError, match=r"goes from 96 to 139"):
        transposed(source, Options(transpose=36))
    long = simple_score([(0, 1, 60), (3000, 1, 62)], bpm=100)
    source = prepare(long, None, None)
    with pytest.raises(PianalysisError, match=r"8 verses are too many"):
        lay_out(source, Options(verses=8), typed_chart(" | ".join(["C"] * source.bars), source))
    piece = arranger(from_abc(PLAIN), style="pop", intro=2)
    with pytest.raises(PianalysisError, match=r"expected a chart of the melody's 4 bars, found one of 6"):
        arranger(from_abc(PLAIN), style="pop", intro=2, chart=piece.chart)


@given(st.integers(60, 100), st.lists(st.integers(21, 108), max_size=10))
def test_what_is_struck_under_a_line_is_two_hands(top, keys):
    kept = fits_under(top, keys)
    assert set(kept) <= set(keys)
    assert kept == sorted(kept)
    right = [key for key in kept if top - key <= 19]
    left = [key for key in kept if key not in right]
    assert len(right) <= 9
    assert not left or left[-1] - left[0] <= 19
    assert all(key < top for key in kept)
