"""The chart that an accompaniment is written from, and a chart as windows hold it.

In: a `Source`, its voice in the key that the model knows. Out: a `Chart` in that key; `HeldChord`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.symbols import Chord
from pianalysis.windows import HeldChord

if TYPE_CHECKING:
    from pianalysis.pieces import Source


def chart_of(source: Source, style: str) -> Chart:
    """The likeliest chords for a melody, on the beats of all its bars."""
    from pianalysis.harmony.harmoniser import harmonise

    return harmonise(source.voice, source.clock, style).chart


def held_chords(chart: Chart) -> list[HeldChord]:
    """The chart as windows hold it: of every chord its core, as bass and tones.

    Cores, because the rule and the harmoniser know no others: ninths in POP909's labels alone would tell the model which
    corpus it is in, and it would be asked for chords that it has hardly seen. A bass that isn't a tone of the chord stands
    in the bass only. Gaps and no chord have no tones.
    """
    fifths = chart.key()
    return [_held(span, span.chord.core(fifths) if span.chord else None) for span in chart.spans]


def _held(span: ChordSpan, chord: Chord | None) -> HeldChord:
    if not chord:
        return HeldChord(span.onset_ms, span.end_ms)
    tones = tuple(sorted(Chord(chord.root, chord.quality).pitch_classes))
    return HeldChord(span.onset_ms, span.end_ms, chord.bass, tones)
