"""An accompaniment that is to be easy to play: what its hands may strike, and figures of the left hand made easier.

In: a piece's key, its beats and chords, and a rule for each hand (`music.difficulty`). Out: `HandLimits`, notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from pianalysis.arranging.left_hand import Ground, LeftHand, lowest_between
from pianalysis.arranging.structure import Earlier
from pianalysis.harmony.beats import BeatGrid
from pianalysis.metrics.keys import MAJOR_SCALE, RELATIVE, Key
from pianalysis.music.clock import EARLY_MS
from pianalysis.music.difficulty import HandRule, let_go_in_time
from pianalysis.music.notes import Notes, let_go_before_restrike, make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.hand_limits import NOWHERE, HandLimits, Hands
from pianalysis.tokens.windows import HeldChord

OCTAVE: Final = 12
LOWEST_FOLDED: Final = 41
"""F2: a figure that is brought within one hand's reach isn't put lower, where close chords growl."""


def strike_times(beats: BeatGrid, rule: HandRule) -> tuple[float, ...]:
    """When hands may strike, in clock-ms, rising: on beats, or parts of them, at least the rule's gap apart.

    Bars begin with a strike, but for short ones that others follow at once.

    >>> from pianalysis.harmony.beats import beat_grid
    >>> from pianalysis.music.difficulty import DIFFICULTIES
    >>> [len(strike_times(beat_grid([0, 2000], (4, 4)), DIFFICULTIES[word].hands)) for word in ("easy", "medium")]
    [4, 8]
    >>> strike_times(beat_grid([0, 250, 1000, 1750], (3, 8)), DIFFICULTIES["easy"].hands)  # a pickup, two bars
    (250.0, 1000.0)
    """
    gap = rule.gap_ms - vocab.TIME_STEP_MS
    starts = np.flatnonzero(np.diff(beats.bar, prepend=-1))
    edges = [*beats.borders_ms[starts].tolist(), float(beats.borders_ms[-1])]
    kept: list[float] = []
    for bar, (start, end) in enumerate(pairwise(edges)):
        begins = end - start >= gap or bar + 2 == len(edges) or edges[bar + 2] - end < gap
        if begins and (not kept or start - kept[-1] >= gap):
            kept.append(start)
        first, stop = starts[bar], [*starts[1:], len(beats)][bar]
        for beat in range(first, stop):
            begin, until = beats.borders_ms[beat : beat + 2]
            parts = max(int((until - begin) / rule.gap_ms + 0.1), 1) if rule.divides else 1
            for time in np.linspace(begin, until, parts, endpoint=False).tolist():
                if time > start and (not kept or time - kept[-1] >= gap) and end - time >= gap:
                    kept.append(time)
    return tuple(kept)


def allowed_classes(key: Key | None, chords: Sequence[HeldChord]) -> tuple[tuple[float, frozenset[int]], ...]:
    """From when on, in clock-ms, which pitch classes are the key's, or the chord's that holds; () without a key."""
    if key is None:
        return ()
    major = key.tonic - RELATIVE * key.is_minor
    scale = frozenset((major + step) % 12 for step in MAJOR_SCALE)
    held = [(float(chord.start_ms), scale | {chord.bass, *chord.tones} if chord.tones else scale) for chord in chords]
    return tuple(held) or ((0.0, scale),)


def easier_left_hand(
    left: LeftHand, ground: Ground, limits: HandLimits, returns: Mapping[int, Earlier] | None = None
) -> LeftHand:
    """A left hand that plays figures as one hand can under some limits, in the melody's key; the right one begins at their border.

    returns: as `left_hand` has them; a bar still plays what an earlier one played where that is the same here, too.
    """
    notes = easier(left.notes, [start for start, _ in left.floors], limits, ground)
    bars = np.searchsorted(ground.beats.borders_ms, notes["onset_ms"] + EARLY_MS, side="right") - 1
    bars = ground.beats.bar[np.clip(bars, 0, len(ground.beats) - 1)]
    begins = {bar: ground.beats.borders_ms[int(np.searchsorted(ground.beats.bar, bar))] for bar in ground.bars}

    def played(bar: int, shift: int = 0) -> list[tuple[int, int]]:
        own = notes[bars == bar]
        return [(round(onset - begins[bar]), pitch + shift) for onset, _, pitch, _ in own.tolist()]

    same = (bar for bar in left.returned if played(bar) == played((returns or {})[bar].bar, (returns or {})[bar].shift))
    return LeftHand(notes, ((left.floors[0][0] if left.floors else 0.0, limits.border),), frozenset(same))


def easier(notes: Notes, parts: Sequence[float], limits: HandLimits, ground: Ground) -> Notes:
    """A figure's notes as one hand can play them under some limits (new notes, sorted, in clock-ms).

    notes: sorted. parts: when the parts of its bars begin, rising.

    What is struck off the limits' times is left out, and what was struck before holds on; of more keys than the hand has, the
    outer ones are struck. Where that still is too far to reach, the part is brought within an octave, and of what isn't in
    reach even there nothing is struck.
    """
    hands, found = NOWHERE, [make_notes()]
    borders = np.searchsorted(notes["onset_ms"], np.array([*parts, np.inf]) - 1e-3)
    for first, stop in pairwise(borders.tolist()):
        strikes = _on_times(notes[first:stop], limits)
        if not strikes:
            continue
        end = float(max((strike["onset_ms"] + strike["duration_ms"]).max() for strike in strikes))
        ceiling = lowest_between(ground.above, float(strikes[0]["onset_ms"][0]), end)
        keys = range(ground.keys[0], min(limits.border, ground.keys[1] + 1, ceiling))
        fewer = [_fewer(strike, limits.rule) for strike in strikes]
        if not limits.allow(np.concatenate(fewer), hands):
            fewer = [_fewer(strike, limits.rule) for strike in _within_an_octave(strikes, hands, keys)]
        for strike in fewer:
            possible = _possible(strike, limits, hands, keys)
            hands = limits.after(possible["pitch"].tolist(), hands)
            found.append(possible)
    return let_go_in_time(let_go_before_restrike(np.concatenate(found)), limits.border, limits.rule)


def _on_times(notes: Notes, limits: HandLimits) -> list[Notes]:
    """What is struck at the limits' times, strike by strike; each lasts until the next where what came between did."""
    kept: list[Notes] = []
    until = 0.0
    for onset in np.unique(notes["onset_ms"]).tolist():
        strike = notes[notes["onset_ms"] == onset].copy()
        if limits.is_time(onset):
            if kept:
                _hold(kept[-1], min(until, onset))
            kept.append(strike)
            until = 0.0
        else:
            until = max(until, float((strike["onset_ms"] + strike["duration_ms"]).max()))
    if kept:
        _hold(kept[-1], until)
    return kept


def _hold(strike: Notes, until_ms: float) -> None:
    """Have a strike last until a moment, if it didn't, in place."""
    strike["duration_ms"] = np.maximum(strike["duration_ms"], until_ms - strike["onset_ms"])


def _fewer(strike: Notes, rule: HandRule) -> Notes:
    """The outer keys of a strike, as many as the hand has, as far as it reaches."""
    strike = strike[np.argsort(strike["pitch"], kind="stable")]
    strike = strike[strike["pitch"] <= strike["pitch"][:1] + rule.span]
    places = np.unique(np.linspace(0, len(strike) - 1, min(len(strike), rule.keys)).round().astype(int))
    kept: Notes = strike[places]
    return kept


def _within_an_octave(strikes: Sequence[Notes], hands: Hands, keys: range) -> list[Notes]:
    """The strikes of a part within an octave above its lowest key, which is brought near to where the left hand was."""
    lowest = int(min(strike["pitch"].min() for strike in strikes))
    before = hands[0][0] if hands[0] else LOWEST_FOLDED + OCTAVE // 2
    places = [key for key in keys if (key - lowest) % OCTAVE == 0] or [lowest]
    place = min(places, key=lambda key: abs(key - before) + OCTAVE * (key < LOWEST_FOLDED))
    folded = []
    for strike in strikes:
        above = strike["pitch"] - lowest
        strike["pitch"] = place + np.where(above > OCTAVE, (above - 1) % OCTAVE + 1, above)
        inside = strike[np.isin(strike["pitch"], keys)]
        folded.append(inside[np.unique(inside["pitch"], return_index=True)[1]])
    return [strike for strike in folded if len(strike)]


def _possible(strike: Notes, limits: HandLimits, hands: Hands, keys: range) -> Notes:
    """Those of a strike's notes, rising, that the hand can strike."""
    struck: list[int] = []
    kept = np.zeros(len(strike), bool)
    for place, (onset, _, pitch, _) in enumerate(strike.tolist()):
        if pitch in keys and limits.keys(range(pitch, pitch + 1), onset, struck, hands):
            kept[place] = True
            struck.append(pitch)
    possible: Notes = strike[kept]
    return possible
