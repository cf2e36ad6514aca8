"""Chord symbols in MusicXML: read back they are the chords that were written, where they were."""

from __future__ import annotations

from xml.etree import ElementTree

import symusic
from hypothesis import given
from hypothesis import strategies as st
from read_musicxml import read_back
from strategies import simple_score

from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_CHORD, QUALITIES, Chord, parse_chord
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.written_chords import harte_label
from pianalysis.output.chord_symbols import harmony_element
from pianalysis.output.musicxml import to_musicxml

ALTERED = ("sus4(b7)", "maj(9)", "min6(9)", "7(b9)", "7(*5,b5)", "aug(b7)", "7(#9)", "maj(*5)", "min(7)")
ANY_CHORD = st.one_of(
    st.just(NO_CHORD),
    st.builds(Chord, st.integers(0, 11), st.sampled_from([*QUALITIES, *ALTERED]), st.integers(-1, 11)),
)


@given(ANY_CHORD, st.integers(-6, 6))
def test_a_symbol_is_read_back_as_the_chord_that_it_is(chord, fifths):
    assert parse_chord(harte_label(harmony_element(chord, fifths))) == chord


@given(st.lists(st.tuples(st.integers(1, 6), ANY_CHORD), min_size=1, max_size=12))
def test_chords_stand_where_they_begin(rows):
    """In 3/4 under a melody of half notes: on notes, within them, and over bar lines."""
    score = simple_score([(place, 2, 60 + place % 5) for place in range(0, 72, 2)], metre=(3, 4))
    spans, start = [], 0
    for quarters, chord in rows:
        spans.append(ChordSpan(500.0 * start, 500.0 * (start + quarters), chord))
        start += quarters
    data = to_musicxml(score, chords=spans)
    assert read_back(data) == read_back(to_musicxml(score))
    sheet = read_musicxml(data)
    read = {begin * 500 / sheet.score.tpq: parse_chord(label) for begin, _, label in sheet.chords}
    wanted, last = {}, NO_CHORD
    for span in spans:
        if span.chord != last:
            wanted[span.onset_ms] = last = span.chord
    assert read == wanted


def test_symbols_are_above_the_melody_and_spelled_in_its_key():
    score = simple_score([(0, 4, 63), (4, 4, 68)])
    score.key_signatures.append(symusic.KeySignature(0, -4, 0))
    spans = [ChordSpan(0, 1000, Chord(8, "maj", 0)), ChordSpan(1000, 4000, Chord(3, "7"))]
    melody, piano = ElementTree.fromstring(to_musicxml(score, chords=spans)).iter("part")
    assert not list(piano.iter("harmony"))
    first, second = melody.iter("harmony")
    assert [note.text for note in first.iter() if note.text and note.text.strip()] == ["A", "-1", "major", "C"]
    assert [note.text for note in second.iter() if note.text and note.text.strip()] == ["E", "-1", "dominant", "96"]
