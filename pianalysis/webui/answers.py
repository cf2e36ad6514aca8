"""What the endpoints answer: types that a program can rely on, as `/gradio_api/info` and MCP show them.

In: nothing. Out: dicts with their fields and types. All times are real milliseconds. A `Row` is a note: onset_ms, duration_ms,
pitch, velocity.
"""

from __future__ import annotations

from typing import TypedDict

from pianalysis.webui.wire import Row


class ChordInfo(TypedDict):
    """A chord of a piece. bar, beat: where it begins, from 1. symbol: as people write it, "?" where it isn't known.

    probability: how likely it is to hold so long, by the melody alone, 0 to 1; null where somebody gave it.
    """

    start_ms: float
    end_ms: float
    bar: int
    beat: int
    symbol: str
    probability: float | None


class KeyInfo(TypedDict):
    """A key. fifths: its sharps, flats below 0. name: such as "G major"."""

    fifths: int
    name: str


class TrackInfo(TypedDict):
    """A line that may be a file's melody. number: its track's, from 1. share: of the time in which it doesn't rest.

    likelihood: that it is the melody. contour: its mean pitch in equal stretches of the piece, null where it rests. opening:
    its first seconds, from its first note.
    """

    number: int
    name: str
    notes: int
    share: float
    low: int
    high: int
    likelihood: float
    chosen: bool
    contour: list[float | None]
    opening: list[Row]


class TrackName(TypedDict):
    """A track that a melody may be chosen from: its number from 1, its name, how many notes it has."""

    number: int
    name: str
    notes: int


class Intake(TypedDict):
    """A melody as it was understood, before anything is written. melody: what the other endpoints take for it.

    kind: example, midi, musicxml, abc, notes, played or recording. track: the chosen track, 0 where the melody was found
    among all. pickup: quarters before the first whole bar. tunes: how many the tune book has. chords: the chart that the file
    states, "" for none.
    """

    title: str
    kind: str
    melody: str
    tracks: list[TrackInfo]
    track: int
    how_found: str
    key: KeyInfo
    time_signature: str
    bpm: float
    pickup: float
    bars: int
    seconds: float
    tunes: int
    chords: str
    melody_notes: list[Row]
    bar_lines_ms: list[float]
    remarks: list[str]


class FitInfo(TypedDict):
    """How well an accompaniment fits its melody: see `fit.Fit`."""

    melody_kept: float
    chord_tones: float | None
    notes_per_second: float
    human: float
    spread: float
    verdict: str


class Start(TypedDict):
    """The first event: the piece before its accompaniment, as it will sound."""

    event: str
    title: str
    melody: list[Row]
    bar_lines_ms: list[float]
    bars: int
    how_found: str
    remarks: list[str]
    tracks: list[TrackName]
    seed: int
    key: KeyInfo
    time_signature: str
    bpm: float
    chords: list[ChordInfo]


class Fresh(TypedDict):
    """Notes just written. hands: L or R for each of them.

    A row with the onset and the pitch of an earlier one is that note again, shorter: its key is struck again.
    """

    event: str
    notes: list[Row]
    hands: str
    bars_done: int
    bars: int


class Done(TypedDict):
    """A whole piece. piece: its id. chart: its chords as text, a bar each from bar `chart_bar` on, as `chords` takes it.

    pedal: from when to when the sustain pedal is down.
    """

    event: str
    piece: str
    title: str
    melody: list[Row]
    notes: list[Row]
    hands: str
    bar_lines_ms: list[float]
    bars: int
    seconds: float
    seed: int
    style: str
    key: KeyInfo
    time_signature: str
    bpm: float
    chords: list[ChordInfo]
    chart: str
    chart_bar: int
    pedal: list[list[float]]
    remarks: list[str]
    fit: FitInfo
    written_in_s: float


class Choice(TypedDict):
    """A chord that might stand in another's place."""

    symbol: str
    probability: float


class Alternatives(TypedDict):
    """A chord of a piece, and the likeliest others for as long as it lasts."""

    piece: str
    chord: ChordInfo
    alternatives: list[Choice]


class Chords(TypedDict):
    """A piece's chords; chart, chart_bar: as in `Done`."""

    piece: str
    chords: list[ChordInfo]
    chart: str
    chart_bar: int
