"""Four-part harmony as a grammar: what alto, tenor and bass may sing under a soprano, from one chord to the next.

In: a state of the grammar, a melody and its chords. Out: a state under which a model writes three voices below the melody,
chord by chord; which keys they sing, of those that the rules of the style allow, is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.music.clock import QUARTER_MS
from pianalysis.music.hands import WIDEST_SPAN
from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import GrammarState
from pianalysis.tokens.tokenizer import ChordTones, quantize

Voices = tuple[int, ...]
"""Keys from the bass up, without the soprano."""

RANGES: Final = ((40, 60), (48, 67), (55, 74))
"""Lowest and highest key of bass, tenor and alto."""
WIDEST: Final = (WIDEST_SPAN, 12, 12)
"""Semitones from the bass to the tenor, on to the alto, and on to the soprano, at most."""
LEAPS: Final = (12, 7, 7)
"""Semitones that bass, tenor and alto move, at most."""
PERFECT: Final = (0, 7)
"""Octaves and fifths, as semitones within the octave: two voices don't move from one to the next of its kind."""


@dataclass(frozen=True)
class Place:
    """Where a chord is struck: its TIME and DURATION ids; the soprano's key, 0 where it rests, and its key just before; the
    chord's bass and tones, as pitch classes; whether it begins here, and so has its bass.
    """

    time: int
    duration: int
    soprano: int
    coming_from: int
    bass: int
    tones: tuple[int, ...]
    begins: bool


@dataclass(frozen=True)
class FourPartState(GrammarState):
    """A state before some places at which three voices are struck; nothing is struck between.

    places: rising in time. before: the keys of the chord before, the soprano's last; () where there was none. shift: the
    semitones by which the key that is written in is higher than what is sung.
    """

    places: tuple[Place, ...] = ()
    before: Voices = ()
    shift: int = 0
    struck: Voices = ()

    def advance(self, token: int) -> FourPartState:
        """The state after a token. Raises PianalysisError if the grammar, or the part writing, doesn't allow it here."""
        state = cast(FourPartState, super().advance(token))
        if token in vocab.PITCH_IDS and self.expects == "pitch":
            return replace(state, struck=(*self.struck, token))
        if token in vocab.DURATION_IDS and not self._to_come:
            before = (*self.struck, self.places[0].soprano) if self.struck else self.before
            return replace(state, places=self.places[1:], before=before, struck=())
        return state

    @property
    def _to_come(self) -> list[int]:
        """The keys that may be struck next at this place."""
        place, struck = self.places[0], self.struck
        allowed = voicings(place, self.before, self.shift, self.limits.lowest, self.limits.highest)
        return sorted(
            {keys[len(struck)] for keys in allowed if keys[: len(struck)] == struck and len(keys) > len(struck)}
        )

    def spans(self, room: int = vocab.WINDOW_MS) -> list[range]:
        """The ids that may come next, as `GrammarState.spans` has them."""
        end = range(self.end_token, self.end_token + 1)
        if not self.loud or self.expects not in ("time", "note", "note_on", "pitch", "duration"):
            return super().spans(room)
        if self.expects in ("time", "note"):
            if self.struck:
                return [*self.limits.dynamics]
            if not self.places or room <= self._tokens_of_a_chord:
                return [end]
            return [range(self.places[0].time, self.places[0].time + 1)]
        if self.expects == "note_on":
            return [*self.limits.dynamics]
        if self.expects == "pitch":
            return [range(key, key + 1) for key in self._to_come]
        duration = self.places[0].duration
        return [range(duration, duration + 1)]

    @property
    def _tokens_of_a_chord(self) -> int:
        return 2 + 3 * len(RANGES)

    def stand_in(self) -> tuple[int, list[range]]:
        """None stands in for others: a time has no alternative, and all keys that are allowed are there to be drawn."""
        return self.end_token, []


def four_parts(
    state: GrammarState,
    melody: Notes,
    chords: Sequence[ChordTones],
    beats_ms: ArrayLike,
    *,
    before: Voices = (),
    shift: int = 0,
) -> FourPartState:
    """A state that writes three voices below a melody. melody, chords, beats_ms: of the window, on its clock.

    They are struck where a chord begins and with each note of the melody, but for short ones off the beat, which move alone.
    """
    known = {field.name: getattr(state, field.name) for field in fields(GrammarState)}
    places = _places(quantize(melody), chords, beats_ms, state.limits.first_ms, state.limits.length_ms)
    playable = tuple(place for place in places if voicings(place, (), shift, state.limits.lowest, state.limits.highest))
    return FourPartState(
        **known | {"limits": replace(state.limits, two_hands=False, downbeats=())},
        places=playable,
        before=before,
        shift=shift,
    )


def one_chord_at_a_time(notes: Notes) -> Notes:
    """Notes (a new array) that end where the next ones are struck: bars that return were led to in another way before."""
    onsets = np.append(np.unique(notes["onset_ms"]), np.inf)
    following = onsets[np.searchsorted(onsets, notes["onset_ms"], side="right")]
    shorter = notes.copy()
    shorter["duration_ms"] = np.minimum(notes["duration_ms"], following - notes["onset_ms"])
    return shorter


def last_chord(below: Notes, melody: Notes) -> Voices:
    """The keys that were struck last below a melody, rising, and its own then, 0 where it rested; () for nothing."""
    if not len(below):
        return ()
    time = below["onset_ms"].max()
    sounding = melody[(melody["onset_ms"] <= time) & (melody["onset_ms"] + melody["duration_ms"] > time)]
    return (*sorted(below["pitch"][below["onset_ms"] == time].tolist()), int(sounding["pitch"].max(initial=0)))


def _places(
    melody: Notes, chords: Sequence[ChordTones], beats_ms: ArrayLike, first_ms: int, length_ms: int
) -> list[Place]:
    beats, step = np.asarray(beats_ms, float), vocab.TIME_STEP_MS
    onsets = melody["onset_ms"]
    on_beat = np.array([np.abs(beats - onset).min(initial=np.inf) < step for onset in onsets], bool)
    struck = onsets[on_beat | (melody["duration_ms"] >= QUARTER_MS)]
    begins = {float(chord.onset_ms) for chord in chords if chord.tones}
    times = sorted(time for time in {*struck.tolist(), *begins} if time >= first_ms)
    places = []
    for time, following in pairwise([*times, float(vocab.WINDOW_MS)]):
        chord = [chord for chord in chords if chord.onset_ms <= time][-1:]
        if time >= length_ms or not chord or not chord[0].tones:
            continue
        sounding = melody[(onsets <= time) & (onsets + melody["duration_ms"] > time)]
        lasts = _end_of(melody, time, following) - time
        soprano = int(sounding["pitch"].max(initial=0))
        length = max(known for known in vocab.DURATIONS_MS if known <= max(lasts, vocab.DURATIONS_MS[0]))
        duration, begun = vocab.duration_id(length), time in begins
        earlier = melody["pitch"][onsets < time][-1:]
        coming_from = int(earlier[0]) if len(earlier) else 0
        tones = chord[0].tones
        places.append(Place(vocab.time_id(int(time)), duration, soprano, coming_from, chord[0].bass, tones, begun))
    return places


def _end_of(melody: Notes, start: float, following: float) -> float:
    """Where a chord that is struck at `start` ends: at the next one, or where the melody rests before, if it sounds now."""
    ends = melody["onset_ms"] + melody["duration_ms"]
    inside = (melody["onset_ms"] < following) & (ends > start)
    return min(following, float(ends[inside].max(initial=0.0))) if inside.any() else following


@lru_cache(maxsize=20_000)
def voicings(place: Place, before: Voices, shift: int, lowest: int, highest: int) -> tuple[Voices, ...]:
    """What bass, tenor and alto may strike at a place, by the strictest rules that leave anything; each rising.

    The rules, given up from the last on: below the soprano, of the chord; its bass where it begins; no parallel fifths and
    octaves; in their ranges; a third, a root and a seventh among the four; no wider apart than `WIDEST`, no larger moves
    than `LEAPS`. Under a soprano so low that there is no room for three there are two, or one, or none.
    """
    top = min(highest, (place.soprano or vocab.HIGHEST_PITCH + 1) - 1)
    keys = list(range(max(lowest, RANGES[0][0] + shift - 12), min(top, RANGES[2][1] + shift) + 1))
    keys = [key for key in keys if key % 12 in (place.bass, *place.tones)]
    for count in range(min(len(RANGES), len(keys)), 0, -1):
        kept = [*combinations(keys, count)]
        for rule in (_has_bass, _no_parallels, _in_range, _complete, _close, _near):
            fitting = [voices for voices in kept if rule(voices, place, before, shift)]
            kept = fitting or kept
        if kept:
            return tuple(kept)
    return ()


def _has_bass(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    return not place.begins or voices[0] % 12 == place.bass


def _no_parallels(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    now = (*voices, place.soprano)
    if len(before) != len(now) or not place.soprano:
        return True
    sopranos = {before[-1], place.coming_from} - {0}  # it may have moved alone since
    return not any(parallels((*before[:-1], soprano), now) for soprano in sopranos)


def parallels(before: Voices, now: Voices) -> bool:
    """Whether two of some voices move from one fifth, or octave, to another.

    >>> parallels((48, 55, 64, 72), (50, 57, 65, 74)), parallels((48, 55, 64, 72), (43, 55, 62, 71))
    (True, False)
    """
    for low, high in combinations(range(len(now)), 2):
        interval = (now[high] - now[low]) % 12
        same = interval in PERFECT and interval == (before[high] - before[low]) % 12
        if same and (now[low] - before[low]) * (now[high] - before[high]) > 0:
            return True
    return False


def _in_range(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    ranges = zip(voices, RANGES, strict=False)
    return all(lowest <= key - shift <= highest for key, (lowest, highest) in ranges)


def _complete(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    """All tones of the chord but its fifth; which of them is the fifth nobody says, so one tone may be missing of three."""
    found = {key % 12 for key in (*voices, place.soprano or voices[0])}
    missing = [tone for tone in place.tones if tone not in found]
    fifths = [tone for tone in place.tones if (tone - 7) % 12 in place.tones]
    return all(tone in fifths for tone in missing) and len(missing) < 2


def _close(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    keys = (*voices, place.soprano) if place.soprano else voices
    return all(high - low <= widest for low, high, widest in zip(keys, keys[1:], WIDEST, strict=False))


def _near(voices: Voices, place: Place, before: Voices, shift: int) -> bool:
    return not before or all(abs(a - b) <= leap for a, b, leap in zip(voices, before[:-1], LEAPS, strict=False))
