"""Notes and chords of one window to token ids and back.

In: grid notes, `NOTE_DTYPE` arrays in clock-ms from the window's start whose onsets, lengths, pitches and velocities
are those of the vocabulary (`quantize` makes them). Out: lists of ids. `decode(encode(w)) == w`.

One window:   <bos> STYLE DENSITY melody <sep> chords <sep> accompaniment <eos>
A lead sheet: <bos> STYLE DENSITY melody <sep> chords <sep>
Without:      <bos> STYLE DENSITY melody <sep> accompaniment <eos>, as models have it that know no chords
One note:     TIME (once per onset), NOTE_ON…, PITCH, DURATION
One chord:    TIME, its bass as one of PITCH_36 … PITCH_47, its tones as PITCH_60 … PITCH_71; no chord: TIME, NOTE_OFF
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.errors import PianalysisError
from pianalysis.music.notes import Notes, make_notes, sort_notes
from pianalysis.tokens import vocab

if TYPE_CHECKING:
    pass

MELODY_VELOCITY: Final = vocab.DYNAMIC_VELOCITIES[5]
"""What `decode` gives melody notes, whose loudness the tokens don't state: forte, above the accompaniment."""

_DURATIONS = np.array(vocab.DURATIONS_MS)
_VELOCITIES = np.array(vocab.DYNAMIC_VELOCITIES)


class TokenError(PianalysisError):
    """A sequence of ids that breaks the grammar."""


@dataclass(frozen=True)
class ChordTones:
    """A chord from `onset_ms`, on the window's grid, up to the next one.

    bass, tones: pitch classes from 0 to 11, the tones rising; the bass needn't be one of them. No chord: −1 and no tones.

    >>> ChordTones(2000, 7, (2, 5, 7, 11))  # G7
    ChordTones(onset_ms=2000, bass=7, tones=(2, 5, 7, 11))
    """

    onset_ms: int
    bass: int = -1
    tones: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class WindowNotes:
    """What one window's tokens say: grid notes of both voices, the style (`vocab.STYLES`), the density, the chords.

    accompaniment: None in a lead sheet, which has chords in its stead. chords: rising in time, the first at 0, or none
    at all; None in a window of the form that says nothing of chords.
    """

    melody: Notes
    accompaniment: Notes | None
    style: str = "pop"
    density: str = "mid"
    chords: tuple[ChordTones, ...] | None = None

    @property
    def below(self) -> Notes:
        """The accompaniment's notes; of a lead sheet none."""
        return make_notes() if self.accompaniment is None else self.accompaniment


def quantize(notes: Notes) -> Notes:
    """Notes in clock-ms to the grid: nearest onset, nearest of the 52 lengths, nearest dynamic, one note a key and onset.

    Notes off the piano's 88 keys and notes that start outside the window (0 … 15,987.5 ms) are left out; of two that
    strike one key at one onset the longer stays.
    """
    grid = notes.copy()
    steps = np.floor(notes["onset_ms"] / vocab.TIME_STEP_MS + 0.5 + 1e-6)  # a half goes up, rounding errors or not
    grid["onset_ms"] = steps * vocab.TIME_STEP_MS
    grid["duration_ms"] = _nearest(_DURATIONS, notes["duration_ms"])
    grid["velocity"] = _nearest(_VELOCITIES, notes["velocity"])
    inside = (grid["onset_ms"] >= 0) & (grid["onset_ms"] < vocab.WINDOW_MS)
    inside &= (grid["pitch"] >= vocab.LOWEST_PITCH) & (grid["pitch"] <= vocab.HIGHEST_PITCH)
    grid = sort_notes(grid[inside])
    if not len(grid):
        return grid
    last_of_key = np.append((np.diff(grid["onset_ms"]) != 0) | (np.diff(grid["pitch"]) != 0), True)
    unique: Notes = grid[last_of_key]
    return unique


def _nearest(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The nearest entry of a rising table; a tie goes to the lower."""
    middles = (table[1:] + table[:-1]) / 2
    return table[np.searchsorted(middles, values - 1e-6)]


def encode_melody(melody: Notes, *, style: str = "pop", density: str = "mid") -> list[int]:
    """``<bos> STYLE DENSITY melody <sep>``. Raises PianalysisError for notes off the grid."""
    if style not in vocab.STYLES or density not in vocab.DENSITIES:
        raise PianalysisError(
            f"expected a style of {[*vocab.STYLES]} and a density of {[*vocab.DENSITIES]}, found {style}, {density}"
        )
    return [vocab.BOS, vocab.STYLES[style], vocab.DENSITIES[density], *_encode_notes(melody, loud=False), vocab.SEP]


def encode_chords(chords: Iterable[ChordTones]) -> list[int]:
    """The chords' tokens, without ``<sep>``. Raises PianalysisError for chords that `ChordTones` doesn't describe.

    >>> [vocab.TOKENS[i] for i in encode_chords([ChordTones(0, 0, (0, 4, 7)), ChordTones(2000)])]
    ['TIME_0', 'PITCH_36', 'PITCH_60', 'PITCH_64', 'PITCH_67', 'TIME_2000', 'NOTE_OFF']
    """
    ids: list[int] = []
    previous = -1
    for chord in chords:
        if chord.onset_ms <= previous or (previous < 0 and chord.onset_ms):
            raise PianalysisError(f"expected chords from 0 ms on, rising in time, found {chord} after {previous} ms")
        previous = chord.onset_ms
        ids += [vocab.time_id(chord.onset_ms), *_encode_chord(chord)]
    return ids


def _encode_chord(chord: ChordTones) -> list[int]:
    if chord.bass == -1 and not chord.tones:
        return [vocab.NOTE_OFF]
    rising = all(low < high for low, high in pairwise(chord.tones))
    if not chord.tones or not rising or not {chord.bass, *chord.tones} <= set(range(12)):
        raise PianalysisError(f"expected a bass and rising tones from 0 to 11, or neither, found {chord}")
    return [vocab.CHORD_BASS_IDS[chord.bass], *(vocab.CHORD_TONE_IDS[tone] for tone in chord.tones)]


def encode_prompt(
    melody: Notes, chords: Iterable[ChordTones] | None = None, *, style: str = "pop", density: str = "mid"
) -> list[int]:
    """All that stands before the accompaniment, the last ``<sep>`` included; chords None: the form without them.

    Raises PianalysisError for notes off the grid and chords that aren't in order.
    """
    prompt = encode_melody(melody, style=style, density=density)
    return prompt if chords is None else [*prompt, *encode_chords(chords), vocab.SEP]


def encode_accompaniment(accompaniment: Notes) -> list[int]:
    """The accompaniment's tokens, without ``<eos>``. Raises PianalysisError for notes off the grid."""
    return _encode_notes(accompaniment, loud=True)


def encode(window: WindowNotes) -> list[int]:
    """A window to ids, the exact inverse of `decode`. Raises PianalysisError for what can't be said in tokens.

    >>> note = make_notes([(0, 500, 72, 96)])
    >>> [vocab.TOKENS[i] for i in encode(WindowNotes(note, make_notes()))][3:7]
    ['TIME_0', 'NOTE_ON', 'PITCH_72', 'DURATION_500']
    """
    prompt = encode_prompt(window.melody, window.chords, style=window.style, density=window.density)
    if window.accompaniment is not None:
        return [*prompt, *encode_accompaniment(window.accompaniment), vocab.EOS]
    if window.chords is None:
        raise PianalysisError("expected an accompaniment or a lead sheet's chords, found neither")
    return prompt


def _encode_notes(notes: Notes, *, loud: bool) -> list[int]:
    ids: list[int] = []
    previous = (-1, 0)
    for onset, length, pitch, velocity in notes.tolist():
        place = (int(onset), pitch)
        if onset != place[0] or place <= previous:
            raise PianalysisError(
                f"expected grid notes rising in onset, then pitch, found {place} after {previous}; use quantize"
            )
        if place[0] != previous[0]:
            ids.append(vocab.time_id(place[0]))
        if pitch not in vocab.PITCH_IDS:
            raise PianalysisError(f"expected a pitch from {vocab.LOWEST_PITCH} to {vocab.HIGHEST_PITCH}, found {pitch}")
        ids += [vocab.dynamic_id(velocity) if loud else vocab.NOTE_ON, pitch, vocab.duration_id(int(length))]
        previous = place
    return ids


def decode(ids: Sequence[int]) -> WindowNotes:
    """Ids of one whole window, of any of the three forms, to notes and chords.

    Raises TokenError where the grammar is broken, saying where.
    """
    ids = [int(token) for token in ids]
    separators = [place for place, token in enumerate(ids) if token == vocab.SEP]
    lead_sheet = len(separators) == 2 and separators[1] == len(ids) - 1
    if ids[:1] != [vocab.BOS] or len(separators) not in (1, 2) or not (lead_sheet or ids[-1] == vocab.EOS):
        raise TokenError(
            "expected <bos> STYLE DENSITY … <sep> … <eos>, with chords after a first <sep> or without, "
            f"found {_show(ids[:4])} … {_show(ids[-2:])} with {len(separators)} <sep>"
        )
    styles = {token: name for name, token in vocab.STYLES.items()}
    densities = {token: name for name, token in vocab.DENSITIES.items()}
    if ids[1] not in styles or ids[2] not in densities:
        raise TokenError(f"expected STYLE DENSITY after <bos>, found {_show(ids[1:3])}")
    first, last = separators[0], separators[-1]
    melody = decode_notes(ids[3:first], loud=False, start=3)
    chords = decode_chords(ids[first + 1 : last], start=first + 1) if last > first else None
    below = None if lead_sheet else decode_notes(ids[last + 1 : -1], loud=True, start=last + 1)
    return WindowNotes(melody, below, styles[ids[1]], densities[ids[2]], chords)


def decode_chords(ids: Sequence[int], *, start: int = 0) -> tuple[ChordTones, ...]:
    """Ids of the chords, without ``<sep>``: the inverse of `encode_chords`.

    start: the place of the first id in its sequence, for the errors. Raises TokenError where the grammar is broken.
    """
    chords: list[ChordTones] = []
    position = 0
    while position < len(ids):
        place, onset = start + position, _chord_onset(ids[position], chords[-1].onset_ms if chords else -1)
        if onset is None:
            when = f"TIME after {chords[-1].onset_ms} ms" if chords else "TIME_0"
            raise TokenError(f"expected {when} in the chords, found {_show(ids[position : position + 1])} at {place}")
        stop = position + 1
        while stop < len(ids) and ids[stop] not in vocab.TIME_IDS:
            stop += 1
        chords.append(_decode_chord(onset, ids[position + 1 : stop], place + 1))
        position = stop
    return tuple(chords)


def _chord_onset(token: int, previous_ms: int) -> int | None:
    """The onset that a TIME gives a chord after another, or after none (−1); None where it can't stand there."""
    if token not in vocab.TIME_IDS:
        return None
    onset = vocab.time_ms(token)
    return onset if (onset > previous_ms >= 0 or onset == 0 > previous_ms) else None


def _decode_chord(onset_ms: int, ids: Sequence[int], place: int) -> ChordTones:
    """One chord from what stands between its TIME and the next, the first of it at `place`."""
    if list(ids) == [vocab.NOTE_OFF]:
        return ChordTones(onset_ms)
    bass, tones = ids[:1], ids[1:]
    if not bass or bass[0] not in vocab.CHORD_BASS_IDS:
        raise TokenError(
            f"expected a bass of PITCH_36 … PITCH_47 or NOTE_OFF at {onset_ms} ms, found {_at(ids, place)}"
        )
    for index, tone in enumerate(tones):
        if tone not in vocab.CHORD_TONE_IDS or (index and tone <= tones[index - 1]):
            raise TokenError(
                f"expected tones of PITCH_60 … PITCH_71 that rise at {onset_ms} ms, "
                f"found {_at(tones[index:], place + 1 + index)}"
            )
    if not tones:
        raise TokenError(f"expected a tone after the bass at {onset_ms} ms, found {_at(tones, place + 1)}")
    first_bass, first_tone = vocab.CHORD_BASS_IDS.start, vocab.CHORD_TONE_IDS.start
    return ChordTones(onset_ms, bass[0] - first_bass, tuple(tone - first_tone for tone in tones))


def _at(ids: Sequence[int], place: int) -> str:
    return f"{_show(ids[:1])} at {place}"


def decode_notes(ids: Sequence[int], *, loud: bool, start: int = 0) -> Notes:
    """Ids of one voice, without specials, to grid notes. Raises TokenError where the grammar is broken.

    start: the place of the first id in its sequence, for the errors.
    """
    rows: list[tuple[float, float, int, int]] = []
    onset, pitch_floor, position = -1, 0, 0
    note_ons = vocab.DYNAMIC_IDS if loud else (vocab.NOTE_ON,)
    while position < len(ids):
        if ids[position] in vocab.TIME_IDS:
            later = vocab.time_ms(ids[position])
            if later <= onset:
                raise TokenError(
                    f"expected a time after {onset} ms, found {_show(ids[position : position + 1])} at {start + position}"
                )
            onset, pitch_floor, position = later, 0, position + 1
        triple = ids[position : position + 3]
        if (
            onset < 0
            or len(triple) < 3
            or triple[0] not in note_ons
            or triple[1] not in vocab.PITCH_IDS
            or triple[2] not in vocab.DURATION_IDS
        ):
            raise TokenError(f"expected TIME, then NOTE_ON PITCH DURATION, found {_show(triple)} at {start + position}")
        if triple[1] <= pitch_floor:
            raise TokenError(f"expected a pitch above {pitch_floor} at {onset} ms, found {triple[1]}")
        velocity = vocab.dynamic_velocity(triple[0]) if loud else MELODY_VELOCITY
        rows.append((onset, vocab.duration_ms(triple[2]), triple[1], velocity))
        pitch_floor, position = triple[1], position + 3
    return make_notes(rows)


def without_chords(ids: Sequence[int]) -> list[int]:
    """A window's ids in the form that says nothing of chords; of a lead sheet ``<bos> STYLE DENSITY melody <sep>`` is left.

    >>> without_chords([1, 8, 6, 3, 109, 11, 3, 2]), without_chords([1, 8, 6, 3, 2])
    ([1, 8, 6, 3, 2], [1, 8, 6, 3, 2])
    """
    separators = [place for place, token in enumerate(ids) if token == vocab.SEP]
    if len(separators) < 2:
        return list(ids)
    return [*ids[: separators[0] + 1], *ids[separators[1] + 1 :]]


def _show(ids: Sequence[int]) -> str:
    return " ".join(vocab.TOKENS[token] if 0 <= token < vocab.VOCAB_SIZE else str(token) for token in ids) or "the end"
