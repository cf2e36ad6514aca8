"""What a build of the dataset read, kept, dropped and lost: counted per part, merged, and drawn.

In: pieces and windows as they are built. Out: a `BuildReport`, its JSON, its plots.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from pianalysis.dataset.corpora import Piece
from pianalysis.dataset.rows import DROP_REASONS, Charted, dropped_windows
from pianalysis.errors import PianalysisError
from pianalysis.harmony.symbols import NO_CHORD
from pianalysis.music.clock import QUARTER_MS
from pianalysis.music.notes import Notes, monophonic, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import voice_start
from pianalysis.tokens.tokenizer import decode
from pianalysis.tokens.windows import MAX_TOKENS, Window, bars_in_window

ERROR_STEP_MS: Final = 0.5
ERROR_BINS: Final = 1_200_000
"""Round-trip errors are counted in bins of half a millisecond, up to ten minutes (notes longer than a window are cut)."""
DENSITY_STEP: Final = 0.01
DENSITY_BINS: Final = 3_000
"""Accompaniment notes per beat are counted in bins of a hundredth, up to thirty."""
DENSITY_BAR: Final = 0.25
"""The plot's bars are as wide as this."""

Column = np.ndarray[Any, Any]
T = TypeVar("T")


@dataclass
class PartReport:
    """The counts of one part of a build, or of all of it. Every field merges by adding."""

    split: str = ""
    pieces_seen: int = 0
    pieces: Counter[str] = field(default_factory=Counter)  # corpus/split: pieces kept, versions counted
    windows: Counter[str] = field(default_factory=Counter)  # corpus/split: windows kept
    dropped: Counter[str] = field(default_factory=Counter)  # reason: windows
    shortened: int = 0  # windows of fewer bars than would fit the clock, for their many notes
    problems: list[tuple[str, str]] = field(default_factory=list)  # file, reason
    twice: list[tuple[str, str]] = field(default_factory=list)  # piece left out, which it is again
    notes: int = 0  # in windows, both voices
    accompaniment_notes: int = 0
    accompaniment_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    merged: int = 0  # notes that fell on another note's key and grid onset
    off_keyboard: int = 0
    lost: int = 0  # notes of a window that decode(encode) does not give back
    added: int = 0
    onset_errors: Counter[int] = field(default_factory=Counter)
    duration_errors: Counter[int] = field(default_factory=Counter)
    dynamics: Counter[str] = field(default_factory=Counter)
    densities: Counter[str] = field(default_factory=Counter)  # corpus/split/word, windows with an accompaniment
    per_beat: Counter[int] = field(default_factory=Counter)  # training windows with an accompaniment
    lead_sheets: Counter[str] = field(default_factory=Counter)  # corpus/split: windows without one
    chord_sources: Counter[str] = field(default_factory=Counter)  # corpus/source: pieces
    beats: Counter[str] = field(default_factory=Counter)  # corpus: of its pieces, from the first bar line to the last
    chord_beats: Counter[str] = field(default_factory=Counter)  # corpus: those with a chord
    chord_changes: Counter[str] = field(default_factory=Counter)  # corpus: beats with another chord than the one before
    bars: Counter[str] = field(default_factory=Counter)  # corpus
    token_counts: Counter[int] = field(default_factory=Counter)

    def rows(self, config: str) -> int:
        """The rows of a config."""
        return sum((self.pieces if config == "notes" else self.windows).values())

    def collecting(self, pieces: Iterable[T], name: str) -> Iterator[T]:
        """The pieces of a file, until one can't be read: that is noted, and the build goes on."""
        self.pieces_seen += 1
        iterator = iter(pieces)
        while True:
            try:
                piece = next(iterator)
            except StopIteration:
                return
            except (PianalysisError, OSError, ValueError) as error:
                self.problems.append((name, str(error).splitlines()[0]))
                return
            yield piece

    def leave_out(self, piece_id: str, other: str) -> None:
        """Note a piece that isn't built because another one has its melody."""
        self.pieces_seen += 1
        self.twice.append((piece_id, other))

    def add_piece(self, piece: Piece, windows: list[Window], charted: Charted, *, every_bar: bool) -> bool:
        """Count a piece and what was cut off it; False where it has no window and so is left out."""
        if not windows:
            self.problems.append((piece.piece_id, "no window of it holds a melody; left out"))
            return False
        self.pieces[f"{piece.corpus}/{self.split}"] += 1
        lines = piece.clock.bar_lines
        self.dropped.update(dropped_windows(lines, windows, every_bar=every_bar))
        self.shortened += sum(window.bars < bars_in_window(lines, window.start_bar) for window in windows)
        self._count_chords(piece.corpus, charted)
        return True

    def _count_chords(self, corpus: str, charted: Charted) -> None:
        chart, source = charted
        chords = chart.per_beat()
        self.chord_sources[f"{corpus}/{source}"] += 1
        self.beats[corpus] += len(chords)
        self.bars[corpus] += len(chart.bar_lines) - 1
        self.chord_beats[corpus] += sum(chord not in (None, NO_CHORD) for chord in chords)
        self.chord_changes[corpus] += sum(one != other for one, other in pairwise(chords))

    def add_windows(self, piece: Piece, windows: list[Window], ids: list[list[int]]) -> None:
        """Count a piece's windows with their ids, and compare them with the piece they were cut from."""
        voices = (_Voice.of(monophonic(piece.melody), piece), _Voice.of(piece.accompaniment, piece))
        for window, tokens in zip(windows, ids, strict=True):
            self._count(piece, window, tokens)
            again = decode(tokens)
            self._compare(voices[0], window.notes.melody, again.melody, piece, window)
            self._compare(voices[1], window.notes.below, again.below, piece, window)

    def _count(self, piece: Piece, window: Window, ids: list[int]) -> None:
        place = f"{piece.corpus}/{self.split}"
        below = window.notes.below
        self.windows[place] += 1
        if window.notes.accompaniment is None:
            self.lead_sheets[place] += 1
        else:
            self._count_density(place, window)
        self.notes += len(below) + len(window.notes.melody)
        self.accompaniment_notes += len(below)
        self.accompaniment_tokens += len(ids) - voice_start(ids)
        self.tokens += len(ids)
        self.token_counts.update(ids)
        start, end = piece.clock.to_real([window.start_ms, window.start_ms + window.length_ms])
        self.seconds += float(end - start) / 1_000
        for velocity, count in Counter(below["velocity"].tolist()).items():
            self.dynamics[vocab.DYNAMIC_NAMES[vocab.DYNAMIC_VELOCITIES.index(velocity)]] += count

    def _count_density(self, place: str, window: Window) -> None:
        self.densities[f"{place}/{window.notes.density}"] += 1
        per_beat = len(window.notes.below) / (window.length_ms / QUARTER_MS)
        if self.split == "train":
            self.per_beat[min(int(per_beat / DENSITY_STEP + 1e-9), DENSITY_BINS)] += 1

    def _compare(self, voice: _Voice, grid: Notes, decoded: Notes, piece: Piece, window: Window) -> None:
        """Notes lost and added, and round-trip errors in real ms of the notes that begin in a window."""
        there, back = (_places(part["onset_ms"] / vocab.TIME_STEP_MS, part["pitch"]) for part in (grid, decoded))
        self.lost += len(np.setdiff1d(there, back))
        self.added += len(np.setdiff1d(back, there))
        given = voice.between(window.start_ms, window.length_ms)
        on_keyboard = (given.pitch >= vocab.LOWEST_PITCH) & (given.pitch <= vocab.HIGHEST_PITCH)
        self.off_keyboard += int((~on_keyboard).sum())
        given = given.where(on_keyboard)
        steps = np.floor((given.clock_ms - window.start_ms) / vocab.TIME_STEP_MS + 0.5 + 1e-6)
        # of several notes on one key and step the longest is kept, of equals the first
        order = np.lexsort((-given.duration_ms, _places(steps, given.pitch)))
        places, first = np.unique(_places(steps, given.pitch)[order], return_index=True)
        self.merged += len(steps) - len(places)
        kept = given.where(order[first])
        _, mine, theirs = np.intersect1d(places, back, assume_unique=True, return_indices=True)
        start = window.start_ms + decoded["onset_ms"][theirs]
        onset, end = piece.clock.to_real(start), piece.clock.to_real(start + decoded["duration_ms"][theirs])
        self.onset_errors.update(_error_bins(onset - kept.onset_ms[mine]))
        self.duration_errors.update(_error_bins(end - onset - kept.duration_ms[mine]))

    def to_dict(self) -> dict[str, Any]:
        """The counts as JSON holds them."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PartReport:
        """The counts again from what `to_dict` gave, by way of JSON."""
        values = {item.name: data[item.name] for item in fields(cls)}
        for item in fields(cls):
            value = values[item.name]
            if isinstance(value, dict):
                values[item.name] = Counter({int(k) if _is_number(k) else k: v for k, v in value.items()})
        for name in ("problems", "twice"):
            values[name] = [tuple(pair) for pair in values[name]]
        return cls(**values)


def _is_number(key: object) -> bool:
    return isinstance(key, int) or (isinstance(key, str) and key.isdigit())


@dataclass(frozen=True, eq=False)
class _Voice:
    """A piece's notes by onset, as columns: real ms, MIDI pitch, and the onset in clock-ms too."""

    onset_ms: Column
    duration_ms: Column
    pitch: Column
    clock_ms: Column

    @classmethod
    def of(cls, notes: Notes, piece: Piece) -> _Voice:
        notes = sort_notes(notes)
        clock_ms = piece.clock.to_clock(notes["onset_ms"])
        return cls(notes["onset_ms"], notes["duration_ms"], notes["pitch"].astype(np.int64), clock_ms)

    def where(self, index: Column) -> _Voice:
        return _Voice(self.onset_ms[index], self.duration_ms[index], self.pitch[index], self.clock_ms[index])

    def between(self, start_ms: float, length_ms: float) -> _Voice:
        """The notes whose onset, on the grid from a window's start, is in the window."""
        half = (0.5 + 1e-6) * vocab.TIME_STEP_MS
        first, last = np.searchsorted(self.clock_ms, [start_ms - half, start_ms + length_ms - half])
        return self.where(np.arange(first, last))


def _places(steps: Column, pitches: Column) -> Column:
    """A number for each key and grid step."""
    return steps.astype(np.int64) * 128 + pitches


def _error_bins(errors_ms: Column) -> list[int]:
    bins: list[int] = np.minimum(np.rint(np.abs(errors_ms) / ERROR_STEP_MS), ERROR_BINS).astype(int).tolist()
    return bins


@dataclass
class BuildReport(PartReport):
    """The counts of a whole build. every_bar: whether a training window starts at every bar."""

    every_bar: bool = False

    def add(self, part: PartReport) -> None:
        """Add a part's counts to these."""
        for item in fields(PartReport):
            if item.name == "split":
                continue
            value, more = getattr(self, item.name), getattr(part, item.name)
            if isinstance(value, Counter):
                value.update(more)
            elif isinstance(value, list):
                value.extend(more)
            else:
                setattr(self, item.name, value + more)

    def to_dict(self) -> dict[str, Any]:
        """The counts, and the figures that people read, as JSON holds them."""
        return {"figures": self.figures(), **super().to_dict()}

    def first_problems(self) -> str:
        """Some of the problems, in a line."""
        shown = [f"{name}: {reason}" for name, reason in self.problems[:3]]
        return "; ".join(shown) or "the corpora hold no pieces"

    def density_terciles(self) -> tuple[float, float]:
        """Accompaniment notes per beat at the terciles of the training windows that have an accompaniment."""
        return (_quantile(self.per_beat, 1 / 3) * DENSITY_STEP, _quantile(self.per_beat, 2 / 3) * DENSITY_STEP)

    def _pieces_with(self, chord_source: str) -> int:
        return sum(count for name, count in self.chord_sources.items() if name.endswith(f"/{chord_source}"))

    def figures(self) -> dict[str, Any]:
        """What people read: plain numbers, rounded."""
        figures: dict[str, Any] = {
            "pieces read": self.pieces_seen,
            "pieces kept, versions counted": sum(self.pieces.values()),
            "windows kept": sum(self.windows.values()),
            **{f"windows dropped: {reason}": self.dropped[reason] for reason in DROP_REASONS},
            f"windows of fewer bars, to stay within {MAX_TOKENS:,} tokens": self.shortened,
            "windows of lead sheets, without accompaniment": sum(self.lead_sheets.values()),
            "pieces that stand twice, left out": len(self.twice),
            "files with problems": len(self.problems),
            "hours of music in windows": round(self.seconds / 3_600, 1),
            "tokens": self.tokens,
            "tokens an accompaniment note": round(self.accompaniment_tokens / max(self.accompaniment_notes, 1), 2),
            "distinct tokens used of 801": len(self.token_counts),
            "notes in windows": self.notes,
            "notes lost in the round trip": self.lost,
            "notes added in the round trip": self.added,
            "notes merged with another on their key and grid onset": self.merged,
            "notes off the keyboard": self.off_keyboard,
        }
        for name, errors in (("onset", self.onset_errors), ("length", self.duration_errors)):
            mean = sum(step * count for step, count in errors.items()) / max(sum(errors.values()), 1) * ERROR_STEP_MS
            worst = (max(errors) if errors else 0) * ERROR_STEP_MS
            figures[f"round-trip error of the {name}, ms: mean, p99, max"] = (
                f"{mean:.1f}, {_quantile(errors, 0.99) * ERROR_STEP_MS:.1f}, {worst:.1f}"
            )
        figures["pieces whose chords are labels, as written, by rule"] = ", ".join(
            f"{self._pieces_with(source):,}" for source in ("label", "written", "rule")
        )
        low, high = self.density_terciles()
        figures["density terciles of training windows, notes a beat"] = f"{low:.2f}, {high:.2f}"
        figures["dynamics"] = ", ".join(f"{name} {self.dynamics[name]:,}" for name in vocab.DYNAMIC_NAMES)
        return figures


def _quantile(histogram: Counter[int], share: float) -> int:
    """The bin at which a share of the counts is reached; 0 for no counts."""
    total, reached = sum(histogram.values()), 0
    for step in sorted(histogram):
        reached += histogram[step]
        if reached >= share * total:
            return step
    return 0


def save_plots(report: BuildReport, path: str | os.PathLike[str]) -> Path:
    """Four plots of a build in one PNG: density, dynamics, round-trip errors, tokens by kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, 2)
    steps = sorted(report.per_beat)
    axes[0, 0].hist(
        [step * DENSITY_STEP for step in steps],
        np.arange(0, DENSITY_STEP * DENSITY_BINS, DENSITY_BAR),
        weights=[report.per_beat[step] for step in steps],
    )
    for cut in report.density_terciles():
        axes[0, 0].axvline(cut, color="#D55E00")
    axes[0, 0].set(title="accompaniment notes a beat, training windows; terciles", xlim=(0, 15))
    axes[0, 1].bar(vocab.DYNAMIC_NAMES, [report.dynamics[name] for name in vocab.DYNAMIC_NAMES])
    axes[0, 1].set(title="dynamics of the accompaniment")
    for errors, label in ((report.onset_errors, "onset"), (report.duration_errors, "length")):
        steps = sorted(errors)
        total = np.cumsum([errors[step] for step in steps])
        axes[1, 0].plot([step * ERROR_STEP_MS for step in steps], total / max(total[-1:], default=1), label=label)
    axes[1, 0].set(title="share of notes with at most this round-trip error, ms", xlim=(0, 100), ylim=(0, 1.02))
    axes[1, 0].legend()
    kinds = {
        "pitch": vocab.PITCH_IDS,
        "time": vocab.TIME_IDS,
        "length": vocab.DURATION_IDS,
        "dynamics": vocab.DYNAMIC_IDS,
    }
    used = [sum(report.token_counts[token] > 0 for token in ids) / len(ids) for ids in kinds.values()]
    axes[1, 1].bar([*kinds], used)
    axes[1, 1].set(title="share of each kind's tokens in use", ylim=(0, 1.02))
    target = Path(path)
    figure.savefig(target, dpi=100)
    return target
