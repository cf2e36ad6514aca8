"""Where a piece slows down to its end, as a score says it: one word, and no metronome mark for every step.

In: a score in ticks. Out: the tick from which its tempo falls step by step.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import symusic

FEWEST_STEPS: Final = 3
LONGEST_STEP_QUARTERS: Final = 2
WORD: Final = "rit."


def slows_from(score: symusic.Score) -> int | None:
    """The tick of the first of the last tempi that are followed by a slower one each, at most two quarters later.

    None where there are fewer than three such steps.
    """
    tempi = sorted((tempo for tempo in score.tempos if tempo.mspq > 0), key=lambda tempo: tempo.time)
    first = len(tempi)
    for index, (before, after) in reversed([*enumerate(pairwise(tempi))]):
        if after.mspq <= before.mspq or after.time - before.time > LONGEST_STEP_QUARTERS * score.tpq:
            break
        first = index
    return int(tempi[first].time) if len(tempi) - first > FEWEST_STEPS else None
