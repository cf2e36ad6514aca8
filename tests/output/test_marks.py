"""Marks of the pedal and of a ritardando, as a score has them."""

from __future__ import annotations

from xml.etree import ElementTree

import symusic
from strategies import add_track, simple_score

from pianalysis.music.pedal import pedal_controls
from pianalysis.music.tempo import slow_down, with_bpm
from pianalysis.output.musicxml import to_musicxml
from pianalysis.output.slowing import slows_from


def piece(spans=()):
    score = simple_score([(quarter, 1, 72) for quarter in range(16)], metre=(4, 4))
    add_track(score, [(bar * 4, 4, 48) for bar in range(4)], name="Accompaniment")
    score.tracks[1].controls.extend(pedal_controls(spans))
    return score


def marks(score):
    root = ElementTree.fromstring(to_musicxml(score))
    return [
        (number, pedal.get("type"), int(direction.findtext("offset") or 0) // 48, direction.findtext("staff"))
        for number, measure in enumerate(root.findall("part[@id='P2']/measure"), start=1)
        for direction in measure.findall("direction")
        for pedal in direction.iter("pedal")
    ]


def test_a_pedal_is_marked_where_it_goes_down_and_up():
    """Quarters 0 to 6 and 6 to 16: a change in the middle of the second bar; the end belongs to the bar that it closes."""
    assert marks(piece([(30, 6 * 480), (6 * 480 + 30, 16 * 480)])) == [
        (1, "start", 0, "2"),
        (2, "stop", 2, "2"),
        (2, "start", 2, "2"),
        (4, "stop", 4, "2"),
    ]
    assert marks(piece()) == []


def test_a_ritardando_is_a_word_and_no_row_of_tempi():
    score = piece()
    assert slows_from(score) is None
    slow_down(score, 8 * 480, 12 * 480, 480)
    assert slows_from(score) == 8 * 480
    root = ElementTree.fromstring(to_musicxml(score))
    assert [words.text for words in root.iter("words")] == ["rit."]
    assert len([*root.iter("metronome")]) == 1
    assert len([*root.iter("sound")]) > 3  # playback follows


def test_a_tempo_that_changes_once_is_no_ritardando():
    score = piece()
    score.tempos.append(symusic.Tempo(8 * 480, 80))
    assert slows_from(score) is None
    assert [round(tempo.qpm) for tempo in with_bpm(score, 60).tempos] == [60, 40]
