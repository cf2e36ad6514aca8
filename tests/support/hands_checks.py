"""What each hand of a piece plays, looked at in the piece alone: no code of the grammar's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

NEAR_MS = 8.0
"""A tick of a coarse file, and a little."""


def groups(hand):
    """A hand's strikes: (onset in ms, its keys, rising)."""
    strikes = []
    for onset, _, pitch, _ in sorted(hand.tolist()):
        if strikes and onset - strikes[-1][0] < NEAR_MS:
            strikes[-1][1].append(pitch)
        else:
            strikes.append((onset, [pitch]))
    return [(onset, sorted(keys)) for onset, keys in strikes]


def faults(notes, border, *, keys, span, reach, free_at=()):
    """What in notes, in real ms, is more than a hand has. free_at: moments at which a hand may come from anywhere."""
    found = []
    for hand in (notes[notes["pitch"] < border], notes[notes["pitch"] >= border]):
        strikes = groups(hand)
        for onset, struck in strikes:
            ends = hand["onset_ms"] + hand["duration_ms"]
            sounding = hand["pitch"][(hand["onset_ms"] < onset + NEAR_MS) & (ends > onset + NEAR_MS)]
            sounding = sorted({*sounding.tolist(), *struck})
            if len(sounding) > keys:
                found.append(("keys", onset, sounding))
            if sounding[-1] - sounding[0] > span:
                found.append(("span", onset, sounding))
        for (_, first), (onset, second) in pairwise(strikes):
            both = [*first, *second]
            if max(both) - min(both) > reach and not any(abs(onset - moment) < 30 for moment in free_at):
                found.append(("reach", onset, both))
    return found


def off_times(piece, times_ms):
    """Onsets, in clock-ms, that aren't at one of some moments on the clock, but for a step of its grid."""
    onsets = piece.source.clock.notes_to_clock(piece.accompaniment)["onset_ms"]
    return [onset for onset in onsets.tolist() if np.abs(np.asarray(times_ms) - onset).min() > 26]


def closest(piece, border):
    """The shortest time, in clock-ms, between two strikes of one hand; infinite where there are none."""
    notes = piece.source.clock.notes_to_clock(piece.accompaniment)
    gaps = [np.inf]
    for hand in (notes[notes["pitch"] < border], notes[notes["pitch"] >= border]):
        gaps += [later[0] - earlier[0] for earlier, later in pairwise(groups(hand))]
    return min(gaps)
