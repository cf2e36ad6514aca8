"""Tunes that everybody knows, with the chords that a music teacher would accept: the public's test of the harmoniser.

The melodies are typed in ABC, repeats written out. The charts were written by hand from how the tunes are accompanied:
I, IV and V7 where they belong, with the substitutes that one hears. Bars between `|`; a bar's words share its beats as in
a chart, `.` holds; a word is what may be there, parted by commas, `*` anything (a pickup). A plain triad stands for itself
with a sixth or a major (on a minor triad: minor) seventh, G7 for G too; inversions are all right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from pianalysis.harmony.beats import BeatGrid, clock_beats
from pianalysis.harmony.chart import Chart, read_bars
from pianalysis.harmony.symbols import Chord, parse_chord
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes

ANYTHING: Final = "*"
GROWN: Final = {"maj": ("maj", "maj7"), "min": ("min", "min7"), "7": ("maj", "7"), "dim": ("dim", "hdim7", "dim7")}
"""What a chord of an expected quality may be once it is brought to its core."""


@dataclass(frozen=True)
class Tune:
    """A tune: its ABC, metre, key as sharps (flats below 0), tonic as pitch class, and the chart that is expected."""

    title: str
    abc: str
    time_signature: tuple[int, int]
    fifths: int
    tonic: int
    chart: str

    @property
    def minor(self) -> bool:
        """Whether the key is minor."""
        return 7 * self.fifths % 12 != self.tonic

    @cached_property
    def score(self):
        return from_abc(self.abc, name=self.title)

    @cached_property
    def clock(self) -> BeatClock:
        return BeatClock.from_score(self.score)

    @cached_property
    def beats(self) -> BeatGrid:
        return clock_beats(self.clock)

    @property
    def bar_lines(self) -> np.ndarray:
        """Clock-ms; the first bar is whole: a pickup is at its end."""
        return self.clock.bar_lines

    @cached_property
    def melody(self) -> np.ndarray:
        """Its notes in clock-ms."""
        return self.clock.notes_to_clock(track_notes(self.score, self.score.tracks))

    def accepted(self, chart: Chart) -> list[bool]:
        """Whether each of the chart's beats has a chord that is expected there."""
        return [_is_among(chord, word) for chord, word in zip(chart.per_beat(), self._words(chart), strict=True)]

    def decisive(self, chart: Chart) -> list[bool]:
        """Whether at each of the chart's beats the tonic's chord will not do: a drone gets the others right too."""
        tonic = Chord(self.tonic, "min" if self.minor else "maj")
        return [not _is_among(tonic, word) for word in self._words(chart)]

    def _words(self, chart: Chart) -> list[str]:
        """What is expected at each of the chart's beats."""
        lines = np.searchsorted(chart.beats, chart.bar_lines)
        counts = np.diff(lines).tolist()
        bars = read_bars(self.chart)
        if len(bars) != len(counts):
            raise ValueError(f"{self.title}: the expected chart has {len(bars)} bars, the tune {len(counts)}")
        return [word for bar, count in zip(bars, counts, strict=True) for word in _shared(bar, count)]

    def ends_on_tonic(self, chart: Chart) -> bool:
        """Whether the last chord's root is the tonic."""
        last = chart.per_beat()[-1]
        return last is not None and last.root == self.tonic


def _shared(bar: tuple[str, ...], count: int) -> list[str]:
    """The word that each of a bar's beats has."""
    told: list[str] = []
    for beat in range(count):
        words = bar[: 1 + max(i for i in range(len(bar)) if -(-i * count // len(bar)) <= beat)]
        told.append(next(word for word in reversed(words) if word != "."))
    return told


def _is_among(chord: Chord | None, word: str) -> bool:
    if word == ANYTHING:
        return True
    core = chord.core() if chord else None
    expected = [parse_chord(name) for name in word.split(",")]
    return core is not None and any(e.root == core.root and core.quality in GROWN[e.quality] for e in expected)


TWINKLE = Tune(
    "Twinkle, Twinkle, Little Star",
    """X:1
M:4/4
L:1/4
Q:1/4=104
K:C
C C G G | A A G2 | F F E E | D D C2 |
G G F F | E E D2 | G G F F | E E D2 |
C C G G | A A G2 | F F E E | D D C2 |]
""",
    (4, 4),
    0,
    0,
    """
    C | F,Am,Dm C,Em | F,Dm,G7,Bdim C,Am,Em | G7 C,Am |
    C,Em,G7 F,Dm,G7 | C,Am,Em G7 | C,Em,G7 F,Dm,G7 | C,Am,Em G7 |
    C | F,Am,Dm C,Em | F,Dm,G7,Bdim C,Am,Em | G7 C
    """,
)

ODE_TO_JOY = Tune(
    "Ode to Joy",
    """X:1
M:4/4
L:1/4
Q:1/4=120
K:C
E E F G | G F E D | C C D E | E>D D2 |
E E F G | G F E D | C C D E | D>C C2 |
D D E C | D E/F/ E C | D E/F/ E D | C D G, E- |
E E F G | G F E D | C C D E | D>C C2 |]
""",
    (4, 4),
    0,
    0,
    """
    C | C,G7,Em C,G7,Am | C,Am,F C,Am,G7 | C,Am,G7 G7 |
    C | C,G7,Em C,G7,Am | C,Am,F C,Am,G7 | G7 C |
    G7,Dm C,Am | G7,Dm C,Am | G7,Dm C,Am,E7,G7 | Am,C,F,D7,Dm . G7 G7,C,Em |
    C | C,G7,Em C,G7,Am | C,Am,F C,Am,G7 | G7 C
    """,
)

AMAZING_GRACE = Tune(
    "Amazing Grace",
    """X:1
M:3/4
L:1/4
Q:1/4=88
K:G
D | G2 B/G/ | B2 A | G2 E | D2 D | G2 B/G/ | B2 A | d3- | d2
B | d2 B/G/ | B2 A | G2 E | D2 D | G2 B/G/ | B2 A | G3- | G2 |]
""",
    (3, 4),
    1,
    7,
    """
    * |
    G | G7,Em,Bm . G7,Em,Bm,D7,Am | C,Em | G,Bm |
    G,Em | G,Em,Bm,A7,Am . G,Em,A7,Am,D7 | D7 | D7 . D7,G,Bm |
    G | G7,Em,Bm . G7,Em,Bm,D7,Am | C,Em | G,Bm |
    G,Em | D7,G,Em,A7,Am,Bm . D7,A7,Am,G | G,C | G
    """,
)

SILENT_NIGHT = Tune(
    "Silent Night",
    """X:1
M:6/8
L:1/8
Q:3/8=50
K:C
G>A G E3 | G>A G E3 | d2 d B3 | c2 c G3 |
A2 A c>B A | G>A G E3 | A2 A c>B A | G>A G E3 |
d2 d f>d B | c3 e3 | c G E G>F D | C3- C2 z |]
""",
    (6, 8),
    0,
    0,
    """
    C | C | G7,Dm G7 | C C,Em |
    F,Dm,Am | C | F,Dm,Am | C |
    G7,Dm G7,Bdim | C,Am | C,Am G7 | C
    """,
)

AULD_LANG_SYNE = Tune(
    "Auld Lang Syne",
    """X:1
M:4/4
L:1/4
Q:1/4=100
K:F
C | F>F F A | G>F G A | F>F A c | d3 d | c>A A F | G>F G A | F>D D C | F3
d | c>A A F | G>F G d | c>A A c | d3 d | c>A A F | G>F G A | F>D D C | F3 |]
""",
    (4, 4),
    -1,
    5,
    """
    * |
    F F,Dm | C7,Gm . C7,Gm C7,Gm,F,A7 | F,Dm F7,Am | Bb,Gm,Dm | F,Am F,Dm | C7,Gm . C7,Gm C7,Gm,F,A7 |
    Bb,Dm,Gm Bb,Gm,C7 | F,Dm . . F,Dm,F7,Bb |
    F,Am F,Dm | C7,Gm . C7,Gm C7,Gm,Bb | F,Am F7,Am | Bb,Gm,Dm | F,Am F,Dm | C7,Gm . C7,Gm C7,Gm,F,A7 |
    Bb,Dm,Gm Bb,Gm,C7 | F
    """,
)

GREENSLEEVES = Tune(
    "Greensleeves",
    """X:1
M:6/8
L:1/8
Q:3/8=60
K:Am
A | c2 d e>^f e | d2 B G>A B | c2 A A>^G A | B2 ^G E2
A | c2 d e>^f e | d2 B G>A B | c>B A ^G>^F G | A3- A2 z |
g3 g>^f e | d2 B G>A B | c2 A A>^G A | B2 ^G E3 |
g3 g>^f e | d2 B G>A B | c>B A ^G>^F G | A3- A2 z |]
""",
    (6, 8),
    0,
    9,
    """
    * |
    Am,C,F Am,C,Em | G,Em,Bm G,Em | Am,F,C Am,F,Dm | E7 E7,Am |
    Am,C,F Am,C,Em | G,Em,Bm G,Em | Am,F,C,Dm E7 | Am |
    C,G,Em C,Em,G,Am | G,Em,Bm G,Em | Am,F,C Am,F,Dm | E7 |
    C,G,Em C,Em,G,Am | G,Em,Bm G,Em | Am,F,C,Dm E7 | Am,A
    """,
)

IRISH_WASHERWOMAN = Tune(
    "The Irish Washerwoman",
    """X:1
M:6/8
L:1/8
Q:3/8=110
K:G
d/c/ | BGG DGG | BGB dcB | cAA EAA | cAc edc | BGG DGG | BGB dcB | cBc Adc | BGG G2
d/c/ | BGG DGG | BGB dcB | cAA EAA | cAc edc | BGG DGG | BGB dcB | cBc Adc | BGG G2
g/a/ | bgg dgg | bgb bag | aff dff | afa agf | egg dgg | cgg Bgg | cBc Adc | BGG G2
g/a/ | bgg dgg | bgb bag | aff dff | afa agf | egg dgg | cgg Bgg | cBc Adc | BGG G2 z |]
""",
    (6, 8),
    1,
    7,
    "* |"
    + "G | G | Am,C,D7 Am,C | Am,C,D7 | G | G | C,Am,D7 D7 | G |" * 2
    + "G | G G,Em | D7 | D7 | C,Em,G G,Em,Bm | C,Am G,Em | C,Am,D7 D7 | G |" * 2,
)

TUNES: Final = (
    TWINKLE,
    ODE_TO_JOY,
    AMAZING_GRACE,
    SILENT_NIGHT,
    AULD_LANG_SYNE,
    GREENSLEEVES,
    IRISH_WASHERWOMAN,
)
