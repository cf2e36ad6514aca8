from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.harmony.symbols import parse_chord
from pianalysis.music.written_chords import KINDS, SEMITONES, harte_label, quality_of


def harmony(root, kind, *degrees, bass="", inversion=""):
    """A <harmony>; roots and basses as `Bb`, degrees as (value, alteration, type)."""

    def pitch(name, text):
        alter = text[1:].count("#") - text[1:].count("b")
        return f"<{name}><{name}-step>{text[0]}</{name}-step><{name}-alter>{alter}</{name}-alter></{name}>"

    rows = "".join(
        f"<degree><degree-value>{v}</degree-value><degree-alter>{a}</degree-alter><degree-type>{t}</degree-type></degree>"
        for v, a, t in degrees
    )
    more = f"<inversion>{inversion}</inversion>" if inversion else ""
    text = f"{pitch('root', root)}<kind>{kind}</kind>{more}{pitch('bass', bass) if bass else ''}{rows}"
    return fromstring(f"<harmony>{text}</harmony>")


@pytest.mark.parametrize(
    ("element", "label"),
    [
        (harmony("C", "major"), "C:maj"),
        (harmony("Bb", "minor-seventh"), "Bb:min7"),
        (harmony("F#", "half-diminished"), "F#:hdim7"),
        (harmony("G", "dominant", bass="B"), "G:7/3"),
        (harmony("C", "major", bass="Bb"), "C:maj/b7"),
        (harmony("A", "minor", bass="F#"), "A:min/6"),
        (harmony("C", "major", bass="C"), "C:maj"),
        (harmony("C", "minor", inversion="1"), "C:min/b3"),
        (harmony("C", "suspended-fourth", (7, 0, "add")), "C:sus4(b7)"),
        (harmony("A", "dominant", (9, -1, "add")), "A:7(b9)"),
        (harmony("A", "dominant", (5, -1, "alter")), "A:7(b5,*5)"),
        (harmony("A", "minor-seventh", (5, -1, "alter")), "A:hdim7"),
        (harmony("A", "minor", (7, 0, "add")), "A:min7"),
        (harmony("A", "major", (7, 1, "add")), "A:maj7"),
        (harmony("A", "augmented-seventh"), "A:aug(b7)"),
        (harmony("C", "dominant-13th", (11, 0, "subtract")), "C:9(13)"),
        (harmony("C", "power"), "C:(1,5)"),
        (harmony("C", "none"), "N"),
        (harmony("C", "Neapolitan"), None),
        (fromstring("<harmony><function>V</function><kind>major</kind></harmony>"), None),
        (fromstring("<harmony><root><root-step>H</root-step></root><kind>major</kind></harmony>"), None),
    ],
)
def test_labels_by_hand(element, label):
    assert harte_label(element) == label


def test_a_clarinets_chords_sound_a_tone_lower_and_an_alto_saxophones_a_sixth():
    assert harte_label(harmony("D", "minor", bass="F"), (-1, -2)) == "C:min/b3"
    assert harte_label(harmony("A", "major"), (-5, -9)) == "C:maj"
    assert harte_label(harmony("C", "major"), (-1, -2)) == "Bb:maj"


DEGREES = st.lists(
    st.tuples(st.integers(2, 13), st.integers(-1, 1), st.sampled_from(["add", "alter", "subtract"])), max_size=3
)


@given(st.sampled_from("CDEFGAB"), st.sampled_from(["", "#", "b"]), st.sampled_from(sorted(KINDS)), DEGREES)
def test_every_label_is_read_as_the_tones_that_were_written(step, accidental, kind, degrees):
    label = harte_label(harmony(step + accidental, kind, *degrees))
    chord = parse_chord(label)
    assert chord.root == (SEMITONES["CDEFGAB".index(step)] + {"": 0, "#": 1, "b": -1}[accidental]) % 12
    if not degrees:
        tones = {(SEMITONES[(number - 1) % 7] + change + chord.root) % 12 for number, change in KINDS[kind].items()}
        assert set(chord.pitch_classes) == tones


def test_no_tones_left_out_twice():
    assert quality_of({1: 0, 3: 0}) == "maj(*5)"
    assert quality_of({1: 0, 4: 0, 5: 0, 7: -1, 9: 0}) == "sus4(b7,9)"
