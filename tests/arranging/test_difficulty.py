"""How hard it is to play: what was asked for holds in every bar, whatever a model wants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXAMPLES
from hands_checks import closest, faults, off_times
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_streaming import FREE, tune

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.arranging.figures import read_figures
from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import beat_grid, clock_beats
from pianalysis.metrics.keys import MAJOR_SCALE, find_key
from pianalysis.music.difficulty import DIFFICULTIES, border_under, can_play, let_go_in_time
from pianalysis.music.hands import split_hands
from pianalysis.music.notes import make_notes

ODE = EXAMPLES / "ode_to_joy.mid"
LIMITS = {"easy": {"keys": 2, "span": 12, "reach": 12}, "medium": {"keys": 3, "span": 14, "reach": 19}}
GAPS = {"easy": 500, "medium": 250}
"""In clock-ms: a quarter, an eighth."""
METRES = [(4, 4), (3, 4), (5, 4), (6, 8), (9, 8), (7, 8), (3, 8), (5, 16), (2, 2), (2, 4)]


@pytest.fixture(scope="module")
def with_chords(tiny_model):
    """A random model that is given chords, and writes whatever the grammar allows."""
    arranger = Arranger(tiny_model)
    arranger.engine.weights = replace(arranger.engine.weights, plays_chords=True, normalises_key=True)
    return arranger


def check(piece, difficulty, free_at=()):
    """The laws of a difficulty, in a piece that was written under it as a whole."""
    assert len(piece.accompaniment)
    border = piece.border
    assert border is not None
    assert faults(piece.accompaniment, border, **LIMITS[difficulty], free_at=free_at) == []
    assert closest(piece, border) >= GAPS[difficulty] - 51  # two steps of the clock's grid
    if difficulty == "easy":
        assert off_times(piece, clock_beats(piece.source.clock).borders_ms) == []
        assert foreign(piece) == []


def foreign(piece):
    """Accidentals that no chord asks for."""
    key = find_key(piece.source.voice)
    if key is None:
        return []
    major = key.tonic - 9 * key.is_minor - piece.source.shift
    scale = {(major + step) % 12 for step in MAJOR_SCALE}
    notes = piece.source.clock.notes_to_clock(piece.accompaniment)
    found = []
    for onset, _, pitch, _ in notes.tolist():
        chord = piece.chart.at(onset + 26) if piece.chart else None
        tones = {*chord.core().pitch_classes, chord.bass} if chord and chord.pitch_classes else set()
        before = piece.chart.at(max(onset - 26, 0)) if piece.chart else None
        tones |= {*before.core().pitch_classes, before.bass} if before and before.pitch_classes else set()
        if pitch % 12 not in scale | tones:
            found.append((onset, pitch, chord))
    return found


@given(
    st.integers(0, 999),
    st.sampled_from(METRES),
    st.sampled_from([50, 100, 170]),
    st.sampled_from([*LIMITS]),
    st.sampled_from(["low", "mid", "high"]),
)
@settings(max_examples=20)
def test_a_random_model_keeps_to_it_in_any_metre(with_chords, seed, metre, bpm, difficulty, density):
    asked = {"options": FREE, "style": "pop", "seed": seed, "difficulty": difficulty, "density": density}
    check(with_chords(tune(metre, bpm, seed, bars=5), **asked), difficulty)


@given(st.integers(0, 99), st.sampled_from([*LIMITS]), st.integers(21, 90), st.integers(12, 40))
@settings(max_examples=20)
def test_on_few_keys_too(tiny_arranger, seed, difficulty, lowest, width):
    keys = {"lowest": lowest, "highest": min(lowest + width, 108)}
    piece = tiny_arranger(tune((4, 4), 100, seed, bars=5), options=FREE, seed=seed, difficulty=difficulty, **keys)
    check(piece, difficulty)
    assert keys["lowest"] <= piece.accompaniment["pitch"].min() <= piece.accompaniment["pitch"].max() <= keys["highest"]


@given(st.integers(0, 99), st.sampled_from(METRES), st.sampled_from([*LIMITS]), st.sampled_from([*read_figures()]))
@example(47, (5, 16), "medium", "block")
@settings(max_examples=20)
def test_figures_keep_to_it(with_chords, seed, metre, difficulty, name):
    # without an ending, which holds the last chord where the tune ends at home, and strikes nothing after it
    asked = {
        "options": FREE,
        "style": "pop",
        "left_hand": name,
        "seed": seed,
        "difficulty": difficulty,
        "ending": "none",
    }
    stream = with_chords.stream(tune(metre, 100, seed, bars=5), **asked)
    for _ in stream:
        pass
    check(stream.piece, difficulty)
    left = stream._take.plan._left_hand.notes
    played = stream.piece.accompaniment[stream.piece.accompaniment["pitch"] < stream.piece.border]
    assert len(played) == len(left)


@pytest.mark.parametrize("difficulty", [*LIMITS])
@pytest.mark.parametrize("name", ["ode_to_joy", "greensleeves", "irish_washerwoman", "sakura"])
def test_the_small_model_keeps_to_it(small_arranger, name, difficulty):
    for piece in small_arranger.takes(EXAMPLES / f"{name}.mid", seeds=[0], difficulty=difficulty, max_bars=8):
        check(piece, difficulty)
        assert piece.border - 12 > 30  # two hands: neither is empty
        assert (piece.accompaniment["pitch"] < piece.border).any()
        assert (piece.accompaniment["pitch"] >= piece.border).any()


@pytest.fixture(scope="module")
def easy(small_arranger):
    """A piece that is easy from its beginning to its end."""
    return small_arranger(ODE, seed=1, difficulty="easy", max_bars=8)


def test_easy_is_easier_than_what_the_model_writes_and_hard_is_thicker(small_arranger):
    counts = {
        word: len(small_arranger(ODE, seed=1, style="pop", max_bars=8, difficulty=word).accompaniment)
        for word in DIFFICULTIES
    }
    assert counts["easy"] < 0.7 * counts["auto"]
    assert counts["easy"] < counts["medium"] < counts["hard"]
    assert counts["auto"] < counts["hard"]


def test_streamed_is_whole_but_for_notes_that_are_let_go_later(small_arranger, easy):
    stream = small_arranger.stream(ODE, seed=1, difficulty="easy", max_bars=8)
    parts = np.concatenate([fresh.notes for fresh in stream])
    whole = easy.accompaniment
    assert stream.piece.score.dumps_midi() == easy.score.dumps_midi()
    assert parts["pitch"].tolist() == whole["pitch"].tolist()
    np.testing.assert_allclose(parts["onset_ms"], whole["onset_ms"], atol=3)
    assert (parts["duration_ms"] >= whole["duration_ms"] - 3).all()


@pytest.fixture(scope="module")
def dense(small_arranger):
    """A piece of many notes."""
    return small_arranger(ODE, seed=0, max_bars=8, style="pop", density="high")


@pytest.mark.parametrize("keep", [None, "left", "right"])
def test_some_bars_are_made_easier(small_arranger, dense, keep):
    piece = dense
    new = small_arranger.regenerate(piece, (3, 6), seed=2, difficulty="easy", keep=keep)
    edges = piece.bar_lines_ms[[2, 6]] - 5

    def inside(notes):
        return (notes["onset_ms"] >= edges[0]) & (notes["onset_ms"] < edges[1])

    np.testing.assert_array_equal(
        new.accompaniment[~inside(new.accompaniment)], piece.accompaniment[~inside(piece.accompaniment)]
    )
    border = border_under(piece.melody, 21, 108)
    bars = new.accompaniment[inside(new.accompaniment)]
    if keep:
        old = piece.accompaniment
        kept = old[inside(old) & (split_hands(old) == (keep == "right"))]
        stays = {(onset, pitch) for onset, _, pitch, _ in kept.tolist()}
        assert stays <= {(onset, pitch) for onset, _, pitch, _ in bars.tolist()}
        free = [note for note in bars.tolist() if (note[0], note[2]) not in stays]
        bars = make_notes(free)
        bars["duration_ms"] = 1
    assert len(bars)
    assert faults(bars, border, **LIMITS["easy"]) == []


def test_an_easy_piece_is_gone_on_with_as_easily(small_arranger, easy):
    new = small_arranger.regenerate(easy, (5, 8), seed=3)
    assert new.options.difficulty == "easy"
    assert faults(new.accompaniment, new.border, **LIMITS["easy"]) == []
    assert new.accompaniment["pitch"].tolist() != easy.accompaniment["pitch"].tolist()


def test_the_score_has_each_hand_on_its_staff(easy, tmp_path):
    music21 = pytest.importorskip("music21")
    score = music21.converter.parse(easy.save_musicxml(tmp_path / "easy.musicxml"))
    right, left = score.parts[-2:]
    above, below = (
        [
            pitch.midi
            for note in part.recurse().notes
            for pitch in note.pitches
            if not isinstance(note, music21.harmony.ChordSymbol)
        ]
        for part in (right, left)
    )
    assert min(above) >= easy.border > max(below)


# --- what is asked for beside it


def test_density_and_harmony_are_its_own_where_none_are_asked_for():
    assert [Options(difficulty=word).density_at(0) for word in DIFFICULTIES] == ["mid", "low", "mid", "high"]
    assert [Options(difficulty=word).richness for word in DIFFICULTIES] == [
        "balanced",
        "simple",
        "balanced",
        "balanced",
    ]
    asked = Options(difficulty="easy", density="high,2:low", harmony="rich")
    assert (asked.density_at(0), asked.density_at(1), asked.richness) == ("high", "low", "rich")


def test_what_can_not_be_is_said(tmp_path, capsys):
    with pytest.raises(PianalysisError, match=r"the difficulty as one of .*'easy'.* found 'grade 1'"):
        Options(difficulty="grade 1")
    with pytest.raises(
        PianalysisError, match="'easy': a hymn's four parts are as hard as they are; choose the style pop"
    ):
        Options(difficulty="easy", style="hymn")
    full = tmp_path / "full.mid"
    assert main(["arrange", str(ODE), "-o", str(full), "--difficulty", "hard", "--style", "hymn"]) == 2
    assert "a hymn's four parts" in capsys.readouterr().err
    assert not full.exists()


def test_on_the_command_line(tmp_path, capsys):
    asked = ["--model", "small", "--difficulty", "easy", "--max-bars", "4"]
    assert main(["arrange", str(ODE), "-o", str(tmp_path / "full.musicxml"), *asked]) == 0
    assert main(["arrange", str(ODE), "-o", str(tmp_path / "full.mid"), *asked, "--left-hand", "alberti"]) == 0
    more = ["--bars", "2-3", "--difficulty", "medium", "--model", "small"]
    assert main(["regenerate", str(tmp_path / "full.mid"), *more, "-o", str(tmp_path / "new.mid")]) == 0


# --- figures, by hand


def easy_figure(name, chords, difficulty="easy"):
    """A figure's notes as they are played at a difficulty: (onset in beats, keys), a bar of 4/4 a chord."""
    from pianalysis.arranging.easier import easier_left_hand, strike_times
    from pianalysis.arranging.left_hand import Ground, left_hand
    from pianalysis.harmony.chart import Chart
    from pianalysis.tokens.hand_limits import HandLimits

    lines = [2000.0 * bar for bar in range(len(chords) + 1)]
    beats = beat_grid(lines, (4, 4))
    chart = Chart.from_text(" | ".join(chords), bar_lines=lines, beat_ms=500)
    ground = Ground(chart, beats, 500.0, False, make_notes(), range(len(chords)), (21, 108))
    rule = DIFFICULTIES[difficulty].hands
    limits = HandLimits(rule, 56, strike_times(beats, rule))
    left = easier_left_hand(left_hand(ground, lambda bar: read_figures()[name]), ground, limits)
    strikes = {}
    for onset, _, pitch, _ in left.notes.tolist():
        strikes.setdefault(onset / 500, []).append(pitch)
    return [*strikes.items()]


def test_a_waltz_made_easy_stays_a_waltz():
    """Bass, then the outer tones of the chord, all within an octave: C3, then E3 and G3; G2, then B2 and G3 of B2 F3 G3."""
    assert easy_figure("waltz", ["C", "G7"]) == [
        (0.0, [48]),
        *((beat, [52, 55]) for beat in (1.0, 2.0, 3.0)),
        (4.0, [43]),
        *((beat, [47, 55]) for beat in (5.0, 6.0, 7.0)),
    ]


def test_eighths_become_quarters():
    """Alberti's C G E G in eighths: on the beats C and E."""
    assert [keys for _, keys in easy_figure("alberti", ["C"])] == [[48], [52], [48], [52]]
    assert len(easy_figure("alberti", ["C"], "medium")) == 8


def test_a_figure_that_was_easy_is_left_alone():
    assert [keys for _, keys in easy_figure("root-fifth", ["C"])] == [[36], [43]]


# --- rules, by hand


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8), st.integers(40, 70)), max_size=25),
    st.sampled_from([*LIMITS]),
)
def test_what_a_hand_can_not_hold_it_lets_go(rows, difficulty):
    notes = make_notes(sorted((500.0 * onset, 500.0 * length, pitch, 80) for onset, length, pitch in rows))
    notes = notes[np.unique(notes[["onset_ms", "pitch"]], return_index=True)[1]]
    rule = DIFFICULTIES[difficulty].hands
    shorter = let_go_in_time(notes, 53, rule)
    np.testing.assert_array_equal(shorter[["onset_ms", "pitch"]], notes[["onset_ms", "pitch"]])
    assert (shorter["duration_ms"] <= notes["duration_ms"]).all()
    assert (shorter["duration_ms"] > 0).all()
    if can_play(notes, 53, rule):
        limits = {**LIMITS[difficulty], "reach": 128}
        assert faults(shorter, 53, **limits) == []
