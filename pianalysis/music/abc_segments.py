"""What is written between two bar lines of a voice in ABC.

In: nothing. Out: the plain data that `abc_voices` writes and `abc_playing` plays. Times are parts of a whole note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from pianalysis.music.abc_fields import Key

NO_KEY: Final = Key()


@dataclass(frozen=True)
class State:
    """What holds at a moment: metre (None: free), key, quarters a minute (None: not stated)."""

    metre: tuple[int, int] | None = None
    key: Key = NO_KEY
    bpm: float | None = None

    @property
    def bar(self) -> Fraction:
        """A bar's length; without a metre that of 4/4."""
        return Fraction(*self.metre) if self.metre else Fraction(1)


@dataclass(frozen=True)
class WrittenNote:
    """A note; `step` is its place on the staff, `tied` whether it holds on to the next one there, `layer` above 0 after ``&``."""

    offset: Fraction
    length: Fraction
    pitch: int
    step: int
    layer: int = 0
    tied: bool = False


@dataclass(frozen=True)
class Syllable:
    """A syllable of a verse, from 1, under the note at `offset`; with a hyphen where its word goes on."""

    offset: Fraction
    verse: int
    text: str


@dataclass
class Segment:
    """The music from one bar line to the next, and what the bar lines say.

    state: at its beginning. forward: a repeat begins here. endings: it belongs to these. times: the repeat that ends here is played so
    often, 0 for none.
    closed: the bar line at its end is no plain one, so that an ending ends. part: the part that begins here.
    """

    state: State
    forward: bool = False
    endings: tuple[int, ...] = ()
    part: str = ""
    times: int = 0
    closed: bool = False
    length: Fraction = Fraction(0)
    notes: list[WrittenNote] = field(default_factory=list)
    changes: list[tuple[Fraction, State]] = field(default_factory=list)
    chords: list[tuple[Fraction, str]] = field(default_factory=list)
    syllables: list[Syllable] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing sounds or rests in it."""
        return not self.length and not self.notes
