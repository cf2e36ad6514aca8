"""The notes of a left hand that plays figures: made by rule from a chart, the beats of a piece and the melody above.

In: a `Ground`, and which figure each bar has. Out: a `LeftHand`: notes in clock-ms, and from which key on the right hand plays.

Two things are placed. The bass is near E2 and near the bass before. The chord in close position takes the inversion that moves
least from the one before; where the chart writes a bass, it is the lowest tone. Both lie below the melody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np

from pianalysis.arranging.figures import CLOSE, TONIC, Figure, Strike
from pianalysis.arranging.structure import Earlier
from pianalysis.arranging.upbeat import begins_late
from pianalysis.harmony.beats import BeatGrid
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.qualities import PITCH_CLASSES, QUALITIES, semitones
from pianalysis.harmony.symbols import Chord
from pianalysis.music.hands import HIGHEST_LEFT, LOWEST_RIGHT, WIDEST_SPAN
from pianalysis.music.notes import Notes, let_go_before_restrike, make_notes

BASS_KEY: Final = 40
"""E2, around which basses lie."""
CLOSE_KEY: Final = 52
"""E3, around which chords in close position lie."""
LOWEST_CLOSE: Final = 46
"""Below this key a chord in close position growls."""
LOWEST_BASS: Final = 31
"""G1, below which basses rumble."""
TOO_FAR: Final = 2.0
"""What a semitone off the left hand's own keys costs, beside one that a voice moves."""
NOT_ROOT: Final = 6.0
"""What it costs a piece's first chord not to be in root position."""
UNDER_THE_BASS: Final = 20.0
OCTAVE: Final = 12
VELOCITY: Final = 64
"""How loud is the model's to say."""
CHORD_TONES: Final = {"1": 0, "3": 1, "5": 2, "8": 0, "10": 1, "12": 2}
"""Degrees that every chord has, as places among its triad's tones from the bass up."""
NO_KEY: Final = 128


@dataclass(frozen=True, eq=False)
class Ground:
    """What a left hand plays on, in the melody's own key.

    beats: of all bars, compound: whether its time signature counts in eighths or less, of which a beat may have three; eighth_ms:
    what it counts in, in clock-ms. above: sorted notes that nothing may reach, the melody. bars: those that are accompanied.
    keys: the lowest and the highest. tonic: of the piece's key, a pitch class. introduced: an introduction comes first, and no
    upbeat.
    """

    chart: Chart
    beats: BeatGrid
    unit_ms: float
    compound: bool
    above: Notes
    bars: range
    keys: tuple[int, int]
    tonic: int = 0
    introduced: bool = False


@dataclass(frozen=True, eq=False)
class LeftHand:
    """notes: sorted, in clock-ms. floors: from when on (clock-ms) the right hand plays no lower than which key, rising in time.
    returned: the bars that play what an earlier one played.
    """

    notes: Notes
    floors: tuple[tuple[float, int], ...]
    returned: frozenset[int]


@dataclass(frozen=True)
class _Part:
    """Beats of one bar that have one chord and divide alike: their borders in clock-ms; the first melody key above them."""

    borders: tuple[float, ...]
    ternary: bool
    chord: Chord
    ceiling: int


@dataclass(frozen=True)
class _Hand:
    """Where a left hand was last: its bass, and its chord in close position; 0 and () before the first."""

    bass: int = 0
    close: tuple[int, ...] = ()

    def moved(self, semitones: int) -> _Hand:
        return _Hand(self.bass and self.bass + semitones, tuple(key + semitones for key in self.close))


@dataclass
class _Written:
    """What is written so far, by bar."""

    notes: dict[int, Notes] = field(default_factory=dict)
    floors: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    hands: dict[int, _Hand] = field(default_factory=dict)


def left_hand(
    ground: Ground, figure_at: Callable[[int], Figure | None], returns: Mapping[int, Earlier] | None = None
) -> LeftHand:
    """The notes of a left hand. figure_at: the figure of a bar, None where it plays none.

    returns: bars that may play what an earlier one played, moved; they do where that lies below the melody. In a pickup, and
    where there is no chord, nothing is played; of what would reach the melody, what lies below.
    """
    written, hand, returned = _Written(), _Hand(), set[int]()
    for bar in ground.bars:
        figure = figure_at(bar)
        if figure is None or _is_pickup(ground, bar):
            continue
        earlier = (returns or {}).get(bar)
        if earlier is not None and _play_again(ground, written, bar, earlier):
            returned.add(bar)
            hand = written.hands[bar]
            continue
        found = []
        written.floors[bar] = []
        for part in _parts(ground, bar):
            notes, hand = _play(ground, figure, part, hand)
            found.append(notes)
            written.floors[bar].append((part.borders[0], _floor(notes, part.ceiling, ground)))
        written.notes[bar] = _clean(np.concatenate([make_notes(), *found]))
        written.hands[bar] = hand
    floors = [floor for bar in sorted(written.floors) for floor in written.floors[bar]]
    notes = np.concatenate([make_notes(), *(written.notes[bar] for bar in sorted(written.notes))])
    return LeftHand(notes, tuple(floors), frozenset(returned))


def _is_pickup(ground: Ground, bar: int) -> bool:
    """Whether a bar leads to the first whole one: a short one, or one in which the melody begins late."""
    if ground.introduced or bar != ground.bars.start or len(ground.bars) == 1 or not len(ground.above):
        return False
    first = int(np.searchsorted(ground.beats.bar, bar))
    borders = ground.beats.borders_ms[[first, int(np.searchsorted(ground.beats.bar, bar, side="right"))]]
    late = begins_late(float(ground.above["onset_ms"][0]), *borders.tolist())
    return (bar == 0 and bool(ground.beats.place[first])) or late


def _parts(ground: Ground, bar: int) -> Iterator[_Part]:
    """The parts of a bar that have a chord."""
    grid = ground.beats
    first, stop = (int(np.searchsorted(grid.bar, bar, side=side)) for side in ("left", "right"))
    beats = range(first, stop)
    lengths = np.diff(grid.borders_ms)
    ternary = {beat: ground.compound and round(lengths[beat] / ground.unit_ms) == 3 for beat in beats}
    chords = {beat: ground.chart.at((grid.borders_ms[beat] + grid.borders_ms[beat + 1]) / 2) for beat in beats}
    starts = [b for b in beats if b == first or (chords[b], ternary[b]) != (chords[b - 1], ternary[b - 1])]
    for begin, end in pairwise([*starts, stop]):
        chord, borders = chords[begin], grid.borders_ms[begin : end + 1]
        if chord:
            ceiling = lowest_between(ground.above, borders[0], borders[-1])
            if chord.pitch_classes:
                yield _Part(tuple(borders.tolist()), ternary[begin], chord, ceiling)


def lowest_between(above: Notes, start_ms: float, end_ms: float) -> int:
    """The lowest key that sounds above in a stretch of time."""
    ends = above["onset_ms"] + above["duration_ms"]
    inside = (above["onset_ms"] < end_ms - 1e-3) & (ends > start_ms + 1e-3)
    return int(above["pitch"][inside].min(initial=NO_KEY))


def _floor(notes: Notes, ceiling: int, ground: Ground) -> int:
    """The right hand's lowest key: above the left one's, in its own half, but for an octave under a low melody."""
    half = min(LOWEST_RIGHT, ceiling - OCTAVE)
    return min(max(int(notes["pitch"].max(initial=0)) + 1, half), ground.keys[1])


# --- where the hand lies ---------------------------------------------------------------------------------------------


def _play(ground: Ground, figure: Figure, part: _Part, hand: _Hand) -> tuple[Notes, _Hand]:
    """A figure's notes in a part, and where the hand is then."""
    pattern = figure.of(part.ternary, len(part.borders) - 1)
    names = {key for strike in pattern for key in strike.keys}
    lowest, top = ground.keys[0], min(part.ceiling, ground.keys[1]) - 1  # one key at least is left for the right hand
    keys: dict[str, int] = {}
    if steps := {name: above_bass(part.chord, name) for name in names if name not in (*CLOSE, TONIC)}:
        bass = _bass(part.chord.bass, range(min(0, *steps.values()), max(steps.values()) + 1), hand.bass, lowest, top)
        hand = replace(hand, bass=bass)
        keys |= {name: bass + step for name, step in steps.items()}
    if TONIC in names:
        keys[TONIC] = _bass(ground.tonic, range(1), 0, lowest, top)
    if names & set(CLOSE):
        hand = replace(
            hand,
            close=_close(
                part.chord,
                hand.close,
                max((key for name, key in keys.items() if name != TONIC), default=0),
                lowest,
                top,
            ),
        )
        keys |= dict(zip(CLOSE, hand.close, strict=True))
    keys = {name: key for name, key in keys.items() if lowest <= key <= top}
    return _notes(pattern, keys, part.borders), hand


def above_bass(chord: Chord, degree: str) -> int:
    """Semitones from a chord's bass up to a degree.

    >>> [above_bass(Chord(0), degree) for degree in ("1", "3", "5", "7", "8", "10", "12", "b7")]
    [0, 4, 7, 12, 12, 16, 19, 10]
    >>> [above_bass(Chord(7, "7"), degree) for degree in ("3", "5", "7")], above_bass(Chord(5, "maj", 0), "3")
    ([4, 7, 10], 5)
    >>> above_bass(Chord(0), "5,")
    -5
    """
    if degree.endswith(","):
        return above_bass(chord, degree[:-1]) - OCTAVE
    root, third, fifth, *seventh = QUALITIES[chord.core().quality]
    if degree == "7" and not seventh:
        degree = "8"
    if degree in CHORD_TONES:
        tones = {(chord.root + step - chord.bass) % PITCH_CLASSES for step in (root, third, fifth)}
        steps = [
            0,
            *sorted(step for step in tones if step > 2)[:2],
        ]  # a bass that is foreign to the triad has no second
        return steps[CHORD_TONES[degree]] + OCTAVE * (int(degree) > 7)
    step = seventh[0] if degree == "7" else semitones(degree)
    wanted = semitones(degree)
    return wanted + (chord.root + step - chord.bass - wanted + OCTAVE // 2) % PITCH_CLASSES - OCTAVE // 2


def _bass(pitch_class: int, reach: range, before: int, lowest: int, top: int) -> int:
    """The key of a bass around which so many semitones are needed: in its register, near to the bass before."""

    def cost(key: int) -> float:
        moved = 0.5 * abs(key - before) if before else 0.0
        low, high = max(0, LOWEST_BASS - key - reach[0]), max(0, key + reach[-1] - HIGHEST_LEFT)
        return abs(key - BASS_KEY) + moved + TOO_FAR * (low + high)

    keys = range(lowest + (pitch_class - lowest) % PITCH_CLASSES, NO_KEY, PITCH_CLASSES)
    fitting = [key for key in keys if lowest <= key + reach[0] and key + reach[-1] <= top] or [*keys[:1]]
    return min(fitting, key=cost)


def close_tones(chord: Chord) -> tuple[tuple[int, ...], bool]:
    """The three pitch classes of a chord in close position, and whether the first of them must be the lowest.

    >>> close_tones(Chord(7, "7")), close_tones(Chord(5, "maj", 0)), close_tones(Chord(11, "hdim7"))
    (((7, 11, 5), False), ((0, 5, 9), True), ((11, 5, 9), False))
    """
    root, third, fifth, *seventh = QUALITIES[chord.core().quality]
    steps = (root, third, fifth)
    if seventh:  # without the fifth, but where it tells the chord
        steps = (root, third if fifth == 7 else fifth, seventh[0])
    tones = tuple((chord.root + step) % PITCH_CLASSES for step in steps)
    if chord.bass == chord.root:
        return tones, False
    others = [tone for tone in tones if tone != chord.bass][:2]
    return (chord.bass, *others), True


def _close(chord: Chord, before: tuple[int, ...], bass: int, lowest: int, top: int) -> tuple[int, ...]:
    """The keys of a chord in close position: the inversion near to the chord before, above the figure's other keys."""
    tones, fixed = close_tones(chord)

    def cost(keys: tuple[int, ...]) -> float:
        if before:
            moved = float(sum(abs(key - other) for key, other in zip(keys, before, strict=True)))
        else:
            moved = NOT_ROOT * (keys[0] % PITCH_CLASSES != chord.bass)
        low, high = max(0, LOWEST_CLOSE - keys[0]), max(0, keys[-1] - HIGHEST_LEFT + 2)
        place = 0.3 * abs(sum(keys) / len(keys) - CLOSE_KEY)
        return moved + low + TOO_FAR * high + place + UNDER_THE_BASS * (keys[0] <= bass)

    stacks = []
    for key in range(lowest, NO_KEY):
        if key % PITCH_CLASSES in (tones[:1] if fixed else tones):
            others = [key + (tone - key) % PITCH_CLASSES for tone in tones if tone != key % PITCH_CLASSES]
            stacks.append((key, *sorted(others)))
    fitting = [keys for keys in stacks if keys[-1] <= top] or stacks[:1]
    return min(fitting, key=cost)


# --- notes -----------------------------------------------------------------------------------------------------------


def _notes(pattern: tuple[Strike, ...], keys: Mapping[str, int], borders: tuple[float, ...]) -> Notes:
    """The notes of a pattern whose names lie on some keys, in clock-ms; names without a key are left out."""
    beats = np.arange(len(borders))
    held: list[list[float]] = []  # onset, end, key
    for strike in pattern:
        start, end = np.interp([float(strike.start), float(strike.end)], beats, borders)
        struck = in_reach([keys[name] for name in strike.keys if name in keys])
        for note in held:  # what is too far away to be held is let go
            if note[0] < start - 1e-3 and any(abs(note[2] - key) > WIDEST_SPAN for key in struck):
                note[1] = min(note[1], start)
        held += [[start, end, key] for key in struck]
    return make_notes((start, end - start, int(key), VELOCITY) for start, end, key in held)


def in_reach(keys: list[int]) -> list[int]:
    """Keys that one hand strikes at once: the lowest an octave higher while they span more than a twelfth.

    >>> in_reach([36, 52, 60]), in_reach([36, 48])
    ([48, 52, 60], [36, 48])
    """
    keys = sorted(keys)
    while keys and keys[-1] - keys[0] > WIDEST_SPAN:
        keys = sorted({keys[0] + OCTAVE, *keys[1:]})
    return keys


def _clean(notes: Notes) -> Notes:
    """Sorted notes of which none is struck while its key is held; of two at once the longer stays."""
    notes = let_go_before_restrike(notes)
    kept: Notes = notes[notes["duration_ms"] > 1e-3]
    return kept


# --- bars that return ------------------------------------------------------------------------------------------------


def _play_again(ground: Ground, written: _Written, bar: int, earlier: Earlier) -> bool:
    """Whether a bar can play what an earlier one played; then that is written, in place."""
    before = written.notes.get(earlier.bar)
    if before is None or not len(before):
        return False
    first, last = (int(np.searchsorted(ground.beats.bar, number)) for number in (earlier.bar, bar))
    by_ms = ground.beats.borders_ms[last] - ground.beats.borders_ms[first]
    notes = before.copy()
    notes["onset_ms"] += by_ms
    notes["pitch"] += earlier.shift
    for onset, length, pitch, _ in notes.tolist():
        top = min(lowest_between(ground.above, onset, onset + length), ground.keys[1])
        if not ground.keys[0] <= pitch < top:
            return False
    written.notes[bar] = notes
    written.hands[bar] = written.hands[earlier.bar].moved(earlier.shift)
    written.floors[bar] = [
        (start + by_ms, min(floor + earlier.shift, ground.keys[1])) for start, floor in written.floors[earlier.bar]
    ]
    return True
