"""Notes that are already there, around which a sequence is written: the grammar with forced tokens.

In: a state of the grammar and fixed grid notes. Out: a state that lets an engine say nothing but them where they stand.
Up to a fixed note's onset the others are free; at it, those below it are, and then its own pitch and length come. All
that would lead past it (a later time, the end, a higher pitch) counts as it, so that nothing is added in its stead.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import cast

from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import GrammarState


@dataclass(frozen=True)
class ForcedState(GrammarState):
    """A state before some fixed notes, each as its TIME, PITCH and DURATION ids, rising in time, then pitch.

    A fixed note's loudness isn't forced: it is said before one knows whose turn it is.
    """

    fixed: tuple[tuple[int, int, int], ...] = ()

    def advance(self, token: int) -> ForcedState:
        """The state after a token. Raises PianalysisError if the grammar, or a fixed note, doesn't allow it here."""
        ends_fixed = self.expects == "duration" and self._its_turn and self.pitch_floor == self.fixed[0][1]
        state = cast(ForcedState, super().advance(token))
        return replace(state, fixed=self.fixed[1:]) if ends_fixed else state

    @property
    def _its_turn(self) -> bool:
        """Whether the onset of the next fixed note holds."""
        return bool(self.fixed) and self.onset_ms == vocab.time_ms(self.fixed[0][0])

    def spans(self, room: int = vocab.WINDOW_MS) -> list[range]:
        """The ids that may come next, as `GrammarState.spans` has them."""
        spans = super().spans(room)
        if not self.fixed or spans == [range(self.end_token, self.end_token + 1)]:
            return spans
        time, pitch, duration = self.fixed[0]
        if self._its_turn:
            if self.expects in ("note", "note_on"):
                return [vocab.DYNAMIC_IDS]
            if self.expects == "pitch":
                free = [range(span.start, min(span.stop, pitch)) for span in spans]
                return [*(span for span in free if span), range(pitch, pitch + 1)]
            if self.expects == "duration" and self.pitch_floor == pitch:
                return [range(duration, duration + 1)]
            return spans
        if self.expects in ("note", "time"):
            cut = [range(span.start, min(span.stop, time + 1)) for span in spans if vocab.EOS not in span]
            return [span for span in cut if span] or [range(time, time + 1)]
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


def forced(state: GrammarState, notes: Notes) -> ForcedState:
    """A state that holds to fixed notes. notes: grid notes from the state's first_ms on, before its length_ms.

    They are struck whether or not two hands could, so nothing is said of reach.
    """
    known = {field.name: getattr(state, field.name) for field in fields(GrammarState)}
    rows = [
        (vocab.time_id(int(onset)), pitch, vocab.duration_id(int(length))) for onset, length, pitch, _ in notes.tolist()
    ]
    return ForcedState(**known | {"limits": replace(state.limits, two_hands=False)}, fixed=tuple(rows))
