"""A piece's chords on its beats: its labels or what its score has written, else what the rule hears in its notes.

In: a `Piece`. Out: its `Chart`, and the chart as rows (`chord_rows`); as windows have it: `charting.held_chords`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from pianalysis.dataset.corpora import ChordSource, Piece
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.recognise import recognise
from pianalysis.harmony.symbols import Chord, parse_chord


def piece_chart(piece: Piece) -> tuple[Chart, ChordSource]:
    """The chords of a piece, one a beat, and where they are from.

    Labels have times of their own: a beat gets the one that fills most of it. Raises PianalysisError for a label that is
    no chord, and for a melody without accompaniment or chords, from which alone the rule would hear the wrong ones.
    """
    beats = clock_beats(piece.clock)
    if piece.chord_source:
        starts, ends = (piece.clock.to_clock([span[side] for span in piece.chords]) for side in (0, 1))
        chords = [parse_chord(label) for *_, label in piece.chords]
        spans = map(ChordSpan, starts.tolist(), ends.tolist(), chords)
        return Chart.from_spans(spans, bar_lines=piece.clock.bar_lines, beats=beats.borders_ms), piece.chord_source
    if piece.lead_sheet or not len(piece.accompaniment):
        raise PianalysisError("expected an accompaniment or chord symbols beside the melody, found neither; left out")
    notes = piece.clock.notes_to_clock(np.concatenate([piece.melody, piece.accompaniment]))
    heard: tuple[Chord | None, ...] = tuple(recognise(notes, beats))
    return Chart(heard, tuple(beats.borders_ms.tolist()), tuple(piece.clock.bar_lines.tolist())), "rule"


def chord_rows(piece: Piece, chart: Chart) -> list[dict[str, Any]]:
    """The chords as the config `notes` has them: a piece's own as they are, else the chart's; real ms, Harte's names."""
    if piece.chord_source:
        return [{"onset_ms": start, "end_ms": end, "label": label} for start, end, label in piece.chords]
    spans = chart.spans
    times = np.round(piece.clock.to_real([*(span.onset_ms for span in spans), spans[-1].end_ms]), 3).tolist()
    return [
        {"onset_ms": start, "end_ms": end, "label": span.chord.harte() if span.chord else "N"}
        for span, (start, end) in zip(spans, pairwise(times), strict=True)
    ]
