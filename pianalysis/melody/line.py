"""Melody extraction: which notes of polyphonic music are its melody.

In: notes in real milliseconds, of one keyboard. Out: which of them are the melody, one voice that may rest.

Each note is described by its surroundings (`features`). A score for each comes from them, by a few weights set by
hand (`weigh`) or from a small network (`net`), and `best_path` finds the line of the highest score. How good
either is, `scripts/evaluate_melody.py` measures.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pianalysis.melody.features import FEATURES, NEAR_MS, Flags, Floats, note_features
from pianalysis.melody.net import bundled_net
from pianalysis.music.notes import SAME_ONSET_MS, Notes

Method = Literal["learned", "weighed"]

WEIGHTS: Final = {
    "above_in_chord": 0.8,
    "above_held": 0.3,
    "below_held": 0.3,
    "share_higher": 2.0,  # `height` says that high is likelier; it says it too loudly of the highest
    "height": 1.8,
    "loudness": 1.1,
    "loud_here": 0.8,
    "step_from": 0.9,
    "gap_from": -0.8,
    "gap_to": -1.0,
    "repeats": 4.0,
}
"""What speaks for a note and against it, in log odds a unit of the feature: set by hand, in the order of size that
logistic regressions on training songs of POP909 showed."""
OUT_OF_REGISTER: Final = -2.5
"""And so does each octave under the piece's median pitch, or more than one over it."""
BIAS: Final = -2.7
WEIGHED_COST: Final = 2.0
"""What a leap of an octave more than a fourth costs, and so does an overlap, beside the sums of `weigh`."""
LEARNED_COST: Final = 0.5
"""And beside the network's log odds."""
BACK: Final = 16
"""How many candidates before a note are asked whether the line comes from them."""


def weigh(features: Floats) -> Floats:
    """A score of each note from its features by hand-set weights: ``[notes]``, above 0 where it is likelier melody."""
    columns = [FEATURES.index(name) for name in WEIGHTS]
    register = features[:, FEATURES.index("register")]
    outside = np.abs(register - register.clip(0, 1))
    scores: Floats = features[:, columns] @ np.array(list(WEIGHTS.values()), np.float32) + OUT_OF_REGISTER * outside
    return scores + np.float32(BIAS)


def best_path(notes: Notes, scores: Floats, *, leap: float, overlap: float, floor: float = -1.0) -> NDArray[np.intp]:
    """The line of the highest sum of scores, less what its steps cost, by dynamic programming.

    `notes` are sorted by onset; returned are indices, rising, at least one. Two notes of the line begin at least
    `SAME_ONSET_MS` apart. A step costs `leap` for each octave beyond a fourth, the less the longer ago the note
    before it began, and `overlap` if that note has not half ended. Notes scored under `floor` are out, unless all are.
    """
    kept = np.flatnonzero(scores > floor)
    if not len(kept):
        return np.array([scores.argmax()])
    onset, pitch = notes["onset_ms"][kept], notes["pitch"][kept].astype(np.float64)
    before = np.arange(len(kept))[:, None] - np.arange(BACK, 0, -1)
    missing, before = before < 0, before.clip(min=0)
    gap = onset[:, None] - onset[before]
    cost = leap * ((np.abs(pitch[:, None] - pitch[before]) - 5) / 12).clip(min=0) * (1 - gap / NEAR_MS).clip(min=0)
    cost += overlap * (gap < notes["duration_ms"][kept][before] / 2)
    cost[missing | (gap < SAME_ONSET_MS)] = np.inf
    # From further back the line comes after a rest, free of cost; a cluster of many keys is no rest.
    far = np.minimum(np.arange(len(kept)) - BACK, np.searchsorted(onset, onset - SAME_ONSET_MS - 1e-3)).tolist()
    best = np.full(BACK + len(kept), -np.inf)
    leader = np.full(len(kept) + 1, -1)  # the best of the candidates before each
    came_from = np.full(len(kept), -1)
    for index, score in enumerate(scores[kept].tolist()):
        ways = best[index : index + BACK] - cost[index]
        way = int(ways.argmax())
        value, source = float(ways[way]), index - BACK + way
        rested = int(leader[max(far[index], 0)])
        if rested >= 0 and best[BACK + rested] > value:
            value, source = float(best[BACK + rested]), rested
        if value > 0:
            came_from[index] = source
        best[BACK + index] = score + max(value, 0.0)
        first = leader[index]
        leader[index + 1] = index if first < 0 or best[BACK + index] > best[BACK + first] else first
    path = [int(leader[-1])]
    while came_from[path[-1]] >= 0:
        path.append(int(came_from[path[-1]]))
    return kept[path[::-1]]


def find_line(notes: Notes, method: Method = "learned") -> Flags:
    """Which of the notes are the melody: ``[notes]`` of booleans, one voice, at least one note if there are any.

    Notes come in any order. A key struck twice at once is one note, the longer of the two; other notes of the line begin
    at least `SAME_ONSET_MS` apart. Of chords that follow each other, in which nothing tells one voice from the others, it
    is the top notes, whatever the method; so one voice is all melody.
    """
    line = np.zeros(len(notes), bool)
    if not len(notes):
        return line
    order = np.lexsort((notes["velocity"], notes["duration_ms"], notes["pitch"], notes["onset_ms"]))
    given = notes[order]
    last = np.append((np.diff(given["onset_ms"]) != 0) | (np.diff(given["pitch"]) != 0), True)
    order, heard = order[last], given[last]
    tops = _chord_tops(heard)
    if tops is None:
        features = note_features(heard)
        if method == "weighed":
            tops = best_path(heard, weigh(features), leap=WEIGHED_COST, overlap=WEIGHED_COST)
        else:
            tops = best_path(heard, bundled_net().score(heard, features), leap=LEARNED_COST, overlap=LEARNED_COST)
    line[order[tops]] = True
    return line


def _chord_tops(notes: Notes) -> NDArray[np.intp] | None:
    """The top note of each chord where chord follows chord and each has half ended when the next begins, else None."""
    onset = notes["onset_ms"]
    starts = np.flatnonzero(np.diff(onset, prepend=-np.inf) >= SAME_ONSET_MS)
    chord = np.searchsorted(starts, np.arange(len(notes)), side="right") - 1
    following = np.append(onset[starts], np.inf)[chord + 1]
    if (following - onset < notes["duration_ms"] / 2).any():
        return None
    tops: NDArray[np.intp] = np.lexsort((notes["pitch"], chord))[np.append(starts[1:], len(notes)) - 1]
    return tops
