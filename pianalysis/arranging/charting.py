"""What is decided before the first note is written: the style, and the chart that the accompaniment is written from.

In: a `Source`, its voice in the key that the model knows. Out: a style, a `Chart` in that key; charts as windows hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan, read_bars
from pianalysis.harmony.recognise import recognised_chart
from pianalysis.harmony.richness import BALANCED
from pianalysis.harmony.symbols import Chord
from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import encode_chords, encode_melody
from pianalysis.tokens.windows import HeldChord, bars_in_window, chords_between, notes_between

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Arrangement, Source
    from pianalysis.model.engine import Engine

Chords = tuple[Chord | None, ...]
WINDOWS_HEARD: Final = 4
"""From up to so many windows, evenly spaced, a melody's style is told."""
SURE_NATS: Final = 8.0
"""What one style is likelier by when no more windows are heard: of 120 validation songs all had the same style as after all of
their windows (with 4 nats all but one, with 2 nine in ten), and on average 1.5 instead of 3.1 were heard."""
EARLY_MS: Final = 62.5
"""Half a sixteenth: what is struck so shortly before a chord is meant for it."""
BASS_BELOW: Final = 65
"""A key lower than this F4 that rings on under a new chord is heard as its bass."""
PRIORS: Final = {"pop": 0.499997, "classical": 0.499997, "hymn": 0.000006}
"""How often a melody is expected to want each style, before it is heard. A hymn must be likelier by twelve nats: three in ten
of the hymns among the validation songs are, for canonical, and one in thirty Lieder and Polish pieces, no song of POP909, and
none of the examples. With five nats it was six in ten, *Ode to Joy*, and most tunes in 5/4, which nobody wants in four parts."""
FIRST_STYLE: Final = "pop"
"""What is written in where no melody tells: of a piece from nothing."""


def chart_of(
    source: Source,
    style: str,
    *,
    seed: int | None = None,
    structure: bool = True,
    given: Chart | None = None,
    harmony: str = BALANCED,
) -> Chart:
    """Chords for a melody, on the beats of all its bars, the surest; each seed has its own (`harmoniser.VOTES`).

    structure: where the melody returns (`Source.earlier_bars`), its chords do too, moved as it is. given: chords that are
    known, in the voice's key, on whatever beats; they stay, their gaps are filled. harmony: a word of `RICHNESS`.
    """
    from pianalysis.harmony.harmoniser import harmonise

    known = None if style == vocab.AUTO else style
    if given is None:
        chart = harmonise(source.voice, source.clock, known, seed=seed, harmony=harmony, keys=source.keys).chart
        return with_returns(chart, source) if structure else chart
    beats = clock_beats(source.clock)
    fixed = Chart.from_spans(given.spans, bar_lines=source.clock.bar_lines, beats=beats.borders_ms)
    if not fixed.gaps:
        return fixed
    return harmonise(source.voice, beats, known, seed=seed, harmony=harmony, fixed=fixed, keys=source.keys).chart


def typed_chart(text: str, source: Source) -> Chart:
    """The chart that a text writes for a melody, in its own key: a bar for each of its bars, or for each of the file's.

    Bars of the file that the text doesn't reach are gaps. Raises PianalysisError that names bar and chord.
    """
    lines, beats = source.clock.bar_lines, clock_beats(source.clock).borders_ms
    if len(read_bars(text)) != len(lines) - 1:
        chart = Chart.from_text(text, bar_lines=lines[source.first_bar : source.last_bar + 1], beats=beats)
        return _filled_up(chart, lines, beats)
    return Chart.from_text(text, bar_lines=lines, beats=beats)


def changed_chart(chart: Chart, source: Source, bars: tuple[int, int], chords: Chart | str | None) -> Chart:
    """A chart with other chords in some bars, the first and the last of them counted from 1; what isn't known is a gap.

    chords: text for these bars, a chart on the same clock, or None: all of them are to be found. Raises PianalysisError for
    a text of another number of bars.
    """
    lines, beats = source.clock.bar_lines, clock_beats(source.clock).borders_ms
    start, end = float(lines[bars[0] - 1]), float(lines[bars[1]])
    inside: Iterable[ChordSpan] = (ChordSpan(start, end, None),)
    if chords is not None:
        if isinstance(chords, str):
            chords = Chart.from_text(chords, bar_lines=lines[bars[0] - 1 : bars[1] + 1], beats=beats)
        inside = chords.between(start, end)
    spans = [*chart.between(float(lines[0]), start), *inside, *chart.between(end, float(lines[-1]))]
    return Chart.from_spans(spans, bar_lines=lines, beats=beats)


def _filled_up(chart: Chart, lines: ArrayLike, beats: ArrayLike) -> Chart:
    """A chart of some bars as one of all bars, with gaps before it and after it."""
    times = np.asarray(lines)
    around = (ChordSpan(float(times[0]), chart.beats[0], None), ChordSpan(chart.beats[-1], float(times[-1]), None))
    return Chart.from_spans([around[0], *chart.spans, around[1]], bar_lines=lines, beats=beats)


def heard_chart(piece: Arrangement) -> Chart:
    """The chords that are heard in a piece's notes."""
    return recognised_chart(piece.source.clock.notes_to_clock(piece.notes), clock_beats(piece.source.clock))


def changed_bars(old: Chart, new: Chart, source: Source, among: tuple[int, int]) -> list[tuple[int, int]]:
    """The runs of bars, from the first to the last counted from 1, in which two charts on the source's beats differ.

    among: from which bar to which is looked. The bass of a chord counts, too.
    """
    pairs = zip(bar_chords(old, source), bar_chords(new, source), strict=True)
    changed = [
        bar for bar, (before, after) in enumerate(pairs, start=1) if before != after and among[0] <= bar <= among[1]
    ]
    starts = [bar for bar in changed if bar - 1 not in changed]
    return list(zip(starts, (bar for bar in changed if bar + 1 not in changed), strict=True))


def with_returns(chart: Chart, source: Source) -> Chart:
    """A chart in which each bar that returns has the chords of the bar that it is like, where both have as many beats."""
    bars = bar_chords(chart, source)
    for bar, earlier in sorted(source.earlier_bars.items()):
        if bar < len(bars) and len(bars[bar]) == len(bars[earlier.bar]):
            bars[bar] = moved(bars[earlier.bar], earlier.shift)
    return chart.with_chords([chord for bar in bars for chord in bar])


def bar_chords(chart: Chart, source: Source) -> list[Chords]:
    """The chart's chords by the source's bars, one a beat."""
    starts = np.searchsorted(np.array(chart.beats) + 1.0, source.clock.bar_lines).tolist()
    return [chart.chords[start:stop] for start, stop in pairwise([0, *starts[1:-1], len(chart.chords)])]


def moved(chords: Chords, semitones: int) -> Chords:
    """Chords so many semitones higher."""
    return tuple(chord.transposed(semitones) if chord else None for chord in chords)


def likeliest_style(
    engine: Engine, source: Source, styles: Iterable[str], chart: Chart | None, density: str = "mid"
) -> str:
    """Of some styles the one under which a model finds a melody and a chart for it likeliest, `PRIORS` considered."""
    nats = {style: -log(PRIORS[style]) for style in styles}
    for bar in _windows(source):
        for style in nats:
            nats[style] += _nats(engine, source, chart, style, density, bar)
        best, *others = sorted(nats.values())
        if all(other - best >= SURE_NATS for other in others):
            break
    return min(nats, key=lambda style: nats[style])


def _windows(source: Source) -> list[int]:
    """The first bars of the windows that a style is told from."""
    lines, bar, starts = source.clock.bar_lines[: source.last_bar + 1], source.first_bar, []
    while bar < source.last_bar:
        starts.append(bar)
        bar += bars_in_window(lines, bar)
    return [
        starts[place]
        for place in sorted({*np.linspace(0, len(starts) - 1, WINDOWS_HEARD).round().astype(int).tolist()})
    ]


def _nats(engine: Engine, source: Source, chart: Chart | None, style: str, density: str, bar: int) -> float:
    """Of a window's melody and chords."""
    lines = source.clock.bar_lines[: source.last_bar + 1]
    start, stop = float(lines[bar]), float(lines[bar + bars_in_window(lines, bar)])
    length = min(stop - start, float(vocab.WINDOW_MS))
    ids = encode_melody(notes_between(source.voice, start, length), style=style, density=density)
    begin = ids.index(vocab.DENSITIES[density]) + 1
    if chart is not None:
        ids += [*encode_chords(chords_between(held_chords(chart), start, length)), vocab.SEP]
    if len(ids) > engine.max_length:
        return 0.0
    return engine.likelihood(ids, begin)[0]


def let_go(notes: Notes, chords: Sequence[HeldChord], *, basses: bool = False) -> Notes:
    """Notes (a new array) that end where a chord begins that they aren't in, as a pianist lifts the pedal there.

    notes, chords: clock-ms, one key. basses: low notes (below `BASS_BELOW`) also end where a chord has another bass. A note that is struck as a chord begins, or less than `EARLY_MS` before, belongs to it.

    >>> from pianalysis.music.notes import make_notes
    >>> chords = [HeldChord(0, 2000, 0, (0, 4, 7)), HeldChord(2000, 4000, 7, (2, 7, 11))]
    >>> notes = make_notes([(0, 4000, 60, 64), (0, 4000, 67, 64), (1990, 1000, 64, 64)])
    >>> let_go(notes, chords)["duration_ms"].tolist()  # C ends with its chord, G stays; E, just before, passes through G's
    [2000.0, 4000.0, 1000.0]
    """
    shorter = notes.copy()
    last_ms = float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0))
    for chord in chords:
        if chord.tones and chord.end_ms > notes["onset_ms"].min(initial=last_ms) and chord.start_ms < last_ms:
            outside = ~np.isin(notes["pitch"] % 12, [chord.bass, *chord.tones])
            if basses:
                outside |= (notes["pitch"] < BASS_BELOW) & (notes["pitch"] % 12 != chord.bass)
            before = notes["onset_ms"] < chord.start_ms - EARLY_MS
            until = np.where(outside & before, chord.start_ms - notes["onset_ms"], np.inf)
            shorter["duration_ms"] = np.minimum(shorter["duration_ms"], until)
    return shorter


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
