"""Is the melody in the piece, note for note?

In: the melody asked for and the notes of the piece. Out: the share that is there.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np

from pianalysis.music.notes import Notes


def melody_recall(reference: Notes, piece: Notes, *, tolerance_ms: float = 20.0) -> float:
    """The share of the reference's notes that stand in the piece: exact pitch, onset within the tolerance, one to one.

    Both on one clock (real ms, where 20 ms is meant). NaN for an empty reference.
    """
    if not len(reference):
        return float("nan")
    found = sum(
        _matches(onsets, np.sort(piece["onset_ms"][piece["pitch"] == pitch]).tolist(), tolerance_ms)
        for pitch, onsets in _onsets_by_pitch(reference)
    )
    return found / len(reference)


def _onsets_by_pitch(notes: Notes) -> list[tuple[int, list[float]]]:
    rows = sorted(zip(notes["pitch"].tolist(), notes["onset_ms"].tolist(), strict=True))
    return [(pitch, [onset for _, onset in group]) for pitch, group in groupby(rows, key=lambda row: row[0])]


def _matches(wanted: list[float], there: list[float], tolerance_ms: float) -> int:
    """The most pairs within the tolerance; both sorted, so the earliest free partner is never a loss."""
    found = index = 0
    for onset in wanted:
        while index < len(there) and there[index] < onset - tolerance_ms:
            index += 1
        if index < len(there) and there[index] <= onset + tolerance_ms:
            found, index = found + 1, index + 1
    return found
