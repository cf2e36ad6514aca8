from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.recognise import recognise, recognise_spans
from pianalysis.harmony.symbols import NO_CHORD, QUALITIES, Chord
from pianalysis.music.notes import make_notes

C, F, G, AM = Chord(0), Chord(5), Chord(7), Chord(9, "min")
G7, D7, E7 = Chord(7, "7"), Chord(2, "7"), Chord(4, "7")


def grid(bars, metre=(4, 4)):
    bar_ms = 500 * 4 * metre[0] / metre[1]
    return beat_grid(np.arange(bars + 1) * bar_ms, metre)


def played(*figures, step_ms=250, held=1):
    """Notes from figures of pitches (a tuple is struck at once, None is a rest), each `held` steps long."""
    rows = []
    for place, item in enumerate(figures):
        pitches = () if item is None else item if isinstance(item, tuple) else (item,)
        rows += [(place * step_ms, step_ms * held, pitch, 80) for pitch in pitches]
    return make_notes(rows)


def in_bars(chords, per_bar):
    """The chords of the first beats of the bars, where each bar has one chord only (else the list of all beats)."""
    bars = [chords[at : at + per_bar] for at in range(0, len(chords), per_bar)]
    return [bar[0] if len(set(bar)) == 1 else bar for bar in bars]


NOTES = st.lists(st.tuples(st.integers(0, 31), st.integers(1, 8), st.integers(36, 84)), min_size=1, max_size=30).map(
    lambda rows: make_notes((onset * 250.0, length * 250.0, pitch, 80) for onset, length, pitch in rows)
)
CHORDS = st.builds(
    Chord, st.integers(0, 11), st.sampled_from(["maj", "min", "dim", "7", "maj7", "min7", "hdim7", "sus4"])
)


@given(NOTES, st.integers(-24, 24))
def test_transposed_notes_give_the_chords_transposed(notes, semitones):
    moved = notes.copy()
    moved["pitch"] += semitones
    for metre in ((4, 4), (6, 8)):
        chords = recognise(notes, grid(4, metre))
        assert recognise(moved, grid(4, metre)) == [chord.transposed(semitones) for chord in chords]


@given(NOTES)
def test_octaves_above_the_highest_note_change_nothing(notes):
    double = notes.copy()
    double["pitch"] += 12 * ((int(notes["pitch"].max()) - double["pitch"]) // 12 + 1)
    both = np.concatenate([notes, double])
    assert recognise(both, grid(4)) == recognise(notes, grid(4))


@given(NOTES, st.randoms(use_true_random=False))
def test_the_order_of_the_notes_does_not_matter(notes, random):
    order = list(range(len(notes)))
    random.shuffle(order)
    assert recognise(notes[order], grid(4)) == recognise(notes, grid(4))


@given(st.lists(CHORDS, min_size=1, max_size=6), st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 4)]))
def test_a_bar_of_a_plain_chord_is_that_chord(chords, metre):
    bar_ms = 500 * 4 * metre[0] / metre[1]
    rows = []
    for bar, chord in enumerate(chords):
        root = 48 + chord.root
        rows += [(bar * bar_ms, bar_ms, root + step, 80) for step in (-12, *QUALITIES[chord.quality])]
    beats = grid(len(chords), metre)
    assert recognise(make_notes(rows), beats) == [chords[bar] for bar in beats.bar]


@given(NOTES)
def test_spans_are_the_chords_of_the_beats(notes):
    beats = grid(4)
    spans = recognise_spans(notes, beats)
    assert all(first.end_ms == second.onset_ms for first, second in pairwise(spans))
    assert all(first.chord != second.chord for first, second in pairwise(spans))
    starts = [span.onset_ms for span in spans]
    by_beat = [spans[int(np.searchsorted(starts, at, side="right")) - 1].chord for at in beats.borders_ms[:-1]]
    assert by_beat == recognise(notes, beats)


def test_alberti_bass_in_common_time():
    c, g = (48, 55, 52, 55), (43, 53, 50, 53)
    low = (47, 55, 53, 55)
    chords = recognise(played(*c, *c, *low, *low, *c, *c), grid(3))
    assert in_bars(chords, 4) == [C, Chord(7, "7", 11), C]
    third = make_notes([(2000, 2000, 71, 80)])
    chords = recognise(np.concatenate([played(*c, *c, *g, *g, *c, *c), third]), grid(3))
    assert in_bars(chords, 4) == [C, G7, C]


def test_mozart_sonata_in_c():  # K. 545, bars 1 to 4; bar 3 is IV6/4 and I, bar 4 V6/5 and I
    c, g, f, b = (60, 67, 64, 67), (62, 67, 65, 67), (60, 69, 65, 69), (59, 67, 62, 67)
    left = played(*c, *c, *g, *c, *f, *c, *b, *c)
    right = [(0, 1000, 72), (1000, 500, 76), (1500, 500, 79), (2000, 750, 71), (2750, 125, 72), (2875, 125, 74)]
    right += [(3000, 500, 72), (4000, 1000, 81), (5000, 500, 79), (5500, 500, 84), (6000, 500, 79), (6500, 250, 77)]
    right += [(6750, 250, 76), (7000, 500, 76)]
    notes = np.concatenate([left, make_notes((*note, 80) for note in right)])
    expected = [C, C, Chord(7, "7", 2), C, Chord(5, "maj", 0), C, Chord(7, "7", 11), C]
    assert recognise(notes, grid(4)) == [chord for chord in expected for _ in range(2)]


def test_alberti_bass_in_quarters():
    chords = recognise(played(48, 55, 52, 55, 43, 53, 59, 53, 48, 55, 52, 55, step_ms=500), grid(3))
    assert in_bars(chords, 4) == [C, G7, C]


def test_waltz_in_a_minor():
    a, e, d = (45, (57, 60, 64), (57, 60, 64)), (40, (56, 59, 62), (56, 59, 62)), (38, (57, 62, 65), (57, 62, 65))
    chords = recognise(played(*a, *d, *e, *a, step_ms=500), grid(4, (3, 4)))
    assert in_bars(chords, 3) == [AM, Chord(2, "min"), E7, AM]


def test_waltz_whose_bass_is_the_fifth_below_the_same_chord():
    chords = recognise(played(48, (60, 64), (60, 64), 43, (60, 64), (60, 64), step_ms=500), grid(2, (3, 4)))
    assert in_bars(chords, 3) == [C, Chord(0, "maj", 7)]


def test_jig_in_six_eight():
    g, d, c = (43, 59, 62, 55, 59, 62), (38, 54, 60, 50, 57, 60), (36, 55, 60, 48, 55, 64)
    chords = recognise(played(*g, *c, *d, *g), grid(4, (6, 8)))
    assert in_bars(chords, 2) == [G, C, D7, G]


def test_arpeggios_over_the_keyboard():
    def up(*pitches):
        return (*pitches, *pitches[::-1])

    notes = played(
        *up(45, 52, 57, 60, 64, 69, 72, 76),
        *up(41, 48, 53, 57, 60, 65, 69, 72),
        *up(40, 47, 52, 56, 59, 64, 68, 71),
        step_ms=125,
    )
    assert in_bars(recognise(notes, grid(3)), 4) == [AM, F, Chord(4)]


def test_five_four():
    bar = (36, (55, 60, 64), (55, 60, 64), 36, (55, 60, 64))
    other = (43, (53, 59, 62), (53, 59, 62), 43, (53, 59, 62))
    assert in_bars(recognise(played(*bar, *other, *bar, step_ms=500), grid(3, (5, 4))), 5) == [C, G7, C]


def test_cadential_six_four_and_a_first_inversion():
    hymn = [(48, 55, 64, 72), (52, 55, 60, 72), (53, 60, 65, 69), (50, 57, 65, 69)]
    hymn += [(43, 60, 64, 72), (43, 60, 64, 72), (43, 59, 65, 74), (43, 59, 65, 74), *[(36, 55, 64, 72)] * 4]
    chords = recognise(played(*hymn, step_ms=500), grid(3))
    assert chords == [
        *[C, C, F, Chord(2, "min")],
        *[Chord(0, "maj", 7)] * 2,
        *[G7] * 2,
        *[C] * 4,
    ]


def test_first_inversions_have_their_third_in_the_bass():
    hymn = [(48, 55, 64, 72), (47, 55, 62, 74), (48, 55, 64, 72), (45, 57, 60, 76)]
    hymn += [(53, 57, 60, 72), (50, 59, 65, 67), (48, 55, 64, 67), (48, 55, 64, 67)]
    chords = recognise(played(*hymn, step_ms=500), grid(2))
    assert chords == [C, Chord(7, "maj", 11), C, AM, F, Chord(7, "7", 2), C, C]


def test_diminished_seventh():
    a, dim = (45, 60, 64, 69), (44, 59, 62, 65)
    chords = recognise(played(*[a] * 4, *[dim] * 4, *[a] * 4, step_ms=500), grid(3))
    assert in_bars(chords, 4) == [AM, Chord(8, "dim7"), AM]


def test_suspension_and_its_resolution():
    sus, resolved, tonic = (43, 55, 60, 62), (43, 55, 59, 62), (48, 52, 55, 64)
    chords = recognise(played(*[tonic] * 4, *[sus] * 2, *[resolved] * 2, *[tonic] * 4, step_ms=500), grid(3))
    assert chords == [C] * 4 + [Chord(7, "sus4")] * 2 + [G] * 2 + [C] * 4


def test_passing_notes_and_neighbours_leave_the_chord():
    chord = make_notes([(bar * 2000, 2000, pitch, 80) for bar in range(2) for pitch in (48, 55, 64)])
    run = played(72, 74, 76, 77, 79, 77, 76, 74, 72, 71, 72, 74, 76, 74, 72, 67)
    assert recognise(np.concatenate([chord, run]), grid(2)) == [C] * 8


def test_pedal_point():
    pedal = make_notes([(0, 6000, 36, 80)])
    above = [(60, 64, 67)] * 4 + [(60, 65, 69)] * 4 + [(60, 64, 67)] * 4
    chords = recognise(np.concatenate([pedal, played(*above, step_ms=500)]), grid(3))
    assert in_bars(chords, 4) == [C, Chord(5, "maj", 0), C]


def test_dominant_over_a_tonic_pedal():
    pedal = make_notes([(0, 6000, 36, 80)])
    above = [(60, 64, 67)] * 4 + [(59, 62, 65, 67)] * 4 + [(60, 64, 67)] * 4
    chords = recognise(np.concatenate([pedal, played(*above, step_ms=500)]), grid(3))
    assert in_bars(chords, 4) == [C, Chord(7, "7", 0), C]


@pytest.mark.parametrize(
    ("scale", "third"), [((60, 62, 64, 65, 67, 69, 71, 72), "maj"), ((60, 62, 63, 65, 67, 68, 70, 72), "min")]
)
def test_the_key_tells_the_third_of_a_bare_fifth(scale, third):
    before = played(*scale, step_ms=500)
    fifth = make_notes([(4000, 2000, 48, 80), (4000, 2000, 55, 80)])
    assert recognise(np.concatenate([before, fifth]), grid(3))[-4:] == [Chord(0, third)] * 4


def test_a_short_silence_holds_and_a_long_one_has_no_chord():
    c = [(48, 55, 64)]
    short = recognise(played(*c * 3, None, *c * 4, step_ms=500), grid(2))
    assert short == [C] * 8
    long = recognise(played(*c * 4, *[None] * 8, *c * 4, step_ms=500), grid(4))
    assert long == [C] * 4 + [NO_CHORD] * 8 + [C] * 4


@pytest.mark.parametrize("metre", [(4, 4), (3, 8)])
def test_no_notes_have_no_chords(metre):
    assert set(recognise(make_notes(), grid(4, metre))) == {NO_CHORD}


def test_notes_outside_the_grid_are_left_out():
    inside = played(*[(48, 55, 64)] * 4, step_ms=500)
    outside = make_notes([(-4000, 1000, 30, 80), (9000, 1000, 30, 80)])
    assert recognise(np.concatenate([outside, inside]), grid(1)) == [C] * 4


POP909 = ROOT.parent / "shared" / "data" / "pop909.tar.xz"


@pytest.mark.skipif(not POP909.exists(), reason="POP909 is not here")
def test_pop_songs_have_the_chords_of_their_labels(script):
    recipe = script("evaluate_recognition")
    split_file = POP909.with_name("pop909_splits.json")
    examples = [*recipe.songs(POP909, split_file, "validation", melody=False, count=12)]
    root, major_minor, sevenths, _ = recipe.scores(examples)
    assert root > 0.9
    assert major_minor > 0.88
    assert sevenths > 0.8
    examples[0].notes["pitch"] += 1  # a semitone higher nothing agrees
    assert recipe.scores(examples[:1])[0] < 0.1


def test_chorales_have_the_chords_of_their_analyses(script):
    recipe = script("evaluate_recognition")
    root, major_minor, _, with_bass = recipe.scores([*recipe.chorales((1, 4, 6))])
    assert root > 0.9
    assert major_minor > 0.9
    assert with_bass > 0.85
