"""What a reader of the score sees: pickups, keys, triplets, swing, staves, words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import symusic
from read_musicxml import read_back
from strategies import add_track, simple_score

from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import Chord
from pianalysis.output.musicxml import to_musicxml


def parts_of(score, **options):
    return ElementTree.fromstring(to_musicxml(score, **options)).findall("part")


def with_keys(score, *keys):
    score.key_signatures.extend([symusic.KeySignature(quarter * score.tpq, *key) for quarter, *key in keys])
    return score


@pytest.mark.parametrize(
    ("metre", "first", "length", "types"),
    [
        ((3, 4), 2, 48, ["quarter"]),
        ((4, 4), 2.5, 72, ["eighth", "eighth", "eighth"]),
        ((6, 8), 2.5, 24, ["eighth"]),
        ((4, 4), 2 + 2 / 3, 96, ["quarter", "eighth", "quarter"]),
    ],
)
def test_a_pickup_is_a_short_first_bar_of_number_0(metre, first, length, types):
    bar = metre[0] * 4 / metre[1]
    short = [(first + n * 0.5, 0.5, 60 + n) for n in range(3)] if len(types) == 3 and first == 2.5 else []
    rows = short or [(first, bar - first if first * 4 % 1 == 0 else 1 / 3, 60)]
    if first * 4 % 1:
        rows.append((3, 1, 62))
    score = simple_score([*rows, (bar, bar, 65)], metre=metre)
    add_track(score, [(bar, bar, 41)])
    for part in parts_of(score):
        bars = part.findall("measure")
        assert [(m.get("number"), m.get("implicit")) for m in bars] == [("0", "yes"), ("1", None)]
    assert read_back(to_musicxml(score))["P1"][1] == [length, round(bar * 48)]
    notes = parts_of(score)[0].find("measure").findall("note")
    assert [note.findtext("type") for note in notes] == types


def test_key_signatures_stand_where_the_file_has_them_and_a_stated_c_stays():
    half = [0, 0, 1, 3, 3, 1, 0, -2, -4, -4, -2, 0, 0, -2, -2, -4]
    rows = [(place, 1, 64 + step + 3 * (place > 15)) for place, step in enumerate(half * 2)]
    score = with_keys(simple_score(rows, bpm=100), (0, 0, 0), (16, -3, 0))
    for part in parts_of(score):
        keys = [
            (m.get("number"), m.findtext("attributes/key/fifths")) for m in part if m.find("attributes") is not None
        ]
        assert keys == [("1", "0"), ("5", "-3")]
        assert {mode.text for mode in part.iter("mode")} == {"major"}
    assert not [*parts_of(score)[0].iter("accidental")]


def test_a_key_that_nobody_states_is_guessed_up_to_the_first_that_is():
    rows = [(n, 1, 62 + step) for n, step in enumerate([0, 2, 4, 5, 7, 9, 11, 12] * 2)]
    keys = [key.text for key in parts_of(with_keys(simple_score(rows), (8, -1, 1)))[0].iter("fifths")]
    assert keys == ["2", "-1"]


def brackets(part):
    return [
        (note.findtext("type"), note.find("notations/tuplet").get("type"))
        for note in part.iter("note")
        if note.find("notations/tuplet") is not None
    ]


@pytest.mark.parametrize(
    ("rows", "types", "count"),
    [
        ([(n * 2 / 3, 2 / 3) for n in range(6)], ["quarter"] * 6, 2),
        ([(n * 4 / 3, 4 / 3) for n in range(3)], ["half"] * 3, 1),
        ([(0, 4 / 3), (4 / 3, 2 / 3), (2, 2)], ["half", "quarter", "half"], 1),
        (
            [(0, 2 / 3), (2 / 3, 2 / 3), (4 / 3, 1 / 3), (5 / 3, 1 / 3), (2, 2)],
            [*["quarter"] * 2, *["eighth"] * 2, "half"],
            1,
        ),
        ([(n / 3, 1 / 3) for n in range(6)] + [(2, 2)], [*["eighth"] * 6, "half"], 2),
    ],
)
def test_triplets_over_beats_have_one_bracket(rows, types, count):
    score = simple_score([(onset, length, 72) for onset, length in rows] + [(4, 4, 60)])
    first = parts_of(score)[0].find("measure")
    assert [note.findtext("type") for note in first.findall("note")] == types
    assert not [*first.iter("tie")]
    assert [kind for _, kind in brackets(first)] == ["start", "stop"] * count


def swung(eighths, triplets=()):
    """Four bars of long and short eighths, or of others; `triplets`: beats that have three even ones."""
    rows = []
    for bar in range(4):
        for beat in range(4):
            if 4 * bar + beat in triplets:
                rows += [(4 * bar + beat + third / 3, 1 / 3, 64 + third) for third in range(3)]
                continue
            rows += [(4 * bar + beat, eighths, 60 + beat), (4 * bar + beat + eighths, 1 - eighths, 67 - beat)]
    return simple_score(rows)


def test_swing_is_written_as_eighths_with_a_mark():
    score = swung(2 / 3)
    add_track(
        score, [(0, 2 / 3, 40), (2 / 3, 1 / 3, 43), (1, 1 / 3, 40), (4 / 3, 1 / 3, 43), (5 / 3, 1 / 3, 47), (2, 2, 40)]
    )
    melody, piano = parts_of(score)
    assert {note.findtext("type") for note in melody.iter("note")} == {"eighth"}
    assert not brackets(melody)
    swing = melody.find("measure/direction/sound/swing")
    assert [child.text for child in swing] == ["2", "1", "eighth"]
    assert "Swing" in [words.text for words in melody.iter("words")]
    assert [note[0] for note in read_back(to_musicxml(score))["P2"][0]] == [0, 24, 48, 64, 80, 96]
    assert len(brackets(piano)) == 2  # three eighths in a beat are a triplet still


def test_a_swung_tune_with_a_triplet_or_two_is_swung():
    melody = parts_of(swung(2 / 3, triplets=(5, 10)))[0]
    assert melody.find("measure/direction/sound/swing") is not None
    assert {note.findtext("type") for note in melody.iter("note")} == {"eighth"}
    assert [kind for _, kind in brackets(melody)] == ["start", "stop"] * 2


def test_a_tune_with_as_many_triplets_is_written_in_triplets():
    melody = parts_of(swung(2 / 3, triplets=range(0, 16, 2)))[0]
    assert melody.find(".//swing") is None
    assert len(brackets(melody)) == 2 * 16


@pytest.mark.parametrize("eighths", [0.5, 0.75])
def test_even_eighths_and_dotted_ones_are_no_swing(eighths):
    assert parts_of(swung(eighths))[0].find(".//swing") is None


def test_low_notes_stand_on_the_lower_staff_and_high_ones_on_the_upper():
    score = simple_score([(n, 1, 76) for n in range(8)])
    add_track(score, [row for n in range(8) for row in ((n, 1, 33), (n, 1, 45), (n, 1, 49 + n % 3), (n, 1, 84 - n))])
    for note in parts_of(score)[1].iter("note"):
        octave, step = note.findtext("pitch/octave"), note.findtext("pitch/step")
        if octave is not None:
            height = 7 * int(octave) + "CDEFGAB".index(step)
            assert note.findtext("staff") == ("2" if height <= 7 * 3 + 1 else "1")


def test_chords_spell_their_tones():
    score = with_keys(simple_score([(0, 4, 61), (4, 4, 61)]), (0, -1, 0))
    spans = [ChordSpan(0, 2000, Chord(10, "min")), ChordSpan(2000, 4000, Chord(9))]
    notes = [
        (n.findtext("pitch/step"), n.findtext("pitch/alter")) for n in parts_of(score, chords=spans)[0].iter("note")
    ]
    assert notes == [("D", "-1"), ("C", "1")]


def test_words_stand_under_the_melody_and_markers_above_it():
    score = simple_score([(n, 1, 60 + n) for n in range(5)])
    score.tracks[0].lyrics.extend(
        [symusic.TextMeta(480 * n, text) for n, text in enumerate(["Hap", "py ", "day ", "to "])]
    )
    score.markers.extend([symusic.TextMeta(0, "Verse 1"), symusic.TextMeta(0, "C"), symusic.TextMeta(1920, "Fine")])
    part = parts_of(score)[0]
    lyrics = [
        (n.findtext("lyric/syllabic"), n.findtext("lyric/text"))
        for n in part.iter("note")
        if n.find("lyric") is not None
    ]
    assert lyrics == [("begin", "Hap"), ("end", "py"), ("single", "day"), ("single", "to")]
    assert [(m.get("number"), mark.text) for m in part for mark in m.iter("rehearsal")] == [
        ("1", "Verse 1"),
        ("2", "Fine"),
    ]
