"""An accompaniment while it is written, given out bar by bar.

In: a `Source`, what is asked for, and an engine. Out: a `Take` that is written, as a `Stream`, or several side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Final, Protocol

from pianalysis.arranging.introduction import with_line
from pianalysis.arranging.options import Options
from pianalysis.arranging.pedal import pedalled
from pianalysis.arranging.pieces import Arrangement, Source, finish, to_real
from pianalysis.arranging.planning import Planner, Written
from pianalysis.arranging.upbeat import after_upbeat
from pianalysis.model.sampling import Job
from pianalysis.music.clock import ROUNDING_MS
from pianalysis.music.difficulty import let_go_in_time
from pianalysis.music.notes import Notes
from pianalysis.tokens.four_parts import one_chord_at_a_time

if TYPE_CHECKING:
    from pianalysis.harmony.chart import Chart
    from pianalysis.model.engine import Engine


@dataclass(frozen=True, eq=False)
class Fresh:
    """Notes just written, in real ms, and how many of the bars are done with them."""

    notes: Notes
    bars_done: int
    bars: int


class Writer(Protocol):
    """What a `Stream` asks of an accompaniment in hand: a `Take`, or some bars of a piece that are written anew."""

    source: Source
    seed: int
    plan: Planner

    @property
    def piece(self) -> Arrangement:
        """The piece as far as it is written."""

    def next_window(self) -> Job | None:
        """What the next window is written from; None when all bars are done."""

    def fresh(self, written: Written) -> Fresh:
        """What is given out when some bars have been written."""


class Take:
    """A whole accompaniment in hand."""

    def __init__(
        self,
        source: Source,
        options: Options,
        seed: int,
        room: int,
        chart: Chart | None = None,
        *,
        wanted: bool = False,
    ) -> None:
        """All as a `Planner` has it."""
        self.source, self.options, self.seed = source, options, seed
        self.plan = Planner(source, options, seed, room, chart, wanted=wanted)

    @property
    def piece(self) -> Arrangement:
        """The piece as far as it is written, the melody whole."""
        notes = between(self.source, played(self.plan, self.plan.written), self.plan.first_bar, self.plan.bar)
        piece = finish(self.source, notes)
        piece = replace(piece, options=self.options, chart=self.plan.own_chart, seed=self.seed)
        if self.options.pedal:
            piece = pedalled(piece, range(self.plan.first_bar, self.plan.bar))
        return said_if_stopped(piece, self.plan)

    def next_window(self) -> Job | None:
        """What the next window is written from; None when all bars are done."""
        return self.plan.next_window()

    def fresh(self, written: Written) -> Fresh:
        """What is given out when some bars have been written."""
        notes = played(self.plan, written.recent)
        return Fresh(between(self.source, notes, written.first, written.last), self.plan.bars_done, self.plan.bars)


def played(plan: Planner, written: Notes) -> Notes:
    """What was written (clock-ms, the model's key) as it is played, in real ms."""
    if plan.options.style == "hymn":
        written = one_chord_at_a_time(written)
    written = with_line(after_upbeat(written, plan.source, plan.options.style), plan.source.line)
    notes, hands = to_real(plan.source, written, plan.lead), plan.hand_limits
    if hands is not None:
        notes = let_go_in_time(notes, hands.border - plan.source.shift, hands.rule)
    return plan.options.played(notes)


def between(source: Source, notes: Notes, first: int, last: int) -> Notes:
    """Those of some notes, in real ms, that begin in bars first … last - 1.

    When these bars are written, what is given out of them stays: what is snapped onto the next bar's line is of that bar.
    """
    begin, end = source.clock.to_real(source.clock.bar_lines[[first, last]]) - ROUNDING_MS
    inside: Notes = notes[(notes["onset_ms"] >= begin) & (notes["onset_ms"] < end)]
    return inside


def said_if_stopped(piece: Arrangement, plan: Planner) -> Arrangement:
    """The piece, with a remark where some of its bars were not written."""
    if plan.bars_done == plan.bars:
        return piece
    return replace(piece, remarks=(*piece.remarks, f"stopped after {plan.bars_done} of {plan.bars} bars"))


class Stream:
    """An accompaniment that is written while it is iterated over: each step gives the `Fresh` notes of a bar or more.

    melody, bar_lines_ms, bars, how_found and remarks, as an `Arrangement` has them, are there before the first step.
    Leaving a loop pauses; another loop goes on where it was. `cancel` ends it for good, from any thread, within a token.
    `piece` is the `Arrangement` as far as given out; after the last step, the very bytes of the whole call. What is given out
    is in it, to the tick; only, where a later bar strikes a key again, or a hymn's next chord, the note before ends there.
    """

    def __init__(self, engine: Engine, take: Writer) -> None:
        source = take.source
        self.melody: Final = source.melody.notes
        self.bar_lines_ms: Final = source.bar_lines_ms
        self.bars: Final = take.plan.bars
        self.how_found: Final = source.melody.how
        self.remarks: Final = source.remarks
        self.seed: Final = take.seed
        self._take = take
        self._precision = engine.precision
        self._cancelled = Event()
        self._steps = self._write(engine)

    def __iter__(self) -> Iterator[Fresh]:
        return self

    def __next__(self) -> Fresh:
        return next(self._steps)

    @property
    def piece(self) -> Arrangement:
        """The piece as far as it has been given out."""
        return replace(self._take.piece, precision=self._precision)

    @property
    def bars_done(self) -> int:
        """How many bars have been given out."""
        return self._take.plan.bars_done

    def cancel(self) -> None:
        """Write no more."""
        self._cancelled.set()

    def _write(self, engine: Engine) -> Iterator[Fresh]:
        take, plan = self._take, self._take.plan
        while not self._cancelled.is_set():
            for again in plan.played_again():
                yield take.fresh(again)
                if self._cancelled.is_set():
                    return
            job = take.next_window()
            if job is None:
                return
            for token in engine.continue_prompt(job.prompt, job.state, job.sampling, job.generator, job.pitch_bias):
                if self._cancelled.is_set():
                    return
                if written := plan.add(token):
                    yield take.fresh(written)
            yield take.fresh(plan.close_window())


def write_together(engine: Engine, takes: Sequence[Writer]) -> Iterator[int]:
    """Write several takes side by side, in place; now and then how many bars are done in all of them."""

    def next_job(index: int) -> Job | None:
        take = takes[index]
        for _ in take.plan.played_again():
            pass
        return take.next_window()

    def more(index: int) -> Job | None:
        takes[index].plan.close_window()
        return next_job(index)

    jobs = [job for index in range(len(takes)) if (job := next_job(index)) is not None]
    for index, token in engine.continue_prompts(jobs, more):
        if takes[index].plan.add(token):
            yield min(take.plan.bars_done for take in takes)
    yield min((take.plan.bars_done for take in takes), default=0)
