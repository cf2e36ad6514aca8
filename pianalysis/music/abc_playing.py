"""A tune in ABC as it is played: repeats, endings and parts in order, ties joined, bars in their metre.

In: the voices of a tune, and the order of its parts. Out: a `symusic.Score` whose first track is the melody, with chord
symbols as markers and words as lyrics.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_segments import Segment, State, WrittenNote
from pianalysis.music.abc_voices import Voice
from pianalysis.music.repeats import MAX_PLAYED_BARS, Bar, Ending, play_order

TICKS_PER_QUARTER: Final = 10_080
"""A multiple of 32, 9, 5 and 7: all but the oddest tuplets are whole ticks."""
TICKS_PER_WHOLE: Final = 4 * TICKS_PER_QUARTER
DEFAULT_BPM: Final = 120.0
VELOCITY: Final = 80
MAX_NOTES: Final = 100_000
LONGEST: Final = 20_000
"""Whole notes that a tune may last, with its repeats: at 120 quarters a minute eleven hours."""
ROOT: Final = re.compile(r"(?:^|(?<=/))([A-G])([#b]?)")
NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
PITCH_CLASSES: Final = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
SIGNS: Final = {"": 0, "#": 1, "b": -1}
SINGS: Final = re.compile(
    r"melod|vo[cixz]|sing|gesang|sang|chant|cant|sopran|descant|lead|solo|right|rechts|treble|^s\d?$", re.IGNORECASE
)
"""Names of voices that say that they are the melody …"""
GOES_WITH: Final = re.compile(
    r"alt|tenor|bass|drone|piano|klavier|chord|accomp|begleit|harm|left|links|second|back|^[atb]\d?$", re.IGNORECASE
)
"""… or that they go with it."""
ODDEST: Final = (32, 64)
"""The largest numerator and denominator of the metre that an odd bar is given."""


@dataclass(frozen=True)
class Played:
    """A segment, and when it is played: ticks from the tune's first note or rest; `turn`: the how manyth time."""

    segment: Segment
    start: int
    stop: int
    turn: int


def to_score(voices: Sequence[Voice], parts: Sequence[str], *, name: str) -> symusic.Score:
    """The score of a tune. parts: the order that its header states, if any.

    A pickup is put at the end of a bar of its own. Raises PianalysisError that names the source where there is nothing to
    play, or too much.
    """
    if not voices:
        raise PianalysisError(f"{name}: expected notes after the key (K:), found none")
    _infer_metre(voices)
    played = [_played(voice, parts, name) for voice in voices]
    score = symusic.Score(TICKS_PER_QUARTER)
    moved = voices[0].moved + voices[0].sound.moved
    later = _write_frame(score, played[0], moved)
    lead = _lead(voices)
    for voice, rows in zip(voices, played, strict=True):
        _write_voice(score, voice, rows, later, name="Melody" if voice is lead else voice.name)
    chords = next((rows for rows in played if any(row.segment.chords for row in rows)), [])
    _write_chords(score, chords, later, moved)
    return score


def _ticks(wholes: Fraction) -> int:
    return round(wholes * TICKS_PER_WHOLE)


def _infer_metre(voices: Sequence[Voice]) -> None:
    """Where a tune states no metre, that of most of its bars, in place."""
    segments = [segment for voice in voices for segment in voice.segments]
    if any(state.metre for segment in segments for state in (segment.state, *(state for _, state in segment.changes))):
        return
    lengths = Counter(segment.length for segment in segments if segment.length)
    length, count = lengths.most_common(1)[0] if lengths else (Fraction(1), 0)
    metre = _odd_metre(_ticks(length), (1, 4)) if length < LONGEST else None
    if metre and count > 1 and 2 * count >= lengths.total():
        for segment in segments:
            segment.state = replace(segment.state, metre=metre)
            segment.changes = [(offset, replace(state, metre=metre)) for offset, state in segment.changes]


def _played(voice: Voice, parts: Sequence[str], name: str) -> list[Played]:
    """The segments of a voice in the order in which they sound."""
    rows: list[Played] = []
    turns: Counter[int] = Counter()
    start = notes = 0
    for segment in _in_order(voice.segments, parts, name):
        turns[id(segment)] += 1
        stop = start + _ticks(segment.length)
        rows.append(Played(segment, start, stop, turns[id(segment)]))
        notes += len(segment.notes)
        end = max((start + _ticks(note.offset + note.length) for note in segment.notes[-32:]), default=stop)
        start = stop
        if notes > MAX_NOTES or len(rows) > MAX_PLAYED_BARS or max(stop, end) > LONGEST * TICKS_PER_WHOLE:
            raise PianalysisError(
                f"{name}: expected at most {MAX_NOTES:,} notes in {MAX_PLAYED_BARS:,} bars and {LONGEST:,} whole notes of "
                "time, with all repeats, found more"
            )
    return rows


def _in_order(segments: Sequence[Segment], parts: Sequence[str], name: str) -> Iterator[Segment]:
    """With repeats and endings; where the header states an order of the parts, in that."""
    sections: list[list[Segment]] = [[]]
    for segment in segments:
        if segment.part:
            sections.append([])
        sections[-1].append(segment)
    named = {section[0].part: section for section in reversed(sections[1:])}
    chosen: list[Sequence[Segment]] = [segments]
    if len(parts) > 1 and any(part in named for part in parts):
        chosen = [sections[0], *(named[part] for part in parts if part in named)]
    for section in chosen:
        try:
            yield from _repeated(section)
        except PianalysisError as error:
            raise PianalysisError(f"{name}: {error}") from None


def _repeated(segments: Sequence[Segment]) -> list[Segment]:
    bars = [Bar(forward=segment.forward, times=segment.times) for segment in segments]
    endings = []
    for first, segment in enumerate(segments):
        if segment.endings:
            last = first
            while last + 1 < len(segments) and not (
                segments[last].closed or segments[last + 1].endings or segments[last + 1].forward
            ):
                last += 1
            endings.append(Ending(first, last, segment.endings))
    return [segments[number] for number in play_order(bars, endings)]


def _write_frame(score: symusic.Score, rows: Sequence[Played], moved: int) -> int:
    """Write metres, keys and tempi of the melody's segments into a score; by how many ticks its notes come later.

    moved: by how many semitones it sounds above what is written.
    """
    timed = [row for row in rows if row.stop > row.start]
    first_bar = _ticks(timed[0].segment.state.bar) if timed else 0
    before = timed[0].stop - timed[0].start if len(timed) > 1 else 0
    later = first_bar - before if 0 < before < first_bar else 0
    now: State | None = None
    for row in rows:
        changes = [(Fraction(0), row.segment.state), *row.segment.changes]
        for offset, state in changes:
            tick = row.start + _ticks(offset)
            if row.stop > row.start or tick == 0:
                _write_changes(score, tick + later if tick else 0, state, now, moved)
                now = state
    _write_metres(score, timed, later)
    return later


def _write_changes(score: symusic.Score, tick: int, state: State, before: State | None, moved: int) -> None:
    """The key and the tempo, where they are other than before. What is said twice of a moment is said last."""
    bpm = state.bpm or DEFAULT_BPM
    if before is None or (before.bpm or DEFAULT_BPM) != bpm:
        if len(score.tempos) and score.tempos[-1].time == tick:
            score.tempos.pop(-1)
        score.tempos.append(symusic.Tempo(tick, bpm))
    if before is None or before.key != state.key:
        if len(score.key_signatures) and score.key_signatures[-1].time == tick:
            score.key_signatures.pop(-1)
        sharps = (state.key.sharps + 7 * moved + 6) % 12 - 6 if moved % 12 else state.key.sharps
        score.key_signatures.append(symusic.KeySignature(tick, sharps, int(state.key.minor)))


def _write_metres(score: symusic.Score, rows: Sequence[Played], later: int) -> None:
    """The metres; an odd bar, such as a short one before a pickup's repeat, has one of its own, so that all bar lines are true."""
    bars = _bars(rows, later)
    odd = [bar for bar in bars if bar.metre is not None]
    keep_odd = 2 * len(odd) < len(bars)
    now: tuple[int, int] | None = None
    for bar in bars:
        metre = bar.metre if bar.metre and keep_odd else bar.stated
        if metre != now:
            score.time_signatures.append(symusic.TimeSignature(bar.tick, *metre))
            now = metre


@dataclass(frozen=True)
class _BarAt:
    """A bar: where it begins, the metre that is stated, and the one that it needs if it is odd."""

    tick: int
    stated: tuple[int, int]
    metre: tuple[int, int] | None = None


def _bars(rows: Sequence[Played], later: int) -> list[_BarAt]:
    """The bars of a voice: segments, or several that make one, as a repeat's last bar and the pickup after it."""
    bars = [_BarAt(0, rows[0].segment.state.metre or (4, 4))] if rows and later else []
    at = 1 if later else 0
    while at < len(rows):
        row, state = rows[at], rows[at].segment.state
        stated, full = state.metre or (4, 4), _ticks(state.bar)
        length, stop = row.stop - row.start, at + 1
        while length < full and stop < len(rows) and rows[stop].segment.state.metre == state.metre:
            length += rows[stop].stop - rows[stop].start
            stop += 1
        if length != full:
            length, stop = row.stop - row.start, at + 1
        odd = length % full != 0 and stop < len(rows)
        bars.append(_BarAt(row.start + later, stated, _odd_metre(length, stated) if odd else None))
        at = stop
    return bars


def _odd_metre(ticks: int, stated: tuple[int, int]) -> tuple[int, int] | None:
    """A metre whose bar is so long, with the denominator stated or a finer one; None where there is none.

    >>> _odd_metre(3 * TICKS_PER_QUARTER, (4, 4)), _odd_metre(TICKS_PER_QUARTER // 2, (3, 4))
    ((3, 4), (1, 8))
    """
    length = Fraction(ticks, TICKS_PER_WHOLE)
    denominator = max(stated[1], length.denominator)
    numerator = length * denominator
    fits = numerator.denominator == 1 and numerator <= ODDEST[0] and denominator <= ODDEST[1]
    return (int(numerator), denominator) if fits and denominator & (denominator - 1) == 0 else None


def _lead(voices: Sequence[Voice]) -> Voice | None:
    """The voice that is the melody as tunes are written, the first one; None where names, clefs or words say more."""
    pitched = [voice for voice in voices if not voice.sound.is_drum] or voices
    first = pitched[0]
    if len(pitched) == 1:
        return first
    sung = [any(segment.syllables for segment in voice.segments) for voice in pitched]
    low = [voice.sound.is_low for voice in pitched]
    named = GOES_WITH.search(first.name) or any(SINGS.search(voice.name) for voice in pitched)
    return None if named or (any(sung) and not sung[0]) or (low[0] and not all(low)) else first


def _write_voice(score: symusic.Score, voice: Voice, rows: Sequence[Played], later: int, *, name: str) -> None:
    """Add the tracks of a voice: one for each layer that has notes. The first one is called as the voice."""
    layers = sorted({note.layer for row in rows for note in row.segment.notes})
    for layer in layers:
        title = name
        if layer != layers[0]:
            title = f"{voice.name}, layer {layer + 1}"
        track = symusic.Track(title, voice.sound.program, voice.sound.is_drum)
        for onset, stop, pitch in _sounding(rows, layer):
            track.notes.append(symusic.Note(onset + later, max(1, stop - onset), pitch, VELOCITY))
        if layer == layers[0]:
            for tick, text in _words(rows):
                track.lyrics.append(symusic.TextMeta(tick + later, text))
        score.tracks.append(track)


def _sounding(rows: Sequence[Played], layer: int) -> list[tuple[int, int, int]]:
    """The notes of a layer as they sound: onset and end in ticks, and pitch; tied ones are one."""
    sounding: list[tuple[int, int, int]] = []
    held: dict[int, list[tuple[int, int]]] = {}
    """By step: which notes go on, and until when; a chord may hold one twice, as fiddlers play it on two strings."""
    for row in rows:
        for note in row.segment.notes:
            if note.layer == layer:
                _strike(sounding, held, note, row.start)
    return sounding


def _strike(
    sounding: list[tuple[int, int, int]], held: dict[int, list[tuple[int, int]]], note: WrittenNote, start: int
) -> None:
    onset, stop = start + _ticks(note.offset), start + _ticks(note.offset + note.length)
    waiting = held.setdefault(note.step, [])
    waiting[:] = [row for row in waiting if row[1] >= onset]
    if waiting and waiting[0][1] == onset:
        index, _ = waiting.pop(0)
        sounding[index] = (sounding[index][0], stop, sounding[index][2])
    else:
        index = len(sounding)
        sounding.append((onset, stop, note.pitch))
    if note.tied:
        waiting.append((index, stop))


def _words(rows: Sequence[Played]) -> list[tuple[int, str]]:
    """Syllables and their ticks: in each pass its own verse, or the last one where there aren't so many."""
    words = []
    for row in rows:
        verses = {syllable.verse for syllable in row.segment.syllables}
        verse = max((number for number in verses if number <= row.turn), default=0)
        found = [(row.start + _ticks(one.offset), one.text) for one in row.segment.syllables if one.verse == verse]
        words += sorted(found)
    return words


def _write_chords(score: symusic.Score, rows: Sequence[Played], later: int, moved: int) -> None:
    """Chord symbols as markers, but for those after the last note; moved as the melody is."""
    end = max((row.stop for row in rows if row.segment.notes), default=0)
    for row in rows:
        for offset, symbol in row.segment.chords:
            tick = row.start + _ticks(offset)
            if tick < end:
                score.markers.append(symusic.TextMeta(tick + later, _moved(symbol, moved)))


def _moved(symbol: str, semitones: int) -> str:
    """A chord symbol with its root and its bass so many semitones higher.

    >>> _moved("F#m7/C#", 2), _moved("C:maj", -2), _moved("N.C.", 2)
    ('Abm7/Eb', 'Bb:maj', 'N.C.')
    """
    if not semitones % 12:
        return symbol
    return ROOT.sub(lambda found: NAMES[(PITCH_CLASSES[found[1]] + semitones + SIGNS[found[2]]) % 12], symbol)
