"""Which notes the right hand plays and which the left.

In: notes of one pianist, in ms. Out: a mask, the cheapest path through all splits of all chords. The costs were chosen on
fifty songs of OpenScore Lieder, whose composers wrote the hands on two staves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.notes import SAME_ONSET_MS, Notes

FINGERS: Final = 5
EASY_SPAN, WIDEST_SPAN = 12, 19
"""Semitones: an octave is reached, a twelfth is rolled."""
LOWEST_RIGHT, HIGHEST_LEFT = 53, 62
"""Beyond these F3 and D4 a hand begins to leave its own half of the keyboard."""
FORGET_MS: Final = 400.0
"""A hand that rests so long goes anywhere at half the cost."""


@dataclass(frozen=True)
class _Path:
    """The cheapest way to play the chords so far that ends in one split of the last.

    hands: (lowest, highest key, onset) of the left and of the right hand's last chord. split, before: how many of the
    last chord's notes the left hand takes, and the path without it.
    """

    cost: float
    hands: tuple[tuple[float, float, float], tuple[float, float, float]]
    split: int
    before: _Path | None


def chord_starts(onset_ms: NDArray[np.float64]) -> NDArray[np.int64]:
    """Where in sorted onsets each chord begins: a note less than 30 ms after the one before is still its."""
    starts: NDArray[np.int64] = np.flatnonzero(np.diff(onset_ms, prepend=-np.inf) >= SAME_ONSET_MS)
    return starts


def split_hands(notes: Notes) -> NDArray[np.bool_]:
    """Whether each note is the right hand's.

    A chord is split by height: its lower notes are the left hand's. Least cost wins: spans beyond an octave cost, beyond a
    twelfth much, more than five notes too, leaps by their width, and so does playing in the other hand's half of the keyboard.

    >>> from pianalysis.music.notes import make_notes
    >>> split_hands(make_notes((0, 500, pitch, 80) for pitch in (36, 48, 64, 67, 72))).tolist()
    [False, False, True, True, True]
    """
    mask = np.zeros(len(notes), dtype=bool)
    order = np.lexsort((notes["pitch"], notes["onset_ms"]))
    onsets = notes["onset_ms"][order]
    chords = np.split(order, chord_starts(onsets)[1:]) if len(order) else []
    chords = [chord[np.argsort(notes["pitch"][chord], kind="stable")] for chord in chords]
    nowhere = -np.inf
    paths = [_Path(0.0, ((45.0, 45.0, nowhere), (67.0, 67.0, nowhere)), 0, None)]
    for chord in chords:
        pitches = notes["pitch"][chord].tolist()
        onset = float(notes["onset_ms"][chord].min())
        paths = [_best(paths, pitches, split, onset) for split in range(len(pitches) + 1)]
    path: _Path | None = min(paths, key=lambda item: item.cost)
    for chord in reversed(chords):
        if path is None:  # never: there is a path a chord
            break
        mask[chord[path.split :]] = True
        path = path.before
    return mask


def _best(paths: list[_Path], pitches: list[int], split: int, onset: float) -> _Path:
    """The cheapest of the paths, gone on with by a chord of which the left hand takes the lowest `split` notes."""
    parts = (pitches[:split], pitches[split:])
    fixed = sum(_stretch(part) for part in parts)
    fixed += sum(max(0, pitch - HIGHEST_LEFT) * 0.35 for pitch in parts[0])
    fixed += sum(max(0, LOWEST_RIGHT - pitch) * 0.05 for pitch in parts[1])
    best: _Path | None = None
    for path in paths:
        cost = path.cost + fixed + sum(_leap(hand, part, onset) for hand, part in zip(path.hands, parts, strict=True))
        if parts[0] and not parts[1]:
            cost += 3.0 * max(0.0, parts[0][-1] - path.hands[1][0]) * _freshness(path.hands[1], onset)
        if parts[1] and not parts[0]:
            cost += 3.0 * max(0.0, path.hands[0][1] - parts[1][0]) * _freshness(path.hands[0], onset)
        if best is None or cost < best.cost:
            left, right = (
                (float(part[0]), float(part[-1]), onset) if part else hand
                for hand, part in zip(path.hands, parts, strict=True)
            )
            best = _Path(cost, (left, right), split, path)
    if best is None:
        raise ValueError("expected at least one path")
    return best


def _stretch(part: list[int]) -> float:
    """What it costs a hand to strike these keys at once."""
    if not part:
        return 0.0
    span = part[-1] - part[0]
    too_wide = 2.5 * max(0, span - EASY_SPAN) + 50.0 * max(0, span - WIDEST_SPAN)
    return too_wide + 20.0 * max(0, len(part) - FINGERS)


def _leap(hand: tuple[float, float, float], part: list[int], onset: float) -> float:
    """What it costs a hand to get from its last chord to these keys: nothing within an octave of both its ends."""
    if not part:
        return 0.0
    low, high, _ = hand
    distance = max(0.0, high - part[0] - EASY_SPAN) + max(0.0, part[-1] - low - EASY_SPAN)
    centre = abs((part[0] + part[-1]) / 2 - (low + high) / 2)
    return (0.15 * centre + 1.0 * distance) * _freshness(hand, onset)


def _freshness(hand: tuple[float, float, float], onset: float) -> float:
    """1 for a hand that has just played, towards 0.5 and beyond the longer it rests."""
    return 1.0 / (1.0 + (onset - hand[2]) / FORGET_MS)
