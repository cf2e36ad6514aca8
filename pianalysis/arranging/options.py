"""What a user may ask of the arranger: `Options`.

In: words and numbers. Out: what a window's prompt, an engine's sampling and the keys and loudness of a piece are made of.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from pianalysis.arranging.figures import AUTO as NO_FIGURE
from pianalysis.arranging.figures import Figure, read_figures
from pianalysis.arranging.form_options import FormChanges, FormOptions
from pianalysis.arranging.metre_reading import Asked
from pianalysis.errors import PianalysisError
from pianalysis.harmony.richness import BALANCED, RICHNESS
from pianalysis.model.sampling import Sampling
from pianalysis.music.difficulty import AUTO as NO_DIFFICULTY
from pianalysis.music.difficulty import DIFFICULTIES, HandRule
from pianalysis.music.metres import read_metre, read_pickup
from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab

MOST_CLEAR: Final = 5.0
LOUDEST: Final = 127
NARROWEST: Final = 12
"""Semitones: with an octave there are keys left in whatever key the model thinks."""
_SPAN: Final = re.compile(r"(?:(?:(\d+)(?:-(\d+))?|v([1-9])):)?([\w-]+)")


@dataclass(frozen=True)
class Options(FormOptions):
    """What a user may ask for; its form, `FormOptions`, too. max_bars None: all bars.

    tune: which one of a tune book in ABC, from 1; None: the first.

    style: ``"pop"``, ``"classical"`` or ``"hymn"`` (four parts, the melody their soprano), or ``"auto"``: that of them under
    which the melody and its chords are likeliest. density: ``"low"``, ``"mid"`` or ``"high"``, for some bars another: ``"mid,9-16:high,20:low"``, or for
    a verse: ``"v2:high"``; bars are those of the file, with an introduction or verses those of the piece, from 1. lowest, highest: the keys of the accompaniment, MIDI pitches, at least an octave. dynamics: −1 very soft … 1 very
    loud; the notes stay the same. structure: where the melody returns, what was played the first time is played again.
    clear: how much the accompaniment keeps off the melody's key and from above it; 0 lets it cross. harmony: ``"simple"``,
    ``"balanced"`` or ``"rich"``: how many chords are found, and of which kinds. ignore_chords: find them although the file
    states some. left_hand: what the left hand plays, ``"auto"`` (what the model writes) or the name of a figure
    (`figures.read_figures`), for some bars another, as in density: ``"waltz,9-16:arpeggio"``; the model adds the right hand
    and how loud both are. figures: a file of figures of one's own. difficulty: ``"easy"``, ``"medium"`` or ``"hard"`` to play, or
    ``"auto"`` (what the model writes): what each hand is asked for (`music.difficulty`), and, where density and harmony
    are the defaults, other ones; others hold, as far as the hands go. time_signature: the melody's metre, such as ``"3/4"``,
    whatever its file says; pickup: the quarters before its first full bar, from its first note on. Where they are None
    they are the file's, or heard in the melody, unless keep_metre, with which the file's beats aren't questioned either. The
    three numbers of sampling are the checkpoint's own
    where they are None.
    """

    style: str = vocab.AUTO
    density: str = "mid"
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    max_bars: int | None = None
    lowest: int = vocab.LOWEST_PITCH
    highest: int = vocab.HIGHEST_PITCH
    dynamics: float = 0.0
    structure: bool = True
    clear: float = 1.0
    harmony: str = BALANCED
    ignore_chords: bool = False
    left_hand: str = NO_FIGURE
    figures: str | os.PathLike[str] | None = None
    tune: int | None = None
    difficulty: str = NO_DIFFICULTY
    time_signature: str | None = None
    pickup: float | None = None
    keep_metre: bool = False

    def __post_init__(self) -> None:
        if self.style not in (vocab.AUTO, *vocab.STYLES):
            raise PianalysisError(f"expected one of the styles {[vocab.AUTO, *vocab.STYLES]}, found {self.style!r}")
        if self.harmony not in RICHNESS:
            raise PianalysisError(f"expected the harmony as one of {[*RICHNESS]}, found {self.harmony!r}")
        if self.difficulty not in DIFFICULTIES:
            raise PianalysisError(f"expected the difficulty as one of {[*DIFFICULTIES]}, found {self.difficulty!r}")
        if self.difficulty != NO_DIFFICULTY and self.style == "hymn":
            raise PianalysisError(
                f"difficulty {self.difficulty!r}: a hymn's four parts are as hard as they are; choose the style pop or "
                "classical, or the difficulty auto"
            )
        if self.max_bars is not None and self.max_bars < 1:
            raise PianalysisError(f"expected at least 1 bar, found {self.max_bars}")
        if self.tune is not None and self.tune < 1:
            raise PianalysisError(f"expected a tune from 1, found {self.tune}")
        if not vocab.LOWEST_PITCH <= self.lowest <= self.highest - NARROWEST <= vocab.HIGHEST_PITCH - NARROWEST:
            raise PianalysisError(
                f"expected keys from {vocab.LOWEST_PITCH} to {vocab.HIGHEST_PITCH}, at least an octave, for the "
                f"accompaniment, found {self.lowest} to {self.highest}"
            )
        if not 0 <= self.clear <= MOST_CLEAR:
            raise PianalysisError(f"expected clear from 0 to {MOST_CLEAR:g}, found {self.clear}")
        if not -1 <= self.dynamics <= 1:
            raise PianalysisError(f"expected dynamics from -1, very soft, to 1, very loud, found {self.dynamics}")
        self.check_form()
        _ = self.sampling, self.density_at(0), self.left_hand_at(0), self.metre_asked  # checks them

    @property
    def metre_asked(self) -> Asked:
        """What is said of the melody's bars and its tempo. Raises PianalysisError for what is no metre, or no pickup."""
        return Asked(
            None if self.time_signature is None else read_metre(self.time_signature),
            None if self.pickup is None else read_pickup(self.pickup),
            self.keep_metre,
            self.bpm,
        )

    def density_at(self, bar: int) -> str:
        """The density word of a bar, counted from 0; what is said last holds. Raises PianalysisError for another text."""
        words = _by_bars(self.density, tuple(vocab.DENSITIES), "a density", "9-16:high")
        default = DIFFICULTIES[self.difficulty].density
        return default if self.density == Options.density else _said_at(words, bar) or default

    @property
    def richness(self) -> str:
        """The harmony asked for, or the difficulty's own."""
        return DIFFICULTIES[self.difficulty].harmony if self.harmony == BALANCED else self.harmony

    @property
    def hand_rule(self) -> HandRule | None:
        """What each hand is asked for, by the difficulty; None for no more than that two hands can strike it."""
        return DIFFICULTIES[self.difficulty].hands

    def left_hand_at(self, bar: int) -> str:
        """The name of the figure of a bar, counted from 0, or `NO_FIGURE`. Raises PianalysisError for another text."""
        if self.left_hand == NO_FIGURE and self.figures is None:
            return NO_FIGURE
        words = _by_bars(self.left_hand, (NO_FIGURE, *self._figures), "a left hand", "9-16:waltz")
        return _said_at(words, bar) or NO_FIGURE

    def figure_at(self, bar: int) -> Figure | None:
        """The figure that the left hand plays in a bar, counted from 0; None where the model writes it."""
        name = self.left_hand_at(bar)
        return None if name == NO_FIGURE else self._figures[name]

    @property
    def plays_figures(self) -> bool:
        """Whether the left hand is asked to play a figure anywhere."""
        return any(part.rpartition(":")[2].strip() != NO_FIGURE for part in self.left_hand.split(","))

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        return read_figures(self.figures)

    def played(self, notes: Notes) -> Notes:
        """Notes as loud as asked for (a new array): velocities on a curve that keeps their order, soft ones in 1 … 127.

        A bias on the tokens of loudness would change what is written too, and add up from window to window.
        """
        if not self.dynamics:
            return notes
        louder = notes.copy()
        share = (notes["velocity"] / LOUDEST) ** 2.0**-self.dynamics
        louder["velocity"] = np.clip(np.rint(LOUDEST * share), 1, LOUDEST)
        return louder

    @property
    def sampling(self) -> Sampling:
        """The part that an engine reads. Raises PianalysisError for values out of range."""
        return self.sampling_after(Sampling())

    def sampling_after(self, default: Sampling) -> Sampling:
        """The sampling asked for, on top of a checkpoint's."""
        asked = {name: getattr(self, name) for name in ("temperature", "top_k", "top_p")}
        return replace(default, **{name: value for name, value in asked.items() if value is not None})

    def resolved(self, sampling: Sampling) -> Options:
        """The same with a checkpoint's numbers where none were asked for."""
        return replace(self, **asdict(self.sampling_after(sampling)))


@lru_cache
def _by_bars(text: str, known: tuple[str, ...], what: str, example: str) -> tuple[tuple[str, range | None], ...]:
    """The words of an option and the bars, from 1, that each is for; None for all. what, example: for the error."""
    words: list[tuple[str, range | None]] = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        first, last = (int(found[1] or 1), int(found[2] or found[1] or 1)) if found else (0, 0)
        if found is None or found[4] not in known or not 1 <= first <= last:
            raise PianalysisError(
                f"expected {what} of {[*known]}, or one for some bars such as {example}, found {part!r}"
            )
        # which bars a verse is isn't known before the melody is: `form.in_bars` says it
        bars = range(first, last + 1) if found[1] else range(0) if found[3] else None
        words.append((found[4], bars))
    return tuple(words)


def _said_at(words: tuple[tuple[str, range | None], ...], bar: int) -> str | None:
    """What is said of a bar, counted from 0, by the last word that is for it."""
    return next((word for word, bars in reversed(words) if bars is None or bar + 1 in bars), None)


class OptionChanges(FormChanges, total=False):
    """Fields of `Options` that are to be other than they are, as keywords: a type checker knows their names."""

    style: str
    density: str
    temperature: float | None
    top_k: int | None
    top_p: float | None
    max_bars: int | None
    lowest: int
    highest: int
    dynamics: float
    structure: bool
    clear: float
    harmony: str
    ignore_chords: bool
    left_hand: str
    figures: str | os.PathLike[str] | None
    tune: int | None
    difficulty: str
    time_signature: str | None
    pickup: float | None
    keep_metre: bool
