"""Write the example melodies: public-domain tunes, spelt out below, as one-track MIDI files and a README table.

    python scripts/make_examples.py
    python scripts/make_examples.py --output space/examples

A run always writes the same bytes. How notes are spelt is explained at `read_notes`, how a tune is put together from
phrases at `Tune`.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

from symusic import core as midi

OUTPUT: Final = Path(__file__).resolve().parent.parent / "space" / "examples"
TICKS_PER_QUARTER: Final = 480
TRACK_NAME: Final = "MELODY"

# In MIDI velocity: enough to tell beats and phrases apart, too little to sound jerky.
DOWNBEAT_ACCENT: Final = 6
BEAT_ACCENT: Final = 2
OFFBEAT_ACCENT: Final = -3
PHRASE_SWELL: Final = 6

EIGHTH: Final = Fraction(1, 2)
SEMITONES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
TOKEN: Final = re.compile(r"(?:R|([A-G])([#b]?)(\d))(?:/(\d*\.?\d+|\d+/[1-9]\d*))?(~?)")


class NotationError(ValueError):
    """A tune that is spelt wrongly: the message names the bar."""


class Sounded(NamedTuple):
    """One note: onset from the tune's start and length, both in quarter notes, and MIDI pitch."""

    onset: Fraction
    length: Fraction
    pitch: int


@dataclass(frozen=True)
class Tune:
    """A tune and what the README says of it.

    `notation` is one phrase a line, `name: notes`, and lines without a name go on with the one above. `form` is the
    order in which the phrases are played, each with the MIDI velocity it starts from: `a@64 b@70 a@64^`, where `^` is
    an octave higher. `bpm` counts quarter notes, `unit` is the number of quarter notes that a note without a length
    lasts, `sharps` the key signature (flats below zero) and `minor` its mode.
    """

    file: str
    title: str
    origin: str
    public_domain: str
    shows: str
    metre: tuple[int, int]
    bpm: int
    sharps: int
    notation: str
    form: str
    minor: bool = False
    unit: Fraction = Fraction(1)

    @property
    def bar(self) -> Fraction:
        """Length of a bar in quarter notes."""
        return Fraction(4 * self.metre[0], self.metre[1])

    @property
    def beat(self) -> Fraction:
        """Length of a beat in quarter notes: in 6/8 a dotted quarter."""
        return Fraction(3, 2) if self.metre == (6, 8) else Fraction(4, self.metre[1])


def read_token(token: str, bar_number: int) -> tuple[int | None, Fraction]:
    """MIDI pitch (None for a rest) and length in units of one note or rest.

    >>> read_token("Bb4/1.5", bar_number=1)
    (70, Fraction(3, 2))
    """
    match = TOKEN.fullmatch(token)
    if match is None or (token[0] == "R" and match[5]):
        raise NotationError(f"bar {bar_number}: expected a note such as F#4/1.5, a rest or '|', found {token!r}")
    step, accidental, octave, length_text, _ = match.groups()
    length = Fraction(length_text or 1)
    if length == 0:
        raise NotationError(f"bar {bar_number}: {token!r} has no length")
    if step is None:
        return None, length
    return 12 * (int(octave) + 1) + SEMITONES[step] + {"#": 1, "b": -1, "": 0}[accidental], length


def read_notes(
    text: str, bar: Fraction, start: Fraction = Fraction(0), unit: Fraction = Fraction(1)
) -> tuple[list[Sounded], Fraction]:
    """The notes of a text that starts `start` quarter notes into a tune, and where it ends.

    `F#4/1.5` is a note and its length in units, `C5` lasts one unit, `A4/1/3` a third of one (a triplet), `R/2` is
    a rest, `~` ties a note to the next, `|` is a bar line. Bars, `bar` quarter notes long, must add up; only the
    last may be left open, for the next text to fill. Raises NotationError.

    >>> notes, end = read_notes("R/2 D4 | G4/2~ G4/.5 A4/.5", bar=Fraction(3))
    >>> [(float(note.onset), float(note.length), note.pitch) for note in notes], float(end)
    ([(2.0, 1.0, 62), (3.0, 2.5, 67), (5.5, 0.5, 69)], 6.0)
    """
    notes: list[Sounded] = []
    position, number, tied = start, int(start // bar) + 1, False
    for token in text.split():
        if token == "|":
            if position != number * bar:
                held = float(position - (number - 1) * bar)
                raise NotationError(f"bar {number}: expected {float(bar):g} quarter notes, found {held:g}")
            number += 1
            continue
        pitch, units = read_token(token, number)
        length = units * unit
        if (length * TICKS_PER_QUARTER).denominator != 1:
            raise NotationError(f"bar {number}: {token!r} lasts no whole number of ticks")
        if tied and pitch != notes[-1].pitch:
            raise NotationError(f"bar {number}: {token!r} is tied to a note of another pitch")
        if tied:
            notes[-1] = notes[-1]._replace(length=notes[-1].length + length)
        elif pitch is not None:
            notes.append(Sounded(position, length, pitch))
        position, tied = position + length, token.endswith("~")
    if position > number * bar:
        raise NotationError(f"bar {number}: expected {float(bar):g} quarter notes, found more")
    if tied:
        raise NotationError(f"bar {number}: the last note is tied to nothing")
    return notes, position


def named_phrases(notation: str) -> dict[str, str]:
    """The texts of a notation by name.

    >>> named_phrases("a: C4 D4 |\\n E4 F4 |\\n b: G4/2 |")
    {'a': 'C4 D4 | E4 F4 |', 'b': 'G4/2 |'}
    """
    texts: dict[str, str] = {}
    name = ""
    for line in notation.strip().splitlines():
        label, colon, text = line.rpartition(":")
        name = label.strip() if colon else name
        texts[name] = f"{texts.get(name, '')} {text.strip()}".strip()
    return texts


def loudness(tune: Tune, onset: Fraction, progress: Fraction) -> int:
    """What beat and place in the phrase (`progress`, 0 to 1) add to a note's MIDI velocity.

    Strong beats stand out, and a phrase swells towards its middle.
    """
    in_bar = onset % tune.bar
    swell = round(4 * progress * (1 - progress) * PHRASE_SWELL)
    if in_bar == 0:
        return swell + DOWNBEAT_ACCENT
    return swell + (BEAT_ACCENT if in_bar % tune.beat == 0 else OFFBEAT_ACCENT)


def play(tune: Tune) -> tuple[list[midi.NoteTick], int]:
    """The tune's notes in ticks, and the number of its bars. Raises NotationError."""
    texts = named_phrases(tune.notation)
    notes: list[midi.NoteTick] = []
    start = Fraction(0)
    for part in tune.form.split():
        name, _, level = part.rstrip("^").partition("@")
        octave = 12 if part.endswith("^") else 0
        sounded, end = read_notes(texts[name], tune.bar, start, tune.unit)
        for onset, length, pitch in sounded:
            velocity = int(level) + loudness(tune, onset, (onset - start) / (end - start))
            onset_tick, length_ticks = int(onset * TICKS_PER_QUARTER), int(length * TICKS_PER_QUARTER)
            notes.append(midi.NoteTick(onset_tick, length_ticks, pitch + octave, velocity))
        start = end
    if start % tune.bar:
        raise NotationError(f"bar {start // tune.bar + 1}: the tune ends before the bar does")
    return notes, start // tune.bar


def build_score(tune: Tune) -> midi.ScoreTick:
    """The tune as a score of one track, with its title as a marker."""
    notes, _ = play(tune)
    score = midi.ScoreTick(TICKS_PER_QUARTER)
    score.tempos.append(midi.TempoTick(0, tune.bpm))
    score.time_signatures.append(midi.TimeSignatureTick(0, *tune.metre))
    score.key_signatures.append(midi.KeySignatureTick(0, tune.sharps, int(tune.minor)))
    score.markers.append(midi.TextMetaTick(0, tune.title))
    track = midi.TrackTick(TRACK_NAME, 0, False)
    track.notes.extend(midi.NoteTickList(notes))
    score.tracks.append(track)
    return score


# Tunes with a pickup start on the last beats of a full first bar ("in"), as most files have it, and so the last
# bar has to be filled up ("out").
TUNES: Final = (
    Tune(
        file="ode_to_joy",
        title="Ode to Joy",
        origin="Ludwig van Beethoven (1770–1827), Symphony no. 9, 1824",
        public_domain="composer died in 1827",
        shows="the plainest case: four-bar phrases A A' B A', at the clock's own 120",
        metre=(4, 4),
        bpm=120,
        sharps=0,
        # The last A' comes in a beat early, tied over the bar line, as Beethoven wrote it.
        notation="""
            a:  E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | E5/1.5 D5/.5 D5/2 |
            a': E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | D5/1.5 C5/.5 C5/2 |
            b:  D5 D5 E5 C5 | D5 E5/.5 F5/.5 E5 C5 | D5 E5/.5 F5/.5 E5 D5 | C5 D5 G4
            a'': E5~ | E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | D5/1.5 C5/.5 C5/2 |
        """,
        form="a@70 a'@74 b@68 a''@82",
    ),
    Tune(
        file="amazing_grace",
        title="Amazing Grace",
        origin="American traditional (New Britain), printed 1829",
        public_domain="traditional, published 1829",
        shows="3/4 with a pickup of one beat, notes tied over the bar, triplets in the second verse",
        metre=(3, 4),
        bpm=88,
        sharps=1,
        notation="""
            in: R/2
            a:  D4 | G4/2 B4/.5 G4/.5 | B4/2 A4 | G4/2 E4 | D4/2
            b:  D4 | G4/2 B4/.5 G4/.5 | B4/2 A4 | D5/3~ | D5/2
            c:  B4 | D5/2 B4/.5 G4/.5 | B4/2 A4 | G4/2 E4 | D4/2
            d:  D4 | G4/2 B4/.5 G4/.5 | B4/2 A4 | G4/3~ | G4/2
            a3: D4 | G4/2 B4/1/3 A4/1/3 G4/1/3 | B4/2 A4 | G4/2 E4 | D4/2
            b3: D4 | G4/2 B4/1/3 A4/1/3 G4/1/3 | B4/2 A4 | D5/3~ | D5/2
            c3: B4 | D5/2 B4/1/3 A4/1/3 G4/1/3 | B4/2 A4 | G4/2 E4 | D4/2
            d3: D4 | G4/2 B4/1/3 A4/1/3 G4/1/3 | B4/2 A4 | G4/3~ | G4/2
            out: R |
        """,
        form="in a@64 b@68 c@76 d@66 a3@70 b3@76 c3@84 d3@70 out",
    ),
    Tune(
        file="auld_lang_syne",
        title="Auld Lang Syne",
        origin="Scottish traditional, printed with Burns's words 1799",
        public_domain="traditional, published 1799",
        shows="over three minutes: five verses and choruses, the third verse an octave up, the fourth varied",
        metre=(4, 4),
        bpm=100,
        sharps=-1,
        # A verse is a and b, a chorus c and b; av, bv and cv are the same with passing notes.
        notation="""
            in: R/3
            a:  C4 | F4/1.5 F4/.5 F4 A4 | G4/1.5 F4/.5 G4 A4 | F4/1.5 F4/.5 A4 C5 | D5/3
            b:  D5 | C5/1.5 A4/.5 A4 F4 | G4/1.5 F4/.5 G4 A4 | F4/1.5 D4/.5 D4 C4 | F4/3
            c:  D5 | C5/1.5 A4/.5 A4 F4 | G4/1.5 F4/.5 G4 D5 | C5/1.5 A4/.5 A4 C5 | D5/3
            av: C4 | F4/1.5 F4/.5 F4/.5 G4/.5 A4 | G4/1.5 F4/.5 G4/.5 Bb4/.5 A4/.5 G4/.5 |
                F4/1.5 F4/.5 A4/.5 Bb4/.5 C5 | D5/1.5 C5/.5 D5
            bv: D5 | C5/1.5 A4/.5 A4/.5 G4/.5 F4 | G4/1.5 F4/.5 G4/.5 Bb4/.5 A4/.5 G4/.5 |
                F4/1.5 D4/.5 D4/.5 E4/.5 C4 | F4/3
            cv: D5 | C5/1.5 A4/.5 A4/.5 G4/.5 F4 | G4/1.5 F4/.5 G4/.5 A4/.5 Bb4/.5 D5/.5 |
                C5/1.5 A4/.5 A4/.5 Bb4/.5 C5 | D5/1.5 C5/.5 D5
            out: R |
        """,
        form="""
            in  a@62  b@62   c@72  b@68
                a@68  b@68   c@78  b@74
                a@54^ b@54^  c@66  b@62
                av@70 bv@70  cv@76 bv@72
                a@80  b@80   c@92  b@88   out
        """,
    ),
    Tune(
        file="greensleeves",
        title="Greensleeves",
        origin="English traditional, registered 1580",
        public_domain="traditional, known since 1580",
        shows="a minor key with raised sixth and seventh, 6/8, a pickup of one eighth",
        metre=(6, 8),
        bpm=90,
        sharps=0,
        minor=True,
        unit=EIGHTH,
        notation="""
            in: R/5
            a:  A4 | C5/2 D5 E5/1.5 F#5/.5 E5 | D5/2 B4 G4/1.5 A4/.5 B4 |
                C5/2 A4 A4/1.5 G#4/.5 A4 | B4/2 G#4 E4/2
            b:  A4 | C5/2 D5 E5/1.5 F#5/.5 E5 | D5/2 B4 G4/1.5 A4/.5 B4 |
                C5/1.5 B4/.5 A4 G#4/1.5 F#4/.5 G#4 | A4/5 R |
            c:  G5/3 G5/1.5 F#5/.5 E5 | D5/2 B4 G4/1.5 A4/.5 B4 | C5/2 A4 A4/1.5 G#4/.5 A4 | B4/2 G#4 E4/2 R |
            d:  G5/3 G5/1.5 F#5/.5 E5 | D5/2 B4 G4/1.5 A4/.5 B4 | C5/1.5 B4/.5 A4 G#4/1.5 F#4/.5 G#4 | A4/5
            out: R |
        """,
        form="in a@60 b@62 c@76 d@70 a@66 b@68 c@84 d@70 out",
    ),
    Tune(
        file="londonderry_air",
        title="Londonderry Air",
        origin="Irish traditional, printed in Petrie's collection 1855",
        public_domain="traditional, published 1855",
        shows="a slow ballad with a pickup of three eighths, long notes and a wide climax",
        metre=(4, 4),
        bpm=72,
        sharps=-1,
        notation="""
            in: R/2.5
            a:  E4/.5 F4/.5 G4/.5 | A4/1.5 G4/.5 A4/.5 D5/.5 C5/.5 A4/.5 | G4/.5 F4/.5 D4/1.5
            b:  F4/.5 A4/.5 Bb4/.5 | C5/1.5 D5/.5 C5/.5 A4/.5 F4/.5 A4/.5 | G4/2.5
            c:  E4/.5 F4/.5 G4/.5 | A4/1.5 Bb4/.5 A4/.5 G4/.5 F4/.5 G4/.5 | F4/2.5
            d:  C5/.5 D5/.5 E5/.5 | F5/1.5 E5/.5 E5/.5 D5/.5 C5/.5 A4/.5 | C5/.5 A4/.5 F4/1.5
            e:  C5/.5 D5/.5 E5/.5 | F5/1.5 E5/.5 E5/.5 D5/.5 C5/.5 A4/.5 | G4/2.5
            f:  C5/.5 C5/.5 C5/.5 | A5/1.5 G5/.5 G5/.5 F5/.5 D5/.5 F5/.5 | C5/.5 A4/.5 F4/1.5
            g:  E4/.5 F4/.5 G4/.5 | A4/.5 D5/.5 C5/.5 A4/.5 G4/.5 F4/.5 D4/.5 E4/.5 | F4/2.5
            out: R/1.5 |
        """,
        form="in a@62 b@66 a@64 c@62 d@74 e@78 f@86 g@66 out",
    ),
    Tune(
        file="minuet_in_g",
        title="Minuet in G",
        origin="Christian Petzold (1677–1733), about 1725, long ascribed to Bach (BWV Anh. 114)",
        public_domain="composer died in 1733",
        shows="a classical theme in 3/4 that visits the dominant, both halves repeated more softly",
        metre=(3, 4),
        bpm=116,
        sharps=1,
        notation="""
            a: D5 G4/.5 A4/.5 B4/.5 C5/.5 | D5 G4 G4 | E5 C5/.5 D5/.5 E5/.5 F#5/.5 | G5 G4 G4 |
            b: C5 D5/.5 C5/.5 B4/.5 A4/.5 | B4 C5/.5 B4/.5 A4/.5 G4/.5 | F#4 G4/.5 A4/.5 B4/.5 G4/.5 | A4/3 |
            c: C5 D5/.5 C5/.5 B4/.5 A4/.5 | B4 C5/.5 B4/.5 A4/.5 G4/.5 | A4 B4/.5 A4/.5 G4/.5 F#4/.5 | G4/3 |
            d: B5 G5/.5 A5/.5 B5/.5 G5/.5 | A5 D5/.5 E5/.5 F#5/.5 D5/.5 |
               G5 E5/.5 F#5/.5 G5/.5 D5/.5 | C#5 B4/.5 C#5/.5 A4 |
            e: A4/.5 B4/.5 C#5/.5 D5/.5 E5/.5 F#5/.5 | G5 F#5 E5 | F#5 A4 C#5 | D5/3 |
            f: D5 G4/.5 F#4/.5 G4 | E5 G4/.5 F#4/.5 G4 | D5 C5 B4 | A4/.5 G4/.5 F#4/.5 G4/.5 A4 |
            g: D4/.5 E4/.5 F#4/.5 G4/.5 A4/.5 B4/.5 | C5 B4 A4 | B4/.5 D5/.5 G4 F#4 | G4/3 |
        """,
        form="a@76 b@74 a@76 c@74  a@64 b@62 a@64 c@62  d@78 e@76 f@72 g@76  d@66 e@64 f@60 g@66",
    ),
    Tune(
        file="lieber_augustin",
        title="O du lieber Augustin",
        origin="Viennese traditional, printed about 1788",
        public_domain="traditional, published about 1788",
        shows="a waltz on two chords, twice through",
        metre=(3, 4),
        bpm=120,
        sharps=-1,
        notation="""
            a: C5/1.5 D5/.5 C5/.5 Bb4/.5 | A4 F4 F4 | G4 C4 C4 | A4 F4 F4 |
            b: C5/1.5 D5/.5 C5/.5 Bb4/.5 | A4 F4 F4 | G4 C4 C4 | F4/2 R |
            c: G4 C4 C4 | A4 F4 F4 | G4 C4 C4 | A4 F4 F4 |
        """,
        form="a@68 b@68 c@74 b@70 a@76 b@76 c@84 b@80",
    ),
    Tune(
        file="ah_vous_dirai_je",
        title="Ah! vous dirai-je, maman",
        origin="French traditional, printed 1761; theme of Mozart's variations K. 265",
        public_domain="traditional, published 1761",
        shows="2/4, the tune and then a variation in eighth notes",
        metre=(2, 4),
        bpm=104,
        sharps=0,
        # The variation circles each note of the tune.
        notation="""
            a:  C5 C5 | G5 G5 | A5 A5 | G5/2 | F5 F5 | E5 E5 | D5 D5 | C5/2 |
            b:  G5 G5 | F5 F5 | E5 E5 | D5/2 |
            av: C5/.5 B4/.5 C5/.5 D5/.5 | G5/.5 F5/.5 G5/.5 A5/.5 | A5/.5 G5/.5 A5/.5 B5/.5 | G5/2 |
                F5/.5 E5/.5 F5/.5 G5/.5 | E5/.5 D5/.5 E5/.5 F5/.5 | D5/.5 C5/.5 D5/.5 E5/.5 | C5/2 |
            bv: G5/.5 F5/.5 G5/.5 A5/.5 | F5/.5 E5/.5 F5/.5 G5/.5 | E5/.5 D5/.5 E5/.5 F5/.5 | D5/2 |
        """,
        form="a@72 b@66 b@62 a@74 av@68 bv@72 bv@66 av@78",
    ),
    Tune(
        file="silent_night",
        title="Silent Night",
        origin="Franz Xaver Gruber (1787–1863), 1818",
        public_domain="composer died in 1863",
        shows="a slow 6/8, long notes for the accompaniment to move under",
        metre=(6, 8),
        bpm=75,
        sharps=0,
        unit=EIGHTH,
        notation="""
            a: G4/1.5 A4/.5 G4 E4/3 | G4/1.5 A4/.5 G4 E4/3 |
            b: D5/2 D5 B4/3 | C5/2 C5 G4/3 |
            c: A4/2 A4 C5/1.5 B4/.5 A4 | G4/1.5 A4/.5 G4 E4/3 |
            d: D5/2 D5 F5/1.5 D5/.5 B4 | C5/3 E5/3 | C5 G4 E4 G4/1.5 F4/.5 D4 | C4/5 R |
        """,
        form="a@58 b@64 c@60 c@62 d@66 a@66 b@72 c@68 c@70 d@74",
    ),
    Tune(
        file="korobeiniki",
        title="Korobeiniki",
        origin="Russian traditional, to words by Nekrasov (1861)",
        public_domain="traditional, 19th century",
        shows="180 bpm, a minor key, strains that change octave",
        metre=(4, 4),
        bpm=180,
        sharps=-3,
        minor=True,
        notation="""
            a: G4 D4/.5 Eb4/.5 F4 Eb4/.5 D4/.5 | C4 C4/.5 Eb4/.5 G4 F4/.5 Eb4/.5 |
               D4/1.5 Eb4/.5 F4 G4 | Eb4 C4 C4/2 |
            b: F4/1.5 Ab4/.5 C5 Bb4/.5 Ab4/.5 | G4/1.5 Eb4/.5 G4 F4/.5 Eb4/.5 |
               D4 D4/.5 Eb4/.5 F4 G4 | Eb4 C4 C4/2 |
        """,
        form="a@72 b@76 b@70  a@66^ b@72^ b@78  a@82 b@86 b@74^  a@84^ b@88^ b@92",
    ),
    Tune(
        file="irish_washerwoman",
        title="The Irish Washerwoman",
        origin="Irish traditional jig, 18th century",
        public_domain="traditional, 18th century",
        shows="a fast jig in running eighths, 6/8, AABB twice",
        metre=(6, 8),
        bpm=165,
        sharps=1,
        unit=EIGHTH,
        notation="""
            in: R/5
            a:  D5/.5 C5/.5 | B4 G4 G4 D4 G4 G4 | B4 G4 B4 D5 C5 B4 | C5 A4 A4 E4 A4 A4 | C5 A4 C5 E5 D5 C5 |
                B4 G4 G4 D4 G4 G4 | B4 G4 B4 D5 C5 B4 | C5 B4 C5 A4 D5 C5 | B4 G4 G4 G4/2
            b:  G5/.5 A5/.5 | B5 G5 G5 D5 G5 G5 | B5 G5 B5 B5 A5 G5 | A5 F#5 F#5 D5 F#5 F#5 | A5 F#5 A5 A5 G5 F#5 |
                E5 G5 G5 D5 G5 G5 | C5 G5 G5 B4 G5 G5 | C5 B4 C5 A4 D5 C5 | B4 G4 G4 G4/2
            out: R |
        """,
        form="in a@74 a@70 b@80 b@74 a@78 a@74 b@84 b@88 out",
    ),
    Tune(
        file="new_world_largo",
        title="Largo from the New World Symphony",
        origin="Antonín Dvořák (1841–1904), Symphony no. 9, 1893",
        public_domain="composer died in 1904",
        shows="52 bpm, dotted sixteenths, five flats",
        metre=(4, 4),
        bpm=52,
        sharps=-5,
        notation="""
            a: F4/.75 Ab4/.25 Ab4 F4/.75 Eb4/.25 Db4 | Eb4/.75 F4/.25 Ab4/.75 F4/.25 Eb4/2 |
            b: F4/.75 Ab4/.25 Ab4 F4/.75 Eb4/.25 Db4 | Eb4/.5 F4/.5 Eb4/.75 Db4/.25 Db4/2 |
            c: Bb4/.75 Db5/.25 Db5 C5/.5 Ab4/.5 Bb4 | Bb4/.5 Db5/.5 C5/.5 Ab4/.5 Bb4/2 |
            d: F4/.75 Ab4/.25 Ab4 F4/.5 Eb4/.5 Db4 | Eb4/.75 F4/.25 Ab4/.75 F4/.25 Eb4/2 |
            e: F4/.75 Ab4/.25 Ab4 Db5/.75 Eb5/.25 F5 | Eb5/.75 Db5/.25 Eb5/.5 Bb4/.5 Db5/2 |
        """,
        form="a@60 b@58 c@66 c@64 d@56 e@68",
    ),
    Tune(
        file="sakura",
        title="Sakura Sakura",
        origin="Japanese traditional, Edo period, printed 1888",
        public_domain="traditional, published 1888",
        shows="a five-note scale that is neither major nor minor",
        metre=(4, 4),
        bpm=72,
        sharps=-1,
        minor=True,
        notation="""
            a: D5 D5 E5/2 | D5 D5 E5/2 |
            b: D5 E5 F5 E5 | D5 E5/.5 D5/.5 Bb4/2 | A4 F4 A4 Bb4 | A4 A4/.5 F4/.5 E4/2 |
            c: A4 Bb4 E5/.5 D5/.5 Bb4 | A4/4 |
        """,
        form="a@62 b@68 b@64 a@60 c@56",
    ),
)


@dataclass(frozen=True)
class Facts:
    """What is told of a tune in numbers; `seconds` is when its last note ends."""

    metre: str
    bars: int
    notes: int
    seconds: float


def facts_of(tune: Tune) -> Facts:
    """Count and measure a tune."""
    notes, bars = play(tune)
    seconds = notes[-1].end / TICKS_PER_QUARTER * 60 / tune.bpm
    return Facts(f"{tune.metre[0]}/{tune.metre[1]}", bars, len(notes), seconds)


def readme() -> str:
    """The examples' README: one table row a tune."""
    rows = [
        "# Example melodies",
        "",
        "Tunes in the public domain, one track named `MELODY` each, spelt note by note in `scripts/make_examples.py`;",
        "run it to write them, and this page, again. Tempo is in quarter notes per minute.",
        "",
        "| File | Title | Composer or origin | Public domain because | Metre | Tempo | Bars | Length | What it shows |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for tune in TUNES:
        facts = facts_of(tune)
        minutes, seconds = divmod(round(facts.seconds), 60)
        rows.append(
            f"| [{tune.file}.mid]({tune.file}.mid) | {tune.title} | {tune.origin} | {tune.public_domain} "
            f"| {facts.metre} | {tune.bpm} | {facts.bars} | {minutes}:{seconds:02d} | {tune.shows} |"
        )
    return "\n".join(rows) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the examples and their README, and print a table of them."""
    parser = argparse.ArgumentParser(description="Write the public-domain example melodies as MIDI files.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder to write to (default: space/examples)")
    output: Path = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    print(f"{'title':33} {'metre':>5} {'bpm':>4} {'bars':>4} {'notes':>5} {'seconds':>7}")
    for tune in TUNES:
        (output / f"{tune.file}.mid").write_bytes(build_score(tune).dumps_midi())
        facts = facts_of(tune)
        print(f"{tune.title:33} {facts.metre:>5} {tune.bpm:4} {facts.bars:4} {facts.notes:5} {facts.seconds:7.1f}")
    (output / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
