"""What may follow what.

In: ids of a prompt, logits. Out: the state of the grammar, the ids that may come next. Plain NumPy; knows neither MIDI nor
models. Every step is held to the grammar, so every output decodes. `sampling` draws one of the ids.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.music.hands import FINGERS, WIDEST_SPAN
from pianalysis.tokens import vocab
from pianalysis.tokens.hand_limits import NOWHERE, HandLimits, Hands

Mask = NDArray[np.bool_]
Expects = Literal[
    "style", "density", "time", "note", "note_on", "pitch", "duration", "chord", "bass", "tone", "tones", "end"
]

LONGEST_NOTE_TOKENS: Final = 4
"""TIME, NOTE_ON, PITCH, DURATION: what a step may need before the window can be closed. A chord may need as many:
TIME, its bass, a tone, and the ``<sep>`` before the window's end."""
_IN_CHORDS: Final = ("chord", "bass", "tone", "tones")
UNDER_THE_BASS, OVER_A_BAR_LINE = -2.0, -4.0
"""In nats, of a key below the bar's first, and of a time for each bar line that is passed before it without being struck."""
KNOWN_BARS_MS: Final = (375, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000)
"""The lengths that bars have in 0.99 of the training windows, each in at least one of 200. In others, as of 5/4, 7/8 and 9/8, a
model goes on in bars that it knows."""
FIRMER, OVER_THE_BASS, BASS_REACH = 1.5, -5.0, 5
"""What else is said in bars of another length: both of the above, so many times as strong; and, in nats, a bar's first key that
is more than so many semitones above the lowest key of the bar before. There small begins 0.4 of the bars of 5/4 and 7/8
so high, on an inner voice, and strikes the bass where a bar of four would begin; people 0.2 to 0.3 of theirs in any metre.
In 4/4 it is 0.18 without being told; told so, it is 0.03, and the accompaniment lies two semitones lower."""
UNDER_A_CHANGE, OVER_A_CHANGE = -4.0, -8.0
"""The same of chords that somebody wants: of a key below the one that was struck as the chord began, and of a time for each
chord that is left out before it."""
_MAY_END: Final = ("note", "time", "chord", "tones")
"""Where the voice's end, or a later time, may come next."""


@dataclass(frozen=True)
class Limits:
    """What holds for all that comes after a prompt.

    first_ms, length_ms: where new times may lie, on the window's clock. rest_ms: from one onset to the next, and from the
    last onset to the window's end, no more than this may pass; waited_ms of it had passed at first_ms, where no onset is
    known. lowest, highest: the keys that may be struck. two_hands: of one onset no more than two hands can strike.
    downbeats: where bars begin, on the window's clock, rising. changes: where chords do that are to be struck as they begin,
    on their bass. dynamics: how loud notes may be, as ids. hands: what each hand may strike, and when, in a piece that is to
    be easy to play.
    """

    first_ms: int = 0
    length_ms: int = vocab.WINDOW_MS
    rest_ms: int = vocab.WINDOW_MS
    waited_ms: int = 0
    lowest: int = vocab.LOWEST_PITCH
    highest: int = vocab.HIGHEST_PITCH
    two_hands: bool = False
    downbeats: tuple[int, ...] = ()
    changes: tuple[int, ...] = ()
    dynamics: tuple[range, ...] = (vocab.DYNAMIC_IDS,)
    hands: HandLimits | None = None


@dataclass(frozen=True)
class GrammarState:
    """Where in the grammar a sequence stands.

    expects: the kind of the next token ("note" is NOTE_ON or a later TIME or the voice's end; "chord" a TIME or the end,
    "tones" one more tone, a later TIME or the end). chords: whether the sequence has chords between melody and
    accompaniment, as a model that plays them wants it. loud: after the last ``<sep>``.
    onset_ms: the TIME that holds, −1 before the first. pitch_floor: the last pitch of this onset. chord: where two hands
    are to strike it, what they strike at this onset so far. basses: each onset of the accompaniment so far and its lowest key.
    hands: where there are limits for each hand, what both struck last before this onset.
    """

    expects: Expects = "time"
    chords: bool = False
    loud: bool = True
    onset_ms: int = -1
    pitch_floor: int = 0
    chord: tuple[int, ...] = ()
    basses: tuple[tuple[int, int], ...] = ()
    hands: Hands = NOWHERE
    limits: Limits = Limits()

    def advance(self, token: int) -> GrammarState:
        """The state after a token. Raises PianalysisError if the grammar doesn't allow it here."""
        if not 0 <= token < vocab.VOCAB_SIZE or not any(token in span for span in self.spans()):
            name = vocab.TOKENS[token] if 0 <= token < vocab.VOCAB_SIZE else str(token)
            raise PianalysisError(f"expected {self.expects} after {self.onset_ms} ms, found {name}")
        if token in vocab.TIME_IDS:
            expects: Expects = "bass" if self.in_chords else "note_on"
            onset_ms = vocab.time_ms(token)
            hands = self.limits.hands.after(self.chord, self.hands) if self.limits.hands else self.hands
            return replace(self, expects=expects, onset_ms=onset_ms, pitch_floor=0, chord=(), hands=hands)
        if self.in_chords and token in vocab.PITCH_IDS:
            return replace(self, expects="tone" if self.expects == "bass" else "tones", pitch_floor=token)
        if token == vocab.NOTE_OFF:
            return replace(self, expects="chord")
        if token in vocab.PITCH_IDS:
            chord = (*self.chord, token) if self.limits.two_hands or self.limits.hands else ()
            lowest = self.loud and not self.pitch_floor
            basses = (*self.basses, (self.onset_ms, token)) if lowest else self.basses
            return replace(self, expects="duration", pitch_floor=token, chord=chord, basses=basses)
        if token in vocab.DURATION_IDS:
            return replace(self, expects="note")
        if token in vocab.NOTE_ON_IDS:
            return replace(self, expects="pitch")
        if token == vocab.SEP:
            if self.chords and not self.in_chords:
                return replace(self, expects="chord", onset_ms=-1, pitch_floor=0)
            return replace(self, expects="time", loud=True, onset_ms=-1, pitch_floor=0)
        return replace(
            self, expects="density" if self.expects == "style" else "time" if self.expects == "density" else "end"
        )

    @property
    def in_chords(self) -> bool:
        """Whether the sequence stands in its chords: after the first ``<sep>`` and before the second."""
        return self.expects in _IN_CHORDS

    @property
    def on_downbeat(self) -> bool:
        """Whether a bar begins at the onset that holds, give or take a step."""
        return any(abs(line - self.onset_ms) <= vocab.TIME_STEP_MS for line in self.limits.downbeats)

    @property
    def bass(self) -> int:
        """The lowest key that was struck where this bar began, 0 where none was."""
        return self._bass_at(self._bar_line(0))

    @property
    def bass_of_change(self) -> int:
        """The lowest key that was struck as this chord began, of those that are to be struck so; 0 before its other keys."""
        begun = bisect_right(self.limits.changes, self.onset_ms + vocab.TIME_STEP_MS) - 1
        if begun < 0 or abs(self.limits.changes[begun] - self.onset_ms) <= vocab.TIME_STEP_MS:
            return 0
        return self._bass_at(self.limits.changes[begun])

    def _bass_at(self, time_ms: int) -> int:
        return next(
            (key for onset_ms, key in reversed(self.basses) if abs(onset_ms - time_ms) <= vocab.TIME_STEP_MS), 0
        )

    @property
    def bass_before(self) -> int:
        """The lowest key of the bar before, 0 where none was struck."""
        start, stop = self._bar_line(1) - vocab.TIME_STEP_MS, self._bar_line(0) - vocab.TIME_STEP_MS
        return min((key for onset_ms, key in self.basses if start <= onset_ms < stop), default=0)

    def _bar_line(self, bars_ago: int) -> int:
        """Where this bar began, or an earlier one; far before the window where no bar line in it tells."""
        begun = bisect_right(self.limits.downbeats, self.onset_ms + vocab.TIME_STEP_MS) - 1 - bars_ago
        return self.limits.downbeats[begun] if begun >= 0 else -vocab.WINDOW_MS

    @property
    def bar_is_known(self) -> bool:
        """Whether this bar is as long as those that a model has learned from."""
        around = max(
            1,
            min(
                bisect_right(self.limits.downbeats, self.onset_ms + vocab.TIME_STEP_MS), len(self.limits.downbeats) - 1
            ),
        )
        bar = self.limits.downbeats[around - 1 : around + 1]
        return len(bar) < 2 or any(abs(bar[1] - bar[0] - known) <= vocab.TIME_STEP_MS for known in KNOWN_BARS_MS)

    def downbeats_until(self, time_ms: int) -> int:
        """How many bars begin after the onset that holds, and before a time."""
        return self._until(self.limits.downbeats, time_ms)

    def changes_until(self, time_ms: int) -> int:
        """How many chords that are to be struck begin after the onset that holds, and before a time."""
        return self._until(self.limits.changes, time_ms)

    def _until(self, moments: tuple[int, ...], time_ms: int) -> int:
        now = max(self.onset_ms + vocab.TIME_STEP_MS, self.limits.first_ms - 1)
        return max(bisect_left(moments, time_ms) - bisect_right(moments, now), 0)

    def allowed(self) -> Mask:
        """The ids that may come next, ``[801]``."""
        mask = np.zeros(vocab.VOCAB_SIZE, dtype=bool)
        for span in self.spans():
            mask[span.start : span.stop] = True
        return mask

    def spans(self, room: int = vocab.WINDOW_MS) -> list[range]:
        """The ids that may come next as rising spans. room: where fewer tokens are left than a note needs, only the end.

        >>> GrammarState(expects="duration").spans() == [vocab.DURATION_IDS]
        True
        """
        if room <= LONGEST_NOTE_TOKENS + 1 and self.expects in _MAY_END:
            return [range(self.end_token, self.end_token + 1)]
        if self.expects == "style":
            return [range(token, token + 1) for token in sorted(vocab.STYLES.values())]
        if self.expects == "density":
            return [range(token, token + 1) for token in sorted(vocab.DENSITIES.values())]
        if self.expects == "pitch":
            return self.next_keys()
        if self.expects == "duration":
            return [vocab.DURATION_IDS]
        if self.expects == "note_on":
            return self._note_ons()
        if self.expects == "note":
            end, times = self._end_and_times()
            return [*end, *self._note_ons(), *times]
        if self.expects == "time":
            end, times = self._end_and_times()
            return [*end, *times]
        return self._chord_spans()

    def _chord_spans(self) -> list[range]:
        """What `spans` gives in the chords."""
        tones = range(max(self.pitch_floor + 1, vocab.CHORD_TONE_IDS.start), vocab.CHORD_TONE_IDS.stop)
        end = range(self.end_token, self.end_token + 1)
        if self.expects == "chord":
            return [end, self._chord_times()]
        if self.expects == "bass":
            return [range(vocab.NOTE_OFF, vocab.NOTE_OFF + 1), vocab.CHORD_BASS_IDS]
        if self.expects == "tone":
            return [tones]
        if self.expects == "tones":
            return [end, tones, self._chord_times()]
        return []

    @property
    def top(self) -> int:
        """The highest key that may be struck at this onset."""
        return min(self.limits.highest, highest_in_reach(self.chord)) if self.limits.two_hands else self.limits.highest

    @property
    def bottom(self) -> int:
        """The lowest key that may be struck next at this onset, whatever the limits say."""
        return self.pitch_floor + 1

    def next_keys(self) -> list[range]:
        """The keys that may be struck next at this onset, as rising spans."""
        keys, limits = range(max(self.bottom, self.limits.lowest), self.top + 1), self.limits.hands
        if limits is None or not self.loud:
            return [keys]
        found = limits.keys(keys, self.onset_ms, self.chord, self.hands)
        # an onset has a key at least, wherever the hands were in bars that somebody else wrote
        return found if found or self.chord else limits.keys(keys, self.onset_ms, (), NOWHERE)

    def _note_ons(self) -> list[range]:
        if self.pitch_floor >= self.top or not self.next_keys():
            return []
        if self.loud:
            return [*self.limits.dynamics]
        # The melody is one voice.
        return [range(vocab.NOTE_ON, vocab.NOTE_ON + 1)] if self.pitch_floor == 0 else []

    def _end_and_times(self) -> tuple[list[range], list[range]]:
        step = vocab.TIME_STEP_MS
        # A rest goes on from the history's last onset, but the first new step is always open.
        now = self.onset_ms if self.onset_ms >= 0 else self.limits.first_ms - self.limits.waited_ms
        until = max(now + self.limits.rest_ms, self.limits.first_ms + step)
        first = max(self.onset_ms // step + 1, -(-self.limits.first_ms // step))
        stop = max(first, min(-(-self.limits.length_ms // step), until // step + 1, len(vocab.TIME_IDS)))
        end = [range(self.end_token, self.end_token + 1)] if until >= self.limits.length_ms else []
        if self.limits.hands is None or not self.loud:
            return end, [range(vocab.TIME_IDS.start + first, vocab.TIME_IDS.start + stop)]
        steps = self.limits.hands.steps(first, stop)
        if not steps and not end:  # the next one is far: it comes late, or never
            steps = self.limits.hands.steps(first, -(-self.limits.length_ms // step))[:1]
            end = [] if steps else [range(self.end_token, self.end_token + 1)]
        return end, [range(vocab.TIME_IDS.start + place, vocab.TIME_IDS.start + place + 1) for place in steps]

    def _chord_times(self) -> range:
        """The first chord stands at 0, wherever in the window new ones may begin."""
        if self.onset_ms < 0:
            return range(vocab.TIME_IDS.start, vocab.TIME_IDS.start + 1)
        step = vocab.TIME_STEP_MS
        first = max(self.onset_ms // step + 1, -(-self.limits.first_ms // step))
        stop = max(first, min(-(-self.limits.length_ms // step), len(vocab.TIME_IDS)))
        return range(vocab.TIME_IDS.start + first, vocab.TIME_IDS.start + stop)

    def times_past_the_end(self) -> range:
        """The TIMEs past the window's end, where one of them or the voice's end might come next; else none."""
        if self.expects not in _MAY_END or (self.in_chords and self.onset_ms < 0):  # the first chord can't be late
            return range(0)
        past = vocab.TIME_IDS.start + min(-(-self.limits.length_ms // vocab.TIME_STEP_MS), len(vocab.TIME_IDS))
        return range(past, vocab.TIME_IDS.stop)

    def stand_in(self) -> tuple[int, list[range]]:
        """An id that counts for others too, which aren't allowed but lead where it leads, and those."""
        past = self.times_past_the_end()
        return self.end_token, [past] if past else []

    @property
    def end_token(self) -> int:
        """What ends the voice: ``<sep>`` the melody and the chords, ``<eos>`` the accompaniment."""
        return vocab.EOS if self.loud else vocab.SEP


def highest_in_reach(chord: Sequence[int]) -> int:
    """The highest key that two hands can strike with the keys of a chord, which rise; its last key where there is none.

    A hand has five fingers and a twelfth. The left one takes as many of the lowest keys as it can: so the right one has the
    fewest left, and the shortest way.

    >>> highest_in_reach([36, 48, 60]), highest_in_reach([36, 40, 43, 48, 52, 55]), highest_in_reach([*range(40, 50)])
    (79, 74, 49)
    """
    if not chord:
        return vocab.HIGHEST_PITCH
    left = min(FINGERS, int(np.searchsorted(chord, chord[0] + WIDEST_SPAN, side="right")))
    right = chord[left:]
    if not right:
        return vocab.HIGHEST_PITCH
    return right[0] + WIDEST_SPAN if len(right) < FINGERS else right[-1]


def voice_start(ids: Sequence[int]) -> int:
    """The place after the last ``<sep>``, where in a whole window the accompaniment begins; the length where there is none.

    >>> voice_start([1, 8, 6, 3, 109, 11, 3, 2]), voice_start([1, 8, 6, 3, 2]), voice_start([1, 8, 6])
    (7, 4, 3)
    """
    return next((place + 1 for place in reversed(range(len(ids))) if ids[place] == vocab.SEP), len(ids))


def state_after(ids: Sequence[int], limits: Limits | None = None, *, chords: bool = False) -> GrammarState:
    """The grammar's state after a prompt that begins with ``<bos>``.

    limits: they hold for what comes after the prompt, not in it. chords: whether the sequence has chords between melody and
    accompaniment (`vocab`), which no prompt says by itself. Raises PianalysisError if the prompt breaks the grammar.
    """
    if not len(ids) or ids[0] != vocab.BOS:
        raise PianalysisError("expected a prompt that begins with <bos>")
    state = GrammarState(expects="style", chords=chords, loud=False)
    for token in ids[1:]:
        state = state.advance(int(token))
    state = replace(state, limits=limits or Limits())
    # After a history the next note or chord lies beyond it: it can't join the history's last onset.
    if state.onset_ms >= state.limits.first_ms:
        return state
    if state.expects == "note":
        return replace(state, expects="time")
    return replace(state, expects="chord") if state.expects == "tones" else state


def end_for_later(logits: NDArray[np.float32], state: GrammarState) -> NDArray[np.float32]:
    """Logits ``[801]`` in which what ends the voice has the chance of every TIME past the window's end too.

    A window that is cut shorter than those of training is news to the model: it would go on with a later onset. Masked,
    that chance would go to one more note of the last chord, and then one more, up to the last key. (Other states have
    others for which an id stands in.)
    """
    token, others = state.stand_in()
    if not others:
        return logits
    changed = logits.copy()
    changed[token] = np.logaddexp.reduce([logits[token], *(logits[other] for span in others for other in span)])
    return changed


def add_bias(
    ids: NDArray[np.int64], logits: NDArray[np.float32], state: GrammarState, pitch_bias: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The logits of some ids with a bias on the pitches, where the next token is a pitch, or may begin a note.

    pitch_bias: ``[2, 640, 88]``, by onset, first for its lowest key and then for further ones (`guidance`).

    One more note of a chord is as unlikely as the likeliest key that is left for it: or else a NOTE_ON, drawn without
    thinking of keys, would force the next pitch where none is wanted.
    """
    if state.limits.downbeats:
        logits = logits + metre_bias(ids, state)
    if pitch_bias is None or state.expects not in ("pitch", "note"):
        return logits
    row = pitch_bias[int(state.pitch_floor > 0), state.onset_ms // vocab.TIME_STEP_MS]
    if state.expects == "pitch":
        moved: NDArray[np.float32] = logits + row[np.clip(ids - vocab.LOWEST_PITCH, 0, len(row) - 1)]
        return moved
    rows = [row[keys.start - vocab.LOWEST_PITCH : keys.stop - vocab.LOWEST_PITCH] for keys in state.next_keys()]
    least = min(0.0, max((float(keys.max(initial=-np.inf)) for keys in rows), default=-np.inf))
    begins = (ids >= vocab.DYNAMIC_IDS.start) & (ids < vocab.DYNAMIC_IDS.stop)
    return np.where(begins, logits + np.float32(least), logits) if least and np.isfinite(least) else logits


def metre_bias(ids: NDArray[np.int64], state: GrammarState) -> NDArray[np.float32]:
    """What holds an accompaniment to the bars: nats for some ids, 0 for most.

    A time, or the end, is less likely for each bar line that is left out before it; a key below the one that was struck
    where the bar began is, too. In bars of a length that the model hardly knows both are said more firmly, and the bar's
    first key isn't far above the bar before: its bass is struck there. Waltzes and jigs, and 7/8 that hardly any corpus
    has, are heard as such by their bass. Chords that are to be struck as they begin (`Limits.changes`) are held to likewise.
    """
    bias = np.zeros(len(ids), np.float32)
    if state.expects not in ("pitch", "time", "note"):
        return bias
    known = state.bar_is_known
    firm = 1.0 if known else FIRMER
    if state.expects == "pitch":
        bias[ids < state.bass_of_change] += UNDER_A_CHANGE
        if not state.on_downbeat:
            bias[ids < state.bass] += firm * UNDER_THE_BASS
        elif not (known or state.pitch_floor) and (before := state.bass_before):
            bias[ids > before + BASS_REACH] = OVER_THE_BASS
        return bias
    for place, token in enumerate(ids.tolist()):
        if token in vocab.TIME_IDS or token == state.end_token:
            time_ms = vocab.time_ms(token) if token in vocab.TIME_IDS else state.limits.length_ms
            bias[place] = firm * OVER_A_BAR_LINE * state.downbeats_until(time_ms - vocab.TIME_STEP_MS)
            bias[place] += OVER_A_CHANGE * state.changes_until(time_ms - vocab.TIME_STEP_MS)
    return bias


def closing(state: GrammarState, mask: Mask, room: int) -> Mask:
    """The mask, or only the voice's end where fewer tokens are left than a note needs: a full window still decodes."""
    if room > LONGEST_NOTE_TOKENS + 1 or state.expects not in _MAY_END:
        return mask
    only = np.zeros_like(mask)
    only[state.end_token] = True
    return only


def count_notes(ids: Sequence[int] | NDArray[Any]) -> int:
    """Accompaniment notes in a window's ids: the NOTE_ON_… tokens with a dynamic."""
    array = np.asarray(ids)
    return int(((array >= vocab.DYNAMIC_IDS.start) & (array < vocab.DYNAMIC_IDS.stop)).sum())
