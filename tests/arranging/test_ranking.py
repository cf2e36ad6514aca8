"""Which of several takes is kept: the looks by hand and against `transformers`, and that a better piece wins."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger
from pianalysis.arranging.charting import chart_of
from pianalysis.arranging.pieces import append_track, empty_score, finish, prepare, to_the_models_key
from pianalysis.arranging.ranking import PEOPLE_FILE, Look, distance, look, read_people
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.model.gpt2 import make_model
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import ChordTones, WindowNotes, encode

ODE = EXAMPLES / "ode_to_joy.mid"
NAMES = [field.name for field in fields(Look)]
TUNE = [(0, 1000, 72, 96), (1000, 1000, 76, 96), (2000, 2000, 79, 96)]
"""Two bars at 120 bpm, so that real and clock-ms are the same: C, E, a long G."""
BELOW = [(0, 2000, 48, 64), (2000, 1000, 43, 64), (3000, 1000, 54, 64)]
"""C under the first bar; G, then F sharp under the second."""


def data(piece):
    return piece.score.dumps_midi()


def a_piece(tune, below, chords=None, *, shift=0, to_c=False, max_bars=None):
    """A piece at 120 bpm, notes and chords so many semitones higher, as an arranger would have made it."""
    score = empty_score(120.0)
    melody, notes = make_notes(tune), make_notes(below)
    melody["pitch"] += shift
    notes["pitch"] += shift
    append_track(score, "MELODY", melody)
    source = prepare(score, None, max_bars)
    chart = None
    if chords:
        beats = clock_beats(source.clock).borders_ms
        chart = Chart.from_text(chords, bar_lines=source.clock.bar_lines, beats=beats).transposed(shift)
    return replace(finish(to_the_models_key(source) if to_c else source, notes), chart=chart)


@pytest.fixture(scope="module")
def plain(tiny_model):
    return Arranger(tiny_model, precision="float32")


@pytest.fixture(scope="module")
def chordal():
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = True
    return Arranger(model, precision="float32")


def nats_and_entropy(model, ids, start):
    with torch.inference_mode():
        logs = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    nats = -sum(float(logs[place - 1, ids[place]]) for place in range(start, len(ids)))
    return nats, -float((logs.exp() * logs)[start - 1 : -1].sum())


def test_likelihood_and_entropy_are_those_of_transformers(plain, tiny_model):
    ids = encode(WindowNotes(make_notes([(0, 500, 72, 96)]), make_notes([(0, 500, 48, 64), (500, 500, 52, 64)])))
    start = ids.index(vocab.SEP) + 1
    expected = nats_and_entropy(tiny_model, ids, start)
    assert plain.engine.likelihood(ids, start) == pytest.approx(expected, rel=1e-5)


def test_a_sequence_that_is_too_long_is_refused(plain):
    with pytest.raises(PianalysisError, match="expected up to 2048 tokens, found 2049"):
        plain.engine.likelihood([vocab.BOS] * 2049, 1)


def test_the_chart_is_given_to_a_model_that_plays_chords_and_to_no_other(plain, chordal, tiny_model):
    """Surprise is of the accompaniment alone: the chart is told, not judged."""
    piece = a_piece(TUNE, BELOW, "C | G/B")
    chords = (ChordTones(0, 0, (0, 4, 7)), ChordTones(2000, 11, (2, 7, 11)))
    for arranger, held in ((plain, None), (chordal, chords)):
        notes = WindowNotes(make_notes(TUNE), make_notes(BELOW), "pop", "low", held)  # three notes in eight beats
        ids = encode(notes)
        start = len(ids) - ids[::-1].index(vocab.SEP)
        nats, entropy = nats_and_entropy(tiny_model, ids, start)
        assert look(arranger.engine, piece).surprise == pytest.approx((nats - entropy) / 3, rel=1e-4)


def test_chords_key_and_clashes_by_hand(plain):
    seen = look(plain.engine, a_piece(TUNE, BELOW, "C | G"))
    assert seen.chord_tones == pytest.approx(3 / 4)  # F sharp for a second of four
    assert seen.chord_bass == 1
    assert seen.out_of_key == pytest.approx(1 / 3)
    assert seen.clash_rate == pytest.approx(1 / 4)  # G over F sharp
    other = look(plain.engine, a_piece(TUNE, BELOW, "C | Em"))
    assert (other.chord_tones, other.chord_bass) == (pytest.approx(3 / 4), 1 / 2)
    assert replace(other, chord_bass=1) == seen  # the chart says nothing of the rest
    inverted = look(plain.engine, a_piece(TUNE, BELOW, "C/G | Em/G"))
    assert inverted.chord_bass == 1 / 2  # the bass as it is written, not the root


def test_the_key_is_also_the_charts(plain):
    """Over a melody of one note only the chords tell."""
    drone, below = [(0, 4000, 67, 96)], [(0, 4000, 48, 64), (0, 4000, 51, 64)]  # C and E flat
    minor, major = (look(plain.engine, a_piece(drone, below, chords)) for chords in ("Cm | G7 Cm", "C | G7 C"))
    assert (minor.out_of_key, major.out_of_key) == (0, 1 / 2)


@given(st.integers(-6, 6), st.booleans())
def test_a_piece_looks_the_same_in_every_key(shift, to_c):
    """But for the surprise: a model that doesn't normalise keys hears each its own way."""
    engine = Arranger(make_model("tiny", seed=0).eval(), precision="float32").engine
    here = look(engine, a_piece(TUNE, BELOW, "C | G"))
    there = look(engine, a_piece(TUNE, BELOW, "C | G", shift=shift, to_c=to_c))
    assert replace(there, surprise=0.0) == replace(here, surprise=0.0)


def test_chords_are_not_asked_of_a_piece_without_any(plain):
    for chords in (None, "N.C. | N.C.", "? | ?"):
        seen = look(plain.engine, a_piece(TUNE, BELOW, chords))
        assert (seen.chord_tones, seen.chord_bass) == (None, None)
        assert np.isfinite(distance(seen, "pop"))
    first_bar = look(plain.engine, a_piece(TUNE, BELOW[:1], "N.C. | G", max_bars=1))
    assert first_bar.chord_tones is None  # the chord is in a bar that isn't accompanied


def test_no_accompaniment_and_none_under_a_chord_are_infinitely_far(plain):
    assert plain.distance(a_piece(TUNE, [], "C | G")) == np.inf
    assert plain.distance(a_piece(TUNE, [])) == np.inf
    assert plain.distance(a_piece(TUNE, BELOW[1:], "C | N.C.")) == np.inf
    assert plain.distance(a_piece(TUNE, BELOW[1:], "C | G")) < np.inf


def test_the_packaged_people_have_every_style_and_differ_in_everything():
    people = read_people()
    assert set(people) == set(vocab.STYLES)
    for style, of in people.items():
        assert of.songs >= 20
        assert min(asdict(of.spread).values()) > 0
        assert all(0 <= value <= 1 for name, value in asdict(of.mean).items() if name != "surprise")
        assert distance(of.mean, style) == 0
    assert json.loads(PEOPLE_FILE.read_text())["seconds"] > 0


AWAY = st.fixed_dictionaries({name: st.floats(-3, 3) for name in NAMES})


@given(st.sampled_from(sorted(vocab.STYLES)), AWAY)
def test_the_distance_is_in_standard_deviations_and_too_few_clashes_are_no_fault(style, away):
    people = read_people()[style]
    mean, spread = asdict(people.mean), asdict(people.spread)
    seen = Look(**{name: mean[name] + away[name] * spread[name] for name in NAMES})
    counted = {name: max(value, 0) if name in ("clash_rate", "out_of_key") else value for name, value in away.items()}
    assert distance(seen, style) == pytest.approx(np.linalg.norm([*counted.values()]), abs=1e-9)
    unasked = replace(seen, chord_tones=None, chord_bass=None)
    assert distance(unasked, style) <= distance(seen, style)
    assert distance(replace(seen, chord_tones=float("nan")), style) == np.inf


def test_a_style_that_nobody_looked_at_is_refused():
    with pytest.raises(PianalysisError, match=r"expected a style .* found 'polka'"):
        distance(Look(0.0, 0.0, 0.0), "polka")


def test_the_best_is_one_of_the_takes_and_none_is_nearer(tiny_arranger):
    takes = tiny_arranger.takes(ODE, seeds=range(4), max_bars=4)
    best = tiny_arranger.best(ODE, seeds=range(4), max_bars=4)
    assert tiny_arranger.distance(best) == min(map(tiny_arranger.distance, takes))
    assert data(best) == data(takes[best.seed]) == data(tiny_arranger(ODE, seed=best.seed, max_bars=4))


def test_the_best_of_none_is_refused(tiny_arranger):
    with pytest.raises(PianalysisError, match="at least one seed"):
        tiny_arranger.best(ODE, seeds=[])


def test_the_right_accompaniment_beats_the_same_a_semitone_off():
    """On the bundled model: what fits the melody is nearer to people's than what doesn't."""
    arranger = Arranger.from_pretrained("small")
    piece = arranger(ODE, seed=0, max_bars=8)
    wrong = piece.accompaniment.copy()
    wrong["pitch"] += 1
    assert arranger.distance(piece) < arranger.distance(replace(piece, **vars_of(finish(piece.source, wrong))))


def vars_of(piece):
    """What a finished piece has of its accompaniment."""
    return {"score": piece.score, "accompaniment": piece.accompaniment}


def test_whoever_plays_the_chart_is_nearer_than_who_plays_its_bars_in_another_order(plain):
    """The same notes otherwise: only the places of bars are changed, so chords are all that tells."""
    source = prepare(ODE, None, 8)
    chart = chart_of(source, "pop")
    lines = source.clock.bar_lines[: source.last_bar + 1].tolist()
    bars = [chart.between(start, end) for start, end in pairwise(lines)]
    right, wrong = ([bars[(bar + turn) % len(bars)] for bar in range(len(bars))] for turn in (0, 3))

    def piece_of(played):
        notes = [
            (lines[bar] + span.onset_ms % 2000.0, span.end_ms - span.onset_ms, key, 64)
            for bar, spans in enumerate(played)
            for span in spans
            for key in sorted({36 + span.chord.root, *(48 + tone for tone in span.chord.pitch_classes)})
        ]
        below = source.clock.notes_to_real(make_notes(notes))
        return replace(finish(source, below), chart=chart)

    seen, other = (look(plain.engine, piece_of(played)) for played in (right, wrong))
    assert (seen.chord_tones, seen.chord_bass) == (pytest.approx(1), 1)
    assert other.chord_tones < 1
    level = {"surprise": 0.0}
    assert distance(replace(seen, **level), "pop") < distance(replace(other, **level), "pop")
