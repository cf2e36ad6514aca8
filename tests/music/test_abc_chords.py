"""Chord symbols of ABC tunes: where they stand, in repeats and tuplets too, and nothing else of the tune changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.music.abc_notation import from_abc

HEAD = "X:1\nM:4/4\nL:1/4\nK:D\n"


def marks(tune, head=HEAD):
    score = from_abc(head + tune)
    return [(mark.time / score.tpq, mark.text) for mark in score.markers]


@pytest.mark.parametrize(
    ("tune", "found"),
    [
        ("d4|", []),
        ('"D"d2"Bm7"f2|"^rit."g2"_low""A7/C#"e2|', [(0, "D:maj"), (2, "Bm7"), (6, "A7/C#")]),
        ('|:"D"d2 "A7"z2:|', [(0, "D:maj"), (2, "A7"), (4, "D:maj"), (6, "A7")]),
        ('A|"D"d4|"G"g4|', [(4, "D:maj"), (8, "G:maj")]),  # a pickup, at its bar's end
        ('(3"D"d/e/"G"f/ "(Em)"[GB]- [GB]2|', [(0, "D:maj"), (2 / 3, "G:maj"), (1, "Em")]),
        ('"D""(Bm)"d4 "A"[|:e4:|', [(0, "D:maj"), (4, "A:maj"), (8, "A:maj")]),
        ('"N.C."d2 "Fine"d2|', [(0, "N.C."), (2, "Fine")]),
        ('"D"{ag}!trill!d2-d2 "A"|~c2"Bm"Td2|', [(0, "D:maj"), (4, "A:maj"), (6, "Bm")]),
        ('"Bb"^A,2_e\'2|\n"Eb"[M:3/4]=c3|', [(0, "Bb:maj"), (4, "Eb:maj")]),
    ],
)
def test_where_symbols_stand(tune, found):
    assert marks(tune) == [(pytest.approx(place), text) for place, text in found]


SYMBOLS = st.sampled_from(["Dm", "G7", "Cmaj7", "F/C", "Bb", "A", "C#dim7"])


@given(st.lists(st.tuples(st.none() | SYMBOLS, st.integers(1, 4)), min_size=1, max_size=10))
@settings(max_examples=25)
def test_symbols_change_no_note(rows):
    plain = "".join(f"c{length}" for _, length in rows)
    marked = "".join(f'"{symbol}"c{length}' if symbol else f"c{length}" for symbol, length in rows)
    with_symbols, without = from_abc(HEAD + marked), from_abc(HEAD + plain)
    assert with_symbols.tracks[0].notes == without.tracks[0].notes
    places = [sum(length for _, length in rows[:index]) for index in range(len(rows))]
    wanted = [(place, symbol) for place, (symbol, _) in zip(places, rows, strict=True) if symbol]
    assert [(place, text.removesuffix(":maj")) for place, text in marks(marked)] == wanted
