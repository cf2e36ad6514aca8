"""Some bars of a piece written anew, joined to what stands before and after them; all else stays as it is.

In: an `Arrangement` and which of its bars. Out: a `Rewrite`, whose piece is the old one with those bars rewritten.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import symusic

from pianalysis.arranging.figures import AUTO
from pianalysis.arranging.form_options import NONE
from pianalysis.arranging.options import Options
from pianalysis.arranging.pedal import pedalled
from pianalysis.arranging.pieces import Arrangement, Source, notes_in_ticks, rebuild
from pianalysis.arranging.planning import Kept, Planner, Written, keys_of
from pianalysis.arranging.writing import Fresh, between, played, said_if_stopped
from pianalysis.errors import PianalysisError
from pianalysis.model.sampling import Job
from pianalysis.music.hands import HIGHEST_LEFT, LOWEST_RIGHT, split_hands
from pianalysis.music.midi import ticks_to_ms, track_notes
from pianalysis.music.notes import Notes, make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.forcing import ForcedState, fixed_ids, forced
from pianalysis.tokens.grammar import GrammarState
from pianalysis.tokens.guidance import KEYS, STEPS
from pianalysis.tokens.windows import notes_between

if TYPE_CHECKING:
    from pianalysis.harmony.chart import Chart

Hand = Literal["left", "right"]

EARLY_MS: Final = vocab.TIME_STEP_MS / 2
"""A note so shortly before a bar line, in clock-ms, is of the bar that begins there."""
HELD: Final = np.float32(-30.0)
"""Added to the logits of keys that a kept note holds down: next to never are they struck."""


class Rewrite:
    """A piece in hand that stays but for some bars, which are written anew with what is before them as history.

    It stands where a `Take` does (`writing.Writer`).
    """

    def __init__(
        self,
        piece: Arrangement,
        source: Source,
        bars: tuple[int, int],
        options: Options,
        seed: int,
        room: int,
        keep: Hand | None = None,
        chart: Chart | None = None,
        *,
        wanted: bool = False,
    ) -> None:
        """source: the piece's, in the model's key. bars: the first and the last, counted from 1 as the file has them.

        options, seed, room, chart, wanted: a `Planner`'s. keep: a hand whose notes stay; where it is the left one, it plays
        no figures instead. Raises PianalysisError for bars that aren't the piece's, and where no keys are left.
        """
        check_bars(source, bars)
        if keep == "left":
            options = replace(options, left_hand=AUTO)
        if keep is not None:
            options = replace(options, ending=NONE)  # the kept hand's last notes stay as they are
        self.source, self.options, self.seed = source, options, seed
        self._keep_hand = keep
        self._take_in(piece, range(bars[0] - 1, bars[1]))
        self.plan = Planner(
            source,
            options,
            seed,
            room,
            chart,
            wanted=wanted,
            bars=range(bars[0] - 1, bars[1]),
            keys=self._keys(),
            kept=self._kept_notes(bars[0] - 1),
        )

    def _take_in(self, piece: Arrangement, bars: range) -> None:
        """Read, in place, the old notes: their bars, and which of them are the kept hand's."""
        self._old = piece
        track = piece.score.tracks[1]
        # `track_notes` has the same order
        self._old_notes = sorted(track.notes, key=lambda note: (note.time, note.pitch, note.duration))
        self._old_on_clock = self._to_clock(track_notes(piece.score, [track]))
        self._old_bars = self._bars_of(self._old_on_clock)
        inside = (self._old_bars >= bars.start) & (self._old_bars < bars.stop)
        keep = self._keep_hand
        right = split_hands(track_notes(piece.score, [track])) if keep else np.zeros(len(inside), bool)
        self._fixed = inside & (right == (keep == "right")) & (keep is not None)
        self._fixed_at: set[tuple[float, int]] = set()

    def _kept_notes(self, first_bar: int) -> Kept:
        before = np.unique(self._old_bars[self._old_bars < first_bar])
        right = self._old_on_clock[self._fixed] if self._keep_hand == "right" else make_notes()
        return Kept({int(bar): self._old_on_clock[self._old_bars == bar] for bar in before}, right)

    def _to_clock(self, notes: Notes) -> Notes:
        """Notes as played, in real ms, as the model would have written them: clock-ms, its key, its loudness."""
        if self._old.options is not None:
            notes = replace(self._old.options, dynamics=-self._old.options.dynamics).played(notes)
        on_clock = self.source.clock.notes_to_clock(notes)
        on_clock["pitch"] += self.source.shift
        return on_clock

    def _bars_of(self, on_clock: Notes) -> np.ndarray:
        return np.searchsorted(self.source.clock.bar_lines, on_clock["onset_ms"] + EARLY_MS, side="right") - 1

    def _kept(self, until: int) -> np.ndarray:
        """Which of the old notes stay when the bars before `until` have been rewritten."""
        return np.asarray((self._old_bars < self.plan.first_bar) | (self._old_bars >= until) | self._fixed)

    def _keys(self) -> tuple[int, int]:
        """The lowest and the highest key that may be struck: those of the other hand, where one is kept."""
        lowest, highest = keys_of(self.options, self.source)
        if self._keep_hand == "left":
            lowest = max(lowest, LOWEST_RIGHT + self.source.shift)
        elif self._keep_hand == "right":
            highest = min(highest, HIGHEST_LEFT + self.source.shift)
        if lowest > highest:
            raise PianalysisError(
                f"expected keys for the other hand beside the {self._keep_hand} one, found none; ask for more keys"
            )
        return lowest, highest

    @property
    def piece(self) -> Arrangement:
        """The piece as far as it is rewritten; the bars that aren't yet are as they were."""
        kept = [note for note, stays in zip(self._old_notes, self._kept(self.plan.bar), strict=True) if stays]
        fresh = notes_in_ticks(self.source.score, self._played(self.plan.written))
        onsets = make_notes((ms, 0, 0, 0) for ms in ticks_to_ms(self.source.score, [note.time for note in fresh]))
        bars = self._bars_of(self.source.clock.notes_to_clock(onsets))
        # What was snapped over a bar line is in a bar that isn't rewritten.
        first, last = self.plan.first_bar, self.plan.bar
        inside = [note for note, bar in zip(fresh, bars, strict=True) if first <= bar < last]
        together = sorted([*kept, *fit_between(kept, inside)], key=lambda note: (note.time, note.pitch))
        piece = replace(
            rebuild(self.source, together),
            how_found=self._old.how_found,
            options=self._old.options,
            chart=self.plan.own_chart,
            seed=self.seed,
        )
        piece = pedalled(piece, range(self.plan.first_bar, self.plan.bar), self._old, asked=self.options.pedal)
        return said_if_stopped(piece, self.plan)

    def fresh(self, written: Written) -> Fresh:
        """What is given out when some bars have been written."""
        notes = between(self.source, self._played(written.recent), written.first, written.last)
        return Fresh(notes, self.plan.bars_done, self.plan.bars)

    def _played(self, written: Notes) -> Notes:
        places = zip(written["onset_ms"].tolist(), written["pitch"].tolist(), strict=True)
        fresh = np.array([place not in self._fixed_at for place in places], bool)
        return played(self.plan, written[fresh])

    def next_window(self) -> Job | None:
        """What the next window is written from, around the notes that stay; None when all bars are done."""
        job = self.plan.next_window()
        if job is None:
            return None
        bias = np.zeros((2, STEPS, KEYS), np.float32) if job.pitch_bias is None else job.pitch_bias.copy()
        start_ms = self.plan.start_ms
        for onset, length, pitch, _ in self._old_on_clock[self._kept(self.plan.last_bar)].tolist():
            first = int((onset - start_ms) / vocab.TIME_STEP_MS + 0.5) + 1
            stop = int(np.ceil((onset + length - start_ms) / vocab.TIME_STEP_MS - 1e-3))
            if pitch in vocab.PITCH_IDS and stop > 0:
                bias[:, max(first, 0) : stop, pitch - vocab.LOWEST_PITCH] += HELD
        return replace(job, state=self._state(job.state), pitch_bias=bias)

    def _state(self, state: GrammarState) -> GrammarState:
        """The state of a window, held to the notes that stay in it."""
        if self._keep_hand is None:
            return state
        start_ms = self.plan.start_ms
        fixed = notes_between(self._old_on_clock[self._fixed], start_ms, float(state.limits.length_ms))
        fixed = fixed[fixed["onset_ms"] >= state.limits.first_ms]
        places = zip((fixed["onset_ms"] + start_ms).tolist(), fixed["pitch"].tolist(), strict=True)
        self._fixed_at.update(places)
        if not isinstance(state, ForcedState):
            return forced(state, fixed)
        # the right hand is there and the left one plays a figure: nothing is left to be written
        return replace(
            state,
            fixed=tuple(sorted({*state.fixed, *fixed_ids(fixed)})),
            limits=replace(state.limits, two_hands=False),
            floors=(),
            alone=True,
        )


def check_bars(source: Source, bars: tuple[int, int]) -> None:
    """Raise PianalysisError for bars, the first and the last counted from 1, that aren't a piece's."""
    first, last = bars
    if not source.first_bar < first <= last <= source.last_bar:
        raise PianalysisError(
            f"expected bars between {source.first_bar + 1} and {source.last_bar}, found {first} to {last}"
        )


def fit_between(kept: list[symusic.Note], fresh: list[symusic.Note]) -> list[symusic.Note]:
    """The fresh notes that kept ones leave room for: none on a key that is held, each let go before its key is struck."""
    by_key: dict[int, list[symusic.Note]] = {}
    for note in kept:
        by_key.setdefault(note.pitch, []).append(note)
    result = []
    for note in fresh:
        same_key = by_key.get(note.pitch, [])
        if any(other.time <= note.time < other.time + other.duration for other in same_key):
            continue
        end = min((other.time for other in same_key if other.time > note.time), default=note.time + note.duration)
        length = min(note.duration, end - note.time)
        result.append(symusic.Note(note.time, length, note.pitch, note.velocity))
    return result
