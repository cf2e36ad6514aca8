"""The music of a tune in ABC, voice by voice and bar line by bar line, as it is written.

In: a `Tune`. Out: its voices, the first of which is the melody. Grace notes are left out, ornaments and fermatas are signs
and no notes, slurs and beams mean nothing here; what isn't understood is passed over, as players of ABC do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, cast

from pianalysis.errors import PianalysisError
from pianalysis.music import abc_fields as fields
from pianalysis.music.abc_books import FIELD, LONGEST_FIELD, Tune
from pianalysis.music.abc_directives import VoiceSound, sound_said
from pianalysis.music.abc_lyrics import ABSENT, NEXT_BAR, parse_words
from pianalysis.music.abc_segments import Segment, State, Syllable, WrittenNote
from pianalysis.music.abc_texts import accented

LENGTH: Final = r"(\d*)(/*)(\d*)"
PITCH: Final = r"(\^\^|\^|__|_|=)?/?([A-Ga-g])([,']*)"
NOTE: Final = re.compile(PITCH + LENGTH + r"(-?)")
OLD_CHORD: Final = r"\+(?!f+\+)(?:[_^=]{0,2}[A-Ga-g][,']{0,4}\d{0,3}/?\d{0,2}){2,8}\+"
"""A chord as it was written before brackets were; +ff+ is loud."""
TOKEN: Final = re.compile(
    r'(?P<quoted>"[^"]*(?:"|$))'
    rf"|(?P<skipped>![^!|]{{0,60}}!|(?!{OLD_CHORD})\+[A-Za-z.]{{1,20}}\+|\{{[^}}]{{0,200}}\}})"
    r"|(?P<field>\[(?P<letter>[A-Za-z]):(?P<value>[^\]]{0,200})\])"
    r'|(?P<bar>(?:\[\||(?<![\w\],\'/])\]|:{1,4}\||\||::)[:|\]]*)(?:\s*\[(?=["\d]))?(?P<ending>(?:(?<=[|:\]\[])\d[\d,.-]*|(?<=\[)"\s?\d[^"]{0,60}"))?'
    r'|\[(?P<alone>\d[\d,.-]*|"\s?\d[^"]{0,60}")'
    rf"|(?P<chord>\[(?=[^\]|]{{0,200}}[A-Ga-g])[^\]|:]{{1,200}}\]|{OLD_CHORD})"
    r"(?P<times>\d*/*\d*)"
    r"|\((?P<tuplet>\d)(?::(?P<into>\d*))?(?::(?P<over>\d*))?"
    r"|(?P<note>" + PITCH.replace("(", "(?:") + r"\d*/*\d*)"
    r"|(?P<rest>[zxZX])(?P<rested>\d*/*\d*)"
    r"|(?P<broken>>+|<+)|(?P<tie>-)|(?P<overlay>\(&|&\)|&)",
)
SYMBOL: Final = re.compile(r"(\(?)([A-G](?:[^()\s]|\([^()\s]*\))*|N\.?C\.?)\)?")
"""A chord symbol; texts that begin with ^, _, <, > or @ are remarks."""
BETWEEN_CHORDS: Final = re.compile(r"[\s;]+")
WRITTEN_AFTER: Final = re.compile(r"(?<=.)\([A-G][^()]*\)[*?]*$|[*?]+$")
"""A chord that one may play instead, signs of a footnote or a doubt."""
LETTER: Final = re.compile(r"[A-G][b#]?")
WITHIN_CHORD: Final = re.compile(r'"[^"]*"|![^!|]{0,60}!|\+[A-Za-z.]{1,20}\+|\{[^}]*\}')
"""What isn't a note between the brackets of a chord."""
STEPS: Final = (0, 2, 4, 5, 7, 9, 11)
TUPLETS: Final = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""So many notes in the time of how many; the others in that of three where the metre has dotted beats, else two."""
FINEST: Final = 40_320
"""Parts of a whole note, beyond which a length that isn't one of a usual note is rounded."""
LONGEST: Final = 1_000
"""Units that a note may be long, and bars that a rest may be."""
MAX_VOICES: Final = 64
MAX_LAYERS: Final = 16
MAX_ENDING: Final = 16


@dataclass
class Voice:
    """A voice and where writing it has come to. `segments` is what was written; the last of them may be open."""

    name: str
    state: State
    unit: Fraction
    moved: int = 0
    sound: VoiceSound = field(default_factory=VoiceSound)
    segments: list[Segment] = field(default_factory=list)
    position: Fraction = Fraction(0)
    layer: int = 0
    accidentals: dict[int, int] = field(default_factory=dict)
    last: list[int] = field(default_factory=list)
    """Which notes of the open segment were struck last, and how long the note or rest was."""
    last_length: Fraction = Fraction(0)
    pending: Fraction = Fraction(1)
    """By what the second note of a broken rhythm is multiplied."""
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    sung: list[tuple[Segment, Fraction]] = field(default_factory=list)
    """The notes of a line, which words may be put under."""
    verses: int = 0
    continues: bool = False
    """The line before ended with a backslash."""

    @property
    def open(self) -> Segment:
        """The segment that is being written."""
        return self.segments[-1]


def read_voices(tune: Tune, *, name: str) -> list[Voice]:
    """The voices of a tune that have notes, in the order in which it names them, drums last.

    Raises PianalysisError that names the source for lengths and pitches out of range and for too many voices.
    """
    reader = _Reader(tune, name)
    for line in tune.body:
        reader.read(line)
    reader.end_over()
    voices = [voice for voice in reader.voices.values() if any(segment.notes for segment in voice.segments)]
    return sorted(voices, key=lambda voice: voice.sound.is_drum)


@dataclass
class _Over:
    """Bars of a voice that are written over again: ``(& … & … &)``, from `start` in the segment `first` on."""

    voice: Voice
    first: int
    start: Fraction
    under: Voice | None = None

    def again(self) -> Voice:
        """A voice to write what goes with these bars, from the first of them on."""
        self.end()
        above = self.voice
        self.under = Voice(above.name, above.segments[self.first].state, above.unit, above.moved, above.sound)
        _begin(self.under)
        self.under.position = self.start
        return self.under

    def end(self) -> Voice:
        """Put what was written into the bars that it goes with."""
        for written, bar in zip(
            self.under.segments if self.under else (), self.voice.segments[self.first :], strict=False
        ):
            layer = max((note.layer for note in bar.notes), default=0) + 1
            bar.notes += [replace(note, layer=min(note.layer + layer, MAX_LAYERS)) for note in written.notes]
        self.under = None
        return self.voice


class _Reader:
    """Reads a tune's lines; the voice that they go to is the one named last."""

    def __init__(self, tune: Tune, name: str) -> None:
        self.name = name
        self.part = ""
        self.state, self.moved = State(), 0
        self.sound = VoiceSound()
        unit = None
        declared: list[str] = []
        sounds: list[tuple[str, str]] = []
        for letter, value in tune.header:
            if letter == "L":
                unit = fields.parse_length(value) or unit
            elif letter == "V":
                declared.append(value)
            elif letter == "I" and declared:
                sounds.append((declared[-1], value))
            elif letter == "I":
                self.sound = sound_said(self.sound, value)
            else:
                self.state = _changed(self.state, letter, value)
                if letter == "K":
                    self.moved = fields.parse_transposition(value) or 0
        # a tempo without a note's length counts the metre's beats, which may be stated after it
        for letter, value in tune.header:
            if letter == "Q":
                self.state = _changed(self.state, letter, value)
        self.unit = unit or fields.default_length(self.state.metre)
        self.voices: dict[str, Voice] = {}
        self.voice: Voice | None = None
        self.over: _Over | None = None
        for value in declared:
            self._choose(value)
        for owner, value in sounds:
            self._choose(owner)
            self._field("I", value)
        self.voice = next(iter(self.voices.values()), None)

    def read(self, line: str) -> None:
        """One line of music, or one that says something."""
        found = FIELD.match(line)
        if found is None:
            self._music(line)
        elif found[1] == "P":
            self.part = found[2].strip()[:1]
            for voice in self.voices.values():
                _begin_part(voice, self.part)
        elif found[1] == "w" and self.voice:
            _sing(self.voice, found[2])
        else:
            self._field(found[1], found[2].strip()[:LONGEST_FIELD])

    def _field(self, letter: str, value: str) -> None:
        if letter == "V":
            self._choose(value)
            return
        voice = self._current()
        if letter == "L":
            voice.unit = fields.parse_length(value) or voice.unit
        elif letter == "P":
            _begin_part(voice, value[:1])
        elif letter == "I":
            voice.sound = sound_said(voice.sound, value)
        elif letter in "KMQ":
            if letter == "K":
                _clef(voice, value)
            moved = fields.parse_transposition(value) if letter == "K" else None
            voice.moved = voice.moved if moved is None else moved
            _change(voice, _changed(voice.state, letter, value))

    def _choose(self, value: str) -> None:
        """Go on with the voice of a ``V:``, a new one if need be."""
        self.end_over()
        words = value.split()
        identity = words[0] if words else ""
        moved = fields.parse_transposition(" ".join(words[1:]))
        if identity not in self.voices:
            if len(self.voices) >= MAX_VOICES:
                raise PianalysisError(f"{self.name}: expected at most {MAX_VOICES} voices, found more")
            label = re.search(r'\b(?:name|nm)="?([^"=]{1,40})"', value)
            named = accented(label[1]) if label else identity
            self.voices[identity] = Voice(named, self.state, self.unit, self.moved, self.sound)
            _begin(self.voices[identity], part=self.part)
        self.voice = self.voices[identity]
        _clef(self.voice, " ".join(words[1:]))
        if moved is not None:
            self.voice.moved = moved

    def _current(self) -> Voice:
        if self.voice is None:
            self._choose("1")
        return cast(Voice, self.voice)

    def _music(self, line: str) -> None:
        voice = self._current()
        if not voice.continues:
            voice.sung, voice.verses = [], 0
        for found in TOKEN.finditer(line):
            kind = found.lastgroup
            if found["field"]:
                self._field(found["letter"], found["value"].strip())
                if found["letter"] == "V" and self.voice is not voice:
                    voice = self._current()
                    voice.sung, voice.verses = [], 0
            elif found["bar"] or found["alone"]:
                _bar(voice, found["bar"] or "", found["ending"] or found["alone"] or "")
            elif found["quoted"]:
                _symbol(voice, found["quoted"].strip('" '))
            elif found["chord"]:
                self._strike(voice, NOTE.findall(WITHIN_CHORD.sub("", found["chord"].strip("+"))), found["times"])
            elif found["note"]:
                self._strike(voice, NOTE.findall(found["note"]), "")
            elif found["rest"]:
                self._rest(voice, found["rest"], found["rested"])
            elif kind in ("tuplet", "into", "over"):
                _tuplet(voice, found["tuplet"], found["into"], found["over"])
            elif kind == "broken":
                _break(voice, found["broken"])
            elif kind == "tie":
                _tie(voice)
            elif kind == "overlay":
                voice = self._overlay(voice, found["overlay"])
        voice.continues = line.endswith("\\")

    def _overlay(self, voice: Voice, sign: str) -> Voice:
        """What goes with the bar that is written, or with the bars since ``(&``; the voice that writing goes on with."""
        if sign == "(&":
            voice = self.end_over() or voice
            self.over = _Over(voice, len(voice.segments) - 1, voice.position)
        elif self.over and sign == "&":
            self.voice = voice = self.over.again()
        elif self.over:
            voice = self.end_over() or voice
        else:
            voice.layer, voice.position, voice.accidentals = min(voice.layer + 1, MAX_LAYERS), Fraction(0), {}
            voice.last, voice.last_length = [], Fraction(0)
        return voice

    def end_over(self) -> Voice | None:
        """End bars that are written over again; the voice that they are of, None where there are none."""
        if self.over is None:
            return None
        self.voice, self.over = self.over.end(), None
        return self.voice

    def _length(self, text: str) -> Fraction:
        """A length in units; 0 where it is none."""
        number, slashes, parts = re.fullmatch(LENGTH, text).groups()  # type: ignore[union-attr]
        if len(number) > 4 or len(parts) > 4 or len(slashes) > 8 or int(number or 1) > LONGEST:
            raise PianalysisError(f"{self.name}: expected a note's length such as 2, 3/2 or /4, found {text[:40]!r}")
        divided = int(parts or 2) ** (1 if parts else len(slashes)) if slashes else 1
        return Fraction(int(number or 1), divided or 1)

    def _strike(self, voice: Voice, notes: list[tuple[str, ...]], times: str) -> None:
        """Write a note, or several as a chord, which is as long as the first of them."""
        rows = notes[:32]
        if not rows:
            return
        length = self._length("".join(rows[0][3:6])) * self._length(times) * voice.unit
        if not length:
            return
        length, offset = _stretched(voice, length), voice.position
        voice.last, voice.last_length = [], length
        for sign, letter, octaves, *_, tied in rows:
            step = fields.LETTERS.index(letter.upper()) + (35 if letter.isupper() else 42)
            step += 7 * (octaves.count("'") - octaves.count(","))
            if sign:
                voice.accidentals[step] = fields.ALTERATIONS[sign]
            altered = voice.accidentals.get(step, voice.state.key.alterations[step % 7])
            pitch = 12 * (step // 7) + STEPS[step % 7] + altered + voice.moved + voice.sound.moved
            if not 0 <= pitch <= 127:
                raise PianalysisError(f"{self.name}: expected a pitch from C-1 to G9, found {letter + octaves[:20]!r}")
            voice.last.append(len(voice.open.notes))
            voice.open.notes.append(WrittenNote(offset, length, pitch, step, voice.layer, bool(tied)))
        if not voice.layer:
            voice.sung.append((voice.open, offset))
        _advance(voice, length)

    def _rest(self, voice: Voice, letter: str, text: str) -> None:
        units = self._length(text)
        if letter in "zx":
            voice.last, voice.last_length = [], _stretched(voice, units * voice.unit)
            _advance(voice, voice.last_length)
        else:  # so many bars
            _advance(voice, units.numerator // units.denominator * voice.state.bar)


def _clef(voice: Voice, text: str) -> None:
    """A clef for drums makes a voice drums, one for basses a low one."""
    if re.search(r"(?:\bclef=|^)perc\b", text):
        voice.sound = replace(voice.sound, is_drum=True)
    if re.search(r"\bclef=\"?(?:bass|F)|(?<![=\w])bass\b(?!\")", text):
        voice.sound = replace(voice.sound, is_low=True)


def _changed(state: State, letter: str, value: str) -> State:
    """What holds after a ``K:``, ``M:`` or ``Q:``; the same where it says nothing."""
    if letter == "M":
        return replace(state, metre=fields.parse_metre(value))
    if letter == "K" and (key := fields.parse_key(value)):
        return replace(state, key=key)
    if letter == "Q" and (bpm := fields.parse_tempo(value, state.metre)):
        return replace(state, bpm=bpm)
    return state


def _change(voice: Voice, state: State) -> None:
    voice.state = state
    if voice.open.empty:
        voice.open.state = state
    else:
        voice.open.changes.append((voice.position, state))


def _begin(voice: Voice, *, forward: bool = False, endings: tuple[int, ...] = (), part: str = "") -> None:
    voice.segments.append(Segment(voice.state, forward, endings, part))
    voice.position, voice.layer, voice.accidentals = Fraction(0), 0, {}
    voice.last, voice.last_length = [], Fraction(0)


def _begin_part(voice: Voice, part: str) -> None:
    if not voice.open.empty:
        _begin(voice)
    voice.open.part = part


def _bar(voice: Voice, text: str, ending: str) -> None:
    """Close the open segment with a bar line, and begin the next."""
    times, forward = _times(text), text.endswith(":") and len(text) > 1
    numbers, closed = _numbers(ending), text not in ("", "|")
    if not voice.open.empty:
        written = voice.open
        _mark_end(written, times, closed)
        _begin(voice, forward=forward, endings=numbers)
        voice.open.chords = [(Fraction(0), name) for offset, name in written.chords if offset >= written.length]
        written.chords = [row for row in written.chords if row[0] < written.length]
        return
    if len(voice.segments) > 1:  # a second bar line at once, as when a line begins with one
        _mark_end(voice.segments[-2], times, closed)
    voice.open.forward = voice.open.forward or forward
    voice.open.endings = numbers or voice.open.endings


def _times(text: str) -> int:
    """How often a passage is played that ends with a bar line: one more than it has dots before the line; 0 for no repeat.

    >>> _times(":|"), _times("::|"), _times("::"), _times("|:")
    (2, 3, 2, 0)
    """
    if not text.startswith(":") and ":|" not in text:
        return 0
    dots = re.match(r"(:+)\|", text)
    return 1 + len(dots[1]) if dots else 2


def _mark_end(segment: Segment, times: int, closed: bool) -> None:
    segment.times, segment.closed = max(segment.times, times), segment.closed or closed


def _numbers(ending: str) -> tuple[int, ...]:
    """The passes that an ending is for.

    >>> _numbers("1,3"), _numbers("1-3"), _numbers("")
    ((1, 3), (1, 2, 3), ())
    """
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", ending):
        numbers |= {number for number in range(int(first), int(last or first) + 1) if 1 <= number <= MAX_ENDING}
    return tuple(sorted(numbers))


def _symbol(voice: Voice, text: str) -> None:
    """A chord symbol, at the next note, of several the first. Letters alone are given as Harte writes them, for they may name
    sections elsewhere.
    """
    words = [WRITTEN_AFTER.sub("", word) for word in BETWEEN_CHORDS.split(text)]
    found = SYMBOL.fullmatch(words[0])
    if found is None or not all(SYMBOL.fullmatch(word) for word in words):
        return
    name = f"{found[2]}:maj" if LETTER.fullmatch(found[2]) else found[2]
    chords = voice.open.chords
    if chords and chords[-1][0] == voice.position:
        if found[1]:  # another chord that one may play instead
            return
        chords.pop()
    chords.append((voice.position, name))


def _stretched(voice: Voice, length: Fraction) -> Fraction:
    """A length in a tuplet or after a broken rhythm."""
    factor, left = voice.tuplet
    if left:
        length *= factor
        voice.tuplet = (factor, left - 1)
    length *= voice.pending
    voice.pending = Fraction(1)
    return length


def _advance(voice: Voice, length: Fraction) -> None:
    position = voice.position + length
    if FINEST % position.denominator:
        position = Fraction(round(position * FINEST), FINEST) if position.denominator > FINEST else position
    voice.position = position
    if not voice.layer:
        voice.open.length = position


def _tuplet(voice: Voice, notes: str, into: str | None, over: str | None) -> None:
    count = int(notes)
    metre = voice.state.metre
    dotted = bool(metre and metre[0] in (6, 9, 12) and metre[1] >= 4)
    time = int(into) if into and int(into) else TUPLETS.get(count, 3 if dotted else 2)
    if count > 1:
        voice.tuplet = (Fraction(time, count), int(over) if over else count)


def _break(voice: Voice, signs: str) -> None:
    """A broken rhythm: the note or rest before it is longer, the next one shorter, or the other way round."""
    if not voice.last_length:
        return
    short = Fraction(1, 2 ** min(len(signs), 3))
    first, second = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
    longer = voice.last_length * first
    for index in voice.last:
        voice.open.notes[index] = replace(voice.open.notes[index], length=longer)
    _advance(voice, longer - voice.last_length)
    voice.last_length, voice.pending = longer, second


def _tie(voice: Voice) -> None:
    for index in voice.last:
        voice.open.notes[index] = replace(voice.open.notes[index], tied=True)


def _sing(voice: Voice, text: str) -> None:
    """Put a line of words under the notes of the line before it."""
    voice.verses += 1
    places = voice.sung[::-1]
    segment = places[-1][0] if places else None
    for word in parse_words(text):
        if word == NEXT_BAR:
            while places and places[-1][0] is segment:
                places.pop()
            segment = places[-1][0] if places else None
            continue
        if not places:
            return
        segment, offset = places.pop()
        if word != ABSENT:
            segment.syllables.append(Syllable(offset, voice.verses, word))
