"""Whether an accompaniment keeps the metre: where in a bar its bass is struck.

In: notes and bar lines in clock-ms. Out: a share.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.music.clock import QUARTER_MS
from pianalysis.music.notes import Notes

NEAR_MS: Final = QUARTER_MS / 8
"""Half a sixteenth: what is struck so near to a bar line is on it."""


def bass_on_downbeat(notes: Notes, bar_lines: ArrayLike) -> float:
    """The share of bars whose lowest key is struck on the first beat, of those in which anything is struck; 0 to 1.

    Where the lowest key is struck more than once in a bar, one time on the first beat is enough. NaN without notes.

    >>> from pianalysis.music.notes import make_notes
    >>> oom_pah_pah = make_notes([(0, 500, 48, 64), (500, 500, 60, 64), (1500, 500, 60, 64), (2000, 500, 43, 64)])
    >>> bass_on_downbeat(oom_pah_pah, [0, 1500, 3000])
    0.5
    """
    lines = np.asarray(bar_lines, float)
    bar = np.searchsorted(lines, notes["onset_ms"] + NEAR_MS, side="right") - 1
    on_beat = []
    for number in np.unique(bar[(bar >= 0) & (bar < len(lines) - 1)]).tolist():
        inside = notes[bar == number]
        lowest = inside[inside["pitch"] == inside["pitch"].min()]
        on_beat.append(bool((np.abs(lowest["onset_ms"] - lines[number]) < NEAR_MS).any()))
    return float(np.mean(on_beat)) if on_beat else float("nan")
