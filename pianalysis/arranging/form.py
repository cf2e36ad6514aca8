"""A melody as the piece has it: after an introduction, in several verses, slowing down to its end.

In: a `Source` with its chart, as the file has them, and what is asked for. Out: `Laid`: the source and the chart of all bars of
the piece, and the options for them. The writer of accompaniments knows nothing of it but where the melody is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import symusic

from pianalysis.arranging.ending import ending_of, onset_in_ticks
from pianalysis.arranging.form_options import RITARDANDO
from pianalysis.arranging.introduction import Introduction, introduction
from pianalysis.arranging.options import Options
from pianalysis.arranging.pieces import Source, retimed
from pianalysis.arranging.structure import Earlier
from pianalysis.arranging.upbeat import first_onset_ms, has_upbeat, is_short
from pianalysis.errors import MidiReadError, PianalysisError
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.music.clock import LATE_QUARTERS, QUARTER_MS, BeatClock, tempo_fold
from pianalysis.music.midi import check_limits, ms_to_ticks
from pianalysis.music.notes import Notes, monophonic, sort_notes
from pianalysis.music.tempo import DEFAULT_BPM, slow_down

TEXTURES: Final = ("low", "mid", "high")
"""From the first verse to the last, where no density is asked for."""
EVEN: Final = "mid"
SLOW_BARS: Final = 2
"""A ritardando begins so many bars before the end."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A source laid out, the chart of its bars in the model's key, None where there is none, and the options by its bars."""

    source: Source
    options: Options
    chart: Chart | None


@dataclass(frozen=True)
class _Plan:
    """In ticks of the file: the line of the first whole bar, what is put before the file, and from verse to verse.

    short: the file begins with a short bar, which becomes the end of a whole one.
    """

    down: int
    insert: int
    period: int
    verses: int
    short: bool

    @property
    def offsets(self) -> list[int]:
        """How many ticks later each verse is than in the file."""
        return [self.insert + verse * self.period for verse in range(self.verses)]


def lay_out(source: Source, options: Options, chart: Chart | None) -> Laid:
    """A melody laid out as is asked for. source: with its voice in the model's key. chart: for the bars of the file.

    Raises PianalysisError for a form that this melody can't have.
    """
    ending = ending_of(source, chart, options)
    if not (options.intro or options.verses > 1 or options.ending == RITARDANDO):
        return Laid(source, in_bars(options, source), chart)
    _check(source, options, chart)
    lines = ms_to_ticks(source.score, source.clock.to_real(source.clock.bar_lines)).tolist()
    down = source.first_bar + has_upbeat(source)
    plan = _plan(source, options, lines, down)
    score = _laid_score(source, plan)
    if options.ending == RITARDANDO and ending is not None:
        last_onset = onset_in_ticks(source, ending)
        start = lines[max(down, source.last_bar - SLOW_BARS)] + plan.offsets[-1]
        slow_down(score, start, max(start, last_onset + plan.offsets[-1]), score.tpq)
    try:
        check_limits(score, "the piece")
    except MidiReadError as error:
        raise PianalysisError(f"{options.verses} verses are too many for this melody: {error}") from None
    return _assembled(source, options, chart, plan, score, down)


def _check(source: Source, options: Options, chart: Chart | None) -> None:
    if options.intro and chart is None:
        raise PianalysisError(
            "expected chords for an introduction, found none: this model knows no chords; choose a model that plays chords, "
            "or no introduction"
        )
    cut = len(source.voice) and float(source.voice["onset_ms"].max()) >= source.clock.bar_lines[source.last_bar]
    if options.verses > 1 and cut:
        raise PianalysisError(
            f"expected a melody that is accompanied to its end for {options.verses} verses, found max_bars "
            f"{options.max_bars}; leave one of the two out"
        )


def check_chart(chart: Chart, source: Source, options: Options) -> None:
    """Raise PianalysisError for a chart of a piece with an introduction or verses where the melody's own is meant."""
    longer = chart.beats[-1] > source.clock.bar_lines[-1] + 1.0
    if longer and (options.intro or options.verses > 1):
        raise PianalysisError(
            f"expected a chart of the melody's {source.bars} bars, found one of {len(chart.bar_lines) - 1}; the introduction's and "
            "the verses' chords are made of them"
        )


def _plan(source: Source, options: Options, lines: Sequence[int], down: int) -> _Plan:
    upbeat = down > source.first_bar
    short = upbeat and is_short(source)
    insert = 0
    if options.intro:
        insert = options.intro * (lines[2] - lines[1]) - lines[1] if short else 0
        insert = insert if short else max(0, options.intro - down) * (lines[1] - lines[0])
    notes = source.melody.score_notes
    end, last = max(note.time + note.duration for note in notes), lines[source.last_bar]
    leads_ticks = lines[down] - min(note.time for note in notes) if upbeat else 0
    last_bar = last - lines[source.last_bar - 1]
    again = last  # where the next verse's first whole bar begins
    if last_bar < lines[down + 1] - lines[down]:
        again = last + leads_ticks  # the last bar and the upbeat are one
    elif last - leads_ticks < end - source.score.tpq * LATE_QUARTERS:
        again = last + last_bar
    return _Plan(lines[down], max(insert, 0), again - lines[down], options.verses, short)


# --- ticks -----------------------------------------------------------------------------------------------------------


def _laid_score(source: Source, plan: _Plan) -> symusic.Score:
    """The file's score laid out: every track's events in each verse, and what holds there."""
    score, late = source.score.copy(), source.score.tpq * LATE_QUARTERS
    for track in score.tracks:
        for name in ("notes", "controls", "pitch_bends", "pedals", "lyrics"):
            events = getattr(track, name)
            moved = [_later(event, offset) for offset in plan.offsets for event in events]
            events.clear()
            events.extend(moved)
    metres = [_later(item, -item.time) if item.time <= late else item for item in source.score.time_signatures]
    _replace(score.time_signatures, _states(metres, plan, symusic.TimeSignature(0, 4, 4), drops=plan.short))
    _replace(score.tempos, _states(source.score.tempos, plan, symusic.Tempo(0, DEFAULT_BPM)))
    _replace(score.key_signatures, _states(source.score.key_signatures, plan, None))
    _replace(score.markers, [_later(mark, offset) for offset in plan.offsets for mark in source.score.markers])
    return score


def _replace(events: Any, by: Iterable[Any]) -> None:
    """Replace, in place."""
    new = [*by]
    events.clear()
    events.extend(new)


def _later(event: Any, ticks: int) -> Any:
    moved = event.copy()
    moved.time += ticks
    return moved


def _states(events: Iterable[Any], plan: _Plan, default: Any, *, drops: bool = False) -> list[Any]:
    """What holds from a tick on (a metre, a tempo, a key), laid out; it is stated again where a verse begins.

    default: what holds until the first. drops: what is stated before the first whole bar isn't there any more.
    """
    ordered = sorted(events, key=lambda event: event.time)
    first = next((event for event in reversed(ordered) if event.time <= 0), default)
    begins = next((event for event in reversed(ordered) if event.time <= plan.down), default)
    placed: dict[int, Any] = {}
    for verse, offset in enumerate(plan.offsets):
        start = plan.down - drops if drops or verse else -1
        stop = np.inf if verse + 1 == plan.verses else plan.down + plan.period
        if verse and begins is not None:
            placed[plan.down + offset] = begins
        placed |= {max(event.time, 0) + offset: event for event in ordered if start < event.time < stop}
    front = begins if drops else first
    if front is not None and (plan.insert or drops):
        placed[0] = front
    return [_later(event, tick - event.time) for tick, event in sorted(placed.items(), key=lambda item: item[0])]


# --- the source ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Places:
    """Where what is in the file is in the piece: bars and clock-ms."""

    source: Source
    plan: _Plan
    clock: BeatClock
    lines: Sequence[int]
    down: int

    def bar(self, tick: int) -> int:
        """The bar whose line is at a tick of the piece."""
        return int(np.abs(np.asarray(self.lines) - tick).argmin())

    def first_bar_of(self, verse: int) -> int:
        """A verse's first whole bar."""
        return self.bar(self.plan.down + self.plan.offsets[verse])

    def to_piece(self, clock_ms: float | np.ndarray, verse: int) -> np.ndarray:
        """A time of the file's clock, on the piece's, in a verse."""
        quarters = np.asarray(clock_ms) / _quarter_ms(self.source.clock) + self._later(verse)
        return np.asarray(quarters * _quarter_ms(self.clock))

    def to_file(self, clock_ms: float, verse: int) -> float:
        """The time on the file's clock of one in the piece."""
        return float((clock_ms / _quarter_ms(self.clock) - self._later(verse)) * _quarter_ms(self.source.clock))

    def _later(self, verse: int) -> float:
        return self.plan.offsets[verse] / float(self.source.score.tpq)


def _quarter_ms(clock: BeatClock) -> float:
    return QUARTER_MS * tempo_fold(clock.bpm)


def _assembled(
    source: Source, options: Options, chart: Chart | None, plan: _Plan, score: symusic.Score, down: int
) -> Laid:
    clock = BeatClock.from_score(score)
    lines = ms_to_ticks(score, clock.to_real(clock.bar_lines)).tolist()
    places = _Places(source, plan, clock, lines, down)
    verses = _verse_bars(places, introduced=options.intro > 0)
    first_bar = max(0, places.first_bar_of(0) - options.intro) if options.intro else verses[0].start
    melody = [_later(note, offset) for offset in plan.offsets for note in source.melody.score_notes]
    found = retimed(source.melody, score, melody)
    voice = monophonic(np.concatenate([_moved(source.voice, places, verse) for verse in range(plan.verses)]))
    before = None
    if options.intro and chart is not None:
        begin, bars = float(voice["onset_ms"].min()), range(first_bar, places.first_bar_of(0))
        phrase = range(down, source.last_bar)
        before = introduction(source, chart, phrase, clock, bars, begin)
        voice = sort_notes(np.concatenate([before.line, voice]))
    laid = replace(
        source,
        score=score,
        melody=found,
        clock=clock,
        voice=voice,
        first_bar=first_bar,
        last_bar=verses[-1].stop,
        remarks=(*source.remarks, *_remarks(before, places, first_bar)),
        stated=None,
        intro_bars=len(before.bars) if before else 0,
        line=before.line if before else source.line,
        verses=verses,
        returning=_returning(source, places) if before or plan.verses > 1 else source.earlier_bars,
    )
    return Laid(laid, in_bars(options, laid), _laid_chart(chart, places, before) if chart else None)


def _moved(notes: Notes, places: _Places, verse: int) -> Notes:
    moved = notes.copy()
    ends = places.to_piece(notes["onset_ms"] + notes["duration_ms"], verse)
    moved["onset_ms"] = places.to_piece(notes["onset_ms"], verse)
    moved["duration_ms"] = ends - moved["onset_ms"]
    return moved


def _verse_bars(places: _Places, *, introduced: bool) -> tuple[range, ...]:
    """Each verse's bars; an upbeat's is the first verse's, or the introduction's where there is one."""
    source, plan = places.source, places.plan
    starts = [places.first_bar_of(verse) for verse in range(plan.verses)]
    lines = ms_to_ticks(source.score, source.clock.to_real(source.clock.bar_lines[[source.last_bar]]))
    last = places.bar(int(lines[0]) + plan.offsets[-1])
    first = starts[0] if introduced else max(0, starts[0] - (places.down - source.first_bar))
    return tuple(range(a, b) for a, b in zip([first, *starts[1:]], [*starts[1:], last], strict=True))


def _returning(source: Source, places: _Places) -> Mapping[int, Earlier]:
    """The bars that return within their verse; a verse itself is played in another way."""
    found = {}
    for verse in range(places.plan.verses):
        later = places.first_bar_of(verse) - places.down
        for bar, earlier in source.earlier_bars.items():
            if places.down <= earlier.bar and bar < source.last_bar:
                found[bar + later] = replace(earlier, bar=earlier.bar + later)
    return found


def _laid_chart(chart: Chart, places: _Places, before: Introduction | None) -> Chart:
    """The chords of all bars: a beat has those of its middle."""
    source, clock = places.source, places.clock
    beats = clock_beats(clock).borders_ms
    file_beats = clock_beats(source.clock)
    end_ms = float(source.clock.bar_lines[source.last_bar]) - 1.0
    begin_ms = float(file_beats.borders_ms[file_beats.index(first_onset_ms(source))])
    begin_ms = begin_ms if has_upbeat(source) else float(source.clock.bar_lines[places.down])
    starts = [float(places.to_piece(begin_ms, verse)) for verse in range(places.plan.verses)]
    spans = []
    for start, end in zip(beats[:-1].tolist(), beats[1:].tolist(), strict=True):
        middle = (start + end) / 2
        verse = max(int(np.searchsorted(starts, middle, side="right")) - 1, 0)
        if before and middle < starts[0]:
            chord = before.chord_at(middle)
        else:
            at = places.to_file(middle, verse)
            chord = chart.at(min(at, end_ms) if places.plan.verses > 1 else at)
        spans.append(ChordSpan(start, end, chord))
    return Chart.from_spans(spans, bar_lines=clock.bar_lines, beats=beats)


def _remarks(before: Introduction | None, places: _Places, first_bar: int) -> list[str]:
    """Where what begins: of a verse its first whole bar."""
    said = []
    if before:
        where = (
            f"bar {first_bar + 1} is" if len(before.bars) == 1 else f"bars {first_bar + 1} to {before.bars.stop} are"
        )
        said.append(f"{where} the introduction, on the tune's {before.phrase} phrase")
    if places.plan.verses > 1:
        starts = [str(places.first_bar_of(verse) + 1) for verse in range(places.plan.verses)]
        said.append(f"the verses begin in bars {', '.join(starts[:-1])} and {starts[-1]}")
    return said


# --- options ---------------------------------------------------------------------------------------------------------


def in_bars(options: Options, source: Source) -> Options:
    """Options whose verses are bars; each verse has a density of its own where none is asked for.

    Raises PianalysisError for a verse that there isn't.
    """
    density, left_hand = (_by_bars(text, source.verses) for text in (options.density, options.left_hand))
    if len(source.verses) > 1 and options.density == Options.density and options.style != "hymn":
        steps = np.linspace(0 if len(source.verses) > 2 else 1, len(TEXTURES) - 1, len(source.verses))
        words = [TEXTURES[round(step)] for step in steps.tolist()]
        spans = [f"{b.start + 1}-{b.stop}:{word}" for b, word in zip(source.verses, words, strict=True)]
        density = ",".join([EVEN, *spans])
    return replace(options, density=density, left_hand=left_hand)


def _by_bars(text: str, verses: Sequence[range]) -> str:
    """An option's text with bars where it has verses.

    >>> _by_bars("low,v2:high", [range(4, 12), range(12, 20)])
    'low,13-20:high'
    """
    parts = []
    for part in text.split(","):
        place, colon, word = part.strip().partition(":")
        if colon and place.startswith("v"):
            number = int(place[1:])
            if number > max(len(verses), 1):
                raise PianalysisError(f"{part.strip()}: expected one of {max(len(verses), 1)} verses, found {number}")
            part = f"{verses[number - 1].start + 1}-{verses[number - 1].stop}:{word}" if verses else word
        parts.append(part)
    return ",".join(parts)
