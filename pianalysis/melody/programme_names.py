"""Names that programs give tracks by themselves: those of General MIDI's programmes, which nobody typed.

In: a track's name, its case and accents gone. Out: what is left of it without them. A programme's name says no more than the
programme does; of 128 and their 16 families these are the ones whose words would say something: "aahs" is what a backing choir
sings, and the sound that most melodies of choirs and songs are given.
"""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = r"(?: ?\d+| i+)?"
_SUNG: Final = r"(?:a+h+s?|o+h+s?|u+h+s?)"
_SYNTH: Final = r"(?:synth?|synth?esi[sz]ers?)"
PROGRAMMES: Final = re.compile(
    "|".join(
        [
            rf"(?:choir|choral|voices?|mixed choir|{_SYNTH}) {_SUNG}{_NUMBER}",
            rf"{_SUNG} (?:choir|voices?){_NUMBER}",
            rf"{_SYNTH} ?(?:voices?|choir|vox){_NUMBER}",
            r"lead \d (?:\(?[\w +&-]+\)?)",
            rf"{_SYNTH} leads?{_NUMBER}|lead synth?esi[sz]er{_NUMBER}",
            rf"{_SYNTH} ?(?:effects?|fx){_NUMBER}|effects? {_SYNTH}{_NUMBER}",
            r"(?:synth? )?(?:fx|effects?) \d(?: ?\(?[\w -]+\)?)?",
            rf"perc(?:ussive|uss|\.)? ?organ{_NUMBER}",
            r"chrom(?:atic|\.)? ?perc(?:ussion|\.)?",
            r"(?:guitar|gtr?)\.? ?harmonics?",
            r"steel ?(?:drums?|pans?)",
        ]
    )
)
"""Of accompaniments by nature, basses, pads, timpani, drums, noises, there is none here: their words stand."""
_CUT_OFF: Final = (
    "choir aahs",
    "voice oohs",
    "synth voice",
    "synth choir",
    "synth effects",
    "effect synthesizer",
    "percussive organ",
    "chromatic percussion",
    "steel drums",
)
"""What is met without its end: names with three parts don't fit where files keep few letters of each."""


def without_programmes(name: str) -> str:
    """A name without the programmes' names in it: notation programs write a part's name, its short form and its sound.

    >>> without_programmes("alto, a., choir aahs"), without_programmes("fx 1 (rain)"), without_programmes("choir")
    ('alto', '', 'choir')
    """
    parts = [" ".join(re.sub(r"[\s_\0-]+", " ", part).split()) for part in name.split(",")]
    kept = [
        given
        for place, (part, given) in enumerate(zip(parts, name.split(","), strict=True))
        if not PROGRAMMES.fullmatch(part)
        and not (place and (_is_short_for(part, parts[0]) or (place == len(parts) - 1 and _is_cut_off(part))))
    ]
    return ",".join(kept)


def _is_short_for(part: str, name: str) -> bool:
    """Whether a part of a name repeats some letters of the first, in their order: T. or Tn. for Tenor."""
    letters = iter(name)
    return bool(part) and part[0] == name[:1] and all(letter in letters for letter in part.rstrip("."))


def _is_cut_off(part: str) -> bool:
    """Whether a programme's name begins so, and not with this as a word of its own."""
    return len(part) > 3 and any(whole.startswith(part) and not whole.startswith(f"{part} ") for whole in _CUT_OFF)
