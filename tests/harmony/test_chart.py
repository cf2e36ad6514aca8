"""Chord charts: text to chords on beats and back, in every metre; errors name bar and symbol."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import Chart, ChordSpan, read_bars
from pianalysis.harmony.symbols import CORE_QUALITIES, NO_CHORD, Chord, parse_chord

CHORDS = st.one_of(
    st.none(),
    st.just(NO_CHORD),
    st.builds(
        Chord,
        st.integers(0, 11),
        st.sampled_from([*CORE_QUALITIES, "sus4(b7)", "maj(9)", "7(b9)"]),
        st.integers(-1, 11),
    ),
)


@st.composite
def charts(draw):
    """Charts of any metre, changing ones among them: bars of 1 to 7 beats, beats of any length, from any time on."""
    counts = draw(st.lists(st.integers(1, 7), min_size=1, max_size=9))
    lengths = draw(st.lists(st.sampled_from([250.0, 500.0, 750.0]), min_size=sum(counts), max_size=sum(counts)))
    beats = draw(st.sampled_from([0.0, 1500.0])) + np.cumsum([0.0, *lengths])
    few = draw(st.lists(CHORDS, min_size=1, max_size=3))  # so that chords hold and come again
    chords = draw(st.lists(st.sampled_from(few), min_size=sum(counts), max_size=sum(counts)))
    return Chart(tuple(chords), tuple(beats.tolist()), tuple(beats[np.cumsum([0, *counts])].tolist()))


WORDS = st.sampled_from(
    ["C", "Am", "F/C", "G7", "Bb7sus4", "C#m7b5", "N.C.", "?", ".", "/", "A:min7", "F:maj/5", "C△", "B♭"]
)


@st.composite
def typed(draw):
    """A text as people type it, and the beats in each of its bars."""
    bars, counts = [], []
    for number in range(draw(st.integers(1, 10))):
        if number and draw(st.integers(0, 4)) == 0:
            bars.append("%")
            counts.append(counts[-1])
        else:
            words = draw(st.lists(WORDS, min_size=1, max_size=6))
            bars.append(" ".join(words))
            counts.append(draw(st.integers(len(words), 8)))
    breaks = [draw(st.sampled_from([" | ", "|", "\n", " |\n| ", "\n\n", " || "])) for _ in bars[1:]] + [""]
    text = "".join(bar + line for bar, line in zip(bars, breaks, strict=True))
    return draw(st.sampled_from(["", "|", "| ", "[| "])) + text + draw(
        st.sampled_from(["", " |", " ||", " |]\n"])
    ), counts


def grid(*counts, beat_ms=500.0):
    """Bar lines of bars with so many beats."""
    return (np.cumsum([0, *counts]) * beat_ms).tolist()


def chart_of(text, *counts, **settings):
    return Chart.from_text(text, bar_lines=grid(*counts), beat_ms=500, **settings)


def names(chart):
    return " ".join("?" if chord is None else chord.symbol() for chord in chart.per_beat())


# --- laws


@given(charts(), st.one_of(st.none(), st.integers(-7, 7)), st.booleans())
def test_a_chart_is_read_back_from_its_text(chart, fifths, german):
    text = chart.text(fifths, german=german)
    assert Chart.from_text(text, bar_lines=chart.bar_lines, beats=chart.beats, german=german) == chart


@given(typed())
def test_a_text_is_a_chart_whose_text_is_the_same_chart(written):
    text, counts = written
    chart = chart_of(text, *counts)
    assert chart_of(chart.text(), *counts) == chart
    assert len(chart.per_beat()) == sum(counts)


@given(charts())
def test_spans_tell_the_chart_and_cover_it(chart):
    spans = chart.spans
    assert (spans[0].onset_ms, spans[-1].end_ms) == (chart.beats[0], chart.beats[-1])
    assert all(a.end_ms == b.onset_ms and a.chord != b.chord for a, b in pairwise(spans))
    assert Chart.from_spans(spans, bar_lines=chart.bar_lines, beats=chart.beats) == chart
    assert all(
        chart.at((a + b) / 2) == chord for a, b, chord in zip(chart.beats, chart.beats[1:], chart.chords, strict=False)
    )


@given(charts(), st.integers(-13, 13))
def test_transposing_a_chart_is_transposing_its_chords(chart, semitones):
    moved = chart.transposed(semitones)
    assert moved.chords == tuple(chord and chord.transposed(semitones) for chord in chart.chords)
    assert moved.transposed(-semitones) == chart


@given(charts(), st.floats(-1000, 20_000), st.floats(0, 5000))
def test_between_is_what_is_heard_there(chart, start, length):
    spans = chart.between(start, start + length)
    assert all(start <= s.onset_ms < s.end_ms <= start + length for s in spans)
    assert all(chart.at((s.onset_ms + s.end_ms) / 2) == s.chord for s in spans)
    inside = max(0.0, min(start + length, chart.beats[-1]) - max(start, chart.beats[0]))
    assert sum(s.end_ms - s.onset_ms for s in spans) == pytest.approx(inside)


@given(st.text("CAmF7#b|%?./ \n[]N:", max_size=40), st.integers(1, 4))
def test_any_text_is_a_chart_or_a_pianalysis_error(text, bars):
    try:
        chart = chart_of(text, *[4] * bars)
    except PianalysisError:
        return
    assert len(chart.chords) == 4 * bars


# --- by hand


def test_the_example_of_the_docs():
    chart = chart_of("C | Am F/C | G7 | %", 4, 4, 4, 4)
    assert names(chart) == "C C C C Am Am F/C F/C G7 G7 G7 G7 G7 G7 G7 G7"
    assert chart.spans[1] == ChordSpan(2000.0, 3000.0, parse_chord("Am"))
    assert chart.text() == "C | Am F/C | G7 | G7"


@pytest.mark.parametrize(
    ("bar", "count", "told"),
    [
        ("C", 4, "C C C C"), ("C F", 4, "C C F F"), ("C F G7", 4, "C C F G7"), ("C F G7 C", 4, "C F G7 C"),
        ("C . . G7", 4, "C C C G7"), ("C G7 .", 4, "C C G7 G7"), ("C / / G7", 4, "C C C G7"),
        ("C . F . G7 . C .", 4, "C F G7 C"), ("C F", 3, "C C F"), ("C F G7", 3, "C F G7"), ("C . F", 3, "C C F"),
        ("C F", 2, "C F"), ("C . . F . .", 2, "C F"), ("C F", 5, "C C C F F"), ("C F G7", 5, "C C F F G7"),
        ("C F", 7, "C C C C F F F"), ("C", 1, "C"), (". F", 4, "N.C. N.C. F F"), ("? G7", 4, "? ? G7 G7"), ("", 2, "N.C. N.C."),
    ],
)  # fmt: skip
def test_chords_share_a_bar_on_its_beats(bar, count, told):
    assert names(chart_of(f"| {bar} | C", count, 1)) == f"{told} C"


def test_empty_bars_hold_and_percent_repeats():
    assert names(chart_of("C G7 | | F | % |\n| % |", 2, 2, 2, 2, 2)) == "C G7 G7 G7 F F F F F F"
    assert names(chart_of("C G7 | . F | % ", 2, 2, 2)) == "C G7 G7 F G7 F"  # as the bar before sounded
    assert names(chart_of("C G7 | | % ", 2, 2, 2)) == "C G7 G7 G7 G7 G7"
    assert read_bars("C | %\n% || F |]") == [("C",), ("C",), ("C",), ("F",)]


def test_gaps_are_to_be_found():
    chart = chart_of("C | ? | ? | G7", 2, 2, 2, 2)
    assert chart.gaps == [2, 3, 4, 5]
    assert chart.at(1000) is None
    assert chart.text() == "C | ? | ? | G7"
    filled = chart.with_chords([chord or Chord(5) for chord in chart.per_beat()])
    assert filled.text() == "C | F | F | G7"
    assert not filled.gaps


def test_beats_count_from_the_end_of_a_pickup():
    chart = Chart.from_text("N.C. G7 | C", bar_lines=[0, 750, 2750], beat_ms=500)
    assert chart.beats == (0, 250, 750, 1250, 1750, 2250, 2750)
    assert names(chart) == "N.C. G7 C C C C"


def test_a_pickup_may_be_left_out_where_the_first_bar_is_short():
    chart = Chart.from_text("C | F | G7 | C | F", bar_lines=[0, 500, 2000, 3500, 5000, 6500, 8000], beat_ms=500)
    assert chart.text() == "N.C. | C | F | G7 | C\nF"
    with pytest.raises(
        PianalysisError,
        match="expected 6 bars, as many as there are to be filled, of which the first, a pickup, may be left out, found 3",
    ):
        Chart.from_text("C | F | G7", bar_lines=chart.bar_lines, beat_ms=500)


def test_beats_of_unlike_lengths_and_changing_metres():
    """A bar of 7/8 as 2 + 2 + 3 eighths, then 6/8 in two, then 5/4."""
    beats = np.cumsum([0, 500, 500, 750, 750, 750, 500, 500, 500, 500, 500])
    chart = Chart.from_text("Am G | F E7 | Am Dm E7 .", bar_lines=[0, 1750, 3250, 5750], beats=beats)
    assert names(chart) == "Am Am G F E7 Am Am Dm E7 E7"
    assert chart.text(0) == "Am G | F E7 | Am Dm E7 ."
    assert chart.between(1000, 2500) == (ChordSpan(1000, 1750, Chord(7)), ChordSpan(1750, 2500, Chord(5)))


def test_spans_off_the_beats_go_to_the_beat_that_they_fill_most():
    spans = [ChordSpan(100, 1200, Chord(0)), ChordSpan(1200, 1900, Chord(7, "7"))]
    chart = Chart.from_spans(spans, bar_lines=[0, 2000, 4000], beats=np.arange(0, 4001, 500))
    assert names(chart) == "C C G7 G7 N.C. N.C. N.C. N.C."


def test_a_bar_line_next_to_a_beat_is_that_beat():
    chart = Chart.from_text("C | G", bar_lines=[0, 1999.9995, 4000], beats=np.arange(0, 4001, 500))
    assert chart.bar_lines == (0, 2000, 4000)


@pytest.mark.parametrize(
    ("text", "text_in_its_key"),
    [
        ("F | Bb | C7 | F", "F | Bb | C7 | F"), ("F | A# | C7 | F", "F | Bb | C7 | F"), ("E | A | B7 | E", "E | A | B7 | E"),
        ("Am | Dm | E7 | Am", "Am | Dm | E7 | Am"), ("Am | Abdim7 | E7 | Am", "Am | G#dim7 | E7 | Am"),
        ("G#m | C#m | D#7 | G#m", "G#m | C#m | D#7 | G#m"), ("D# | G# | A#7 | D#", "Eb | Ab | Bb7 | Eb"),
        ("N.C. | N.C. | N.C. | N.C.", "N.C. | N.C. | N.C. | N.C."), ("? | ? | ? | ?", "? | ? | ? | ?"),
    ],
)  # fmt: skip
def test_a_chart_is_spelled_in_its_key(text, text_in_its_key):
    assert chart_of(text, 4, 4, 4, 4).text() == text_in_its_key


def test_german_charts():
    chart = chart_of("Em | H7 | B | Em", 4, 4, 4, 4, german=True)
    assert chart.text() == "Em | B7 | Bb | Em"
    assert chart.text(german=True) == "Em | H7 | B | Em"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C | F | Hx7 | G", "the chords, bar 3: 'Hx7' is no chord that is understood; write a root A–G"),
        ("C | F | Q | G", "% repeats a bar, . holds a chord, ? is a gap"),
        (
            "C | F | G",
            "expected 4 bars, as many as there are to be filled, found 3: nothing is written for bar 4; an empty bar holds the chord before",
        ),
        ("C | F | G | C | C", "expected 4 bars, as many as there are to be filled, found 5: bar 5 (C) is past the end"),
        (
            "C | C F G C F | G | C",
            "the chords, bar 2: C F G C F doesn't fit its 4 beats; expected at most one chord a beat",
        ),
        ("% | C | C | C", "the chords, bar 1: % is the bar before once more, and there is none"),
        ("C | F % | G | C", "the chords, bar 2: % is a whole bar once more and stands alone in it"),
        ("|: C | F | G | C :|", "found a repeat sign; write the repeated bars out"),
        (" \n ", 'expected bars of chords such as "C | Am F | G7", found none'),
        ("C | " * 40_000, "expected at most 100,000 characters, found 160,000"),
    ],
)
def test_errors_name_the_bar_and_what_is_understood(text, message):
    with pytest.raises(PianalysisError, match=re.escape(message)):
        chart_of(text, 4, 4, 4, 4)


@pytest.mark.parametrize(
    ("chords", "beats", "bar_lines"),
    [
        ((Chord(0),), (0.0, 500.0, 1000.0), (0.0, 1000.0)),
        ((Chord(0),), (0.0, 500.0), (0.0, 400.0)),
        ((Chord(0),), (500.0, 0.0), (500.0, 0.0)),
        ((), (0.0,), (0.0,)),
    ],
)
def test_what_fits_no_beats_is_no_chart(chords, beats, bar_lines):
    with pytest.raises(PianalysisError):
        Chart(chords, beats, bar_lines)


@pytest.mark.parametrize("settings", [{}, {"beat_ms": 0}, {"beats": [0, 300, 2000]}, {"beats": []}])
def test_beats_that_are_none_are_refused(settings):
    with pytest.raises(PianalysisError, match="beat"):
        Chart.from_text("C | C", bar_lines=[0, 1000, 2000], **settings)


@pytest.mark.parametrize("lines", [[], [0], [0, float("nan")]])
def test_bar_lines_that_are_none_are_refused(lines):
    with pytest.raises(PianalysisError, match="at least two bar lines"):
        Chart.from_text("C", bar_lines=lines, beat_ms=500)
    with pytest.raises(PianalysisError, match="beat's length"):
        Chart.from_text("C", bar_lines=[0, 2000], beat_ms=float("nan"))


def test_a_file_saved_with_a_byte_order_mark_is_read():
    assert Chart.from_text("\ufeffC", bar_lines=[0, 2000], beat_ms=500).text() == "C"
