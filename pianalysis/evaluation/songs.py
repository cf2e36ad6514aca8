"""The songs that are arranged: excerpts of a dataset's pieces on the beat clock, and their MIDI.

In: rows of the config `notes`. Out: `Song`s in clock-ms from their first bar line, and `symusic.Score`s of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import QUARTER_MS, BeatClock, Floats, tempo_fold
from pianalysis.music.metres import Metre, metre_of_bar, quarters_of
from pianalysis.music.notes import NOTE_DTYPE, Notes, let_go_before_restrike, make_notes, monophonic, sort_notes
from pianalysis.tokens.windows import bars_in_window

STYLE_OF_CORPUS: Final = {"openscore_lieder": "classical", "polish_scores": "classical", "hymns": "hymn"}
"""What an arrangement is asked for; all other corpora are pop."""
LABELLED, BY_RULE = "label", "rule"
"""Where chords come from: people said which they are, or a rule read them off the human accompaniment."""
TICKS_PER_QUARTER: Final = 480
LONGEST_BEAT: Final = 4
"""That of a bar which isn't as long as its metre says: the quarter."""
SHORTEST_MS: Final = 1.0
"""What is left of a note that ends just past a bar line is none."""

Chords = Sequence[tuple[float, float, str]]
"""Start, end and label in Harte's syntax of each chord."""


@dataclass(frozen=True, eq=False)
class Song:
    """An excerpt of a piece: whole bars from the one in which the melody begins, no further than its last.

    melody, accompaniment: the human ones, clock-ms from the first bar line. clock: from the same place, real ms 0.
    chords: (start, end, label in Harte's syntax) in clock-ms, where the corpus has chords. chord_source: where they come
    from, "label", "written" or "rule"; "" where there are none. is_whole: the melody is there to its end.
    """

    piece_id: str
    corpus: str
    clock: BeatClock
    melody: Notes
    accompaniment: Notes
    chords: tuple[tuple[float, float, str], ...] = ()
    chord_source: str = ""
    is_whole: bool = True

    @property
    def name(self) -> str:
        """The song's name in files and tables."""
        return f"{self.corpus}-{self.piece_id}"

    @property
    def length_ms(self) -> float:
        """The length in clock-ms."""
        return float(self.clock.bar_lines[-1])

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return float(self.clock.to_real(self.length_ms)) / 1_000

    @property
    def bar_ms(self) -> float:
        """The length of most bars in clock-ms."""
        lengths, counts = np.unique(np.diff(self.clock.bar_lines).round(3), return_counts=True)
        return float(lengths[np.argmax(counts)])

    @property
    def style(self) -> str:
        """The style an arrangement is asked for."""
        return STYLE_OF_CORPUS.get(self.corpus, "pop")

    @cached_property
    def quarter_ms(self) -> float:
        """A quarter note of the score in clock-ms: 500, or twice or half of it where the tempo is folded."""
        return QUARTER_MS * tempo_fold(self.clock.bpm)

    def score(self, accompaniment: Notes | None = None) -> symusic.Score:
        """The melody, and an accompaniment in clock-ms if given, with the piece's tempi and metres."""
        score = symusic.Score(TICKS_PER_QUARTER)
        real, clock = self.clock.real_ms, self.clock.clock_ms
        quarters_a_minute = 60_000 * np.diff(clock) / np.diff(real) / self.quarter_ms
        for tick, tempo in zip(self._ticks(clock[:-1]).tolist(), quarters_a_minute.tolist(), strict=True):
            score.tempos.append(symusic.Tempo(tick, tempo))
        score.time_signatures.extend(self._time_signatures())
        voices = {"Melody": self.melody, "Accompaniment": accompaniment}
        for name, notes in voices.items():
            if notes is not None:
                score.tracks.append(self._track(name, notes))
        return score

    def notes_of(self, score: symusic.Score, track: int) -> Notes:
        """The notes of a track of such a score, in clock-ms; by ticks, whatever clock a reader would give the score."""
        part = score.tracks[track].notes.numpy()
        notes = np.zeros(len(part["time"]), dtype=NOTE_DTYPE)
        scale = self.quarter_ms / score.tpq
        notes["onset_ms"], notes["duration_ms"] = part["time"] * scale, part["duration"] * scale
        notes["pitch"], notes["velocity"] = part["pitch"], part["velocity"]
        return sort_notes(notes)

    def joints_ms(self) -> np.ndarray:
        """Where a window's new notes follow those of the window before, in clock-ms (see `Arranger`)."""
        clock = BeatClock.from_score(self.score())  # the clock that an arranger gives it
        lines, scale = clock.bar_lines, self.quarter_ms / (QUARTER_MS * tempo_fold(clock.bpm))
        joints, start = [], 0
        stop = bars_in_window(lines, start)
        while stop < len(lines) - 1 and lines[stop] * scale < self.length_ms - SHORTEST_MS:
            joints.append(float(lines[stop] * scale))
            start = max(start + 1, stop - max(1, bars_in_window(lines, start) // 2))
            stop = start + bars_in_window(lines, start)
        return np.array(joints)

    def _ticks(self, clock_ms: np.ndarray) -> np.ndarray:
        return np.rint(clock_ms / self.quarter_ms * TICKS_PER_QUARTER).astype(int)

    def _time_signatures(self) -> list[symusic.TimeSignature]:
        signatures: list[symusic.TimeSignature] = []
        main, previous = self.clock.time_signature, 0.0
        for start, bar in zip(self.clock.bar_lines, np.diff(self.clock.bar_lines), strict=False):
            if abs(bar - previous) > SHORTEST_MS:
                tick = int(self._ticks(np.array([start]))[0])
                signatures.append(symusic.TimeSignature(tick, *_signature_of(bar / self.quarter_ms, main)))
            previous = bar
        return signatures

    def _track(self, name: str, notes: Notes) -> symusic.Track:
        track = symusic.Track(name, 0, False)
        in_ticks = notes.copy()
        in_ticks["onset_ms"] = self._ticks(notes["onset_ms"])
        ends = self._ticks(notes["onset_ms"] + notes["duration_ms"])
        in_ticks["duration_ms"] = np.maximum(ends - in_ticks["onset_ms"], 1)
        for onset, length, pitch, velocity in let_go_before_restrike(in_ticks).tolist():
            if length > 0:
                track.notes.append(symusic.Note(int(onset), int(length), pitch, velocity))
        return track


def _signature_of(quarters: float, main: Metre) -> Metre:
    """The time signature of a bar of so many quarters: the piece's own if it fits.

    >>> _signature_of(3, (6, 8)), _signature_of(3, (4, 4)), _signature_of(0.5, (2, 4))
    ((6, 8), (3, 4), (1, 8))
    """
    if abs(quarters_of(main) - quarters) < 1e-3:
        return main
    return metre_of_bar(Fraction(round(quarters * TICKS_PER_QUARTER), TICKS_PER_QUARTER), LONGEST_BEAT)


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Whole bars of a piece, from the bar line `first` until the bar line `stop` of its clock.

    is_whole: the melody is in them to its end.
    """

    clock: BeatClock
    first: int
    stop: int
    is_whole: bool

    @property
    def span_ms(self) -> tuple[float, float]:
        """Where it begins and ends, clock-ms of the piece."""
        return float(self.clock.bar_lines[self.first]), float(self.clock.bar_lines[self.stop])

    def of(self, notes: Notes) -> Notes:
        """The notes of the piece that begin in it, counted from its start and ended at its end."""
        return cut(notes, *self.span_ms)

    def song(self, name: str, corpus: str, melody: Notes, accompaniment: Notes, chords: Chords, source: str) -> Song:
        """The song, of the piece's notes and chords (start, end, label), all on the piece's clock."""
        start, end = self.span_ms
        inside = ((a - start, b - start, label) for a, b, label in chords if b > start and a < end)
        return Song(
            name,
            corpus,
            _excerpt(self.clock, self.first, self.stop),
            monophonic(self.of(melody)),
            self.of(accompaniment),
            tuple((max(a, 0.0), min(b, end - start), label) for a, b, label in inside),
            source,
            self.is_whole,
        )


def excerpt_of(clock: BeatClock, melody: Notes, seconds: float = np.inf) -> Excerpt:
    """The first `seconds` in whole bars (at least one), from the bar in which a melody (clock-ms) begins to its last.

    Raises PianalysisError for a melody that begins where the bars end.
    """
    lines = clock.bar_lines
    first = _bar_of(lines, melody["onset_ms"].min())
    begins_ms = float(clock.to_real(lines[first]))
    fitting = int(np.searchsorted(clock.to_real(lines), begins_ms + seconds * 1_000 + 1e-3, side="right")) - 1
    stop = max(first + 1, min(fitting, len(lines) - 1))
    is_whole = bool(melody["onset_ms"].max() < lines[stop] - SHORTEST_MS)
    inside = cut(melody, lines[first], lines[stop])
    if not len(inside):
        raise PianalysisError(
            "expected a melody inside its bars, found one that begins where they end; export it again"
        )
    last_ms = lines[first] + float((inside["onset_ms"] + inside["duration_ms"]).max())
    return Excerpt(clock, first, _bar_of(lines, last_ms - SHORTEST_MS) + 1, is_whole)


def read_song(row: dict[str, Any], seconds: float = np.inf) -> Song:
    """The first `seconds` of a row of the config `notes`, in whole bars (at least one), from where its melody begins."""
    clock = clock_of(row)
    melody = sort_notes(clock.notes_to_clock(notes_of_rows(row["melody"])))
    below = clock.notes_to_clock(notes_of_rows(row["accompaniment"]))
    spans = clock.to_clock([[item["onset_ms"], item["end_ms"]] for item in row["chords"]] or np.zeros((0, 2)))
    chords = [(a, b, item["label"]) for (a, b), item in zip(spans.tolist(), row["chords"], strict=True)]
    source = row.get("chord_source") or (LABELLED if chords else "")
    return excerpt_of(clock, melody, seconds).song(row["piece_id"], row["corpus"], melody, below, chords, source)


def clock_of(row: dict[str, Any]) -> BeatClock:
    """The clock of a row of the config `notes`, from its quarter beats and bar lines.

    Where the tempo changes inside a beat the row doesn't say where; its bar lines are read to the nearest sixteenth.
    """
    beats, bars = np.array(row["beats_ms"]), np.array(row["downbeats_ms"])
    quarter_ms = QUARTER_MS * tempo_fold(row["bpm"])
    clock_ms: Floats = np.arange(len(beats), dtype=np.float64) * quarter_ms
    metre = tuple(map(int, row["time_signature"].split("/")))
    rough = BeatClock(beats, clock_ms, np.zeros(0), row["bpm"], (metre[0], metre[1]))
    lines: Floats = np.rint(rough.to_clock(bars) / quarter_ms * 4) * quarter_ms / 4
    between = ~np.isin(lines, clock_ms)
    knots, first = np.unique(np.concatenate([clock_ms, lines[between]]), return_index=True)
    real = np.concatenate([beats, bars[between]])[first]
    return BeatClock(real, knots, np.unique(lines), row["bpm"], (metre[0], metre[1]))


def notes_of_rows(rows: Iterable[dict[str, Any]]) -> Notes:
    """Notes as a dataset's rows hold them, as an array."""
    return make_notes(tuple(row[name] for name in NOTE_DTYPE.names or ()) for row in rows)


def cut(notes: Notes, start_ms: float, end_ms: float) -> Notes:
    """The notes that begin in a span, counted from its start and ended at its end; sorted."""
    early = SHORTEST_MS / 2  # a note a rounding error before the bar line is the bar's own
    inside = (notes["onset_ms"] >= start_ms - early) & (notes["onset_ms"] < end_ms - SHORTEST_MS)
    part = sort_notes(notes[inside])
    part["onset_ms"] = np.maximum(part["onset_ms"] - start_ms, 0.0)
    part["duration_ms"] = np.minimum(part["duration_ms"], end_ms - start_ms - part["onset_ms"])
    return part


def _bar_of(lines: np.ndarray, time_ms: float) -> int:
    return int(np.clip(np.searchsorted(lines, time_ms + SHORTEST_MS / 2, side="right") - 1, 0, len(lines) - 2))


def _excerpt(clock: BeatClock, first: int, stop: int) -> BeatClock:
    lines = clock.bar_lines[first : stop + 1]
    inside = clock.clock_ms[(clock.clock_ms > lines[0] + SHORTEST_MS) & (clock.clock_ms < lines[-1] - SHORTEST_MS)]
    knots = np.concatenate([lines[:1], inside, lines[-1:]])
    real = clock.to_real(knots)
    return BeatClock(real - real[0], knots - lines[0], lines - lines[0], clock.bpm, clock.time_signature)
