"""How many chords a melody gets, and of which kinds: `simple`, `balanced` (as the network has learned) or `rich`.

In: the scores of chords for a melody in C major or A minor (`net`), and how strong its beats are. Out: scores, bent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import DOWNBEAT, HALF_BAR, WEAK, Counts, Floats
from pianalysis.harmony.net import STATES, Scores, chord_of, state_of
from pianalysis.harmony.symbols import CORE_QUALITIES, PITCH_CLASSES, Chord

SIMPLE, BALANCED, RICH = "simple", "balanced", "rich"
RICHNESS: Final = (SIMPLE, BALANCED, RICH)

PLAIN: Final = ("C", "Dm", "Em", "F", "G", "G7", "Am", "E", "E7")
"""The chords of a simple chart: the triads of C major and A minor, and the dominants of both; as `Chord.symbol` has them."""
ANOTHER: Final = -8.0
"""In nats, of any other chord in a simple chart: none, unless somebody has fixed it or nothing else can be."""
FEWER: Final = {WEAK: -4.0, HALF_BAR: -2.5, DOWNBEAT: -0.5}
"""In nats, of a change on each kind of beat of a simple chart …"""
MORE: Final = {WEAK: 0.3, HALF_BAR: 0.8, DOWNBEAT: 0.5}
"""… and of a rich one."""
SEVENTH, SECONDARY = 0.7, 1.5
"""In nats, of a rich chart's beat whose chord has a seventh, and of a dominant seventh of another degree than the first (in
minor, too) that goes on a fifth down, to the chord that it is the dominant of."""
SEVENTHS: Final = ("7", "maj7", "min7", "hdim7", "dim7")
OWN_DOMINANTS: Final = (7, 4)
"""The roots of G7 and E7."""


def at_richness(scores: Scores, richness: str, strength: Counts) -> Scores:
    """The scores of a melody's chords, bent to be simple or rich; strength: of each beat (`BeatGrid.strength`).

    Raises PianalysisError for another word.
    """
    if richness not in RICHNESS:
        raise PianalysisError(f"expected the harmony as one of {[*RICHNESS]}, found {richness!r}")
    if richness == BALANCED:
        return scores
    chain, changes = scores.chain, FEWER if richness == SIMPLE else MORE
    change = chain.change + np.array([changes[int(beat)] for beat in strength])
    if richness == SIMPLE:
        chain = replace(chain, emissions=chain.emissions + _plainness(), change=change)
        roots = np.zeros_like(scores.basses)
        roots[..., 0] = 1.0
        return Scores(chain, roots)
    emissions = chain.emissions + SEVENTH * _has_seventh()
    return Scores(
        replace(chain, emissions=emissions, change=change, transitions=chain.transitions + _secondary()), scores.basses
    )


def _plainness() -> Floats:
    """What is said of each state of a simple chart, ``[STATES]``."""
    names = [chord_of(state).symbol() for state in range(STATES)]
    return np.array([0.0 if name in (*PLAIN, "N.C.") else ANOTHER for name in names])


def _has_seventh() -> Floats:
    """1 for each state whose chord has a seventh, ``[STATES]``."""
    return np.array([float(chord_of(state).quality in SEVENTHS) for state in range(STATES)])


def _secondary() -> Floats:
    """What is said of going from one state to another in a rich chart, ``[STATES, STATES]``."""
    bonus = np.zeros((STATES, STATES))
    for root in range(PITCH_CLASSES):
        if root not in OWN_DOMINANTS:
            goals = [state_of(Chord((root + 5) % PITCH_CLASSES, quality)) for quality in CORE_QUALITIES]
            bonus[state_of(Chord(root, "7")), goals] = SECONDARY
    return bonus
