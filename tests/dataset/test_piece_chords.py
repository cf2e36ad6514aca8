"""A piece's chords: labels moved to the beats, the rule where there are none, cores in the windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXAMPLES
from songs import piece_of

from pianalysis.arranging.charting import held_chords
from pianalysis.dataset.corpora import read_single
from pianalysis.dataset.piece_chords import chord_rows, piece_chart
from pianalysis.dataset.rows import notes_row, piece_windows, window_row
from pianalysis.errors import PianalysisError
from pianalysis.harmony.symbols import Chord
from pianalysis.tokens.tokenizer import ChordTones, decode
from pianalysis.tokens.windows import HeldChord

QUARTER_MS = 600
BEATS = np.arange(33) * QUARTER_MS


def four_bars(chords=(), source="", **changes):
    """Eight bars in 4/4 at 100 bpm: a C major triad under four of them, F major under the others."""
    melody = [(beat, QUARTER_MS, 72, 80) for beat in BEATS[:-1]]
    roots = [(0, 48), (4 * 4 * QUARTER_MS, 53)]
    below = [(start, 4 * 4 * QUARTER_MS, root + step, 64) for start, root in roots for step in (0, 4, 7)]
    piece = piece_of(melody, below, beats_ms=BEATS, downbeats=np.arange(33) % 4 == 0, chords=chords)
    return replace(piece, chord_source=source, **changes)


def test_a_piece_without_labels_gets_the_chords_of_its_notes():
    chart, source = piece_chart(four_bars())
    assert source == "rule"
    assert chart.per_beat()[:32] == [Chord(0)] * 16 + [Chord(5)] * 16
    row = notes_row(four_bars(), "train")
    assert row["chord_source"] == "rule"
    assert row["chords"][:2] == [
        {"onset_ms": 0.0, "end_ms": 9_600.0, "label": "C:maj"},
        {"onset_ms": 9_600.0, "end_ms": 19_200.0, "label": "F:maj"},
    ]


LABELS = ((0.0, 1_250.0, "C:maj6"), (1_250.0, 5_000.0, "D:min7/b3"), (5_000.0, 19_200.0, "G:13"))


def test_labels_stand_in_rows_as_they_are_and_in_windows_on_the_beats_as_cores():
    piece = four_bars(LABELS, "label")
    chart, source = piece_chart(piece)
    assert source == "label"
    assert [(row["onset_ms"], row["end_ms"], row["label"]) for row in chord_rows(piece, chart)] == list(LABELS)
    assert held_chords(chart)[:3] == [
        HeldChord(0, 1_000, 0, (0, 4, 7)),  # 1,250 ms are nearest to the second beat, of 600 ms
        HeldChord(1_000, 4_000, 5, (0, 2, 5, 9)),
        HeldChord(4_000, 16_000, 7, (2, 5, 7, 11)),
    ]
    (window,) = list(piece_windows(piece))
    assert window.notes.chords == (
        ChordTones(0, 0, (0, 4, 7)),
        ChordTones(1_000, 5, (0, 2, 5, 9)),
        ChordTones(4_000, 7, (2, 5, 7, 11)),
    )


def test_a_bass_beside_the_chord_is_no_tone_of_it():
    chart, _ = piece_chart(four_bars(((0.0, 19_200.0, "C:maj/2"),), "written"))
    assert held_chords(chart)[0] == HeldChord(0, 16_000, 2, (0, 4, 7))


def test_no_chord_is_said():
    piece = four_bars(((0.0, 9_600.0, "N"), (9_600.0, 19_200.0, "C:maj")), "label")
    (window,) = list(piece_windows(piece))
    assert window.notes.chords == (ChordTones(0), ChordTones(8_000, 0, (0, 4, 7)))


def test_a_lead_sheets_row_ends_with_its_chords():
    piece = four_bars(LABELS, "written", lead_sheet=True)
    piece = replace(piece, accompaniment=piece.accompaniment[:0])
    assert notes_row(piece, "train")["accompaniment"] == []
    (window,) = list(piece_windows(piece))
    row = window_row(piece, window, 0, shift=0)
    ids = row["input_ids"]
    assert decode(ids).accompaniment is None
    assert (row["density"], row["accompaniment_start"]) == ("mid", len(ids))
    assert ids[row["target_start"] - 1] == ids[-1] == 3
    assert row["target_start"] < len(ids)


def test_a_lead_sheet_without_chords_and_a_label_that_is_none_are_refused():
    with pytest.raises(PianalysisError, match="expected an accompaniment or chord symbols"):
        piece_chart(four_bars(lead_sheet=True))
    with pytest.raises(PianalysisError, match="hearsay"):
        piece_chart(four_bars(((0.0, 1.0, "hearsay"),), "label"))


def test_a_melody_alone_has_no_chords_by_rule():
    """The rule would hear wrong ones in it, and its windows would teach silence."""
    data = (EXAMPLES / "ode_to_joy.mid").read_bytes()
    (piece,) = read_single(data, "ode_to_joy.mid")
    with pytest.raises(PianalysisError, match="found neither; left out"):
        piece_chart(piece)
