"""A piece in another key than its melody's: the same piece, so many semitones higher or lower.

In: a source, its voice in the model's key, and what is asked for. Out: a source whose melody, and what is played under it, is moved.
What the model reads stays, so that it writes the same notes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import symusic

from pianalysis.arranging.form_options import read_key
from pianalysis.errors import PianalysisError
from pianalysis.harmony.symbols import key_fifths
from pianalysis.metrics.keys import Key, find_key

if TYPE_CHECKING:
    from pianalysis.arranging.options import Options
    from pianalysis.arranging.pieces import Source

HIGHEST_MIDI: Final = 127
NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_FIFTHS: Final = 3
"""So many sharps fewer has a minor key than its tonic's major one."""


def transposed(source: Source, options: Options) -> Source:
    """A source in the key that is asked for. Raises PianalysisError where it can't be had, or notes leave MIDI's range."""
    semitones, fifths = options.transpose, None
    if options.key is not None:
        own, wanted = home(source), read_key(options.key)
        if wanted.is_minor not in (None, own.is_minor):
            modes = ("major", "minor")
            raise PianalysisError(
                f"key {options.key!r}: the melody is in {NAMES[own.tonic]} {modes[own.is_minor]}, and moving it doesn't make it "
                f"{modes[not own.is_minor]}; ask for a {modes[own.is_minor]} key, or transpose by semitones"
            )
        semitones = (wanted.tonic - own.tonic + 6) % 12 - 6
        fifths = wanted.fifths - MINOR_FIFTHS * own.is_minor
        if abs(fifths) > 7:
            fifths -= 12 if fifths > 0 else -12
    if not semitones and fifths is None:
        return source
    pitches = [note.pitch + semitones for note in source.melody.score_notes]
    if min(pitches) < 0 or max(pitches) > HIGHEST_MIDI:
        raise PianalysisError(
            f"transposed by {semitones} semitones the melody goes from {min(pitches)} to {max(pitches)}, expected pitches "
            f"from 0 to {HIGHEST_MIDI}; transpose it less"
        )
    notes = source.melody.notes.copy()
    notes["pitch"] += semitones
    moved = tuple(_higher(note, semitones) for note in source.melody.score_notes)
    return replace(
        source,
        score=_score(source.score, semitones, fifths),
        melody=replace(source.melody, score_notes=moved, notes=notes),
        shift=source.shift - semitones,
        stated=source.stated.transposed(semitones) if source.stated else None,
        remarks=(*source.remarks, f"transposed by {semitones:+d} semitones") if semitones else source.remarks,
    )


def home(source: Source) -> Key:
    """A melody's own key: what its file states, or, where it states none or C, what is likeliest."""
    for item in sorted(source.score.key_signatures, key=lambda signature: signature.time):
        if item.key or item.tonality:
            major = 7 * item.key % 12
            return Key((major - 3 * item.tonality) % 12, bool(item.tonality))
    return find_key(source.melody.notes) or Key(0, False)


def _higher(note: symusic.Note, semitones: int) -> symusic.Note:
    return symusic.Note(note.time, note.duration, note.pitch + semitones, note.velocity)


def _score(score: symusic.Score, semitones: int, fifths: int | None) -> symusic.Score:
    """A score with its tracks and key signatures moved. fifths: what the first one is then.

    A score that states none but C states none in another key either: C is what files say that know no key.
    """
    moved = score.copy()
    for track in moved.tracks:
        if not track.is_drum:
            kept = [_higher(note, semitones) for note in track.notes if 0 <= note.pitch + semitones <= HIGHEST_MIDI]
            track.notes.clear()
            track.notes.extend(kept)
    signatures = sorted(score.key_signatures, key=lambda signature: signature.time)
    moved.key_signatures.clear()
    if any(item.key for item in signatures):
        for item in signatures:
            sharps = key_fifths((7 * item.key + semitones) % 12)
            moved.key_signatures.append(symusic.KeySignature(item.time, sharps, item.tonality))
    if fifths is not None:
        later = [item for item in moved.key_signatures if item.time > 0]
        tonality = int(signatures[0].tonality) if signatures else 0
        moved.key_signatures.clear()
        moved.key_signatures.extend([symusic.KeySignature(0, fifths, tonality), *later])
    return moved
