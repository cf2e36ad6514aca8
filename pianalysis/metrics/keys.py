"""The key of a song: its scale, and which of the scale's two tonics is home.

In: the notes of a song, or of its melody, in milliseconds of any clock: only shares of time count.
Out: a `Key`; and the share of other notes that are out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pianalysis.metrics.rolls import PITCH_CLASSES, Floats
from pianalysis.music.keys import KEY_PROFILE
from pianalysis.music.notes import Notes

MAJOR_PROFILE: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each pitch class fits after a key was heard, from the tonic up (Krumhansl & Kessler 1982)."""
MAJOR_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
RELATIVE: Final = 9
"""From a major tonic up to its relative minor's."""
RAISED_SEVENTH: Final = 11


@dataclass(frozen=True)
class Key:
    """tonic: a pitch class. is_minor: else it is major."""

    tonic: int
    is_minor: bool

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The scale: major; or natural minor with the raised seventh beside its own.

        >>> sorted(Key(9, True).pitch_classes)
        [0, 2, 4, 5, 7, 8, 9, 11]
        """
        major = (self.tonic - RELATIVE * self.is_minor) % PITCH_CLASSES
        scale = {(major + step) % PITCH_CLASSES for step in MAJOR_SCALE}
        return frozenset(scale | ({(self.tonic + RAISED_SEVENTH) % PITCH_CLASSES} if self.is_minor else set()))


def find_key(notes: Notes) -> Key | None:
    """The key of some notes, of a melody alone if need be; None without notes.

    The scale is the one whose `pianalysis.music.keys.KEY_PROFILE` makes the notes' pitch classes, weighted by their time,
    likeliest. Of its two tonics the one is taken whose profile correlates better with them (Krumhansl 1990). Where two
    scales fit alike, that of the first tonic from the last note up.
    """
    if not len(notes):
        return None
    classes = notes["pitch"].astype(int) % PITCH_CLASSES
    weights: Floats = notes["duration_ms"] if notes["duration_ms"].any() else np.ones(len(notes))
    total = np.bincount(classes, weights=weights, minlength=PITCH_CLASSES)
    time: Floats = np.roll(
        total / total.sum(), -classes[-1]
    )  # from the last note up, so that a transposed notes has its key
    costs = np.log(np.array(KEY_PROFILE) + 1e-3)
    fits = np.round([time @ np.roll(costs, tonic) for tonic in range(PITCH_CLASSES)], 9)
    major = int(np.argmax(fits))
    minor = (major + RELATIVE) % PITCH_CLASSES
    is_minor = round(_correlation(time, MINOR_PROFILE, minor) - _correlation(time, MAJOR_PROFILE, major), 9) > 0
    return Key(int((minor if is_minor else major) + classes[-1]) % PITCH_CLASSES, bool(is_minor))


def _correlation(time: Floats, profile: tuple[float, ...], tonic: int) -> float:
    """Pearson's of the time of each pitch class with a key's profile; all classes alike have no key."""
    there, wanted = time - time.mean(), np.roll(np.array(profile) - np.mean(profile), tonic)
    size = np.sqrt((there**2).sum() * (wanted**2).sum())
    return float(there @ wanted / size) if size > 0 else 0.0


def out_of_key(key: Key | None, accompaniment: Notes) -> float:
    """The share of the accompaniment's notes that aren't in the scale of a key; NaN without a key or notes.

    From 0 to 1. Where people modulate they are out of a song's one key too: they have about 0.02 in pop songs and hymns, in
    Lieder 0.1 and more. On rated clips of published systems listeners like it the less the more there are (rank
    correlation −0.5).
    """
    if key is None or not len(accompaniment):
        return float("nan")
    return float((~np.isin(accompaniment["pitch"] % PITCH_CLASSES, [*key.pitch_classes])).mean())
