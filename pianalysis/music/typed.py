"""Typed melodies: ABC and note names to a `symusic.Score`, and notes back to names.

ABC is read by abc2midi, the format's reference program, which symusic brings along; nothing else need be installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

import symusic

from pianalysis.errors import MidiReadError, PianalysisError
from pianalysis.music.abc_chords import abc_chords
from pianalysis.music.metres import bar_ticks, metre_of_lines, read_metre, with_bar_lines
from pianalysis.music.midi import read_midi

TICKS_PER_QUARTER: Final = 960
"""Every length from a whole note to a dotted sixty-fourth, triplets and quintuplets included, is whole ticks."""
MAX_CHARACTERS: Final = 100_000
ABC_TIMEOUT_S: Final = 20
VELOCITY: Final = 80
WORD: Final = re.compile(r"(?:([A-Ga-g])(##?|bb?|♯|♭)?(-?\d)|[Rr])(?:/(\d{1,2})(\.{0,2}))?")
STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
DOTTED: Final = (Fraction(1), Fraction(3, 2), Fraction(7, 4))
ABC_MARK_PITCH: Final = 24  # =C,,,
HIDDEN: Final = re.compile(r'"[^"\n]*"|![^!\n]*!|%.*|^[A-Za-z]:.*$|\[[A-Za-z]:[^\]\n]*\]|^:?\|:?', re.MULTILINE)
"""What in a tune's body is no note and no bar line after one: chord symbols, decorations, comments, fields."""
ABC_PROBLEM: Final = re.compile(r"Error in line-char (\d+)-(\d+) : (.*)")


def from_names(text: str, *, bpm: float = 100.0, time_signature: tuple[int, int] | None = None) -> symusic.Score:
    """A score from note names: ``C4/4`` is middle C, a quarter long.

    A word is a letter, ``#`` or ``b``, the octave, ``/`` and the length as a part of a whole note, with dots; ``R`` rests.
    A word without a length is as long as the one before it, the first a quarter. Where the first bar line ``|`` comes before
    a whole bar is full, what stands before it is a pickup. time_signature: where it isn't given, that of the bars between bar
    lines; without bar lines the score states none. Raises PianalysisError that shows the word that isn't understood, or for a
    tempo or metre out of range.

    >>> [(n.time, n.duration, n.pitch) for n in from_names("C4/4 Bb3/8. | R/16 D4").tracks[0].notes]
    [(0, 960, 60), (960, 720, 58), (1920, 240, 62)]
    """
    if not 20 <= bpm <= 300:
        raise PianalysisError(f"expected a tempo of 20 to 300 bpm, found {bpm:g}")
    if time_signature is not None:
        read_metre("/".join(map(str, time_signature)))
    _check_length(text, "the typed notes")
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, bpm))
    track = symusic.Track("Melody", 0, False)
    place, length, number = Fraction(0), Fraction(1, 4), 0
    lines: list[Fraction] = []
    for found in re.finditer(r"[^\s|]+|\|", text):
        if found[0] == "|":
            lines += [place] if place and place not in lines[-1:] else []
            continue
        number += 1
        pitch, stated = _read_word(found[0], f"the typed notes, word {number} (character {found.start() + 1})")
        length = stated or length
        start, stop = (round(4 * TICKS_PER_QUARTER * moment) for moment in (place, place + length))
        if pitch is not None:
            track.notes.append(symusic.Note(start, stop - start, pitch, VELOCITY))
        place += length
    if not len(track.notes):
        raise PianalysisError('the typed notes: expected notes such as "C4/4 D4/4 E4/2", found none')
    score.tracks.append(track)
    metre = time_signature or metre_of_lines(lines)
    if metre is None:
        return score
    first = round(4 * TICKS_PER_QUARTER * lines[0]) if lines else 0
    return with_bar_lines(score, first if first < bar_ticks(score, metre) else 0, metre)


def _read_word(word: str, where: str) -> tuple[int | None, Fraction | None]:
    """Pitch (None for a rest) and length as a part of a whole note (None where it isn't stated)."""
    match = WORD.fullmatch(word)
    if match is None or (match[4] and not int(match[4])):
        raise PianalysisError(f"{where}: expected a note such as C4/4, F#5/8. or Bb3/2, or a rest R/4, found {word!r}")
    letter, accidental, octave, part, dots = match.groups()
    length = Fraction(1, int(part)) * DOTTED[len(dots)] if part else None
    if letter is None:
        return None, length
    sharps = (accidental or "").count("#") + (accidental or "").count("♯")
    flats = (accidental or "").count("b") + (accidental or "").count("♭")
    pitch = 12 * (int(octave) + 1) + STEPS[letter.upper()] + sharps - flats
    if not 0 <= pitch <= 127:
        raise PianalysisError(f"{where}: expected a pitch from C-1 to G9, found {word!r}")
    return pitch, length


def pitch_of(text: str) -> int:
    """The MIDI pitch of a key, by its name or number. Raises PianalysisError for another text.

    >>> pitch_of("C4"), pitch_of("Bb2"), pitch_of("60")
    (60, 46, 60)
    """
    pitch = int(text) if re.fullmatch(r"\d{1,3}", text) else _read_word(text, "the key")[0]
    if pitch is None or "/" in text:
        raise PianalysisError(f"expected a key such as C2, F#5 or 60, found {text!r}")
    return pitch


def to_names(score: symusic.Score) -> str:
    """The notes of a score's first track as names, the inverse of `from_names`.

    Raises PianalysisError for what names can't say: chords, overlaps, and lengths that are no dotted part of a whole note.

    >>> to_names(from_names("C4/4 C#4/12 R/8. E4/2"))
    'C4/4 C#4/12 R/8. E4/2'
    """
    notes = sorted(score.tracks[0].notes, key=lambda note: (note.time, note.pitch))
    ends = [0, *(note.time + note.duration for note in notes)]
    words = []
    for note, before in zip(notes, ends, strict=False):
        if note.time < before:
            raise PianalysisError(f"expected one voice, found two notes at once at tick {note.time}")
        if note.time > before:
            words.append(f"R/{_part(note.time - before, score.tpq)}")
        words.append(f"{NAMES[note.pitch % 12]}{note.pitch // 12 - 1}/{_part(note.duration, score.tpq)}")
    return " ".join(words)


def _part(ticks: int, tpq: int) -> str:
    for dots, factor in enumerate(DOTTED):
        part = 4 * tpq * factor / ticks if ticks > 0 else Fraction(1, 2)
        if part.denominator == 1 and part < 100:
            return f"{part}{'.' * dots}"
    raise PianalysisError(f"expected a dotted or plain part of a whole note, found {Fraction(ticks, 4 * tpq)} of one")


def from_abc(text: str, *, name: str = "the ABC text") -> symusic.Score:
    """A score from ABC notation: its first tune, repeats played, ties joined, grace notes left out, chord symbols as markers.

    A pickup is put at the end of a bar of its own. ``X:`` may be missing; ``\\n`` stands for a line's end in a text of
    one line. Raises PianalysisError that names the line that isn't understood.
    """
    _check_length(text, name)
    text = _tidy(text)
    score = _run_abc2midi(text, name)
    before = _pickup_ticks(text, name)
    metre = next(iter(score.time_signatures), None)
    bar = score.tpq * 4 * metre.numerator // metre.denominator if metre else 4 * score.tpq
    later = bar - before if 0 < before < bar else 0
    moved = _moved(score, later)
    for tick, symbol in abc_chords(text, lambda marked: _run_abc2midi(marked, name)):
        moved.markers.append(symusic.TextMeta(max(tick - 1 + later, 0), symbol))
    return moved


def read_abc(path: str | os.PathLike[str]) -> symusic.Score:
    """`from_abc` of a file. Raises FileNotFoundError, or PianalysisError that names the file."""
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"{source}: there is no such file")
    with source.open("rb") as file:
        data = file.read(4 * MAX_CHARACTERS + 1)
    return from_abc(data.decode("utf-8", errors="replace"), name=str(source))


def _check_length(text: str, name: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise PianalysisError(f"{name}: expected at most {MAX_CHARACTERS:,} characters, found {len(text):,}")


def _tidy(text: str) -> str:
    """The text with an ``X:``, chords struck at once, and without directives of its own, which could name files."""
    if "\n" not in text.strip():
        text = text.replace("\\n", "\n")
    lines = ["%" if line.startswith("%%") else line for line in text.replace("\0", " ").strip().splitlines()]
    number = next((index for index, line in enumerate(lines) if line.startswith("X:")), -1)
    head = lines[: number + 1] or ["X:1"]
    return "\n".join([*head, "%%MIDI chordattack 0", *lines[number + 1 :]]) + "\n"


def _run_abc2midi(text: str, name: str) -> symusic.Score:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "tune.abc"), Path(folder, "tune.mid")
        source.write_text(text, encoding="utf-8")
        command = [os.environ["SYMUSIC_ABC2MIDI"], str(source), "-o", str(target), "-NGUI", "-NGRA"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=ABC_TIMEOUT_S, cwd=folder, check=False)
        except subprocess.TimeoutExpired:
            raise PianalysisError(f"{name}: couldn't be read in {ABC_TIMEOUT_S} s; give a shorter tune") from None
        said = done.stdout.decode("utf-8", errors="replace")
        problem = ABC_PROBLEM.search(said)
        if problem is not None or not target.exists():
            raise PianalysisError(f"{name}{_explained(problem, text)}")
        data = target.read_bytes()
    try:
        score = read_midi(data, name=name)
    except MidiReadError as error:
        raise PianalysisError(f"{error}; an ABC tune is X:1, then M:, L: and K:, then notes") from None
    return score


def _explained(problem: re.Match[str] | None, text: str) -> str:
    if problem is None:
        return ": expected ABC notation (X:1, then M:, L: and K:, then notes), found what can't be read as that"
    if "missing X:" in problem[3] or "No valid K:" in problem[3]:
        return ": expected ABC notation with a key, such as K:C, on the line before the notes, found none"
    lines, line, column = text.splitlines(), int(problem[1]), int(problem[2])
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return f", {problem[3].strip()} near character {column + 1} of “{shown[:200]}”"


def _pickup_ticks(text: str, name: str) -> int:
    """Where the first bar line after a note stands: the onset of a note that is put in its place."""
    key = re.search(r"^K:.*$", text, re.MULTILINE)
    if key is None:
        return 0
    hidden = HIDDEN.sub(lambda found: " " * len(found[0]), text[key.end() :])
    for found in re.finditer(r"[|:]", hidden):
        if re.search(r"[A-Ga-gxz]", hidden[: found.start()]):
            body = text[key.end() : key.end() + found.start()].replace("|:", "").rstrip("-[ ")
            alone = _run_abc2midi(f"{text[: key.end()]}{body} =C,,,|\n", name)
            marks = [note.time for track in alone.tracks for note in track.notes if note.pitch == ABC_MARK_PITCH]
            return int(max(marks, default=1)) - 1
    return 0


def _moved(score: symusic.Score, ticks: int) -> symusic.Score:
    """The score that much later but for its metre and key; notes begin where they are written, not a tick later."""
    moved = symusic.Score(score.tpq)
    for tempo in score.tempos:
        moved.tempos.append(symusic.Tempo(tempo.time + ticks if tempo.time else 0, mspq=tempo.mspq))
    for metre in score.time_signatures:
        time = metre.time + ticks if metre.time else 0
        moved.time_signatures.append(symusic.TimeSignature(time, metre.numerator, metre.denominator))
    for key in score.key_signatures:
        moved.key_signatures.append(symusic.KeySignature(key.time + ticks if key.time else 0, key.key, key.tonality))
    voices = [track for track in score.tracks if len(track.notes)]
    for track in voices:
        copy = symusic.Track(track.name if len(voices) > 1 else "Melody", 0, track.is_drum)
        for note in track.notes:
            copy.notes.append(symusic.Note(note.time - 1 + ticks, note.duration + 1, note.pitch, note.velocity))
        moved.tracks.append(copy)
    return moved
