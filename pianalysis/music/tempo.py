"""Another tempo for a score.

In: a score in ticks and quarters a minute. Out: a score with the same ticks at that tempo, or slower to its end.
"""

from __future__ import annotations

from typing import Final

import symusic

from pianalysis.music.clock import BeatClock

SLOWEST: Final = 0.66
"""The share of its tempo that a piece has at the end of a ritardando."""
DEFAULT_BPM: Final = 120.0


def with_bpm(score: symusic.Score, bpm: float) -> symusic.Score:
    """A score (a new one) whose tempo is that: its median tempo, where it has several; they keep their proportions."""
    changed = score.copy()
    share = bpm / BeatClock.from_score(score).bpm
    tempi = [symusic.Tempo(tempo.time, tempo.qpm * share) for tempo in score.tempos if tempo.mspq > 0]
    changed.tempos.clear()
    changed.tempos.extend(tempi if len(tempi) > 1 else [symusic.Tempo(0, bpm)])
    if len(tempi) > 1 and min(tempo.time for tempo in tempi) > 0:
        changed.tempos.append(symusic.Tempo(0, DEFAULT_BPM * share))
    changed.tempos.sort()
    return changed


def tempo_at(score: symusic.Score, tick: int) -> float:
    """Quarters a minute at a tick."""
    before = [tempo for tempo in score.tempos if tempo.time <= tick and tempo.mspq > 0]
    return float(max(before, key=lambda tempo: tempo.time).qpm) if before else DEFAULT_BPM


def slow_down(score: symusic.Score, start: int, stop: int, step: int) -> None:
    """Slow a score down, in place, from one tick to another, with every step a little more; from there it stays slow."""
    ticks = [*range(start, stop, max(step, 1)), stop]
    inside = [tempo.time for tempo in score.tempos if tempo.time > start]
    states = {tick: tempo_at(score, tick) for tick in {*ticks, *inside}}
    length = max(stop - start, 1)
    kept = [tempo for tempo in score.tempos if tempo.time < start]
    score.tempos.clear()
    score.tempos.extend(kept)
    for tick, bpm in sorted(states.items()):
        share = 1 - (1 - SLOWEST) * min((tick - start) / length, 1.0)
        score.tempos.append(symusic.Tempo(tick, bpm * share))
