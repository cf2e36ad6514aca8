"""Finding the melody of a score: its likeliest track, and the line of that.

In: a score in ticks. Out: a `Melody`: which notes they are, exactly as the file has them, and how they were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import symusic

from pianalysis.errors import NoMelodyError, PianalysisError
from pianalysis.melody.line import find_line
from pianalysis.melody.names import NameSays, read_name
from pianalysis.melody.track_scores import ScoredTrack, score_tracks
from pianalysis.melody.turns import in_turn, where_it_rests
from pianalysis.melody.voices import ONE_VOICE_SHARE, line_kind, line_of_track
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import Notes

SPARSE_SHARE: Final = 0.25
"""A melody found in polyphony that has fewer notes than this share of the top line's is none: of the validation songs of
POP909 and OpenScore Lieder none has a melody of fewer than 0.3."""


@dataclass(frozen=True, eq=False)
class Melody:
    """A melody: `score_notes` as symusic notes in ticks, unchanged; `notes` the same in real ms; `how` it was found."""

    score_notes: tuple[symusic.Note, ...]
    notes: Notes
    how: str


def find_melody(score: symusic.Score, *, track: int | None = None, name: str = "the file") -> Melody:
    """The melody of a score: the line of its likeliest track (`score_tracks`), or of the one that is chosen.

    The line of a track that is one voice is all its notes, that of a hand's chords or of voices in thirds its top line, and that
    of a track that both hands play `find_line`'s, or the top line where that finds next to nothing; what others sing where a
    singer rests is added (`turns`); `how` says which. `track` chooses a track by its number from 1. Raises NoMelodyError when
    only drums play, PianalysisError for a track number that isn't there.
    """
    if track is not None:
        chosen = _track_by_number(score, track, name)
        return _line_of(score, chosen, f"track {track}{_quoted(chosen)}, as you chose")
    scored = score_tracks(score)
    if not scored:
        raise NoMelodyError(f"{name}: expected a melody, found only drums; give a file with a pitched track")
    best = scored[0]
    found = _line_of(score, score.tracks[best.number - 1], _numbered(score, best.number) + _reason(best, len(scored)))
    return _with_turns(score, scored, found)


def _with_turns(score: symusic.Score, scored: Sequence[ScoredTrack], found: Melody) -> Melody:
    """The melody with the notes of those who sing it where it rests."""
    line, joined = list(found.score_notes), []
    for other in in_turn(scored):
        track = score.tracks[other.number - 1]
        if turns := where_it_rests(line, list(track.notes), score.tpq):
            line += turns
            joined.append(f"track {other.number}{_quoted(track)}")
    if not joined:
        return found
    picked = symusic.Track()
    picked.notes.extend(sorted(line, key=lambda note: (note.time, note.pitch, note.duration)))
    how = f"{found.how}; where it rests, {' and '.join(joined)}"
    return Melody(tuple(picked.notes), track_notes(score, [picked]), how)


def _reason(best: ScoredTrack, tracks: int) -> str:
    """Why a track was chosen, in words that go on after its name."""
    if best.says in (NameSays.MELODY, NameSays.PERHAPS):
        return ", by its name"
    if best.part.one_voice >= ONE_VOICE_SHARE:
        return ", which is one voice"
    return f", the likeliest of {tracks}" if tracks > 1 else ""


def _quoted(track: symusic.Track) -> str:
    return f" “{track.name.strip()}”" if track.name.strip() else ""


def _numbered(score: symusic.Score, number: int) -> str:
    """A track as a user may name it: with its number where there are others with notes."""
    track = score.tracks[number - 1]
    if sum(len(item.notes) > 0 for item in score.tracks) == 1:
        return f"the track{_quoted(track)}"
    return f"track {number} of {len(score.tracks)}{_quoted(track)}"


def _track_by_number(score: symusic.Score, number: int, name: str) -> symusic.Track:
    if not 1 <= number <= len(score.tracks):
        raise PianalysisError(f"{name}: expected a track from 1 to {len(score.tracks)}, found {number}")
    track = score.tracks[number - 1]
    if not len(track.notes):
        raise PianalysisError(f"{name}: track {number}{_quoted(track)} holds no notes; choose another")
    return track


def _line_of(score: symusic.Score, track: symusic.Track, how: str) -> Melody:
    """The line of a track: notes of the file's own, by their place among all, so that none is changed."""
    notes = track_notes(score, [track])
    others = sum(len(item.notes) > 0 and not item.is_drum for item in score.tracks) - 1
    kind = line_kind(notes, only=others < 1, named=read_name(track.name) == NameSays.MELODY)
    if kind == "one voice" or track.is_drum:
        return Melody(tuple(track.notes), notes, how)
    line = line_of_track(notes)
    said = "its top line"
    if kind == "likeliest line":
        found = find_line(notes)
        said = "the likeliest line of a polyphonic file, by melody extraction, which need not be its top line"
        if found.sum() >= SPARSE_SHARE * len(line):
            line = notes[found]
        else:
            said = "the top line of a polyphonic file, in which melody extraction found next to none"
    kept = {(row["onset_ms"], row["pitch"]) for row in line}
    ordered = sorted(track.notes, key=lambda n: (n.time, n.pitch, n.duration))
    # A key struck twice at once is one note of the line, the longer of the two, which comes last.
    chosen = {
        (note.time, note.pitch): note
        for note, row in zip(ordered, notes, strict=True)
        if (row["onset_ms"], row["pitch"]) in kept
    }
    picked = symusic.Track()
    picked.notes.extend(chosen.values())
    return Melody(tuple(chosen.values()), track_notes(score, [picked]), f"{how}; {said}; its other notes are left out")


def notes_around(score: symusic.Score, melody: Melody) -> Notes:
    """All notes of a score but its melody's and drums, in real ms, sorted."""
    kept = {(note.time, note.pitch) for note in melody.score_notes}
    rest = symusic.Track()
    for track in score.tracks:
        if not track.is_drum:
            rest.notes.extend(note for note in track.notes if (note.time, note.pitch) not in kept)
    return track_notes(score, [rest])
