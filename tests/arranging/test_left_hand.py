"""What the left hand plays: C | G7 by hand for each figure, and what holds of any chords, in any metre, under any melody."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.arranging.figures import read_figures
from pianalysis.arranging.left_hand import Ground, left_hand
from pianalysis.arranging.structure import Earlier
from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.chart import Chart
from pianalysis.music.notes import make_notes

FIGURES = read_figures()
METRES = {(2, 4): 1000, (3, 4): 1500, (4, 4): 2000, (5, 4): 2500, (6, 4): 3000, (7, 4): 3500, (2, 2): 2000}
METRES |= {(3, 8): 750, (6, 8): 1500, (9, 8): 2250, (12, 8): 3000, (5, 8): 1250, (7, 8): 1750}


def ground(text, metre=(4, 4), melody=72, pickup_ms=0.0, keys=(21, 108), tonic=0):
    """Bars of chords under a melody: one key that is held, or rows of notes."""
    bars = [bar.strip() for bar in text.split("|")]
    lines = [0.0, pickup_ms] * bool(pickup_ms) or [0.0]
    lines += [lines[-1] + METRES[metre] * (index + 1) for index in range(len(bars) - bool(pickup_ms))]
    beats = beat_grid(lines, metre)
    chart = Chart.from_text(text, bar_lines=lines, beats=beats.borders_ms)
    above = make_notes([(0, lines[-1], melody, 90)] if isinstance(melody, int) else melody)
    return Ground(chart, beats, 2000 / metre[1], metre[1] >= 8, above, range(len(lines) - 1), keys, tonic)


def played(notes, quarter_ms=500):
    """The keys by onset, in quarters: "0:36 1:48+52+55"."""
    onsets = {}
    for onset, _, pitch, _ in notes.tolist():
        onsets.setdefault(onset / quarter_ms, []).append(str(pitch))
    return " ".join(f"{onset:g}:{'+'.join(keys)}" for onset, keys in onsets.items())


C, G7 = "48+52+55", "47+53+55"  # C E G, and the nearest of G B F: B F G
BY_HAND = [
    ("block", (4, 4), f"0:{C} 4:{G7}"),
    (
        "broken",
        (4, 4),
        "0:48 0.5:52 1:55 1.5:52 2:48 2.5:52 3:55 3.5:52 4:47 4.5:53 5:55 5.5:53 6:47 6.5:53 7:55 7.5:53",
    ),
    (
        "alberti",
        (4, 4),
        "0:48 0.5:55 1:52 1.5:55 2:48 2.5:55 3:52 3.5:55 4:47 4.5:55 5:53 5.5:55 6:47 6.5:55 7:53 7.5:55",
    ),
    ("alberti", (3, 4), "0:48 0.5:55 1:52 1.5:55 2:52 2.5:55 3:47 3.5:55 4:53 4.5:55 5:53 5.5:55"),
    ("arpeggio", (3, 4), "0:36 0.5:43 1:48 1.5:52 2:48 2.5:43 3:43 3.5:50 4:55 4.5:59 5:55 5.5:50"),
    ("waltz", (3, 4), f"0:36 1:{C} 2:{C} 3:43 4:{G7} 5:{G7}"),
    ("stride", (4, 4), f"0:36 1:{C} 2:31 3:{C} 4:43 5:{G7} 6:38 7:{G7}"),
    ("root-fifth", (4, 4), "0:36 2:43 4:43 6:50"),
    ("octaves", (4, 4), "0:36+48 2:36+48 4:43+55 6:43+55"),
    (
        "boogie",
        (4, 4),
        "0:36 0.5:40 1:43 1.5:45 2:46 2.5:45 3:43 3.5:40 4:43 4.5:47 5:50 5.5:52 6:53 6.5:52 7:50 7.5:47",
    ),
    ("habanera", (4, 4), "0:36 1.5:43 2:48 3:43 4:43 5.5:50 6:55 7:50"),
    ("ballad", (4, 4), "0:36 0.5:43 1:48 1.5:52 3:48 3.5:43 4:43 4.5:50 5:55 5.5:59 7:55 7.5:50"),
    ("pedal", (4, 4), "0:36 1:36 2:36 3:36 4:36 5:36 6:36 7:36"),
    # other metres: 3 + 2 beats; 2 + 2 + 3 eighths
    ("waltz", (5, 4), f"0:36 1:{C} 2:{C} 3:36 4:{C} 5:43 6:{G7} 7:{G7} 8:43 9:{G7}"),
    ("waltz", (7, 8), f"0:36 1:{C} 2:36 2.5:{C} 3:{C} 3.5:43 4.5:{G7} 5.5:43 6:{G7} 6.5:{G7}"),
    ("waltz", (6, 8), f"0:36 0.5:{C} 1:{C} 1.5:31 2:{C} 2.5:{C} 3:43 3.5:{G7} 4:{G7} 4.5:38 5:{G7} 5.5:{G7}"),
]


@pytest.mark.parametrize(("name", "metre", "expected"), BY_HAND)
def test_c_and_g7_by_hand(name, metre, expected):
    assert played(left_hand(ground("C | G7", metre), lambda bar: FIGURES[name]).notes) == expected


def test_every_figure_is_there_by_hand():
    assert {name for name, *_ in BY_HAND} == {*FIGURES}


def test_notes_last_until_the_next_word():
    notes = left_hand(ground("C"), lambda bar: FIGURES["ballad"]).notes
    assert notes["duration_ms"].tolist() == [2000, 250, 250, 750, 250, 250]  # the bass is held under all others


def test_a_chord_that_changes_within_a_bar_begins_anew():
    notes = left_hand(ground("C G7"), lambda bar: FIGURES["waltz"]).notes
    assert played(notes) == f"0:36 1:{C} 2:43 3:{G7}"


def test_a_bass_that_the_chart_writes_is_the_lowest():
    notes = left_hand(ground("C | F/C | G7/D | C"), lambda bar: FIGURES["block"]).notes
    assert played(notes) == f"0:{C} 4:48+53+57 8:50+55+59 12:52+55+60"


def test_nothing_under_a_pickup_and_without_a_chord():
    assert (
        played(left_hand(ground("C | C | N.C.", pickup_ms=500), lambda bar: FIGURES["pedal"]).notes)
        == "1:36 2:36 3:36 4:36"
    )
    late = [(1_500, 6_500, 72, 90)]  # the melody begins with the fourth beat of a whole bar
    assert played(left_hand(ground("C | C", melody=late), lambda bar: FIGURES["octaves"]).notes) == "4:36+48 6:36+48"


def test_under_a_low_melody_the_hand_goes_down_and_then_gives_way():
    assert played(left_hand(ground("C", melody=50), lambda bar: FIGURES["block"]).notes) == "0:36+40+43"
    assert played(left_hand(ground("C", melody=28), lambda bar: FIGURES["octaves"]).notes) == "0:24 2:24"
    assert not len(left_hand(ground("C", melody=21), lambda bar: FIGURES["octaves"]).notes)


def test_the_right_hand_begins_above():
    hand = left_hand(ground("C | G7"), lambda bar: FIGURES["waltz" if bar else "root-fifth"])
    assert hand.floors == ((0.0, 53), (2000.0, 56 if hand.notes["pitch"].max() == 55 else 0))


def test_a_bar_that_returns_is_played_as_before_unless_the_melody_is_in_the_way():
    for melody, expected in ((72, {1}), ([(0, 2000, 72, 90), (2000, 2000, 57, 90)], set())):
        found = left_hand(ground("C | D", melody=melody), lambda bar: FIGURES["block"], {1: Earlier(0, 2)})
        assert found.returned == expected
    moved = left_hand(ground("C | D"), lambda bar: FIGURES["block"], {1: Earlier(0, 2)})
    assert played(moved.notes) == f"0:{C} 4:50+54+57"


SYMBOLS = st.sampled_from(
    ["C", "Am", "F", "G7", "Dm7", "F/C", "G7/F", "Bdim", "Bm7b5", "Esus4", "Caug", "F#dim7", "Bbmaj7", "C/D", "N.C."]
)
MELODY = st.lists(st.tuples(st.integers(1, 16), st.integers(30, 90)), min_size=1, max_size=40)


@st.composite
def grounds(draw):
    metre = draw(st.sampled_from([*METRES]))
    bars = draw(st.lists(st.lists(SYMBOLS, min_size=1, max_size=1 if metre == (3, 8) else 2), min_size=1, max_size=5))
    onset, rows = 0, []
    for steps, pitch in draw(MELODY):
        rows.append((onset, 125 * steps, pitch, 90))
        onset += 125 * steps
    melody = draw(st.one_of(st.just(96), st.just(rows)))
    pickup = draw(st.sampled_from([0.0, 500.0])) if metre[1] == 4 and metre != (2, 4) and len(bars) > 1 else 0.0
    if pickup:
        bars[0] = bars[0][:1]
    return ground(" | ".join(map(" ".join, bars)), metre, melody, pickup)


@given(grounds(), st.sampled_from([*FIGURES]))
def test_laws(on, name):
    found = left_hand(on, lambda bar: FIGURES[name])
    notes = found.notes
    ends = notes["onset_ms"] + notes["duration_ms"]
    assert (notes["duration_ms"] > 0).all()
    for onset, end, pitch in zip(notes["onset_ms"], ends, notes["pitch"].tolist(), strict=True):
        chord = on.chart.at(onset + 1)
        assert name in ("boogie", "pedal") or pitch % 12 in {*chord.core().pitch_classes, chord.bass}
        assert all(p > pitch for o, d, p, _ in on.above.tolist() if o < end - 1 and o + d > onset + 1)
        together = notes["pitch"][np.isclose(notes["onset_ms"], onset)]
        held = notes["pitch"][(notes["onset_ms"] <= onset + 1) & (ends > onset + 1)]
        assert np.ptp(together) <= 12
        assert np.ptp(held) <= 19
        assert (held == pitch).sum() == 1
        begun = [key for start, key in found.floors if start <= onset + 1]
        assert pitch < begun[-1]


@given(grounds(), st.sampled_from([*FIGURES]))
def test_under_a_high_melody_every_bar_with_chords_is_filled(on, name):
    if on.above["pitch"].min() < 80:
        return
    notes = left_hand(on, lambda bar: FIGURES[name]).notes
    ends = notes["onset_ms"] + notes["duration_ms"]
    pickup = on.beats.place[0] > 0 and len(on.bars) > 1
    for beat, (start, end) in enumerate(pairwise(on.beats.borders_ms)):
        moments = np.linspace(start + 1, end - 1, 25)
        sounding = [((notes["onset_ms"] <= moment) & (ends > moment)).any() for moment in moments]
        chord = on.chart.at(start)
        assert all(sounding) if chord.pitch_classes and not (pickup and on.beats.bar[beat] == 0) else not any(sounding)
    if not pickup and on.chart.at(0).pitch_classes:
        assert notes["onset_ms"][0] == 0
