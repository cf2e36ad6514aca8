"""One voice or several: how far a track is one voice, and the top line of one that is not.

In: notes in real milliseconds. Out: a share, or some of the notes, unchanged.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from pianalysis.music.notes import SAME_ONSET_MS, Notes, sort_notes

ONE_VOICE_SHARE: Final = 0.95
"""A track is one voice when at least this share of its notes neither starts with nor well inside another."""
TWO_HANDS_OCTAVES: Final = 2.75
"""A track of chords that ranges further (5th to 95th percentile) is both hands: its melody need not be its top line."""
NEARLY_ONE_VOICE: Final = 0.8
"""In a track that is nearly one voice a note that is held over a little is played legato, and hides none below it."""

Kind = Literal["one voice", "top line", "likeliest line"]


def line_kind(notes: Notes, *, only: bool = False, named: bool = False) -> Kind:
    """Which of its notes are the line of a track: all, those on top, or those that melody extraction finds.

    only: no other track has notes, so that one of chords is all that is played. named: its name says that it is a melody, so
    that notes that sound on, but don't begin together, are a pedal's or a program's doing.
    """
    if voice_share(notes) >= ONE_VOICE_SHARE or (named and _begins_apart(notes)):
        return "one voice"
    low, high = np.quantile(notes["pitch"], [0.05, 0.95])
    return "likeliest line" if only or high - low > 12 * TWO_HANDS_OCTAVES else "top line"


def _begins_apart(notes: Notes) -> bool:
    """Whether hardly two notes begin together."""
    waits = np.diff(np.sort(notes["onset_ms"]))
    return bool((waits >= SAME_ONSET_MS).mean() >= ONE_VOICE_SHARE) if len(waits) else True


def voice_share(notes: Notes) -> float:
    """The share of notes that neither start with another nor start before the note before has half ended.

    >>> from pianalysis.music.notes import make_notes
    >>> voice_share(make_notes([(0, 500, 60, 80), (450, 500, 62, 80)]))
    1.0
    """
    if len(notes) < 2:
        return 1.0
    notes = sort_notes(notes)
    gap = np.diff(notes["onset_ms"])
    clash = (gap < SAME_ONSET_MS) | (gap < notes["duration_ms"][:-1] / 2)
    return 1.0 - float(clash.mean())


def skyline(notes: Notes) -> Notes:
    """The top line: the highest note of each chord, unless a higher one of the line sounds on (Uitdenbogerd & Zobel, 1998)."""
    notes = sort_notes(notes)
    ends = notes["onset_ms"] + notes["duration_ms"]
    kept: list[int] = []
    sounding: list[int] = []  # those of `kept`, rising in pitch
    for index in np.lexsort((-notes["duration_ms"], -notes["pitch"], notes["onset_ms"])):
        onset, pitch = notes["onset_ms"][index], notes["pitch"][index]
        near = [k for k in kept[-1:] if onset - notes["onset_ms"][k] < SAME_ONSET_MS]
        sounding = [k for k in sounding if ends[k] > onset + SAME_ONSET_MS]
        if any(notes["pitch"][k] >= pitch for k in (*sounding, *near)):
            continue
        if near:  # a chord rolled upwards: its top note takes the place of the one below
            kept.pop()
            sounding = [k for k in sounding if k not in near]
        kept.append(int(index))
        sounding.append(int(index))
    return notes[sorted(kept)]


def top_line(hand: Notes, others: Notes) -> tuple[Notes, Notes]:
    """The melody of a right hand, its `skyline`, and all that is played with it: the hand's other notes and `others`.

    Two new arrays, sorted. In neither are the keys of the line that are struck a second time at once, by another voice or
    the other hand, and the line's grace notes, which are over before the note that they lean on begins.

    >>> from pianalysis.music.notes import make_notes
    >>> hand = make_notes([(0, 25, 71, 90), (28, 400, 72, 90), (28, 90, 72, 90), (28, 400, 64, 90)])
    >>> line, below = top_line(hand, make_notes([(28, 400, 48, 90)]))
    >>> line["pitch"].tolist(), below["pitch"].tolist()
    ([72], [48, 64])
    """
    line = skyline(hand)
    if len(line):
        following = np.searchsorted(line["onset_ms"], hand["onset_ms"], side="right")
        leant_on = line["onset_ms"][np.minimum(following, len(line) - 1)]
        near = (following < len(line)) & (leant_on - hand["onset_ms"] < SAME_ONSET_MS)
        hand = hand[~(near & (hand["onset_ms"] + hand["duration_ms"] <= leant_on))]
    below = sort_notes(np.concatenate([hand, others]))
    struck = set(line[["onset_ms", "pitch"]].tolist())
    return line, below[[key not in struck for key in below[["onset_ms", "pitch"]].tolist()]]


def line_of_track(notes: Notes) -> Notes:
    """The line of a track: all its notes where it is one voice, else its top line.

    >>> from pianalysis.music.notes import make_notes
    >>> legato = make_notes([*((500 * n, 560, 72 - n, 80) for n in range(8)), (3500, 560, 60, 80)])
    >>> line_of_track(legato)["pitch"].tolist()
    [72, 71, 70, 69, 68, 67, 66, 65]
    """
    share = voice_share(notes)
    if share >= ONE_VOICE_SHARE:
        return sort_notes(notes)
    if share < NEARLY_ONE_VOICE:
        return skyline(notes)
    given = sort_notes(notes)
    let_go = given.copy()
    starts = np.unique(given["onset_ms"])
    following = np.append(starts, np.inf)[np.searchsorted(starts, given["onset_ms"] + SAME_ONSET_MS)]
    wait = following - given["onset_ms"]
    legato = wait >= given["duration_ms"] / 2
    let_go["duration_ms"][legato] = np.minimum(given["duration_ms"], wait)[legato]
    kept = {(row["onset_ms"], row["pitch"]) for row in skyline(let_go)}
    # A key struck twice at once is one note of the line, the longer of the two, which comes last.
    places = {(row["onset_ms"], row["pitch"]): place for place, row in enumerate(given)}
    return given[sorted(place for key, place in places.items() if key in kept)]
