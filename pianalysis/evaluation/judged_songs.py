"""What one song of a judgement is: its melody, its chords, and the accompaniments under it, all on one clock.

In: a melody, arrangements of it and a reference, each a file or a score. Out: a `JudgedSong`, and what is to be said of how it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.chord_files import given_chords, stated_chords
from pianalysis.evaluation.folders import Source
from pianalysis.evaluation.matching import FOUND, Fit, best_fit, likely_transposition, melody_in, moved
from pianalysis.evaluation.songs import BY_RULE, Chords, Song, excerpt_of
from pianalysis.evaluation.summary import Voices
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.recognise import recognise_spans
from pianalysis.melody.find import find_melody
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import NOTE_DTYPE, Notes, make_notes, sort_notes
from pianalysis.music.timed import beat_by_beat, pitched_notes, quarter_ms_of, score_of

JUDGED: Final = "judged"
"""What stands in a corpus's place."""
GIVEN, STATED, NOWHERE = "given", "stated", "none"
"""Where chords come from, beside `BY_RULE`: a file of chords, the melody's own file; nowhere."""
REAL, BEATS = "real time", "beats"
"""The ways to read a score's times on another's clock."""


@dataclass(frozen=True, eq=False)
class JudgedSong:
    """A song, its pieces by system, and remarks, each a sentence that names the song."""

    song: Song
    voices: dict[str, Voices]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Part:
    """Notes of a score as they may stand on the song's clock, by the way they are read, and the track of each."""

    ways: dict[str, Notes]
    tracks: np.ndarray


def read_song(
    name: str,
    melody: Source,
    arrangements: Mapping[str, Source],
    reference: tuple[str, Source] | None = None,
    chords: Source | None = None,
    melody_track: int | str | None = None,
) -> JudgedSong:
    """A song of one name.

    arrangements: by system. reference: the name of its system, and the piece. melody_track: of the arrangements, its number from
    1 or its name; else the melody is found. The clock is the melody's, or the reference's where that states more of tempo and
    metre. Raises PianalysisError, or FileNotFoundError, that names the file for what can't be read.
    """
    remarks: list[str] = []
    score = score_of(melody, name=_called(melody, name))
    pieces = dict(arrangements) if reference is None else {reference[0]: reference[1], **arrangements}
    scores = {system: score_of(piece, name=_called(piece, name)) for system, piece in pieces.items()}
    found = find_melody(score, name=_called(melody, name)).notes
    clock, lead, ways = _lead(score, found, scores[reference[0]] if reference else None)
    if not _says(lead):
        remarks.append(f"{name}: neither tempo nor metre is stated; read as 120 quarters a minute in 4/4")
    fit = (
        best_fit(ways, {REAL: clock.notes_to_clock(pitched_notes(lead))})
        if lead is not score
        else Fit(REAL, REAL, 0.0, 1.0, 1.0)
    )
    on_clock = moved(ways[fit.lead], -fit.shift_ms)
    excerpt = excerpt_of(clock, on_clock)
    voices = {}
    for system, piece in scores.items():
        track = melody_track if reference is None or system != reference[0] else None
        part, said = _placed(piece, clock, on_clock, track, name=f"{name}, {system}")
        remarks += said
        voices[system] = Voices(excerpt.of(part.melody), excerpt.of(part.accompaniment))
    below = voices[reference[0]].accompaniment if reference else make_notes()
    spans: Chords = ()
    source = NOWHERE
    if chords is not None:
        spans, source = given_chords(chords, excerpt, name=_called(chords, f"{name}, chords")), GIVEN
    elif lead is score and (spans := stated_chords(score, clock)):
        source = STATED
    song = excerpt.song(name, JUDGED, on_clock, make_notes(), spans, source)
    song = _with(song, below, heard=reference is not None and source == NOWHERE)
    return JudgedSong(song, voices, tuple(remarks))


def _called(source: Source, name: str) -> str:
    return str(source) if isinstance(source, str) or hasattr(source, "__fspath__") else name


def _with(song: Song, accompaniment: Notes, *, heard: bool) -> Song:
    """The song with the reference's accompaniment, and if asked for with the chords that are heard in it."""
    song = replace(song, accompaniment=accompaniment)
    if not heard:
        return song
    spans = recognise_spans(np.concatenate([song.melody, accompaniment]), clock_beats(song.clock))
    labels = tuple((span.onset_ms, span.end_ms, span.chord.harte() if span.chord else "N") for span in spans)
    return replace(song, chords=labels, chord_source=BY_RULE)


def _says(score: symusic.Score) -> int:
    """How much a score says of its time: tempo, metre."""
    return int(len(score.tempos) > 0) + int(len(score.time_signatures) > 0)


def _lead(
    score: symusic.Score, melody: Notes, reference: symusic.Score | None
) -> tuple[BeatClock, symusic.Score, dict[str, Notes]]:
    """The clock, the score that it is of, and the melody as it may stand on it."""
    if reference is None or _says(score) >= _says(reference):
        clock = BeatClock.from_score(score)
        return clock, score, {REAL: clock.notes_to_clock(melody)}
    clock = BeatClock.from_score(reference)
    return clock, reference, _ways(melody, BeatClock.from_score(score), clock)


def _ways(notes: Notes, own: BeatClock, clock: BeatClock) -> dict[str, Notes]:
    """Notes in real ms on another clock than their own, by real time and quarter by quarter."""
    return {REAL: clock.notes_to_clock(notes), BEATS: beat_by_beat(notes, own, clock)}


def _part(score: symusic.Score, clock: BeatClock) -> _Part:
    """The pitched notes of a score on a clock that may be another's."""
    rows, tracks = [], []
    for number, track in enumerate(score.tracks):
        if not track.is_drum:
            notes = track_notes(score, [track])
            rows.append(notes)
            tracks.append(np.full(len(notes), number))
    real: Notes = np.concatenate([np.zeros(0, NOTE_DTYPE), *rows])
    ways = _ways(real, BeatClock.from_score(score), clock)
    return _Part(ways, np.concatenate([np.zeros(0, np.int64), *tracks]))


def _placed(
    score: symusic.Score, clock: BeatClock, melody: Notes, chosen: int | str | None, *, name: str
) -> tuple[Voices, list[str]]:
    """A piece on the song's clock, its melody and the rest; and what is to be said of how it was read."""
    number = None if chosen is None else _number(score, chosen, name)
    part = _part(score, clock)
    of_track = part.tracks == number if number is not None else np.ones(len(part.tracks), bool)
    fit = best_fit({REAL: melody}, {way: notes[of_track] for way, notes in part.ways.items()})
    notes = moved(part.ways[fit.piece], fit.shift_ms)
    mine = of_track if number is not None else melody_in(melody, notes, part.tracks)
    said = []
    if fit.piece == BEATS:
        said.append(
            f"{name}: its tempi are others than the melody's, with which it agrees beat by beat; read by its beats"
        )
    if fit.shift_ms:
        beats = fit.shift_ms / quarter_ms_of(clock)
        said.append(
            f"{name}: its melody stands {abs(beats):.2f} quarters {'later' if beats < 0 else 'earlier'}; moved back"
        )
    if fit.recall < FOUND:
        kept = round(fit.recall * len(melody))
        what = "the rest counts as accompaniment" if kept else "all of it counts as accompaniment"
        if up := likely_transposition(melody, notes):
            what += f"; all is there {abs(up)} semitones {'higher' if up > 0 else 'lower'}, which isn't the melody that was given"
        said.append(f"{name}: expected the melody's {len(melody)} notes in it, found {kept}; {what}")
    return Voices(sort_notes(notes[mine]), sort_notes(notes[~mine])), said


def _number(score: symusic.Score, chosen: int | str, name: str) -> int:
    """The place of a track, from 0, by its number from 1 or its name."""
    if isinstance(chosen, int):
        if not 1 <= chosen <= len(score.tracks):
            raise PianalysisError(
                f"{name}: expected a melody track from 1 to {len(score.tracks)}, found {chosen}; without one it is found"
            )
        return chosen - 1
    names = [track.name.strip() for track in score.tracks]
    wanted = [place for place, title in enumerate(names) if title.casefold() == chosen.strip().casefold()]
    if len(wanted) != 1:
        raise PianalysisError(
            f"{name}: expected one track called {chosen}, found {len(wanted)} among {', '.join(names) or 'none'}"
        )
    return wanted[0]
