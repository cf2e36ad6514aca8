"""How a score spells what sounds: note values, tuplets and beams, and pitches.

In: chords on a measure's grid. Out: `Event`s that fill the measure. Times are in the units of `measures`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, pairwise
from typing import Final

from pianalysis.harmony.symbols import NO_CHORD
from pianalysis.harmony.symbols import Chord as NamedChord
from pianalysis.output.measures import QUARTER, SMALLEST, TRIPLET_SIXTEENTH, Chord, Measure

NAMES: Final = {192: "whole", 96: "half", 48: "quarter", 24: "eighth", 12: "16th", 6: "32nd", 3: "64th"}
VALUES: Final = {
    **{units: (name, 0) for units, name in NAMES.items()},
    **{units * 3 // 2: (name, 1) for units, name in NAMES.items() if units > SMALLEST},
}
"""Units of each note value: its name and its dots."""
TRIPLET_VALUES: Final = {
    **{128: ("whole", 0), 64: ("half", 0)},
    **{32: ("quarter", 0), 24: ("eighth", 1), 16: ("eighth", 0), 8: ("16th", 0)},
}
TRIPLETS_OF: Final = {QUARTER: "eighth", 2 * QUARTER: "quarter", 4 * QUARTER: "half"}
"""The value of which there are three in so many units."""
BEAMS: Final = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}


@dataclass(frozen=True)
class Event:
    """A chord or a rest (chord None) as it is written: from where, in units from the measure's start, and how long.

    triplet: of what value it is three in the time of two, "" for none; bracket: "start" or "stop" of that. tied, ties: from
    the event before, to the next. beams: of each level, as MusicXML calls them. whole: a rest of the whole measure.
    """

    start: int
    length: int
    name: str
    dots: int
    chord: Chord | None = None
    triplet: str = ""
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
    """Spans as note values: cut at the edges of triplets, and where a value would hide a beat."""
    groups = _triplet_groups(spans, measure)
    edges = sorted({edge for group in groups for edge in group})
    events: list[Event] = []
    for begin, end, chord in spans:
        cuts = [begin, *(edge for edge in edges if begin < edge < end), end]
        for start, stop in pairwise(cuts):
            group = next((group for group in groups if group[0] <= start < group[1]), None)
            events += _triplets(start, stop, chord, group) if group else _values(start, stop, chord, measure)
    return [_with_ties(event, measure) for event in events]


def _triplet_groups(spans: list[tuple[int, int, Chord | None]], measure: Measure) -> list[tuple[int, int]]:
    """From where to where three are played in the time of two: over four beats or two where notes reach over them, or one.

    Over several beats only as half bars and bars of 4/4 divide them; in other metres over any two.
    """
    inside = {edge for span in spans for edge in span[:2]}
    beats = [*measure.beats, measure.length]
    groups: list[tuple[int, int]] = []
    place = 0
    while place + 1 < len(beats):
        for count in (4, 2, 1):
            aligned = measure.length != 4 * QUARTER or place % count == 0
            begin, end = beats[place], beats[min(place + count, len(beats) - 1)]
            if aligned and end - begin == count * QUARTER and _is_triplet(begin, end, inside):
                groups.append((begin, end))
                place += count - 1
                break
        else:
            begin, end = beats[place], beats[place + 1]
            if any(begin < edge < end and edge % SMALLEST for edge in inside):
                groups.append((begin, end))  # what is left of a beat, or one that no three values fill evenly
        place += 1
    return groups


def _is_triplet(begin: int, end: int, edges: set[int]) -> bool:
    """Whether what begins and ends between two edges of beats is on thirds of the way, or sixths where that is two beats or one.

    Over several beats nothing may begin or end where a shorter triplet would, in the middle.
    """
    third = (end - begin) // 3
    own = {edge - begin for edge in edges if begin < edge < end}
    if end - begin == QUARTER:
        return any(edge % SMALLEST for edge in own)
    if not own or own & set(range(QUARTER, end - begin, QUARTER)):
        return False
    long = {edge for edge in own if edge % third == 0}
    if end - begin == 4 * QUARTER:
        return long == own
    # the note over the middle must be a plain one: between thirds
    before, after = (max({0, *own} & set(range(QUARTER))), min({end - begin, *own} - set(range(QUARTER))))
    return not (any(edge % (third // 2) for edge in own) or before % third or after % third)


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
        events.append(Event(start, length, name, dots, chord, triplet=TRIPLETS_OF.get(beat[1] - beat[0], "eighth")))
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


def spell_pitch(pitch: int, fifths: int, chord: NamedChord | None = None) -> tuple[str, int, int]:
    """Step, alteration and octave of a MIDI pitch in a key of so many sharps (flats below 0).

    A tone of the chord is spelled as the chord is. Of other notes each key has the twelve that lie on the circle of fifths
    from three below its tonic to eight above: in C from E flat to G sharp.

    >>> spell_pitch(70, 0), spell_pitch(70, 6), spell_pitch(59, -6)
    (('B', -1, 4), ('A', 1, 4), ('C', -1, 4))
    >>> spell_pitch(61, -1), spell_pitch(61, -1, NamedChord(10, "min"))
    (('C', 1, 4), ('D', -1, 4))
    """
    place = _chord_places(chord, fifths).get(pitch % 12) if chord is not None else None
    if place is None:
        place = next(n for n in range(fifths - 3, fifths + 9) if (7 * n - pitch) % 12 == 0)
    alteration = (place + 1) // 7
    return "FCGDAEB"[(place + 1) % 7], alteration, (pitch - alteration) // 12 - 1


@cache
def _chord_places(chord: NamedChord, fifths: int) -> dict[int, int]:
    """Where on the circle of fifths, C being 0, a chord's tones are, by pitch class; not those that are altered twice.

    >>> _chord_places(NamedChord(10, "min"), -1)
    {10: -2, 1: -5, 5: -1}
    """
    name = chord.symbol(fifths)
    root = "FCGDAEB".find(name[:1]) - 1
    if chord == NO_CHORD or root < -1:
        return {}
    for sign in name[1:]:
        if sign not in "#b":
            break
        root += 7 if sign == "#" else -7
    places = {}
    for degree in chord.degrees:
        number = int(degree.strip("b#"))
        altered = degree.count("#") - degree.count("b")
        place = root + (0, 2, 4, -1, 1, 3, 5)[(number - 1) % 7] + 7 * altered
        if abs((place + 1) // 7) < 2:
            places[7 * place % 12] = place
    return places
