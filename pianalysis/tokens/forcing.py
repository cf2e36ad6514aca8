"""Notes that are already there, around which a sequence is written: the grammar with forced tokens.

In: a state of the grammar and fixed grid notes. Out: a state that lets an engine say nothing but them where they stand.
Up to a fixed note's onset the others are free; at it, those below it are, and then its own pitch and length come. All
that would lead past it (a later time, the end, a higher pitch) counts as it, so that nothing is added in its stead. The free
ones may be kept to the right hand's keys, above those of a left hand that is fixed; or there are none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, cast

from pianalysis.music.hands import FINGERS, WIDEST_SPAN
from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import LONGEST_NOTE_TOKENS, GrammarState

SPARE_TOKENS: Final = 6 * LONGEST_NOTE_TOKENS
"""What is kept free beside the fixed notes: a free note that is begun, a few that are struck after a long rest, the end."""
LONGEST_FREE_REST_MS: Final = 4_000
"""Where the free hand has rested so long, it strikes with the fixed notes of the next bar line: a texture that is there
already would else be enough for a model, in a whole piece without anything added."""
Floors = tuple[tuple[int, int], ...]
"""From which onset on (window ms), rising, free notes are struck on no lower a key than which."""


@dataclass(frozen=True)
class ForcedState(GrammarState):
    """A state before some fixed notes, each as its TIME, PITCH and DURATION ids, rising in time, then pitch.

    A fixed note's loudness isn't forced: it is said before one knows whose turn it is. floors: where there are any, free
    notes are one hand's: above them, and of one onset no more than it can strike. free_ms: this hand's last onset. alone:
    there are no free notes.
    """

    fixed: tuple[tuple[int, int, int], ...] = ()
    floors: Floors = ()
    free_ms: int = 0
    alone: bool = False

    def advance(self, token: int) -> ForcedState:
        """The state after a token. Raises PianalysisError if the grammar, or a fixed note, doesn't allow it here."""
        ends_fixed = self.expects == "duration" and self._its_turn and self.pitch_floor == self.fixed[0][1]
        state = cast(ForcedState, super().advance(token))
        if self.expects == "pitch" and not (self._its_turn and token == self.fixed[0][1]):
            return replace(state, free_ms=self.onset_ms)
        return replace(state, fixed=self.fixed[1:]) if ends_fixed else state

    @property
    def _its_turn(self) -> bool:
        """Whether the onset of the next fixed note holds."""
        return bool(self.fixed) and self.onset_ms == vocab.time_ms(self.fixed[0][0])

    @property
    def _floor(self) -> int:
        """The lowest free key at the onset that holds."""
        begun = bisect_right(self.floors, self.onset_ms, key=lambda floor: floor[0])
        return self.floors[max(begun - 1, 0)][1] if self.floors else 0

    @property
    def bottom(self) -> int:
        """The lowest free key that may be struck next at this onset."""
        return max(super().bottom, self._floor)

    @property
    def top(self) -> int:
        """The highest key that may be struck at this onset; above a floor, that one hand reaches."""
        if not self.floors:
            return super().top
        hand = [key for key in self.chord if key >= self._floor]
        if not hand:
            return self.limits.highest
        return min(self.limits.highest, hand[0] + WIDEST_SPAN) if len(hand) < FINGERS else hand[-1]

    @property
    def _rested(self) -> bool:
        """Whether the free hand must strike now, after a long rest: on a bar line, when the fixed notes are struck."""
        if not self.floors or self.alone or self._its_turn or self.expects != "note" or not self.on_downbeat:
            return False
        return self.onset_ms - self.free_ms >= LONGEST_FREE_REST_MS and any(self.next_keys())

    def spans(self, room: int = vocab.WINDOW_MS) -> list[range]:
        """The ids that may come next, as `GrammarState.spans` has them."""
        spans = super().spans(room)
        end = [range(self.end_token, self.end_token + 1)]
        if self._rested:
            return [*self.limits.dynamics]
        if not self.fixed:
            return end if self.alone and self.expects in ("note", "time") else spans
        if spans == end:
            return spans
        time, pitch, duration = self.fixed[0]
        only = self.alone or room <= LONGEST_NOTE_TOKENS * len(self.fixed) + SPARE_TOKENS
        if self._its_turn:
            if self.expects in ("note", "note_on"):
                return [vocab.DYNAMIC_IDS]
            if self.expects == "pitch":
                if only:
                    return [range(pitch, pitch + 1)]
                free = [range(span.start, min(span.stop, pitch)) for span in spans]
                return [*(span for span in free if span), range(pitch, pitch + 1)]
            if self.expects == "duration" and self.pitch_floor == pitch:
                return [range(duration, duration + 1)]
            return spans
        if self.expects in ("note", "time"):
            if self.alone or (only and any(time in span for span in spans)):
                return [range(time, time + 1)]
            cut = [range(span.start, min(span.stop, time + 1)) for span in spans if vocab.EOS not in span]
            kept = [span for span in cut if span] or [range(time, time + 1)]
            # what is free may keep to other times than what is fixed
            return kept if kept[-1].stop > time or self.limits.hands is None else [*kept, range(time, time + 1)]
        return spans

    def stand_in(self) -> tuple[int, list[range]]:
        """The next fixed note's time or pitch, and what would lead past it; else as `GrammarState.stand_in` has it."""
        if self.fixed and not self._its_turn and self.expects in ("note", "time"):
            time = self.fixed[0][0]
            return time, [range(vocab.EOS, vocab.EOS + 1), range(time + 1, vocab.TIME_IDS.stop)]
        if self._its_turn and self.expects == "pitch":
            pitch = self.fixed[0][1]
            return pitch, [range(pitch + 1, vocab.HIGHEST_PITCH + 1)]
        return super().stand_in()


def forced(
    state: GrammarState, notes: Notes, *, floors: Sequence[tuple[int, int]] = (), free_ms: int = 0
) -> ForcedState:
    """A state that holds to fixed notes. notes: grid notes from the state's first_ms on, before its length_ms.

    They are struck whether or not two hands could, so nothing is said of reach. floors: none, or keys up to the highest
    that the state's limits allow: above them free notes are the right hand's, within its reach, and it rests no longer
    than `LONGEST_FREE_REST_MS` and to the next bar line. free_ms: when it last struck, in window ms.
    """
    known = {field.name: getattr(state, field.name) for field in fields(GrammarState)}
    limits = replace(state.limits, two_hands=bool(floors))
    return ForcedState(
        **known | {"limits": limits}, fixed=tuple(fixed_ids(notes)), floors=tuple(floors), free_ms=free_ms
    )


def fixed_ids(notes: Notes) -> list[tuple[int, int, int]]:
    """The TIME, PITCH and DURATION ids of grid notes."""
    return [
        (vocab.time_id(int(onset)), pitch, vocab.duration_id(int(length))) for onset, length, pitch, _ in notes.tolist()
    ]
