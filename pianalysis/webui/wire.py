"""What the page is told: notes as plain lists.

In: note arrays. Out: JSON-ready values, times in real milliseconds rounded to a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.errors import PianalysisError
from pianalysis.music.notes import Notes, make_notes, sort_notes

Row = list[float]
"""One note: onset_ms, duration_ms, pitch, velocity."""

MAX_PLAYED_NOTES: Final = 5_000
MAX_PLAYED_MS: Final = 3_600_000


def note_rows(notes: Notes) -> list[Row]:
    """Notes as [onset_ms, duration_ms, pitch, velocity] lists.

    >>> note_rows(make_notes([(0, 500.04, 60, 80)]))
    [[0.0, 500.0, 60, 80]]
    """
    onset, duration = (np.round(notes[name], 1).tolist() for name in ("onset_ms", "duration_ms"))
    columns = zip(onset, duration, notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True)
    return [list(row) for row in columns]


def notes_from_rows(rows: Any) -> Notes:
    """The inverse of `note_rows`, of what a stranger sent. Raises PianalysisError."""
    if not isinstance(rows, list) or len(rows) > MAX_PLAYED_NOTES:
        raise PianalysisError(f"expected a list of at most {MAX_PLAYED_NOTES:,} notes, found something else")
    try:
        notes = make_notes((float(row[0]), float(row[1]), int(row[2]), int(row[3])) for row in rows)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise PianalysisError("expected notes as [onset_ms, duration_ms, pitch, velocity], found others") from None
    times = np.concatenate([notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]])
    if (
        not np.isfinite(times).all()
        or ((times < 0) | (times > MAX_PLAYED_MS)).any()
        or (notes["duration_ms"] <= 0).any()
    ):
        raise PianalysisError("expected onsets from 0 ms, lengths above it and at most an hour of music, found others")
    if ((notes["pitch"] < 0) | (notes["pitch"] > 127) | (notes["velocity"] < 1) | (notes["velocity"] > 127)).any():
        raise PianalysisError("expected pitches from 0 to 127 and velocities from 1 to 127, found others")
    return sort_notes(notes)


def times(values: ArrayLike) -> list[float]:
    """Times in ms, rounded to a tenth."""
    rounded: list[float] = np.round(np.asarray(values, dtype=np.float64), 1).tolist()
    return rounded


def opening(melody: Notes, bar_lines_ms: Sequence[float]) -> list[Row]:
    """As much of a melody as the picture on its card shows: the first eight bars."""
    end = bar_lines_ms[min(8, len(bar_lines_ms) - 1)]
    return note_rows(melody[melody["onset_ms"] < end])
