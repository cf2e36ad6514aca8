"""The beginning and the end of a piece: nothing before an upbeat, a last chord that stays, the pedal."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import simple_score

from pianalysis.arranging.arranger import Arrangement, Arranger, Options
from pianalysis.arranging.charting import typed_chart
from pianalysis.arranging.ending import Ending, chord_keys, ended, ending_of, held_on
from pianalysis.arranging.pieces import prepare
from pianalysis.arranging.upbeat import has_upbeat
from pianalysis.model.gpt2 import make_model
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.notes import make_notes
from pianalysis.music.pedal import held_by_pedal, pedal_spans

HEADS = {"3/4": "X:1\nM:3/4\nL:1/4\nK:C\n", "4/4": "X:1\nM:4/4\nL:1/4\nK:C\n", "6/8": "X:1\nM:6/8\nL:1/8\nK:C\n"}
UPBEATS = {
    "a beat": HEADS["3/4"] + "G|c2 d|e2 c|d2 B|c2|]",
    "two beats": HEADS["4/4"] + "G A|c2 d2|e2 c2|d2 B2|c2|]",
    "three beats": HEADS["4/4"] + "G A B|c2 d2|e2 c2|d2 B2|c|]",
    "an eighth": HEADS["6/8"] + "G|c2c d2d|e2e c2c|d2d B2B|c2c c2|]",
}
HOME, AWAY = "C | C | F | G7 | C", "C | C | F | C | G7"


@pytest.fixture(scope="module")
def arranger():
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = model.config.normalises_key = True
    return Arranger(model, precision="float32")


@pytest.mark.parametrize("name", UPBEATS)
@pytest.mark.parametrize("style", ["pop", "classical", "hymn"])
def test_the_accompaniment_doesnt_begin_before_an_upbeat(arranger, name, style):
    piece = arranger(from_abc(UPBEATS[name]), style=style, seed=2)
    first, melody = piece.accompaniment["onset_ms"].min(), piece.melody["onset_ms"].min()
    assert first >= melody - 1e-6
    if style != "hymn":
        assert first >= piece.bar_lines_ms[1] - 1e-6


@pytest.mark.parametrize("name", ["a beat", "two beats", "three beats"])  # an eighth moves alone
def test_a_hymn_has_a_chord_on_the_upbeat(small_arranger, name):
    piece = small_arranger(from_abc(UPBEATS[name]), style="hymn")
    assert piece.accompaniment["onset_ms"].min() == pytest.approx(piece.melody["onset_ms"].min())


@pytest.mark.parametrize("figure", ["waltz", "arpeggio", "pedal"])
def test_figures_dont_begin_before_an_upbeat(arranger, figure):
    piece = arranger(from_abc(UPBEATS["a beat"]), style="pop", left_hand=figure)
    assert piece.accompaniment["onset_ms"].min() >= piece.bar_lines_ms[1] - 1e-6


def test_a_melody_that_begins_after_a_short_rest_has_no_upbeat():
    late = prepare(simple_score([(0.5 + step / 2, 0.5, 60 + step % 7) for step in range(15)]), None, None)
    assert not has_upbeat(late)
    assert has_upbeat(prepare(from_abc(UPBEATS["an eighth"]), None, None))


@pytest.mark.parametrize("ending", ["plain", "ritardando", "auto"])
@pytest.mark.parametrize("name", UPBEATS)
def test_the_last_chord_stays(arranger, name, ending):
    piece = arranger(from_abc(UPBEATS[name]), style="pop", ending=ending, chart=HOME)
    notes = piece.accompaniment
    last = notes[notes["onset_ms"] == notes["onset_ms"].max()]
    assert last["onset_ms"][0] == pytest.approx(piece.melody["onset_ms"].max())
    assert np.allclose(last["onset_ms"] + last["duration_ms"], piece.bar_lines_ms[-1])
    assert {pitch % 12 for pitch in last["pitch"].tolist()} == {0, 4, 7}
    assert last["pitch"].min() % 12 == 0
    assert last["pitch"].max() < piece.melody["pitch"][-1]


def test_auto_ends_only_at_home():
    source = prepare(from_abc(UPBEATS["a beat"]), None, None)
    assert ending_of(source, typed_chart(HOME, source), Options()) is not None
    assert ending_of(source, typed_chart(AWAY, source), Options()) is None
    plain = ending_of(source, typed_chart(AWAY, source), Options(ending="plain"))
    assert plain is not None
    assert plain.bass == 7
    assert ending_of(source, typed_chart(HOME, source), Options(ending="none")) is None
    cut = prepare(from_abc(UPBEATS["a beat"]), None, 2)
    assert ending_of(cut, typed_chart(HOME, source), Options()) is None  # the melody goes on
    silent = ending_of(source, typed_chart("C | C | F | G7 | N.C.", source), Options(ending="plain"))
    assert silent is not None
    assert (silent.bass, silent.tones) == (0, (0, 4, 7))


def test_a_hymns_voices_stay(small_arranger):
    piece = small_arranger(from_abc(UPBEATS["a beat"]), style="hymn", chart=HOME)
    notes = piece.accompaniment
    last = notes[notes["onset_ms"] == notes["onset_ms"].max()]
    assert np.allclose(last["onset_ms"] + last["duration_ms"], piece.bar_lines_ms[-1])


def test_a_ritardando_slows_to_two_thirds_and_no_more(arranger):
    piece = arranger(from_abc(UPBEATS["a beat"]), style="pop", ending="ritardando", chart=HOME)
    tempi = [tempo.qpm for tempo in piece.score.tempos]
    assert tempi == sorted(tempi, reverse=True)
    assert tempi[-1] == pytest.approx(0.66 * tempi[0], abs=0.1)
    plain = arranger(from_abc(UPBEATS["a beat"]), style="pop", ending="plain", chart=HOME)
    ticks = [[(n.time, n.duration, n.pitch) for n in item.score.tracks[0].notes] for item in (piece, plain)]
    assert ticks[0] == ticks[1]
    slow_from = min(tempo.time for tempo in piece.score.tempos if tempo.time)
    assert slow_from == 3 * 3 * piece.score.tpq  # two bars before the end, in ticks


def test_the_last_chord_by_hand():
    ending = Ending(1000, 2000, 0, (0, 4, 7), 72)
    before = make_notes([(0, 1500, 43, 60), (500, 200, 64, 70), (1200, 300, 65, 80)])
    found = ended(before, ending, make_notes(), (21, 108), octave=True)
    assert found[["onset_ms", "duration_ms", "pitch"]].tolist() == [
        (0, 1000, 43),
        (500, 200, 64),
        *((1000, 1000, key) for key in (36, 48, 60, 64, 67)),
    ]
    hymn = held_on(
        make_notes([(0, 500, 48, 60), (1000, 300, 48, 60), (1000, 300, 55, 60), (1500, 200, 60, 60)]), ending
    )
    assert hymn["duration_ms"].tolist() == [500, 1000, 1000]


@given(
    st.integers(0, 11),
    st.sampled_from([(0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 6), (0,)]),
    st.integers(30, 108),
    st.integers(21, 90),
    st.integers(12, 80),
    st.booleans(),
)
def test_a_last_chord_is_of_its_tones_within_reach_and_below_the_melody(root, steps, top, lowest, width, octave):
    tones = tuple(sorted((root + step) % 12 for step in steps))
    keys = chord_keys(Ending(0, 1, root, tones, top), 40, (lowest, min(108, lowest + width)), octave=octave)
    assert keys == sorted(set(keys))
    assert all(lowest <= key <= min(108, lowest + width, top - 1) and key % 12 in tones for key in keys)
    upper = keys[2 if octave and len(keys) > 2 and keys[1] - keys[0] == 12 else 1 :]
    assert not upper or upper[-1] - upper[0] <= 12


# --- the pedal


def test_the_pedal_follows_the_chords(arranger, tmp_path):
    piece = arranger(from_abc(UPBEATS["a beat"]), style="pop", pedal=True, chart="C | C | F | G7 . C | C")
    tpq = piece.score.tpq
    late = tpq // 16
    first = min(note.time for note in piece.score.tracks[1].notes)
    changes = [3, 6, 9, 11, 12, 15]  # the bars, and C in the third beat of the fourth
    spans = [(a * tpq + late, b * tpq) for a, b in pairwise(changes)]
    spans[0] = (first + late, 6 * tpq)
    assert pedal_spans(piece.score.tracks[1]) == spans
    assert not pedal_spans(piece.score.tracks[0])
    again = Arrangement.read(piece.save(tmp_path / "full.mid"))
    assert pedal_spans(again.score.tracks[1]) == spans
    assert (again.sounding["duration_ms"] >= again.notes["duration_ms"] - 1e-6).all()


def test_without_a_pedal_there_is_none(arranger):
    piece = arranger(from_abc(UPBEATS["a beat"]), style="pop")
    assert not pedal_spans(piece.score.tracks[1])
    assert (piece.sounding == piece.notes).all()


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9), st.integers(60, 63)), max_size=12),
    st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True),
)
def test_notes_sound_to_where_the_pedal_goes_up_or_their_key_is_struck(rows, edges):
    notes = make_notes(
        (onset, length, pitch, 64) for onset, length, pitch in sorted({(r[0], r[2]): r for r in rows}.values())
    )
    edges = sorted(edges)
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    longer = held_by_pedal(notes, spans)
    for note, held in zip(notes.tolist(), longer.tolist(), strict=True):
        end, later = note[0] + note[1], [n[0] for n in notes.tolist() if n[2] == note[2] and n[0] > note[0]]
        wanted = next((b for a, b in spans if a <= end < b), end)
        wanted = max(end, min([wanted, *later]))
        assert held[0] + held[1] == wanted
