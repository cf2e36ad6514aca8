"""The beats under a melody that was sung or played without a click.

In: the onsets and lengths of notes in seconds. Out: the times of beats. The tempo is the one at which onsets repeat, nearest to
where people tap; the beats follow the singer by dynamic programming (Ellis 2007, Beat Tracking by Dynamic Programming).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pianalysis.hearing.sound import Floats

STEPS_PER_SECOND: Final = 100
SLOWEST_BPM, FASTEST_BPM = 55.0, 180.0
TAPPED_BPM: Final = 100.0
"""Where people tap."""
SPREAD_OCTAVES: Final = 0.6
BLUR_S: Final = 0.035
"""How exactly people sing."""
STEADINESS: Final = 12.0
"""What a beat of another length costs, by the square of its logarithm, in the worth of the strongest beginning."""
LONG_S: Final = 0.6
"""Notes of this length and more are accents."""


def find_beats(onset_s: Floats, end_s: Floats, *, bpm: float | None = None) -> Floats:
    """The times of beats, from the last one not after the first note to the first one not before the last note's end.

    `bpm` is a tempo that is known; the beats still follow the singer.

    >>> find_beats(np.arange(8) / 2, np.arange(1, 9) / 2).round(2).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    """
    first, last = float(onset_s.min()), float(end_s.max())
    weight = 0.3 + np.minimum(end_s - onset_s, LONG_S) / LONG_S
    strength = _strength(onset_s - first, weight, last - first)
    period_s = 60 / bpm if bpm else _period_s(strength)
    found = first + _tracked(strength, period_s * STEPS_PER_SECOND) / STEPS_PER_SECOND
    before, after = found[0] - first, last - found[-1]
    found = np.concatenate(
        [
            found[0] - period_s * np.arange(np.ceil(before / period_s - 0.1), 0, -1),
            found,
            found[-1] + period_s * np.arange(1, np.ceil(max(after, 0.0) / period_s - 0.1) + 1),
        ]
    )
    start = max(0, int(np.searchsorted(found, first + 0.1 * period_s, side="right")) - 1)
    found = found[start:]
    return found if len(found) > 1 else np.array([found[0], found[0] + period_s])


def _strength(onset_s: Floats, weight: Floats, seconds: float) -> Floats:
    """How much begins at each step."""
    count = int(seconds * STEPS_PER_SECOND) + 1
    impulses = np.zeros(count)
    np.add.at(impulses, np.clip(np.rint(onset_s * STEPS_PER_SECOND).astype(int), 0, count - 1), weight)
    reach = np.arange(-4 * BLUR_S, 4 * BLUR_S + 1e-9, 1 / STEPS_PER_SECOND)
    return np.convolve(impulses, np.exp(-0.5 * (reach / BLUR_S) ** 2))[len(reach) // 2 :][:count]


def _period_s(strength: Floats) -> float:
    """The beat's length at which onsets repeat, in any number of beats up to four, weighed by where people tap."""
    size = 1 << (2 * len(strength) - 1).bit_length()
    spectrum = np.fft.rfft(strength - strength.mean(), size)
    again = np.fft.irfft(np.abs(spectrum) ** 2)[: len(strength)] / max(1, len(strength))
    periods = 60 / np.geomspace(SLOWEST_BPM, FASTEST_BPM, 200)
    lags = np.arange(len(again)) / STEPS_PER_SECOND
    heard = sum(np.interp(beats * periods, lags, again, right=0.0) for beats in (1, 2, 3, 4))
    prior = np.exp(-0.5 * (np.log2(60 / periods / TAPPED_BPM) / SPREAD_OCTAVES) ** 2)
    return float(periods[int(np.argmax(np.maximum(heard, 1e-9) * prior))])


def _tracked(strength: Floats, period: float) -> Floats:
    """The steps of the beats: each gains what begins there, and pays for being early or late after the one before it."""
    reach = np.arange(int(np.ceil(period / 2)), int(2 * period) + 1)
    price = STEADINESS * np.log(reach / period) ** 2 * float(strength.max(initial=1.0))
    score, back = strength.copy(), np.full(len(strength), -1)
    for step in range(int(reach[0]), len(strength)):
        usable = reach[: np.searchsorted(reach, step, side="right")]
        before = score[step - usable] - price[: len(usable)]
        best = int(np.argmax(before))
        if before[best] > 0:
            score[step] += before[best]
            back[step] = step - usable[best]
    tail = max(0, len(score) - int(period))
    place, beats = tail + int(np.argmax(score[tail:])), []
    while place >= 0:
        beats.append(place)
        place = int(back[place])
    return np.array(beats[::-1], dtype=np.float64)
