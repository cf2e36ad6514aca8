"""The sustain pedal of a piece: down with each chord, up where the next one begins.

In: an `Arrangement` and which of its bars. Out: the same with controller 64 on the accompaniment's track.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.music.midi import ms_to_ticks
from pianalysis.music.pedal import SUSTAIN, pedal_controls, pedal_spans

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Arrangement

LATE_QUARTERS: Final = 1 / 16
"""The pedal is down so shortly after a chord is struck: what sounded before has stopped by then."""


def pedalled(piece: Arrangement, bars: range, old: Arrangement | None = None, *, asked: bool = True) -> Arrangement:
    """A piece with the pedal in some of its bars, counted from 0.

    old: the piece before these bars were written anew; outside of them its pedal stays, and inside there is one if it had one, or
    it is `asked` for.
    """
    before = old.score.tracks[1].controls if old is not None and len(old.score.tracks) > 1 else []
    edges = ms_to_ticks(piece.score, piece.source.clock.to_real(piece.source.clock.bar_lines[[bars.start, bars.stop]]))
    start, stop = edges.tolist()
    spans = [] if old is None else pedal_spans(old.score.tracks[1])
    outside = [(a, min(b, start)) for a, b in spans if a < start] + [(max(a, stop), b) for a, b in spans if b > stop]
    inside = _spans(piece, start, stop) if asked or spans else []
    controls = [control for control in before if control.number != SUSTAIN]
    controls += pedal_controls(sorted({*outside, *inside}))
    if not controls:
        return piece
    score = piece.score.copy()
    score.tracks[1].controls.clear()
    score.tracks[1].controls.extend(sorted(controls, key=lambda control: control.time))
    return replace(piece, score=score)


def _spans(piece: Arrangement, start: int, stop: int) -> list[tuple[int, int]]:
    """Where the pedal is down between two ticks: from the first note on, a new one with each chord and in each bar."""
    onsets = [note.time for note in piece.score.tracks[1].notes if start <= note.time < stop]
    if not onsets:
        return []
    lines = ms_to_ticks(piece.score, piece.bar_lines_ms)
    chords = ms_to_ticks(piece.score, [span.onset_ms for span in piece.chords] or [0.0])
    changes = np.unique(np.concatenate([lines, chords]))
    begins = [min(onsets), *changes[(changes > min(onsets)) & (changes < stop)].tolist(), stop]
    late = max(1, round(piece.score.tpq * LATE_QUARTERS))
    return [(a + late, b) for a, b in pairwise(begins) if a + late < b]
