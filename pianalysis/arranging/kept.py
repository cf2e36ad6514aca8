"""What stays of the file that a melody comes from, beside its notes: words, markers, programme, bends, pedal, controllers.

In: a score and its melody's notes. Out: a track for the melody, and markers.
"""

from __future__ import annotations

from collections.abc import Sequence

import symusic

from pianalysis.harmony.stated import is_chord, other_markers
from pianalysis.music.words import score_words


def melody_track(score: symusic.Score, notes: Sequence[symusic.Note]) -> symusic.Track:
    """The melody's track as it is written: its notes, the song's words, and what its own track plays them with.

    Of several that sing it in turn it is the programme of the one with most of its notes, without their bends and pedals.
    """
    source, program = _track_of(score, notes)
    track = symusic.Track("Melody", program, False)
    track.notes.extend(symusic.Note(n.time, n.duration, n.pitch, n.velocity) for n in notes)
    words = score_words(score, {note.time for note in notes})
    track.lyrics.extend(symusic.TextMeta(tick, text) for tick, text in words)
    if source is not None:
        track.controls.extend(source.controls)
        track.pitch_bends.extend(source.pitch_bends)
    return track


def markers_of(score: symusic.Score) -> list[symusic.TextMeta]:
    """The score's markers that are no chords; a section's letter says so, for beside chords it would be one."""
    return [
        symusic.TextMeta(tick, f"Section {text}" if is_chord(text) else text) for tick, text in other_markers(score)
    ]


def _track_of(score: symusic.Score, notes: Sequence[symusic.Note]) -> tuple[symusic.Track | None, int]:
    """The first track, drums apart, that all of the notes are in, None where it takes several; the programme of that with most."""
    wanted = {(note.time, note.pitch, note.duration, note.velocity) for note in notes}
    best, shared = None, 0
    for track in score.tracks:
        held = 0 if track.is_drum else len(wanted & {(n.time, n.pitch, n.duration, n.velocity) for n in track.notes})
        if held > shared:
            best, shared = track, held
    return (best if shared == len(wanted) else None), (0 if best is None else best.program)
