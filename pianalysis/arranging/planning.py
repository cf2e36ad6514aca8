"""What is to be written next of an accompaniment, and from what: windows in turn, each with the history of the one before.

In: a `Source` and what is asked for, then the tokens that an engine draws. Out: prompts for the engine, and notes in clock-ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.arranging.charting import bar_chords, held_chords, let_go, moved
from pianalysis.arranging.easier import allowed_classes, easier_left_hand, strike_times
from pianalysis.arranging.ending import ended, ending_of, held_on
from pianalysis.arranging.figures import AUTO
from pianalysis.arranging.left_hand import Ground, LeftHand, left_hand
from pianalysis.arranging.options import Options
from pianalysis.arranging.pieces import Source, border_of
from pianalysis.arranging.structure import Earlier, played_later
from pianalysis.harmony.beats import clock_beats
from pianalysis.metrics.keys import find_key
from pianalysis.model.sampling import Job
from pianalysis.music.clock import EARLY_MS, QUARTER_MS, ROUNDING_MS, tempo_fold
from pianalysis.music.hands import LOWEST_RIGHT
from pianalysis.music.notes import Notes, make_notes, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.forcing import ForcedState, forced
from pianalysis.tokens.four_parts import four_parts, last_chord
from pianalysis.tokens.grammar import GrammarState, Limits, state_after
from pianalysis.tokens.guidance import both, clearance, fidelity
from pianalysis.tokens.hand_limits import NOWHERE, HandLimits, Hands
from pianalysis.tokens.tokenizer import ChordTones, decode_notes, encode_accompaniment, encode_chords, encode_melody
from pianalysis.tokens.windows import bars_in_window, chords_between, notes_between

if TYPE_CHECKING:
    from pianalysis.harmony.chart import Chart

UNSTATED_VELOCITY: Final = 90
"""What scores that say nothing of loudness were converted with: all Polish ones, and most hymns. A model that learned them
believes that this is how loud classical music is, all of it; without this one level it plays as the Lieder are played."""
LONGEST_REST_MS: Final = 2_000
"""No voice rests longer, in clock-ms: of POP909's and OpenScore's gaps between onsets 999 in 1,000 are shorter."""


RECENT_PARTS: Final = 32
"""So many bars or windows back it is known where a hand was."""
FOUND, WANTED = 1.0, 2.5
"""How closely an accompaniment keeps to chords that were found, and to those that somebody wants (`guidance.fidelity`)."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What of a piece stands while some of its bars are written anew, in clock-ms and the model's key.

    before: the accompaniment of each bar before them. right: what the right hand goes on playing in them, above which a
    left hand's figures don't go.
    """

    before: Mapping[int, Notes]
    right: Notes


@dataclass(frozen=True, eq=False)
class Written:
    """Bars first … last - 1, written to their end, and in clock-ms the last notes: of them, and of the bar before."""

    first: int
    last: int
    recent: Notes


class Planner:
    """One accompaniment in hand: it says what to ask the engine, window after window, and keeps what is answered."""

    def __init__(
        self,
        source: Source,
        options: Options,
        seed: int,
        room: int,
        chart: Chart | None,
        *,
        wanted: bool,
        bars: range | None = None,
        keys: tuple[int, int] | None = None,
        kept: Kept | None = None,
    ) -> None:
        """options: resolved. room: the longest sequence that the engine takes, in tokens.

        chart: what is played, in the source's key, by a model that plays chords; for another one None. wanted: somebody
        gave it; it is kept to more closely (`WANTED`), each chord struck on its bass as it begins. bars: those to write,
        counted from 0; all of them where it is None. keys: the lowest and the highest that may be struck, in the model's
        key; those of the options where it is None. kept: what stands beside these bars.
        """
        self.source, self.options, self.room = source, options, room
        self.chart, self._wanted = chart, wanted
        self._chords = held_chords(chart) if chart else None
        self._bar_chords = bar_chords(chart, source) if chart else None
        self.generator = np.random.default_rng(seed)
        bars = bars if bars is not None else range(source.first_bar, source.last_bar)
        self.first_bar, self.last_bar = bars.start, bars.stop
        self._keys = keys if keys is not None else keys_of(options, source)
        self._kept_right = kept.right if kept else make_notes()
        self._by_bar: dict[int, Notes] = dict(kept.before) if kept else {}
        self._before = np.concatenate([make_notes(), *self._by_bar.values()])
        self._written: list[Notes] = []  # clock-ms, the model's key
        self._start_bar = source.first_bar
        self._bar = self._stop_bar = self.first_bar
        self._ids: list[int] = []
        self._ending = ending_of(source, chart, options)

    @property
    def bar(self) -> int:
        """The first bar that isn't written yet, counted from 0."""
        return self._bar

    @property
    def bars(self) -> int:
        """How many bars are to be written."""
        return self.last_bar - self.first_bar

    @property
    def bars_done(self) -> int:
        """How many of them are written to their end."""
        return self._bar - self.first_bar

    @property
    def written(self) -> Notes:
        """All that has been written, clock-ms, in the model's key."""
        return np.concatenate([make_notes(), *self._written])

    @property
    def own_chart(self) -> Chart | None:
        """The chart in the melody's own key."""
        return self.chart.transposed(-self.source.shift) if self.chart else None

    @property
    def lead(self) -> np.ndarray:
        """When the left hand's figures strike, clock-ms: what is played with them keeps to the grid of these."""
        return self._left_hand.notes["onset_ms"] if self._left_hand is not None else np.zeros(0)

    def next_window(self) -> Job | None:
        """What the next window is written from; None when all bars are done."""
        if self._bar >= self.last_bar:
            return None
        self._start_bar = self._window_start()
        window_bars = bars_in_window(self.source.clock.bar_lines, self._start_bar)
        end_bar = min(self._start_bar + window_bars, self.source.last_bar)
        density = self.options.density_at(self._bar)
        others = (
            bar
            for bar in range(self._bar + 1, end_bar)
            if self.options.density_at(bar) != density
            or self._earlier(bar) is not None
            or self._plays_figure(bar) != self._plays_figure(self._bar)
        )
        self._stop_bar = min(next(others, end_bar), self.last_bar)
        return self._prompt(end_bar, density)

    def _window_start(self) -> int:
        """The bar from which half a window of history, or less at the beginning, stands before what is to be written."""
        lines, start = self.source.clock.bar_lines, self._start_bar
        if self._bar > self.source.first_bar:
            start = max(start, self._bar - max(1, bars_in_window(lines, start) // 2))
        while start < self._bar and start + bars_in_window(lines, start) <= self._bar:  # longer bars are to come
            start += 1
        return start

    @property
    def start_ms(self) -> float:
        """Where the window begins, in clock-ms."""
        return float(self.source.clock.bar_lines[self._start_bar])

    def _window_ms(self, bar: int) -> float:
        """A bar line on the window's clock, or the window's end if that is sooner."""
        return min(float(self.source.clock.bar_lines[bar]) - self.start_ms, float(vocab.WINDOW_MS))

    def _prompt(self, end_bar: int, density: str) -> Job:
        start, first = self.start_ms, self._window_ms(self._bar)
        lowest, highest = self._keys
        above = notes_between(self.source.voice, start, self._window_ms(end_bar))
        past = notes_between(self._history(), start, first) if first else make_notes()
        prompt = encode_melody(above, style=self.options.style, density=density)
        held = chords_between(self._chords or (), start, self._window_ms(end_bar))
        if self._chords is not None:
            prompt += [*encode_chords(held), vocab.SEP]
        if len(prompt) + 2 * len(encode_accompaniment(past)) > self.room:
            past = make_notes()  # a very dense stretch: better no history than no room for the answer
        prompt += encode_accompaniment(past)
        limits = Limits(
            first_ms=int(np.ceil(first)),
            length_ms=int(np.floor(self._window_ms(self._stop_bar))),
            rest_ms=LONGEST_REST_MS,
            waited_ms=0 if len(past) else self._waited_ms(start + first),
            lowest=lowest,
            highest=highest,
            two_hands=True,
            downbeats=self._downbeats(),
            changes=self._changes(held),
            dynamics=self._dynamics,
            hands=self.hand_limits.on_window(start) if self.hand_limits else None,
        )
        state = state_after(prompt, limits, chords=self._chords is not None)
        state = replace(state, hands=self._hands())
        if self._chords is not None and self.options.style == "hymn":
            beats = clock_beats(self.source.clock).borders_ms - start
            before = last_chord(past, above)
            state = four_parts(state, above, held, beats, before=before, shift=self.source.shift)
        if self._plays_figure(self._bar):
            state = self._with_left_hand(state)
        bias = both(fidelity(held, WANTED if self._wanted else FOUND), clearance(above, self.options.clear))
        return Job(prompt, state, self.options.sampling, self.generator, bias)

    @cached_property
    def _dynamics(self) -> tuple[range, ...]:
        """How loud the accompaniment may be, as ids (`UNSTATED_VELOCITY`)."""
        known, unstated = vocab.DYNAMIC_IDS, _level(UNSTATED_VELOCITY)
        if self._chords is None or self.options.style == "pop":
            return (known,)
        if self.options.style == "classical":
            return (range(known.start, unstated), range(unstated + 1, known.stop))
        # all voices of a hymn alike, a step softer than the soprano
        own = _level(float(self.source.melody.notes["velocity"].mean()))
        softer = max(own - 1, known.start)
        return (range(softer, softer + 1),)

    def _downbeats(self) -> tuple[int, ...]:
        """Where bars begin in the window, on its clock and grid."""
        lines = self.source.clock.bar_lines
        inside = lines[(lines >= self.start_ms) & (lines < self.start_ms + vocab.WINDOW_MS)] - self.start_ms
        return tuple((np.floor(inside / vocab.TIME_STEP_MS + 0.5) * vocab.TIME_STEP_MS).astype(int).tolist())

    def _changes(self, held: Sequence[ChordTones]) -> tuple[int, ...]:
        """Where in the window chords begin that somebody wants, on its grid."""
        return tuple(chord.onset_ms for chord in held if chord.tones) if self._wanted else ()

    def _waited_ms(self, now_ms: float) -> int:
        """How long the accompaniment has rested: a window that shows no notes before doesn't say it."""
        begin = float(self.source.clock.bar_lines[self.source.first_bar])
        last = max((float(part["onset_ms"][-1]) for part in reversed(self._all) if len(part)), default=begin)
        return int(min(now_ms - last, LONGEST_REST_MS))

    @property
    def _all(self) -> Sequence[Notes]:
        """What there is of the accompaniment up to here, in parts that follow each other."""
        return (self._before, *self._written)

    def _history(self) -> Notes:
        """What was played in the last bars, as far back as a window can reach."""
        return _recent(self._all, self.start_ms - vocab.TIME_STEP_MS)

    # --- how hard it is to play

    @cached_property
    def hand_limits(self) -> HandLimits | None:
        """What each hand may strike, and when, in clock-ms and the model's key; None where no such thing is asked for."""
        rule, source, options = self.options.hand_rule, self.source, self.options
        if rule is None:
            return None
        times = strike_times(clock_beats(source.clock), rule)
        classes = allowed_classes(find_key(source.voice), self._chords or ()) if rule.in_scale else ()
        border = border_of(source, options)
        return HandLimits(rule, border + source.shift, times, classes)

    def _hands(self) -> Hands:
        """Where both hands are after what is written, on the keys that are asked for."""
        if self.hand_limits is None:
            return NOWHERE
        lowest, highest = self._keys
        recent = np.concatenate([make_notes(), *self._all[-RECENT_PARTS:]])
        hands = self.hand_limits.after_all(recent)
        left, right = (hand if hand and lowest <= hand[0] and hand[1] <= highest else None for hand in hands)
        return left, right

    # --- the left hand's figures

    def _plays_figure(self, bar: int) -> bool:
        return self._left_hand is not None and self.options.left_hand_at(bar) != AUTO

    @cached_property
    def _left_hand(self) -> LeftHand | None:
        """What the left hand plays where figures are asked for, in the melody's key; None where they are nowhere."""
        chart, source = self.own_chart, self.source
        if chart is None or not self.options.plays_figures:
            return None
        denominator = source.clock.time_signature[1]
        lowest, highest = self._keys
        key = find_key(source.voice)
        ground = Ground(
            chart,
            clock_beats(source.clock),
            unit_ms=QUARTER_MS * tempo_fold(source.clock.bpm) * 4 / denominator,
            compound=denominator >= 8,
            above=self._above_the_left(),
            bars=range(source.first_bar, source.last_bar),
            keys=(lowest - source.shift, highest - source.shift),
            tonic=(key.tonic - source.shift) % 12 if key else 0,
            introduced=source.intro_bars > 0,
        )
        returns = {bar: earlier for bar in ground.bars if (earlier := self._returning(bar)) is not None}
        hand = left_hand(ground, self.options.figure_at, returns)
        if self.hand_limits is None:
            return hand
        return easier_left_hand(hand, ground, self.hand_limits.transposed(-source.shift), returns)

    def _above_the_left(self) -> Notes:
        """What the left hand's figures may not reach, sorted, in the melody's key: the melody, and a right hand that stays."""
        above = np.concatenate([self.source.voice, self._kept_right])
        above["pitch"] -= self.source.shift
        return sort_notes(above)

    def _with_left_hand(self, state: GrammarState) -> ForcedState:
        """The state of a window, held to what the left hand plays in it."""
        if self._left_hand is None:
            raise ValueError("expected a left hand that plays figures, found none")
        shift, start, step = self.source.shift, self.start_ms, vocab.TIME_STEP_MS
        lines = self.source.clock.bar_lines
        notes = self._left_hand.notes.copy()
        bars = np.searchsorted(lines, notes["onset_ms"] + ROUNDING_MS, side="right") - 1
        notes["pitch"] += shift
        # Where bar lines are off the grid, what begins with a bar isn't rounded into the bar before.
        on_grid = np.ceil((lines[bars] - start - ROUNDING_MS) / step) * step + start
        notes["onset_ms"] = np.maximum(notes["onset_ms"], on_grid)
        inside = notes[(bars >= self._bar) & (bars < self._stop_bar)]
        fixed = notes_between(inside, start, float(state.limits.length_ms))
        floors = [(round((begin - start) / step) * step, key + shift) for begin, key in self._left_hand.floors]
        floors = floors or [(0, min(LOWEST_RIGHT + shift, state.limits.highest))]
        return forced(state, fixed, floors=floors, free_ms=int(self._right_hand_ms(floors)))

    def _right_hand_ms(self, floors: Sequence[tuple[int, int]]) -> float:
        """When the right hand struck last, in window ms; the first bar line where nobody knows."""
        past = self._history()
        onsets = past["onset_ms"] - self.start_ms
        floor = np.searchsorted([begin for begin, _ in floors], onsets + vocab.TIME_STEP_MS / 2, side="right") - 1
        right = onsets[past["pitch"] >= np.array([key for _, key in floors])[np.maximum(floor, 0)]]
        begin = float(self.source.clock.bar_lines[self.source.first_bar]) - self.start_ms
        return float(right.max(initial=begin))

    # --- bars that return

    def _earlier(self, bar: int) -> Earlier | None:
        """The earlier bar whose accompaniment may be played again in a bar, if there is one."""
        if self._plays_figure(bar) and self._left_hand is not None and bar not in self._left_hand.returned:
            return None
        return self._returning(bar)

    def _returning(self, bar: int) -> Earlier | None:
        """The same, before it is known whether the left hand's figure can be played again there."""
        earlier = self.source.earlier_bars.get(bar) if self.options.structure else None
        if earlier is None or self.options.density_at(bar) != self.options.density_at(earlier.bar):
            return None
        if self.options.left_hand_at(bar) != self.options.left_hand_at(earlier.bar):
            return None
        if self._bar_chords and self._bar_chords[bar] != moved(self._bar_chords[earlier.bar], earlier.shift):
            return None
        return earlier

    def played_again(self) -> Iterator[Written]:
        """The bars from here on that are played as they were the first time, one by one, taken in in place."""
        while self._bar < self.last_bar and (notes := self._again(self._bar)) is not None:
            yield self._keep(notes, self._bar + 1)

    def _again(self, bar: int) -> Notes | None:
        """What is played again in a bar; None where that wouldn't do: off the keys, or after too long a rest."""
        lines, earlier = self.source.clock.bar_lines, self._earlier(bar)
        notes = self._by_bar.get(earlier.bar) if earlier is not None else None
        if earlier is None or notes is None or not len(notes):
            return None
        goes_on = self._earlier(bar + 1) == replace(earlier, bar=earlier.bar + 1)
        again = played_later(notes, lines[bar] - lines[earlier.bar], earlier.shift, None if goes_on else lines[bar + 1])
        lowest, highest = self._keys
        late = again["onset_ms"][0] - max((part["onset_ms"][-1] for part in self._all[-9:] if len(part)), default=0)
        fits = lowest <= again["pitch"].min() and again["pitch"].max() <= highest and late <= LONGEST_REST_MS
        fits = fits and (self.hand_limits is None or self.hand_limits.allow(again, self._hands()))
        return again if fits else None

    def add(self, token: int) -> Written | None:
        """Take in, in place, an id of the window's answer; the bars that it shows to be done, if there are any."""
        done = None
        if token in vocab.TIME_IDS:
            now = self.start_ms + vocab.time_ms(token)
            bar = int(np.searchsorted(self.source.clock.bar_lines, now + 1e-3, side="right")) - 1
            if bar > self._bar:
                done = self._close(min(bar, self._stop_bar))
        self._ids.append(token)
        return done

    def close_window(self) -> Written:
        """The rest of the window, when the engine has come to its end."""
        return self._close(self._stop_bar)

    def _close(self, bar: int) -> Written:
        notes = decode_notes(self._ids, loud=True)
        notes["onset_ms"] += self.start_ms
        self._ids = []
        return self._keep(let_go(notes, self._chords or (), basses=self._wanted), bar)

    def _keep(self, notes: Notes, bar: int) -> Written:
        """Take in, in place, the notes of all bars up to one; the last of them end the piece."""
        notes = self._ended(notes, bar)
        self._written.append(notes)
        lines = self.source.clock.bar_lines
        edges = np.searchsorted(notes["onset_ms"], lines[self._bar + 1 : bar] - 1e-3)
        self._by_bar |= dict(zip(range(self._bar, bar), np.split(notes, edges), strict=True))
        first, self._bar = self._bar, bar
        # Notes of the bar before come too: those that are snapped onto this bar's line haven't been given out yet.
        return Written(first, bar, _recent(self._written, lines[max(first - 1, 0)] - 2 * EARLY_MS))

    def _ended(self, notes: Notes, bar: int) -> Notes:
        """Notes of the bars up to one with the last chord, if it is theirs."""
        if self._ending is None:
            return notes
        if self.options.style == "hymn" or self.hand_limits is not None:
            return held_on(notes, self._ending) if bar == self.source.last_bar else notes
        if bar < self.source.last_bar:  # what is struck just before the last chord would be snapped onto it
            before: Notes = notes[notes["onset_ms"] < self._ending.onset_ms - EARLY_MS]
            return before
        octave = self.options.density_at(bar - 1) != "low"
        return ended(notes, self._ending, self._history(), self._keys, octave=octave)


def keys_of(options: Options, source: Source) -> tuple[int, int]:
    """The lowest and the highest key that may be struck, in the model's key."""
    return (
        max(vocab.LOWEST_PITCH, options.lowest + source.shift),
        min(vocab.HIGHEST_PITCH, options.highest + source.shift),
    )


def _recent(parts: Sequence[Notes], from_ms: float) -> Notes:
    """The last of some parts that follow each other: all that have notes from a moment on."""
    recent: list[Notes] = []
    for part in reversed(parts):
        if len(part) and part["onset_ms"][-1] < from_ms:
            break
        recent.append(part)
    return np.concatenate([make_notes(), *reversed(recent)])


def _level(velocity: float) -> int:
    """The id of the dynamic that is nearest to a velocity."""
    return vocab.dynamic_id(min(vocab.DYNAMIC_VELOCITIES, key=lambda known: abs(known - velocity)))
