"""Finding the melody of a MIDI file: by name, as one voice, or as the likeliest line.

In: a score in ticks. Out: a `Melody`: which notes they are, exactly as the file has them, and how they were found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import symusic

from pianalysis.errors import NoMelodyError, PianalysisError
from pianalysis.melody.line import find_line
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import SAME_ONSET_MS, Notes, sort_notes

LABELS: Final = re.compile(r"melod|vocal|voice|sing|lead|canto|soprano|solo|tune|theme|旋律|主旋律", re.IGNORECASE)
ONE_VOICE_SHARE: Final = 0.95
"""A track is one voice when at least this share of its notes neither starts with nor well inside another."""
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
    """The melody of a score: a labelled track, else a track that is one voice, else the likeliest line of all tracks.

    That line is `find_line`'s, or the top line (`skyline`) where it finds next to nothing; `how` says which. `track`
    chooses a track by its number from 1. Raises NoMelodyError when only drums play, PianalysisError for a track number
    that isn't there.
    """
    if track is not None:
        chosen = _track_by_number(score, track, name)
        return _whole_track(score, chosen, f"track {track}{_quoted(chosen)}, as you chose")
    tracks = list(score.tracks)
    pitched = [item for item in tracks if len(item.notes) and not item.is_drum]
    if not pitched:
        raise NoMelodyError(f"{name}: expected a melody, found only drums; give a file with a pitched track")
    labelled = [item for item in pitched if LABELS.search(item.name)]
    if labelled:
        best = max(labelled, key=lambda item: len(item.notes))
        return _whole_track(score, best, f"{_numbered(tracks, best)}, by its name")
    voices = [item for item in pitched if voice_share(track_notes(score, [item])) >= ONE_VOICE_SHARE]
    longest = max((len(item.notes) for item in voices), default=0)
    if longest >= min(8, max(len(item.notes) for item in pitched)):
        candidates = [item for item in voices if 2 * len(item.notes) >= longest]
        best = max(candidates, key=lambda item: float(np.mean(item.notes.numpy()["pitch"].astype(int))))
        return _whole_track(score, best, f"{_numbered(tracks, best)}, which is one voice")
    return _line_of(score, pitched)


def _quoted(track: symusic.Track) -> str:
    return f" “{track.name.strip()}”" if track.name.strip() else ""


def _numbered(tracks: list[symusic.Track], track: symusic.Track) -> str:
    """A track as a user may name it: with its number where there are others with notes."""
    if sum(len(item.notes) > 0 for item in tracks) == 1:
        return f"the track{_quoted(track)}"
    number = next(index for index, item in enumerate(tracks, start=1) if item is track)
    return f"track {number} of {len(tracks)}{_quoted(track)}"


def _track_by_number(score: symusic.Score, number: int, name: str) -> symusic.Track:
    if not 1 <= number <= len(score.tracks):
        raise PianalysisError(f"{name}: expected a track from 1 to {len(score.tracks)}, found {number}")
    track = score.tracks[number - 1]
    if not len(track.notes):
        raise PianalysisError(f"{name}: track {number}{_quoted(track)} holds no notes; choose another")
    return track


def _whole_track(score: symusic.Score, track: symusic.Track, how: str) -> Melody:
    return Melody(tuple(track.notes), track_notes(score, [track]), how)


def _line_of(score: symusic.Score, tracks: list[symusic.Track]) -> Melody:
    """The melody of polyphonic tracks: notes of the file's own, by their place among all, so that none is changed."""
    ordered = sorted((note for item in tracks for note in item.notes), key=lambda n: (n.time, n.pitch, n.duration))
    notes = track_notes(score, tracks)
    line, top = find_line(notes), skyline(notes)
    how = "the likeliest line of a polyphonic file, by melody extraction, which need not be its top line"
    if line.sum() < SPARSE_SHARE * len(top):
        kept = {(row["onset_ms"], row["pitch"]) for row in top}
        line = np.array([(row["onset_ms"], row["pitch"]) in kept for row in notes])
        how = "the top line of a polyphonic file, in which melody extraction found next to none"
    # A key struck twice at once is one note of the line, the longer of the two, which comes last.
    chosen = {(note.time, note.pitch): note for note, is_melody in zip(ordered, line, strict=True) if is_melody}
    picked = symusic.Track()
    picked.notes.extend(chosen.values())
    how += " (no track is named melody or is one voice); the other notes are left out"
    return Melody(tuple(chosen.values()), track_notes(score, [picked]), how)


def notes_around(score: symusic.Score, melody: Melody) -> Notes:
    """All notes of a score but its melody's and drums, in real ms, sorted."""
    kept = {(note.time, note.pitch) for note in melody.score_notes}
    rest = symusic.Track()
    for track in score.tracks:
        if not track.is_drum:
            rest.notes.extend(note for note in track.notes if (note.time, note.pitch) not in kept)
    return track_notes(score, [rest])


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
