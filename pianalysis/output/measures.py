"""Measures and voices: played notes as a score would write them.

In: a score in ticks. Out: its measures, and for a staff in each of them up to two voices of chords and rests that fill it.
All written times are in units of 1/48 of a quarter, in which sixteenths, triplets and 64ths are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.output.slowing import slows_from

QUARTER: Final = 48
EIGHTH, SIXTEENTH, TRIPLET_EIGHTH, TRIPLET_SIXTEENTH, THIRTYSECOND = 24, 12, 16, 8, 6
SMALLEST: Final = 3
"""A 64th: every bar is a whole number of these."""
SAME_LENGTH: Final = 24
"""Notes struck together that end so near each other are one chord."""
SMALL_GAP: Final = 0.4
"""A pianist's chord that sounds for all but this share of the time to the next is written as long as that."""
VOICES: Final = 2
TEMPO_CHANGE: Final = 0.1
"""A tempo mark is printed where the tempo differs so much from the mark before; playback follows every change."""

FREE_CHANGES: Final = 8
"""With more tempi than this, and one to every two quarters, a tempo map is a player's, not a composer's."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A measure: its written start and length, its metre, where its beats begin (from its start), its played start.

    pickup: it comes before the first full bar, and is shorter.
    """

    start: int
    length: int
    metre: tuple[int, int]
    beats: tuple[int, ...]
    played: float
    pickup: bool = False

    @property
    def compound(self) -> bool:
        """Whether its beats are dotted or uneven: then there are no triplets in it."""
        return self.metre[1] >= 8


@dataclass(frozen=True)
class Chord:
    """Keys struck together: written onset and end, and (pitch, velocity) from the lowest up."""

    onset: int
    end: int
    keys: tuple[tuple[int, int], ...] = field(default=())

    @property
    def height(self) -> float:
        """The mean of its pitches."""
        return float(np.mean([pitch for pitch, _ in self.keys]))


def beats_of(metre: tuple[int, int], length: int) -> tuple[int, ...]:
    """Where the beats of a bar begin, in units: 7/8 is felt as two, two and three.

    >>> beats_of((3, 4), 144), beats_of((6, 8), 144), beats_of((7, 8), 168)
    ((0, 48, 96), (0, 72), (0, 48, 96))
    """
    numerator, denominator = metre
    unit = 4 * QUARTER // denominator
    if denominator < 8:
        steps = [QUARTER] * (length // QUARTER + 1)
    elif numerator % 3 == 0:
        steps = [3 * unit] * (length // (3 * unit) + 1)
    else:
        steps = [2 * unit] * ((numerator - 3) // 2 if numerator % 2 else numerator // 2)
    begins = [0]
    for step in steps:
        if begins[-1] + step < length:
            begins.append(begins[-1] + step)
    return tuple(begins)


def measures_of(score: symusic.Score, end: float) -> list[Measure]:
    """The measures of a score from tick 0 to a played `end` in units, at least one.

    A change of metre inside a bar cuts it off, unless it is less than a sixteenth late: then it waits for nothing.
    """
    changes = {0.0: (4, 4)}
    for item in sorted(score.time_signatures, key=lambda signature: signature.time):
        if 0 < item.numerator <= 64 and item.denominator in (1, 2, 4, 8, 16, 32, 64):
            changes[max(0, item.time) * QUARTER / score.tpq] = (item.numerator, item.denominator)
    starts = [moment for moment in changes if moment < end or moment == 0]
    measures: list[Measure] = []
    written = 0
    for begin, stop in pairwise([*starts, max(end, starts[-1] + 1)]):
        metre, last = changes[begin], begin == starts[-1]
        bar = metre[0] * 4 * QUARTER // metre[1]
        rest = (stop - begin) % bar
        whole = int((stop - begin) // bar) + (last and rest > 0.5)
        lengths = [bar] * whole
        if not last and rest >= SIXTEENTH / 2:
            lengths.append(min(bar, max(SIXTEENTH, round(rest / SIXTEENTH) * SIXTEENTH)))
        for number, length in enumerate(lengths or [bar] * last):
            measures.append(Measure(written, length, metre, beats_of(metre, length), begin + number * bar))
            written += length
    return _with_pickup(measures)


def _with_pickup(measures: list[Measure]) -> list[Measure]:
    """A first bar in a shorter metre of its own is a pickup to the second."""
    if len(measures) > 1 and measures[0].metre != measures[1].metre and measures[0].length < measures[1].length:
        first = replace(measures[0], metre=measures[1].metre, pickup=True)
        return [replace(first, beats=beats_of(first.metre, first.length)), *measures[1:]]
    return measures


def without_silence(measures: list[Measure], notes: list[Chord]) -> list[Measure]:
    """The measures with the silence before the first of all notes, in the first measure, left out: a pickup.

    It is cut off to a sixteenth; where that isn't one, or where there are triplets, to the beat before it.
    """
    first, onset = measures[0], min(note.onset for note in notes)
    if first.pickup and onset >= first.length:  # nothing but silence, which a performance begins with
        return measures[1:]
    edges = [edge for note in notes for edge in (note.onset, note.end) if edge < first.length]
    cut = max((beat for beat in first.beats if beat <= onset), default=0)
    if onset % SIXTEENTH == 0 and not any(edge % SMALLEST for edge in edges):
        cut = onset
    if not cut or onset >= first.length or len(measures) == 1:
        return measures
    beats = (0, *(beat - cut for beat in first.beats if beat > cut))
    rest = replace(first, start=cut, length=first.length - cut, beats=beats, played=first.played + cut, pickup=True)
    return [rest, *measures[1:]]


def tempo_marks(score: symusic.Score, measures: list[Measure]) -> dict[int, list[tuple[int, float, bool]]]:
    """For each measure's index its tempi: units from its start, quarters a minute, and whether it is printed.

    Where the piece slows down to its end (`slows_from`), none are. Of a performance, whose tempo changes at nearly every beat,
    only the tempo of most of it is printed.
    """
    slow = slows_from(score)
    played = np.array([measure.played for measure in measures])
    tempi = {max(0, tempo.time): 60_000_000 / tempo.mspq for tempo in score.tempos if tempo.mspq > 0}
    marks: dict[int, list[tuple[int, float, bool]]] = {}
    shown = 0.0
    length = (measures[-1].played + measures[-1].length - measures[0].played) / QUARTER
    if len(tempi) > max(FREE_CHANGES, length / 2):
        marks[0], shown = [(0, float(np.median([*tempi.values()])), True)], np.inf
    for tick, bpm in sorted({0: 120.0, **tempi}.items()):
        place = tick * QUARTER / score.tpq
        index = max(0, int(np.searchsorted(played, place + 1, side="right")) - 1)
        offset = round(np.clip(place - played[index], 0, measures[index].length))
        printed = (
            np.isfinite(shown)
            and abs(bpm - shown) > TEMPO_CHANGE * bpm
            and not any(mark[2] for mark in marks.get(index, []))
        )
        printed = printed and (slow is None or tick < slow or not tick)
        shown = bpm if printed else shown
        marks.setdefault(index, []).append((offset, bpm, printed))
    return marks


def voices_of(notes: list[Chord], *, sung: bool = False) -> list[list[Chord]]:
    """One staff's notes in two voices of chords, in none of which two overlap; the first is the higher.

    Every note keeps its onset; lengths are those a score would write. Where a third length would be needed, the chord that was struck later is cut off.
    """
    chords = _legato(_chords(notes), sung=sung)
    voices: list[list[Chord]] = [[] for _ in range(VOICES)]
    begins = [0] * VOICES  # of the stretch in which at least one voice sounds
    for chord in chords:
        busy = [bool(voice) and voice[-1].end > chord.onset for voice in voices]
        if not any(busy):
            _higher_first(voices, begins)
            begins = [len(voice) for voice in voices]
            voices[0].append(chord)
        elif not all(busy):
            voices[busy.index(False)].append(chord)
        else:
            later = max(voices, key=lambda voice: voice[-1].onset)
            before = later.pop()
            if before.onset == chord.onset:
                later.append(replace(before, keys=tuple(sorted({*before.keys, *chord.keys}))))
            else:
                later.extend([replace(before, end=chord.onset), chord])
    _higher_first(voices, begins)
    return voices


def _higher_first(voices: list[list[Chord]], begins: list[int]) -> None:
    """Swap, in place, what the two voices hold from `begins` on where the second is the higher one."""
    first, second = (voice[begin:] for voice, begin in zip(voices, begins, strict=True))
    if first and second and np.mean([c.height for c in first]) < np.mean([c.height for c in second]):
        voices[0][begins[0] :], voices[1][begins[1] :] = second, first


def _chords(notes: list[Chord]) -> list[Chord]:
    """Notes struck together as one chord, or as two, a long and a short one, sorted."""
    struck_again: dict[int, int] = {}
    at: dict[int, list[Chord]] = {}
    limits: dict[tuple[int, int], int] = {}
    for note in reversed(notes):
        pitch = note.keys[0][0]
        limits[note.onset, pitch] = struck_again.get(pitch, note.end + SAME_LENGTH)
        struck_again[pitch] = note.onset
    for note in notes:
        at.setdefault(note.onset, []).append(note)
    chords = []
    for onset, members in sorted(at.items()):
        members.sort(key=lambda note: note.end)
        gaps = [after.end - before.end for before, after in pairwise(members)]
        cut = int(np.argmax(gaps)) + 1 if gaps and members[-1].end - members[0].end > SAME_LENGTH else 0
        for group in (members[cut:], members[:cut]):
            if group:
                end = min(group[-1].end, *(limits[onset, note.keys[0][0]] for note in group))
                chords.append(Chord(onset, end, tuple(sorted(note.keys[0] for note in group))))
    return chords


def _legato(chords: list[Chord], *, sung: bool) -> list[Chord]:
    """Chords with the ends a score would write: to the next chord where they nearly reach it, else on a whole eighth.

    So a pianist's short chord is an eighth, and no dotted one with two rests after it. Of what is `sung` only the smallest gaps are
    closed: there a rest is breath.
    """
    onsets = sorted({chord.onset for chord in chords})
    following = dict(pairwise(onsets))
    result = []
    for chord in chords:
        after = following.get(chord.onset)
        gap = SIXTEENTH if sung or after is None else max(SIXTEENTH, SMALL_GAP * (after - chord.onset))
        if after is not None and -SIXTEENTH <= after - chord.end <= gap:
            chord = replace(chord, end=after)
        elif not sung and not (chord.onset % SIXTEENTH or chord.end % SIXTEENTH):
            chord = replace(chord, end=_on_an_eighth(chord, after))
        result.append(chord)
    return result


def _on_an_eighth(chord: Chord, after: int | None) -> int:
    """Where a chord on sixteenths ends as it is written: a long one no later than it does, a short one no earlier.

    after: the next chord's onset, beyond which no chord that ends before it is written.
    """
    late = chord.end % EIGHTH
    if not late or chord.end - chord.onset > QUARTER:
        return chord.end - late
    longer = chord.end - late + EIGHTH
    return longer if after is None or longer <= after else chord.end
