"""A chord chart: chords on the beats of a piece, and the text that people type and read.

In: text (`C | Am F/C | G7 | %`) or spans of chords, and the piece's beats and bar lines in clock-ms. Out: a `Chart`, which
gives one chord a beat, spans, and text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.errors import PianalysisError
from pianalysis.harmony.symbols import NO_CHORD, Chord, key_fifths, parse_chord

HOLDS: Final = (".", "/")
REPEAT: Final = "%"
GAP: Final = "?"
SAME_MS: Final = 1e-3
"""Beats and bar lines that lie closer than that are one."""
MAX_CHARACTERS: Final = 100_000
BARS_A_LINE: Final = 4

Bar = tuple[str, ...]
"""A bar of typed text: its words; () holds."""


@dataclass(frozen=True)
class ChordSpan:
    """A chord from onset_ms to end_ms, clock-ms; a chord of None is a gap: it isn't known yet."""

    onset_ms: float
    end_ms: float
    chord: Chord | None


@dataclass(frozen=True)
class Chart:
    """Chords on the beats of a piece.

    chords: one a beat; None is a gap, a chord to be found. beats: clock-ms of every beat's start and, last, of the end, one
    more than the chords. bar_lines: those of the beats that begin a bar, and the end.

    Raises PianalysisError where these don't fit each other.

    >>> chart = Chart.from_text("C | Am F/C | G7 | %", bar_lines=[0, 2000, 4000, 6000, 8000], beat_ms=500)
    >>> chart.at(2500).symbol(), chart.at(3000).symbol(), len(chart.per_beat()), chart.text()
    ('Am', 'F/C', 16, 'C | Am F/C | G7 | G7')
    """

    chords: tuple[Chord | None, ...]
    beats: tuple[float, ...]
    bar_lines: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (("beats", self.beats), ("bar lines", self.bar_lines)):
            if len(values) < 2:
                raise PianalysisError(f"a chart's {name}: expected at least two times, found {len(values)}")
            if any(b <= a for a, b in pairwise(values)):
                raise PianalysisError(f"a chart's {name}: expected times that rise, found {values[:8]} …")
        if len(self.chords) != len(self.beats) - 1:
            raise PianalysisError(f"expected a chord for each of {len(self.beats) - 1} beats, found {len(self.chords)}")
        ends = (self.beats[0], self.beats[-1])
        if not set(self.bar_lines) <= set(self.beats) or (self.bar_lines[0], self.bar_lines[-1]) != ends:
            raise PianalysisError("a chart's bar lines: expected each on a beat, the first and the last at the ends")

    # --- from outside

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        bar_lines: ArrayLike,
        beat_ms: float | None = None,
        beats: ArrayLike | None = None,
        german: bool = False,
    ) -> Chart:
        """The chart that a text writes for a piece's bars.

        Bars stand between `|` or line ends; a bar's chords share its beats evenly, the earlier ones get what is left over
        (three chords in four beats: 2, 1, 1). `.` or `/` holds the chord for one more share, an empty bar holds
        the one before, `%` alone is the bar before once more, `?` is a gap, N.C. no chord. Where the first bar is short
        (a pickup) the text may leave it out.

        bar_lines: clock-ms, the last is the piece's end. Beats are given by their borders, or by their length, and
        are then counted from each bar's end. Raises PianalysisError that names bar and symbol, and for another number
        of bars.
        """
        lines = _times(bar_lines)
        borders = _times(beats) if beats is not None else _beats_of(lines, beat_ms)
        borders, lines = _agreed(borders, lines)
        counts = np.diff(np.searchsorted(borders, lines)).tolist()
        written = _fitted(read_bars(text), lines)
        chords: list[Chord | None] = []
        for number, (bar, count) in enumerate(zip(written, counts, strict=True), start=1):
            before = chords[-1] if chords else NO_CHORD
            chords += _placed(bar, count, before, f"the chords, bar {number}", german)
        return cls(tuple(chords), tuple(borders), tuple(lines))

    @classmethod
    def from_spans(cls, spans: Iterable[ChordSpan], *, bar_lines: ArrayLike, beats: ArrayLike) -> Chart:
        """The chart of chords in time: each beat gets the chord that fills most of it, NO_CHORD where nothing is."""
        borders, lines = _agreed(_times(beats), _times(bar_lines))
        filled: list[dict[Chord | None, float]] = [{} for _ in borders[1:]]
        for span in spans:
            first = max(0, int(np.searchsorted(borders, span.onset_ms, side="right")) - 1)
            for beat in range(first, len(filled)):
                common = min(span.end_ms, borders[beat + 1]) - max(span.onset_ms, borders[beat])
                if common <= 0:
                    break
                filled[beat][span.chord] = filled[beat].get(span.chord, 0.0) + common
        chords = tuple(max(beat, key=lambda c: beat[c]) if beat else NO_CHORD for beat in filled)
        return cls(chords, tuple(borders), tuple(lines))

    # --- what there is

    def per_beat(self) -> list[Chord | None]:
        """One chord a beat; None is a gap."""
        return list(self.chords)

    @property
    def gaps(self) -> list[int]:
        """The beats without a chord that is known."""
        return [beat for beat, chord in enumerate(self.chords) if chord is None]

    @property
    def spans(self) -> tuple[ChordSpan, ...]:
        """The chart as spans that follow each other without a break, from its first beat to its end, equal chords joined."""
        starts = [beat for beat in range(len(self.chords)) if not beat or self.chords[beat] != self.chords[beat - 1]]
        return tuple(
            ChordSpan(self.beats[first], self.beats[stop], self.chords[first])
            for first, stop in pairwise([*starts, len(self.chords)])
        )

    def at(self, ms: float) -> Chord | None:
        """The chord at a time in clock-ms; None in a gap, NO_CHORD before the chart and after it."""
        beat = int(np.searchsorted(self.beats, ms, side="right")) - 1
        return self.chords[beat] if 0 <= beat < len(self.chords) else NO_CHORD

    def between(self, start_ms: float, end_ms: float) -> tuple[ChordSpan, ...]:
        """The spans from one time to another, cut at both."""
        cut = (ChordSpan(max(s.onset_ms, start_ms), min(s.end_ms, end_ms), s.chord) for s in self.spans)
        return tuple(span for span in cut if span.end_ms > span.onset_ms)

    def transposed(self, semitones: int) -> Chart:
        """The chart so many semitones higher."""
        return replace(self, chords=tuple(chord and chord.transposed(semitones) for chord in self.chords))

    def with_chords(self, chords: Sequence[Chord | None]) -> Chart:
        """The same beats with other chords, one a beat."""
        return replace(self, chords=tuple(chords))

    def key(self) -> int:
        """The sharps (flats below 0) of the key that the chords speak for: that whose scale has most of their tones.

        >>> Chart.from_text("D | G A7 | D", bar_lines=[0, 2000, 4000, 6000], beat_ms=500).key()
        2
        """
        weights = np.zeros(12)
        for span in self.spans:
            for tone in span.chord.pitch_classes if span.chord else ():
                weights[tone] += span.end_ms - span.onset_ms
        ends = [chord.root for chord in self.chords if chord][-1:]

        def outside(tonic: int) -> tuple[float, bool, int]:
            scale = [(tonic + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)]
            at_home = any(root in (tonic, (tonic + 9) % 12) for root in ends)
            return round(weights.sum() - weights[scale].sum(), 6), not at_home, abs(key_fifths(tonic))

        return key_fifths(min(range(12), key=outside))

    def text(self, fifths: int | None = None, *, german: bool = False) -> str:
        """The chart as text, bars between `|`, four a line after a pickup: `from_text` gives it back.

        fifths: the sharps (flats below 0) of the key to spell in, `key()` where none is given. Every bar begins with its
        chord's name.
        """
        key = self.key() if fifths is None else fifths
        lines = np.searchsorted(self.beats, self.bar_lines)
        bars = [_written(self.chords[first:stop], key, german) for first, stop in pairwise(lines.tolist())]
        pickup = len(bars) > 1 and _is_short(self.bar_lines)
        cuts = [0, *range(BARS_A_LINE + pickup, len(bars), BARS_A_LINE), len(bars)]
        return "\n".join(" | ".join(bars[first:stop]) for first, stop in pairwise(cuts))


# --- beats and bars ------------------------------------------------------------------------------------------------


def _times(values: ArrayLike) -> list[float]:
    times = [float(value) for value in np.asarray(values, dtype=np.float64).ravel()]
    if len(times) < 2 or not np.isfinite(times).all():
        raise PianalysisError(f"expected at least two bar lines or beats in clock-ms, found {times[:8]}")
    return times


def _beats_of(lines: list[float], beat_ms: float | None) -> list[float]:
    """Borders of beats of one length, counted from each bar's end, so that what is over is a pickup's first beat."""
    if beat_ms is None or not (np.isfinite(beat_ms) and beat_ms > 0):
        raise PianalysisError(f"expected a beat's length in clock-ms, such as 500, or the beats, found {beat_ms}")
    borders = []
    for start, end in pairwise(lines):
        count = max(1, int(np.ceil((end - start) / beat_ms - SAME_MS)))
        borders += [start, *(end - beat_ms * (count - beat) for beat in range(1, count))]
    return [*borders, *lines[-1:]]


def _agreed(borders: list[float], lines: list[float]) -> tuple[list[float], list[float]]:
    """Beats from the first bar line to the last, and the bar lines where the beats next to them are."""
    inside = [time for time in borders if lines and lines[0] - SAME_MS <= time <= lines[-1] + SAME_MS]
    if not inside:
        raise PianalysisError("expected bar lines with beats between them, found none")
    near = np.asarray(inside)
    moved = [float(near[np.argmin(np.abs(near - line))]) for line in lines]
    if np.abs(np.subtract(moved, lines)).max() > SAME_MS:
        raise PianalysisError("expected every bar line on a beat, found one between two beats")
    return inside, moved


def _is_short(lines: Sequence[float]) -> bool:
    """Whether the first bar is shorter than the second: a pickup."""
    return len(lines) > 2 and lines[1] - lines[0] < lines[2] - lines[1] - SAME_MS


# --- text ------------------------------------------------------------------------------------------------------------


def read_bars(text: str) -> list[Bar]:
    """The words of each bar of a typed chart, `%` replaced by the bar before.

    Raises PianalysisError for a text without bars, for repeat signs, and for a `%` that isn't alone or has nothing before.

    >>> read_bars("| C | Am F | % |\\n | G7 . | | C ||")
    [('C',), ('Am', 'F'), ('Am', 'F'), ('G7', '.'), (), ('C',)]
    """
    if len(text) > MAX_CHARACTERS:
        raise PianalysisError(f"the chords: expected at most {MAX_CHARACTERS:,} characters, found {len(text):,}")
    if re.search(r"\|:|:\|", text):
        raise PianalysisError("the chords: found a repeat sign; write the repeated bars out, % is one bar once more")
    bars: list[Bar] = []
    for line in text.removeprefix("\ufeff").replace("𝄀", "|").replace("𝄎", REPEAT).splitlines():
        inner = re.sub(r"\[\||\|\]|\|\|+", "|", line).strip()
        if not inner or inner == "|":
            continue
        for bar in inner.removeprefix("|").removesuffix("|").split("|"):
            bars.append(_unrepeated(tuple(bar.split()), bars))
    if not bars:
        raise PianalysisError('the chords: expected bars of chords such as "C | Am F | G7", found none')
    return bars


def _unrepeated(words: Bar, bars: list[Bar]) -> Bar:
    if REPEAT not in words:
        return words
    if len(words) > 1:
        raise PianalysisError(
            f"the chords, bar {len(bars) + 1}: % is a whole bar once more and stands alone in it; "
            "a . holds the chord for one more share"
        )
    if not bars:
        raise PianalysisError("the chords, bar 1: % is the bar before once more, and there is none")
    bar = bars[-1]
    if bar and bar[0] not in HOLDS:
        return bar
    sounding = (word for earlier in reversed(bars[:-1]) for word in reversed(earlier) if word not in HOLDS)
    return (next(sounding, "N.C."), *bar[1:])  # what the bar before held, not its own last chord


def _fitted(bars: list[Bar], lines: list[float]) -> list[Bar]:
    """The bars, as many as the piece has: without one for its pickup they get one. Raises PianalysisError otherwise."""
    expected = len(lines) - 1
    if len(bars) == expected - 1 and _is_short(lines):
        return [("N.C.",), *bars]
    if len(bars) != expected:
        pickup = ", of which the first, a pickup, may be left out" if _is_short(lines) else ""
        where = f"nothing is written for bar {len(bars) + 1}"
        if len(bars) > expected:
            where = f"bar {expected + 1} ({' '.join(bars[expected]) or 'which is empty'}) is past the end"
        raise PianalysisError(
            f"the chords: expected {expected} bars, as many as there are to be filled{pickup}, found {len(bars)}: {where}; "
            "an empty bar holds the chord before, % repeats the bar before"
        )
    return bars


def _placed(words: Bar, count: int, before: Chord | None, where: str, german: bool) -> list[Chord | None]:
    """One chord for each of a bar's beats."""
    chords: list[Chord | None] = [before] * count
    for word, start in zip(words, _starts(words, count, where), strict=True):
        if word not in HOLDS:
            chords[start:] = [_chord(word, where, german)] * (count - start)
    return chords


def _chord(word: str, where: str, german: bool) -> Chord | None:
    if word == GAP:
        return None
    try:
        return parse_chord(word, german=german)
    except PianalysisError as error:
        raise PianalysisError(f"{where}: {error}; % repeats a bar, . holds a chord, ? is a gap") from None


def _starts(words: Bar, count: int, where: str) -> list[int]:
    """The beat from which each word of a bar of so many beats counts; what holds may stand between two beats.

    >>> _starts(("C", "F", "G"), 4, ""), _starts(("C", "F"), 5, ""), _starts(("C", ".", ".", "F", ".", "."), 2, "")
    ([0, 2, 3], [0, 3], [0, 0, 0, 1, 1, 1])
    """
    size = len(words)
    on_beats = all(index * count % size == 0 for index, word in enumerate(words) if word not in HOLDS)
    if size <= count and not on_beats:
        return [-(-index * count // size) for index in range(size)]
    if not on_beats:
        plural = "" if count == 1 else "s"
        raise PianalysisError(
            f"{where}: {' '.join(words)} doesn't fit its {count} beat{plural}; expected at most one chord a beat"
        )
    return [index * count // size for index in range(size)]


def _written(chords: Sequence[Chord | None], fifths: int, german: bool) -> str:
    """A bar's chords in as few words as give them back."""

    count = len(chords)
    shares = ([-(-index * count // size) for index in range(size)] for size in range(1, count + 1))
    starts = next(starts for starts in shares if _tells(starts, chords))
    words = [chord.symbol(fifths, german=german) if (chord := chords[start]) else GAP for start in starts]
    held = [index > 0 and chords[start] == chords[start - 1] for index, start in enumerate(starts)]
    return " ".join(HOLDS[0] if same else word for word, same in zip(words, held, strict=True))


def _tells(starts: Sequence[int], chords: Sequence[Chord | None]) -> bool:
    """Whether a bar's chords change nowhere but at these beats; one word a beat always tells a bar."""
    return all(chords[beat] == chords[beat - 1] for beat in range(1, len(chords)) if beat not in starts)
