"""How a score spells what sounds: note values, tuplets and beams, and pitches.

In: chords on a measure's grid. Out: `Event`s that fill the measure. Times are in the units of `measures`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final

from pianalysis.output.measures import QUARTER, SMALLEST, TRIPLET_SIXTEENTH, Chord, Measure

NAMES: Final = {192: "whole", 96: "half", 48: "quarter", 24: "eighth", 12: "16th", 6: "32nd", 3: "64th"}
VALUES: Final = {
    **{units: (name, 0) for units, name in NAMES.items()},
    **{units * 3 // 2: (name, 1) for units, name in NAMES.items() if units > SMALLEST},
}
"""Units of each note value: its name and its dots."""
TRIPLET_VALUES: Final = {32: ("quarter", 0), 24: ("eighth", 1), 16: ("eighth", 0), 8: ("16th", 0)}
BEAMS: Final = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}


@dataclass(frozen=True)
class Event:
    """A chord or a rest (chord None) as it is written: from where, in units from the measure's start, and how long.

    triplet: it is three in the time of two; bracket: "start" or "stop" of that. tied, ties: from the event before, to
    the next. beams: of each level, as MusicXML calls them. whole: a rest of the whole measure.
    """

    start: int
    length: int
    name: str
    dots: int
    chord: Chord | None = None
    triplet: bool = False
    bracket: str = ""
    tied: bool = False
    ties: bool = False
    beams: tuple[str, ...] = ()
    whole: bool = False


def events_of(voice: list[Chord], measure: Measure) -> list[Event]:
    """One voice's chords and rests that fill a measure; `voice` holds no overlaps."""
    stop = measure.start + measure.length
    inside = [chord for chord in voice if chord.onset < stop and chord.end > measure.start]
    if not inside and measure.length == measure.metre[0] * 4 * QUARTER // measure.metre[1]:
        return [Event(0, measure.length, "whole", 0, whole=True)]
    spans: list[tuple[int, int, Chord | None]] = []
    place = 0
    for chord in inside:
        begin, end = max(0, chord.onset - measure.start), min(stop, chord.end) - measure.start
        if begin > place:
            spans.append((place, begin, None))
        spans.append((begin, end, chord))
        place = end
    if place < measure.length:
        spans.append((place, measure.length, None))
    return _beamed(_spelled(spans, measure), measure)


def _spelled(spans: list[tuple[int, int, Chord | None]], measure: Measure) -> list[Event]:
    """Spans as note values: cut at the edges of beats in triplets, and where a value would hide a beat."""
    ternary = [
        (begin, end)
        for begin, end in pairwise([*measure.beats, measure.length])
        if any(begin < edge < end and edge % SMALLEST for span in spans for edge in span[:2])
    ]
    edges = sorted({edge for beat in ternary for edge in beat})
    events: list[Event] = []
    for begin, end, chord in spans:
        cuts = [begin, *(edge for edge in edges if begin < edge < end), end]
        for start, stop in pairwise(cuts):
            beat = next((beat for beat in ternary if beat[0] <= start < beat[1]), None)
            events += _triplets(start, stop, chord, beat) if beat else _values(start, stop, chord, measure)
    return [_with_ties(event, measure) for event in events]


def _with_ties(event: Event, measure: Measure) -> Event:
    if event.chord is None:
        return event
    start = measure.start + event.start
    return replace(event, tied=start > event.chord.onset, ties=start + event.length < event.chord.end)


def _triplets(start: int, stop: int, chord: Chord | None, beat: tuple[int, int]) -> list[Event]:
    events = []
    first = start
    while start < stop:
        fitting = [v for v, (_, dots) in TRIPLET_VALUES.items() if v <= stop - start and not (dots and chord is None)]
        length = max(fitting, default=TRIPLET_SIXTEENTH)
        name, dots = TRIPLET_VALUES[length]
        events.append(Event(start, length, name, dots, chord, triplet=True))
        start += length
    if first == beat[0]:
        events[0] = replace(events[0], bracket="start")
    if stop == beat[1]:
        events[-1] = replace(events[-1], bracket="stop")
    return events


def _values(start: int, stop: int, chord: Chord | None, measure: Measure) -> list[Event]:
    events = []
    while start < stop:
        fits = [length for length in VALUES if length <= stop - start and _shows_beats(start, length, chord, measure)]
        length = max(fits, default=SMALLEST)
        events.append(Event(start, length, *VALUES[length], chord))
        start += length
    return events


def _shows_beats(start: int, length: int, chord: Chord | None, measure: Measure) -> bool:
    """Whether a value may stand there: within a beat any; over beats only so that the beats can still be read."""
    stop = start + length
    dotted = bool(VALUES[length][1])
    if chord is None and dotted and not measure.compound:
        return False
    if not any(start < beat < stop for beat in measure.beats):
        return chord is not None or start % min(length, QUARTER) == 0 or measure.compound
    edges = (*measure.beats, measure.length)
    if measure.compound:
        return start in edges and stop in edges
    middle = 2 * QUARTER if measure.length == 4 * QUARTER else -1
    if start < middle < stop and start and (start, stop) not in ((QUARTER, 3 * QUARTER), (QUARTER, 4 * QUARTER)):
        return False
    if chord is None:
        return start % length == 0 and stop in edges and (middle > 0 or length == measure.length)
    return start in edges or (start % (QUARTER // 2) == 0 and length in (QUARTER, QUARTER * 3 // 2))


def _beamed(events: list[Event], measure: Measure) -> list[Event]:
    """The events with beams over those of one beat that follow each other without a rest."""

    def run(event: Event) -> tuple[int, bool]:
        return sum(beat <= event.start for beat in measure.beats), event.chord is not None and event.name in BEAMS

    result: list[Event] = []
    for (_, has_flags), group in groupby(events, key=run):
        members = list(group)
        result += _beams_over(members) if has_flags and len(members) > 1 else members
    return result


def _beams_over(run: list[Event]) -> list[Event]:
    """Beams of a run: of each level begin, continue, end, or a hook for a value that stands alone.

    >>> [event.beams for event in _beams_over([Event(0, 36, "eighth", 1), Event(36, 12, "16th", 0)])]
    [('begin',), ('end', 'backward hook')]
    """
    counts = [BEAMS[event.name] for event in run]
    result = []
    for index, event in enumerate(run):
        beams = []
        for level in range(1, counts[index] + 1):
            before = index > 0 and counts[index - 1] >= level
            after = index + 1 < len(run) and counts[index + 1] >= level
            if before and after:
                beams.append("continue")
            elif before or after:
                beams.append("end" if before else "begin")
            else:
                beams.append("backward hook" if index else "forward hook")
        result.append(replace(event, beams=tuple(beams)))
    return result


def spell_pitch(pitch: int, fifths: int) -> tuple[str, int, int]:
    """Step, alteration and octave of a MIDI pitch in a key of so many sharps (flats below 0).

    Of each key's twelve notes those are taken that lie on the circle of fifths from three below its tonic to eight
    above: in C from E flat to G sharp.

    >>> spell_pitch(70, 0), spell_pitch(70, 6), spell_pitch(59, -6)
    (('B', -1, 4), ('A', 1, 4), ('C', -1, 4))
    """
    place = next(n for n in range(fifths - 3, fifths + 9) if (7 * n - pitch) % 12 == 0)
    alteration = (place + 1) // 7
    return "FCGDAEB"[(place + 1) % 7], alteration, (pitch - alteration) // 12 - 1
