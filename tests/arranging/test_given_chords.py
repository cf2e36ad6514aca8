"""Chords that somebody wants: played as they are, from text, from files, and in some bars of a piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from strategies import simple_score
from test_rewriting import rows

from pianalysis.arranging.arranger import STATED, Arrangement, Arranger
from pianalysis.arranging.charting import let_go
from pianalysis.arranging.pieces import prepare
from pianalysis.arranging.upbeat import has_upbeat
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.symbols import CORE_QUALITIES, Chord
from pianalysis.metrics.chords import chord_tone_share, root_in_bass
from pianalysis.model.gpt2 import make_model
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.notes import make_notes
from pianalysis.tokens.windows import HeldChord

ODE = EXAMPLES / "ode_to_joy.mid"
TUNES = sorted(EXAMPLES.glob("*.mid"))


@pytest.fixture(scope="module")
def arranger():
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = model.config.normalises_key = True
    return Arranger(model)


def any_chart(source, seed):
    """Any chords, one or two a bar, whether they suit the melody or not; a third of them on another bass than the root."""
    generator = np.random.default_rng(seed)
    chart, chords = empty_chart(source), []
    for ms in chart.beats[:-1]:
        if ms in chart.bar_lines or generator.random() < 0.2:
            chord = Chord(int(generator.integers(12)), str(generator.choice(CORE_QUALITIES)))
            if generator.random() < 1 / 3:
                chord = replace(chord, bass=int(generator.choice(chord.pitch_classes)))
        chords.append(chord)
    return chart.with_chords(chords)


def empty_chart(source):
    beats = clock_beats(source.clock).borders_ms
    return Chart((None,) * (len(beats) - 1), tuple(beats.tolist()), tuple(source.clock.bar_lines.tolist()))


def kept(piece, chart):
    """The share of sounding time in the chart, and of chords whose bass is the lowest key in their first beat."""
    notes = piece.source.clock.notes_to_clock(piece.accompaniment)
    basses = [replace(span, chord=Chord(span.chord.bass)) for span in chart.spans]
    return chord_tone_share(notes, chart.spans), root_in_bass(notes, basses)


@pytest.mark.parametrize(("name", "tunes"), [("bundled", TUNES[::6]), ("small", TUNES[1::4])])
def test_given_a_chart_it_is_played(request, name, tunes):
    """The law: 0.93 of the time in the chart, 0.9 of the basses, whatever the chords are; on average, and 0.85 in each tune."""
    arranger, shares = request.getfixturevalue(f"{name}_arranger"), []
    for seed, tune in enumerate(tunes):
        source = prepare(tune, None, 8)
        chart = any_chart(source, seed)
        piece = arranger(tune, seed=seed, chart=chart, max_bars=8)
        assert piece.chart.chords == chart.chords
        end = float(source.clock.bar_lines[source.last_bar])
        begin = float(source.clock.bar_lines[source.first_bar + has_upbeat(source)])  # nothing under an upbeat
        played = Chart.from_spans(
            chart.between(begin, end),
            bar_lines=source.clock.bar_lines[source.first_bar + has_upbeat(source) : source.last_bar + 1],
            beats=chart.beats,
        )
        shares.append(kept(piece, played))
    assert (np.mean(shares, axis=0) >= (0.93, 0.9)).all()
    assert np.min(shares) >= 0.85


def test_text_is_a_bar_for_each_of_the_melodys(arranger):
    text = "C | F | G7 | C/E | Am . . D7 | N.C. | % | G | C | F | G | C | Dm7 | Bdim7 | G7sus4 | C"
    piece = arranger(ODE, chart=text)
    wanted = Chart.from_text(text, bar_lines=piece.chart.bar_lines, beats=piece.chart.beats)
    assert piece.chart == wanted
    assert arranger(ODE, chart=piece.chart).score.dumps_midi() == piece.score.dumps_midi()
    assert arranger(ODE, chart="C | F", max_bars=2).chart.between(0, 4000) == wanted.between(0, 4000)


def test_gaps_are_filled_and_what_is_given_stays(arranger):
    piece = arranger(ODE, chart="C | ? | ? | G7 | Ab | " + " | ".join("?" * 11), harmony="simple")
    names = [[chord.symbol() for chord in piece.chart.chords[beat : beat + 4]] for beat in range(0, 64, 4)]
    assert (names[0], names[3], names[4]) == (["C"] * 4, ["G7"] * 4, ["Ab"] * 4)
    assert not piece.chart.gaps


def test_after_silence_the_text_may_be_the_melodys_or_the_files(arranger):
    score = simple_score([(8 + quarter, 1, 60 + quarter) for quarter in range(8)])
    short, whole = arranger(score, chart="F | G"), arranger(score, chart="Dm | % | F | G")
    assert short.chart.between(4000, 8000) == whole.chart.between(4000, 8000)
    with pytest.raises(PianalysisError, match=r"expected 2 bars.*found 3: bar 3 \(C\) is past the end"):
        arranger(score, chart="F | G | C")
    with pytest.raises(PianalysisError, match="found 1: nothing is written for bar 2"):
        arranger(score, chart="F")


def lead_sheet(arranger, folder):
    """A melody with chords in ABC, in MIDI's markers and in MusicXML: three sources."""
    abc = folder / "tune.abc"
    abc.write_text('X:1\nM:4/4\nL:1/4\nK:C\n"C"CEGc|"F"AFAc|"^slow" "G7"BG"D7/F#"dB|"C"c4|]\n', encoding="utf-8")
    score = from_abc(abc.read_text(encoding="utf-8"))
    (folder / "tune.mid").write_bytes(score.dumps_midi())
    sheet = arranger(abc).save_musicxml(folder / "tune.musicxml")
    return [abc, folder / "tune.mid", sheet]


def test_chords_of_a_file_are_used_as_given(arranger, tmp_path):
    for source in lead_sheet(arranger, tmp_path):
        piece = arranger(source)
        assert piece.chart.text() == "C | F | G7 D7/F# | C"
        assert piece.remarks == (STATED,)
        other = arranger(source, ignore_chords=True)
        assert (other.remarks, other.chart.text() != piece.chart.text()) == ((), True)
        assert arranger(source, chart="Am | Am | Em | Am").chart.text() == "Am | Am | Em | Am"


def test_a_model_without_chords_ignores_those_of_a_file(tiny_arranger):
    score = simple_score([(quarter, 1, 60) for quarter in range(8)])
    score.markers.append(symusic.TextMeta(0, "Am7"))
    piece = tiny_arranger(score)
    assert (piece.chart, piece.remarks) == (None, ())
    with pytest.raises(PianalysisError, match="knows no chords"):
        tiny_arranger(score, chart="C | C")
    with pytest.raises(PianalysisError, match="knows no chords"):
        tiny_arranger.reharmonise(piece, (1, 1), chords="C")


@pytest.fixture(scope="module")
def piece(arranger):
    return arranger(ODE, chart="C | F | G7 | C | % | Am | D7 G7 | C | F | C | G | C | Am | Dm | G7 | C", seed=1)


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize(
    ("bars", "chords", "touched"),
    [
        ((5, 6), "Am | D7", {5, 6}),
        ((5, 7), "Am | Am | D7 G7", {5}),
        ((2, 4), "Fm | G7 | C7", {2, 4}),
        ((3, 3), "G7", set()),
    ],
)
def test_reharmonised_only_what_the_change_touches_is_new(arranger, piece, tmp_path, bars, chords, touched, from_file):
    old = Arrangement.read(piece.save(tmp_path / "piece.mid")) if from_file else piece
    new = arranger.reharmonise(old, bars, chords=chords, seed=3)
    bar = 4 * piece.score.tpq
    changed = set(rows(old)) ^ set(rows(new))
    assert {onset // bar + 1 for onset, *_ in changed} == touched
    first, last = (bars[0] - 1) * 2000.0, bars[1] * 2000.0
    lines = piece.chart.bar_lines[bars[0] - 1 : bars[1] + 1]
    assert new.chart.between(first, last) == Chart.from_text(chords, bar_lines=lines, beat_ms=500).spans
    assert new.chart.between(0, first) == piece.chart.between(0, first)
    assert new.chart.between(last, 32_000) == piece.chart.between(last, 32_000)
    assert [(note.time, note.pitch) for note in new.score.tracks[0].notes] == [
        (note.time, note.pitch) for note in piece.score.tracks[0].notes
    ]


def test_reharmonised_without_chords_they_are_found(arranger, piece):
    new = arranger.reharmonise(piece, (5, 8), seed=2)
    assert not new.chart.gaps
    assert new.chart.between(0, 8000) == piece.chart.between(0, 8000)
    assert new.chart.between(8000, 16_000) != piece.chart.between(8000, 16_000)


def test_what_is_reharmonised_is_refused_where_it_does_not_fit(arranger, piece):
    with pytest.raises(PianalysisError, match="expected bars between 1 and 16, found 16 to 17"):
        arranger.reharmonise(piece, (16, 17), chords="C | C")
    with pytest.raises(PianalysisError, match=r"expected 2 bars.*found 1"):
        arranger.reharmonise(piece, (5, 6), chords="C")


def test_low_keys_do_not_ring_on_under_another_bass():
    chords = [HeldChord(0, 2000, 0, (0, 4, 7)), HeldChord(2000, 4000, 9, (0, 4, 9))]
    notes = make_notes([(0, 4000, 36, 64), (0, 4000, 72, 64), (0, 4000, 45, 64), (0, 4000, 43, 64)])
    assert let_go(notes, chords, basses=True)["duration_ms"].tolist() == [2000, 4000, 4000, 2000]
    assert let_go(notes, chords)["duration_ms"].tolist() == [4000, 4000, 4000, 2000]
