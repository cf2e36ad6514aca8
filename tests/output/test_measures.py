from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from read_musicxml import STEPS, read_back
from strategies import simple_score

from pianalysis.output.measures import QUARTER, Chord, Measure, beats_of, voices_of
from pianalysis.output.musicxml import to_musicxml
from pianalysis.output.spelling import VALUES, events_of, spell_pitch


@pytest.mark.parametrize(
    ("metres", "numbers", "lengths"),
    [
        ([(0, 1, 4), (480, 3, 4)], ["0", "1", "2"], [48, 144, 144]),
        ([(0, 6, 8)], ["1", "2"], [144, 144]),
        ([(0, 7, 8)], ["1", "2"], [168, 168]),
        ([(0, 4, 4), (960, 3, 4)], ["0", "1", "2"], [96, 144, 144]),
        ([(0, 3, 4), (482, 3, 4)], ["1", "2", "3"], [48, 144, 144]),
        ([(0, 2, 4), (962, 3, 4), (2402, 2, 2)], ["0", "1", "2"], [96, 144, 192]),
    ],
)
def test_measures_of_metres(metres, numbers, lengths):
    score = simple_score([(0, 0.5, 60), (4.5, 0.5, 60), (5.5, 0.5, 62)])
    for metre in metres:
        score.time_signatures.append(symusic.TimeSignature(*metre))
    data = to_musicxml(score)
    assert [measure.get("number") for measure in ElementTree.fromstring(data)[2].iter("measure")][:3] == numbers
    assert read_back(data)["P1"][1][:3] == lengths


@given(st.integers(1, 32), st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_beats_divide_a_bar(numerator, denominator):
    length = numerator * 4 * QUARTER // denominator
    beats = beats_of((numerator, denominator), length)
    assert beats[0] == 0
    assert list(beats) == sorted(set(beats))
    assert beats[-1] < length


@given(st.integers(0, 127), st.integers(-7, 7))
def test_spelled_pitches_sound_as_they_should(pitch, fifths):
    step, alteration, octave = spell_pitch(pitch, fifths)
    assert STEPS[step] + alteration + 12 * (octave + 1) == pitch
    assert abs(alteration) <= 2


def bar_of(metre):
    length = metre[0] * 4 * QUARTER // metre[1]
    return Measure(0, length, metre, beats_of(metre, length), 0.0)


@given(st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (9, 8), (2, 2), (3, 8)]), st.data())
def test_events_fill_a_bar_with_values_that_exist(metre, data):
    bar = bar_of(metre)
    steps = bar.length // 6
    edges = sorted(data.draw(st.sets(st.integers(0, steps), min_size=2, max_size=8)))
    sounding = data.draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
    voice = [
        Chord(6 * begin, 6 * end, ((60, 80),))
        for (begin, end), sounds in zip(pairwise(edges), sounding, strict=True)
        if sounds
    ]
    events = events_of(voice, bar)
    assert [event.start for event in events[1:]] == [event.start + event.length for event in events[:-1]]
    assert sum(event.length for event in events) == bar.length
    assert all(event.whole or VALUES[event.length] == (event.name, event.dots) for event in events)
    for chord in voice:
        own = [event for event in events if event.chord == chord]
        assert (own[0].start, own[-1].start + own[-1].length) == (chord.onset, chord.end)
        assert [(event.tied, event.ties) for event in own] == [
            (index > 0, index + 1 < len(own)) for index in range(len(own))
        ]


@pytest.mark.parametrize(
    ("metre", "span", "values"),
    [
        ((4, 4), (0, 192), [192]),
        ((4, 4), (24, 96), [72]),
        ((4, 4), (72, 120), [24, 24]),
        ((4, 4), (36, 60), [12, 12]),
        ((4, 4), (48, 144), [96]),
        ((4, 4), (0, 120), [96, 24]),
        ((3, 4), (0, 144), [144]),
        ((6, 8), (0, 144), [144]),
        ((6, 8), (48, 96), [24, 24]),
        ((7, 8), (0, 168), [96, 72]),
    ],
)
def test_values_show_the_beats(metre, span, values):
    events = events_of([Chord(*span, ((60, 80),))], bar_of(metre))
    assert [event.length for event in events if event.chord] == values


notes = st.tuples(st.integers(0, 40), st.integers(1, 30), st.integers(30, 90))


@given(st.lists(notes, max_size=25), st.booleans())
def test_in_a_voice_no_two_chords_overlap_and_every_note_keeps_its_onset(rows, sung):
    places = {(12 * onset, pitch): 12 * length for onset, length, pitch in rows}
    given_notes = []
    for (onset, pitch), length in sorted(places.items()):
        later = min((other for other, key in places if key == pitch and other > onset), default=10**6)
        given_notes.append(Chord(onset, min(onset + length, later), ((pitch, 80),)))
    voices = voices_of(given_notes, sung=sung)
    for voice in voices:
        assert all(before.end <= after.onset for before, after in pairwise(voice))
        assert all(chord.onset < chord.end for chord in voice)
    assert sorted((chord.onset, pitch) for voice in voices for chord in voice for pitch, _ in chord.keys) == sorted(
        places
    )


@pytest.mark.parametrize(
    ("onset", "end", "after", "written"),
    [
        (0, 36, 96, 48),  # a dotted eighth, a sixteenth's and an eighth's rest: a quarter
        (24, 36, 96, 48),
        (0, 36, 60, 60),  # to the next chord, which it nearly reaches
        (24, 36, 42, 42),
        (0, 84, 192, 72),  # a long one isn't made longer
        (0, 32, 96, 32),  # a triplet stays one
    ],
)
def test_a_pianists_lengths_are_plain(onset, end, after, written):
    played = [Chord(onset, end, ((48, 80),)), Chord(after, after + 48, ((50, 80),))]
    assert voices_of(played)[0][0].end == written
    assert voices_of(played, sung=True)[0][0].end == (after if after - end <= 12 else end)
