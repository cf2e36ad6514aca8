"""The vocabulary: 801 token ids, every one of them named. No other module knows a number.

The table is the whole module: `TOKENS[id]` is the name of an id, `IDS[name]` the id of a name. Ids 0–3, 10, 11 and
21–108, and the size, are those of the seed model, so its files can be read.

>>> len(TOKENS), TOKENS[60], IDS["TIME_500"]
(801, 'PITCH_60', 129)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pianalysis.music.clock import WINDOW_MS as WINDOW_MS
from pianalysis.music.keys import HIGHEST_PITCH as HIGHEST_PITCH
from pianalysis.music.keys import LOWEST_PITCH as LOWEST_PITCH

PAD, BOS, EOS, SEP, UNK = range(5)
DENSITY_LOW, DENSITY_MID, DENSITY_HIGH = 5, 6, 7
STYLE_POP, STYLE_CLASSICAL, STYLE_HYMN = 8, 9, 20
NOTE_ON, NOTE_OFF = 10, 11

TIME_STEP_MS: Final = 25
"""The clock's grid in clock milliseconds (1/20 of a quarter note)."""

DYNAMIC_NAMES: Final = ("PPP", "PP", "P", "MP", "MF", "F", "FF", "FFF")
DYNAMIC_VELOCITIES: Final = (16, 33, 49, 64, 80, 96, 112, 126)
"""The MIDI velocity each of the eight dynamics stands for (MuseScore's table)."""

DURATIONS_MS: Final = (
    *range(25, 501, 25),  # each grid step up to one beat
    *range(550, 1_001, 50),  # then wider and wider
    *range(1_125, 2_001, 125),
    *range(2_250, 4_001, 250),
    *range(5_000, 8_001, 1_000),
    12_000,
    16_000,
)
"""The 52 note lengths in clock milliseconds."""

DYNAMIC_IDS: Final = range(12, 20)
PITCH_IDS: Final = range(LOWEST_PITCH, HIGHEST_PITCH + 1)
CHORD_BASS_IDS: Final = range(36, 48)
"""A chord's bass: the pitch classes from C on, as keys of this octave."""
CHORD_TONE_IDS: Final = range(60, 72)
"""A chord's tones, in the same way."""
TIME_IDS: Final = range(109, 109 + WINDOW_MS // TIME_STEP_MS)
DURATION_IDS: Final = range(TIME_IDS.stop, TIME_IDS.stop + len(DURATIONS_MS))
NOTE_ON_IDS: Final = (NOTE_ON, *DYNAMIC_IDS)

STYLES: Final = {"pop": STYLE_POP, "classical": STYLE_CLASSICAL, "hymn": STYLE_HYMN}
AUTO: Final = "auto"
"""Where a style is asked for: the one that fits the melody best. No token: one of `STYLES` is chosen first."""
DENSITIES: Final = {"low": DENSITY_LOW, "mid": DENSITY_MID, "high": DENSITY_HIGH}

TOKENS: Final[tuple[str, ...]] = (
    *("<pad>", "<bos>", "<eos>", "<sep>", "<unk>"),
    *("DENSITY_LOW", "DENSITY_MID", "DENSITY_HIGH", "STYLE_POP", "STYLE_CLASSICAL"),
    *("NOTE_ON", "NOTE_OFF"),
    *(f"NOTE_ON_{name}" for name in DYNAMIC_NAMES),
    "STYLE_HYMN",
    *(f"PITCH_{pitch}" for pitch in PITCH_IDS),
    *(f"TIME_{step * TIME_STEP_MS}" for step in range(len(TIME_IDS))),
    *(f"DURATION_{ms}" for ms in DURATIONS_MS),
)
IDS: Final[dict[str, int]] = {token: index for index, token in enumerate(TOKENS)}
VOCAB_SIZE: Final = len(TOKENS)
FORMER_NAMES: Final = {"RESERVED_20": "STYLE_HYMN"}
"""Names in the tokenizers of older checkpoints, whose ids had no meaning then."""

_MEANINGS: Final = (
    (range(0, 1), "padding, never inside a sequence"),
    (range(1, 2), "a window begins"),
    (range(2, 3), "a window ends"),
    (range(3, 4), "between the melody, the chords and the accompaniment"),
    (range(4, 5), "never produced by encoding, never sampled"),
    (range(5, 8), "accompaniment notes per beat, in terciles of the training set"),
    ((STYLE_POP, STYLE_CLASSICAL, STYLE_HYMN), "the corpus the accompaniment is like"),
    (range(10, 11), "a note whose loudness is not stated (the melody)"),
    (range(11, 12), "a key is let go, in the event view; in the chords: no chord from this time on"),
    (DYNAMIC_IDS, "a note at one of eight dynamics"),
    (PITCH_IDS, "a key of the piano, id = MIDI pitch"),
    (TIME_IDS, "an onset, clock milliseconds from the window's start"),
    (DURATION_IDS, "a length in clock milliseconds"),
)


def meaning(token_id: int) -> str:
    """What a token id stands for, in words.

    >>> meaning(60)
    'a key of the piano, id = MIDI pitch'
    """
    for ids, text in _MEANINGS:
        if token_id in ids:
            return text
    raise ValueError(f"expected a token id from 0 to {VOCAB_SIZE - 1}, found {token_id}")


def is_this_table(table: Mapping[str, int]) -> bool:
    """Whether a tokenizer's names and ids are those of this module, under today's names or `FORMER_NAMES`.

    >>> is_this_table(IDS), is_this_table({"<pad>": 0})
    (True, False)
    """
    return {FORMER_NAMES.get(name, name): token for name, token in table.items()} == IDS


def time_id(onset_ms: int) -> int:
    """The id of an onset on the grid: ``time_id(500) == 129``. Raises ValueError off the grid or outside the window."""
    if onset_ms % TIME_STEP_MS or not 0 <= onset_ms < WINDOW_MS:
        raise ValueError(f"expected an onset in 0, {TIME_STEP_MS} … {WINDOW_MS - TIME_STEP_MS} ms, found {onset_ms}")
    return TIME_IDS[onset_ms // TIME_STEP_MS]


def time_ms(token_id: int) -> int:
    """The onset a TIME id states, in clock milliseconds; the inverse of `time_id`."""
    return TIME_IDS.index(token_id) * TIME_STEP_MS


def duration_id(duration_ms: int) -> int:
    """The id of one of the 52 lengths. Raises ValueError for any other length."""
    try:
        return DURATION_IDS[DURATIONS_MS.index(duration_ms)]
    except ValueError:
        raise ValueError(
            f"expected one of the {len(DURATIONS_MS)} lengths in DURATIONS_MS, found {duration_ms}"
        ) from None


def duration_ms(token_id: int) -> int:
    """The length a DURATION id states, in clock milliseconds; the inverse of `duration_id`."""
    length: int = DURATIONS_MS[DURATION_IDS.index(token_id)]
    return length


def dynamic_id(velocity: int) -> int:
    """The NOTE_ON_… id of a velocity that is one of `DYNAMIC_VELOCITIES`. Raises ValueError for any other."""
    try:
        return DYNAMIC_IDS[DYNAMIC_VELOCITIES.index(velocity)]
    except ValueError:
        raise ValueError(f"expected one of the velocities {DYNAMIC_VELOCITIES}, found {velocity}") from None


def dynamic_velocity(token_id: int) -> int:
    """The velocity a NOTE_ON_… id stands for; the inverse of `dynamic_id`."""
    return DYNAMIC_VELOCITIES[DYNAMIC_IDS.index(token_id)]
