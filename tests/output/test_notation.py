from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from read_musicxml import read_back
from strategies import add_track, scores, simple_score

from pianalysis.errors import PianalysisError
from pianalysis.output.measures import QUARTER, measures_of
from pianalysis.output.musicxml import save_musicxml, to_musicxml


@given(scores())
def test_every_note_is_written_once_near_where_it_was_and_bars_are_full(score):
    two = symusic.Score(score.tpq)
    two.time_signatures.extend(score.time_signatures)
    two.tracks.extend((list(score.tracks) * 2)[:2])
    parts = read_back(to_musicxml(two))
    end = max(max(n.time + n.duration, n.time + score.tpq / 4) for track in two.tracks for n in track.notes)
    measures = measures_of(two, end * QUARTER / score.tpq)
    if measures[0].pickup and len(next(iter(parts.values()))[1]) < len(measures):  # a pickup in which nothing begins
        measures = measures[1:]
    for track, (notes, lengths) in zip(two.tracks, parts.values(), strict=True):
        assert lengths[1:] == [measure.length for measure in measures][1:]
        cut = measures[0].start + measures[0].length - lengths[0]
        places = {(onset + cut, pitch) for onset, _, pitch in notes}
        assert len(places) == len(notes)
        played = [(note.time * QUARTER / score.tpq, note.pitch) for note in track.notes]
        for onset, pitch in places:
            measure = next(m for m in measures if m.start <= onset < m.start + m.length)
            moment = onset - measure.start + measure.played
            assert min(abs(moment - then) for then, key in played if key == pitch) <= 12
        assert {pitch for _, pitch in places} == {pitch for _, pitch in played}
    assert lengths[0] == measures[0].length or len(measures) > 1


def test_lengths_by_hand():
    """A tie over the bar line, a triplet, a pickup's rest, a held bass under two chords."""
    score = simple_score([(0.5, 0.5, 72), (1, 4, 74), (5, 1 / 3, 76), (5 + 1 / 3, 2 / 3, 77)], metre=(3, 4))
    add_track(score, [(0, 3, 36), (1, 1, 48), (1, 1, 52), (2, 1, 48)])
    parts = read_back(to_musicxml(score))
    assert parts["P1"][0] == [(24, 48, 72), (48, 240, 74), (240, 256, 76), (256, 288, 77)]
    assert parts["P1"][1] == [144, 144]
    assert parts["P2"][0] == [(0, 144, 36), (48, 96, 48), (48, 96, 52), (96, 144, 48)]


@given(st.lists(st.fractions(Fraction(1, 6), 1, max_denominator=31), min_size=1, max_size=24))
def test_a_line_is_never_written_as_chords(lengths):
    """However its notes lie: fast, in fives and sevens, or as somebody played them."""
    onsets = [float(sum(lengths[:place])) for place in range(len(lengths))]
    line = [
        (onset, float(length), 60 + place % 13)
        for place, (onset, length) in enumerate(zip(onsets, lengths, strict=True))
    ]
    written = read_back(to_musicxml(simple_score(line, metre=(4, 4))))["P1"][0]
    assert [pitch for _, _, pitch in written] == [pitch for _, _, pitch in line]
    assert all(after[0] > before[0] for before, after in pairwise(written))


def test_triplets_beside_fives_and_sevens_stay_triplets():
    """A bar of three half notes in the time of two, a beat of five, one of seven, one of six, three quarters over two beats."""
    beats = [(0, 4, 3), (4, 1, 5), (5, 1, 7), (6, 1, 6), (8, 2, 3)]
    line = [(start + long * n / of, long / of, 60 + n) for start, long, of in beats for n in range(of)]
    written = [onset for onset, *_ in read_back(to_musicxml(simple_score(line, metre=(4, 4))))["P1"][0]]
    assert written[:3] == [0, 64, 128]
    assert written[-9:] == [288, 296, 304, 312, 320, 328, 384, 416, 448]
    assert len(set(written)) == len(line)


def test_slow_music_has_32nds_and_free_music_no_triplets():
    """At 40 bpm an eighth's worth of notes is four; onsets on no grid are written on sixteenths."""
    slow = simple_score([(place / 8, 0.125, 60 + place) for place in range(16)], bpm=40)
    assert [note[0] for note in read_back(to_musicxml(slow))["P1"][0]] == [6 * place for place in range(16)]
    fast = simple_score([*((place / 8, 0.125, 60 + place) for place in range(8)), (1, 1 / 3, 72), (4 / 3, 2 / 3, 74)])
    assert [note[0] for note in read_back(to_musicxml(fast))["P1"][0]] == [0, 6, 12, 18, 24, 30, 36, 42, 48, 64]
    free = simple_score([(place * 0.345 + 0.02, 0.3, 60 + place % 12) for place in range(24)])
    assert all(onset % 12 == 0 for onset, _, _ in read_back(to_musicxml(free))["P1"][0])


def test_tempo_changes_are_marked_where_they_are():
    score = simple_score([(place, 1, 60) for place in range(12)], bpm=90)
    for quarter, bpm in ((4, 60), (6, 58), (9, 120)):
        score.tempos.append(symusic.Tempo(quarter * 480, bpm))
    first = ElementTree.fromstring(to_musicxml(score)).find("part")
    marks = [(m.get("number"), s.get("tempo")) for m in first.iter("measure") for s in m.iter("sound")]
    assert marks == [("1", "90.00"), ("2", "60.00"), ("2", "58.00"), ("3", "120.00")]
    assert [mark.text for mark in first.iter("per-minute")] == ["90", "60", "120"]
    assert first.findtext("measure[3]/direction/offset") == "48"


def test_what_came_out_is_marked_as_music_is():
    score = simple_score([(0, 1.5, 66), (1.5, 0.5, 65), (2, 0.75, 66), (2.75, 0.25, 66)], metre=(4, 4), bpm=90)
    score.key_signatures.append(symusic.KeySignature(0, 2, 0))
    root = ElementTree.fromstring(to_musicxml(score, title="Air"))
    notes = list(root.iter("note"))[:4]
    assert [note.findtext("type") for note in notes] == ["quarter", "eighth", "eighth", "16th"]
    assert [len(note.findall("dot")) for note in notes] == [1, 0, 1, 0]
    assert [note.findtext("accidental") for note in notes] == [None, "natural", "sharp", None]
    assert [[beam.text for beam in note.iter("beam")] for note in notes] == [
        [],
        [],
        ["begin"],
        ["end", "backward hook"],
    ]
    assert (root.findtext(".//fifths"), root.findtext(".//per-minute"), root.findtext(".//work-title")) == (
        "2",
        "90",
        "Air",
    )
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "G", "F"]


def music21_notes(data):
    from music21 import chord, converter

    parts = []
    for group in _by_name(converter.parse(data.decode(), format="musicxml")).values():
        notes = []
        for part in group:
            for item in part.flatten().notes:  # not stripTies: it loses ties between one voice and two
                for member in item.notes if isinstance(item, chord.Chord) else [item]:
                    if member.tie is None or member.tie.type == "start":
                        notes.append((Fraction(item.offset), member.pitch.midi))
        parts.append(sorted(notes))
    return parts


def _by_name(score):
    groups = {}
    for part in score.parts:
        groups.setdefault((part.partName or "Piano").split(" ")[0], []).append(part)
    return groups


@st.composite
def written_tunes(draw):
    """A melody as a score can state it, on sixteenths or triplets, beat by beat, in any of the usual metres, and its rows."""
    metre = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 4), (9, 8), (5, 4)]))
    bar = Fraction(4 * metre[0], metre[1])
    beats = int(2 * bar) if metre[1] == 4 else int(2 * bar / Fraction(3, 2))
    edges = {Fraction(0)}
    for beat in range(beats):
        parts = draw(st.sampled_from([4, 3])) if metre[1] == 4 else 6
        length = Fraction(1) if metre[1] == 4 else Fraction(3, 2)
        struck = draw(st.sets(st.integers(0, parts - 1), max_size=parts))
        edges |= {length * (beat + Fraction(part, parts)) for part in struck}
    edges = [*sorted(edges), 2 * bar]
    rows = [(onset, end - onset, 60 + index % 13) for index, (onset, end) in enumerate(pairwise(edges))]
    score = simple_score([(float(o), float(length), p) for o, length, p in rows], metre=metre, tpq=480)
    score.key_signatures.append(symusic.KeySignature(0, draw(st.integers(-7, 7)), 0))
    return score, rows, bar


@settings(max_examples=15)
@given(written_tunes())
def test_music21_reads_every_bar_note_and_length(tune):
    from music21 import converter

    score, rows, bar = tune
    part = converter.parse(to_musicxml(score).decode(), format="musicxml").parts[0]
    bars = list(part.getElementsByClass("Measure"))
    assert all(Fraction(item.duration.quarterLength) == bar for item in bars[1:])
    cut = bar - Fraction(bars[0].duration.quarterLength)
    read = []
    for note in part.flatten().notes:  # not stripTies: it loses ties after a natural sign
        length = Fraction(note.quarterLength).limit_denominator(48)
        if note.tie is not None and note.tie.type != "start":
            onset, before, pitch = read.pop()
            assert pitch == note.pitch.midi
            read.append((onset, before + length, pitch))
        else:
            read.append((Fraction(note.offset).limit_denominator(48) + cut, length, note.pitch.midi))
    assert read == rows


EXAMPLE_METRES = ["ode_to_joy", "greensleeves", "irish_washerwoman", "amazing_grace", "minuet_in_g"]


@pytest.mark.parametrize("name", EXAMPLE_METRES)
def test_music21_and_verovio_read_it(tiny_arranger, tmp_path, capfd, name):
    verovio = pytest.importorskip("verovio")
    piece = tiny_arranger(EXAMPLES / f"{name}.mid", temperature=1.0, top_k=0, top_p=1.0, max_bars=8)
    path = save_musicxml(tmp_path / "piece.musicxml", piece, title=name)
    parts = read_back(path.read_bytes())
    for ours, theirs in zip(parts.values(), music21_notes(path.read_bytes()), strict=True):
        assert sorted((Fraction(onset, QUARTER), pitch) for onset, _, pitch in ours[0]) == theirs
    verovio.enableLog(verovio.LOG_WARNING)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(path.read_text(encoding="utf-8"))
    assert "note" in toolkit.renderToSVG(1)
    said = capfd.readouterr()
    assert "[" not in said.err + said.out, said


def test_other_names_and_empty_scores_are_refused(tiny_arranger, tmp_path):
    with pytest.raises(PianalysisError, match=r"ends in \.musicxml"):
        save_musicxml(tmp_path / "a.pdf", tiny_arranger(EXAMPLES / "sakura.mid", max_bars=1))
    with pytest.raises(PianalysisError, match="found none"):
        to_musicxml(symusic.Score(480))
