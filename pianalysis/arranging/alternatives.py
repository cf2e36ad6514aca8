"""How likely the chords of a piece are, and which others might stand there instead.

In: a piece with a chart. Out: a probability for each of its chords; for one of them the likeliest others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.arranging.pieces import Source, in_its_own_key
from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.harmoniser import Alternative, Harmonisation, harmonise
from pianalysis.harmony.net import state_of
from pianalysis.harmony.symbols import Chord

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Arrangement

MOST: Final = 8
SAME_MS: Final = 1.0
"""Beats that lie closer than that, in clock-ms, are one."""


@dataclass(frozen=True)
class LikelyChord:
    """A chord of a piece. onset_ms, end_ms: real ms. bar, beat: where it begins, from 1, bars as the piece has them.

    probability: that it holds for its whole length, of all chords that might, by the melody alone; None where nobody knows.
    """

    onset_ms: float
    end_ms: float
    bar: int
    beat: int
    chord: Chord | None
    probability: float | None


class PieceChords:
    """A piece's chords, each with how likely it is."""

    def __init__(self, piece: Arrangement) -> None:
        """Raises PianalysisError for a piece without a chart."""
        if piece.chart is None:
            raise PianalysisError("expected a piece with chords, found one without: its model knows none")
        self.source, self.chart = piece.source, piece.chart
        self._heard = _heard(piece)

    @property
    def chords(self) -> list[LikelyChord]:
        """All chords in the piece's bars, one after the other."""
        return [self._likely(start, stop) for start, stop in pairwise(self._borders())]

    def at(self, bar: int, beat: int) -> LikelyChord:
        """The chord that sounds in a bar's beat, both from 1. Raises PianalysisError for one that isn't there."""
        return self._likely(*self._span_at(bar, beat))

    def alternatives(self, bar: int, beat: int, *, count: int = MOST) -> list[Alternative]:
        """The likeliest other chords for as long as the chord in a bar's beat lasts, the likeliest first.

        The melody alone tells: the chords around it don't count. Raises PianalysisError for a beat that isn't there.
        """
        start, stop = self._span_at(bar, beat)
        if self._heard is None:
            return []
        own, shift = self.chart.chords[start], self._shift_at(self._heard, start)
        found = self._heard.alternatives(start, stop, count=count + 1)
        return [item for item in found if own is None or state_of(item.chord, shift) != state_of(own, shift)][:count]

    def _borders(self) -> list[int]:
        """The beats at which a chord begins, and the one at which the piece ends."""
        first, last = self._beats_of_bars()
        chords = self.chart.chords
        return [*(b for b in range(first, last) if b == first or chords[b] != chords[b - 1]), last]

    def _beats_of_bars(self) -> tuple[int, int]:
        lines = self.source.clock.bar_lines[[self.source.first_bar, self.source.last_bar]]
        first, last = np.searchsorted(np.array(self.chart.beats) + SAME_MS, lines).tolist()
        return first, min(last, len(self.chart.chords))

    def _span_at(self, bar: int, beat: int) -> tuple[int, int]:
        bars = self.source.last_bar - self.source.first_bar
        if not 1 <= bar <= bars:
            raise PianalysisError(f"expected a bar from 1 to {bars}, found {bar}")
        line = self.source.first_bar + bar - 1
        lines = self.source.clock.bar_lines[[line, line + 1]]
        first, stop = np.searchsorted(np.array(self.chart.beats) + SAME_MS, lines).tolist()
        if not 1 <= beat <= stop - first:
            raise PianalysisError(f"expected a beat from 1 to {stop - first} in bar {bar}, found {beat}")
        place = first + beat - 1
        return next((start, end) for start, end in pairwise(self._borders()) if start <= place < end)

    def _likely(self, start: int, stop: int) -> LikelyChord:
        clock, chord = self.source.clock, self.chart.chords[start]
        onset, end = clock.to_real([self.chart.beats[start], self.chart.beats[stop]]).tolist()
        line = int(np.searchsorted(clock.bar_lines, self.chart.beats[start] + SAME_MS, side="right")) - 1
        first = int(np.searchsorted(np.array(self.chart.beats) + SAME_MS, clock.bar_lines[line]))
        bar, beat = line - self.source.first_bar + 1, start - first + 1
        return LikelyChord(onset, end, bar, beat, chord, self._probability(chord, start, stop))

    def _probability(self, chord: Chord | None, start: int, stop: int) -> float | None:
        if self._heard is None or chord is None:
            return None
        log = self._heard.scores.chain.log_held(start, stop)
        found = np.exp(log - log.max())
        return float(found[state_of(chord, self._shift_at(self._heard, start))] / found.sum())

    def _shift_at(self, heard: Harmonisation, beat: int) -> int:
        """The semitones up to the key of the probabilities' states, at a beat."""
        return heard.shift + (int(heard.keys.at(self.chart.beats[beat])) if heard.keys is not None else 0)


def _heard(piece: Arrangement) -> Harmonisation | None:
    """What the melody alone says of each beat's chord; None where the chart stands on other beats than the melody's."""
    source = in_its_own_key(piece.source)
    richness = piece.options.richness if piece.options else "balanced"
    found = harmonise(source.voice, source.clock, piece.style, harmony=richness, keys=source.keys)
    own, beats = np.array(piece.chart.beats if piece.chart else []), np.array(found.chart.beats)
    return found if len(own) == len(beats) and np.abs(own - beats).max() < SAME_MS else None


def chart_of_bars(chart: Chart, source: Source, bars: Sequence[int]) -> Chart:
    """The part of a chart that stands in some bars of its source, from the first to before the last, from 0."""
    lines = source.clock.bar_lines[bars[0] : bars[1] + 1]
    beats = np.array(chart.beats)
    inside = beats[(beats >= lines[0] - SAME_MS) & (beats <= lines[-1] + SAME_MS)]
    spans = [ChordSpan(s.onset_ms, s.end_ms, s.chord) for s in chart.between(float(lines[0]), float(lines[-1]))]
    return Chart.from_spans(spans, bar_lines=lines, beats=inside)
