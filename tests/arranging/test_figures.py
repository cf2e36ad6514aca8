"""The table of figures: its words, and what is played in parts that a figure doesn't have."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Options
from pianalysis.arranging.figures import PARTS, Figure, groups, parse_words, read_figures
from pianalysis.errors import PianalysisError

NAMES = [
    "block",
    "broken",
    "alberti",
    "arpeggio",
    "waltz",
    "stride",
    "root-fifth",
    "octaves",
    "boogie",
    "habanera",
    "ballad",
    "pedal",
]


def figure(**lines):
    return Figure("mine", {PARTS[part]: parse_words(text, PARTS[part][1]) for part, text in lines.items()})


def played(pattern):
    return [(float(strike.start), float(strike.end), "".join(strike.keys)) for strike in pattern]


def test_the_figures_that_come_with_it_have_every_part():
    figures = read_figures()
    assert list(figures) == NAMES
    assert all(set(item.parts) == set(PARTS.values()) and item.about for item in figures.values())


def test_words_share_the_time():
    assert played(parse_words("1 . 5 abc", 2)) == [(0, 1, "1"), (1, 1.5, "5"), (1.5, 2, "abc")]
    assert played(parse_words("1+8 - & - 5,", 4)) == [(0, 2, "18"), (2, 4, "5,")]


def test_a_part_that_is_not_there_is_made_of_others():
    mine = figure(**{"4/4": "1 3 5 8"})
    assert played(mine.of(False, 3)) == [(0, 1, "1"), (1, 2, "3"), (2, 3, "5")]  # its beginning
    assert played(mine.of(False, 5))[3:] == [(3, 4, "1"), (4, 5, "3")]  # 3 + 2
    assert [strike.start for strike in mine.of(True, 1)] == [0, Fraction(1, 3), Fraction(2, 3)]
    short = figure(**{"1/4": "1 5"})
    assert played(short.of(False, 2)) == [(0, 0.5, "1"), (0.5, 1, "5"), (1, 1.5, "1"), (1.5, 2, "5")]
    pair = figure(**{"2/4": "1 5", "3/4": "1 3 5"})
    assert [key for *_, key in played(pair.of(False, 4))] == ["1", "5", "1", "5"]  # 2 + 2, not 3 + 1
    jig = figure(**{"3/8": "1 3 5"})
    assert played(jig.of(False, 2)) == [(0, 1, "1"), (1, 2, "3")]  # a bar of three beats is like a beat of three
    assert len(jig.of(True, 4)) == 12


@given(st.sampled_from(NAMES), st.booleans(), st.integers(1, 16))
def test_any_number_of_beats_is_filled(name, ternary, beats):
    assert sum(groups(ternary, beats)) == beats
    pattern = read_figures()[name].of(ternary, beats)
    assert pattern[0].start == 0
    assert max(strike.end for strike in pattern) == beats
    starts = [strike.start for strike in pattern]
    assert starts == sorted(starts)
    covered = Fraction(0)
    for strike in pattern:
        assert strike.start <= covered
        covered = max(covered, strike.end)


def test_the_groups_rise_to_the_bar():
    assert all(first >= second for first, second in pairwise(groups(False, 15)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[waltz]\n"5/4" = "1"', "figure 'waltz': expected words for one or more of 1/4"),
        ('[waltz]\n"3/4" = "1 xyz"', "figure 'waltz', 3/4: 'xyz' isn't understood"),
        ('[waltz]\n"3/4" = ". 1"', r"figure 'waltz', 3/4: expected something before \. that it holds"),
        ('[waltz]\n"3/4" = "1+1"', "'1.1' isn't understood"),
        ('[waltz]\n"3/4" = "1 5 & "', "expected 1 to 64 words in each layer, found 0"),
        ('[waltz]\n"3/4" = "- -"', "found rests alone"),
        ('[waltz]\n"3/4" = 4', "expected words for one or more"),
        ('[waltz]\nabout = "none"', "expected words for one or more"),
        ('[auto]\n"3/4" = "1"', "other than auto"),
        ("waltz = 3", "expected a table of parts"),
        ("[waltz", "expected figures in TOML"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PianalysisError, match=said) as error:
        read_figures(path)
    assert "mine.toml" in str(error.value)


def test_figures_of_ones_own_come_to_the_others(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[tango]\n"4/4" = "1 . . 5"\n[waltz]\n"3/4" = "1 . abc"\n', encoding="utf-8")
    figures = read_figures(path)
    assert [*figures] == [*NAMES, "tango"]
    assert len(figures["waltz"].of(False, 3)) == 2
    assert Options(left_hand="tango", figures=path).figure_at(0) == figures["tango"]
    with pytest.raises(FileNotFoundError, match="no such file of figures"):
        Options(figures=tmp_path / "other.toml")


def test_a_left_hand_for_some_bars():
    options = Options(left_hand="waltz,9-16:root-fifth,12:auto")
    assert [options.left_hand_at(bar) for bar in (0, 8, 11, 15, 16)] == [
        "waltz",
        "root-fifth",
        "auto",
        "root-fifth",
        "waltz",
    ]
    assert options.figure_at(11) is None
    assert Options(left_hand="9-16:waltz").left_hand_at(0) == "auto"
    assert [Options(left_hand=text).plays_figures for text in ("auto", "auto,3:auto", "3:waltz")] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("text", ["", "polka", "waltz,", "9-16:", "0-4:waltz", "8-4:waltz", "waltz 9"])
def test_a_left_hand_that_is_none_is_shown(text):
    with pytest.raises(PianalysisError, match=r"expected a left hand of \['auto', 'block'.*such as 9-16:waltz"):
        Options(left_hand=text)
