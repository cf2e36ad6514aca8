"""What a build of the dataset read, kept, dropped and lost: counted per part, merged, and drawn.

In: pieces and windows as they are built. Out: a `BuildReport`, its JSON, its plots.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from pianalysis import vocab
from pianalysis.clock import QUARTER_MS
from pianalysis.corpora import Piece
from pianalysis.melody import monophonic
from pianalysis.notes import Notes, PianalysisError
from pianalysis.windows import Window

ERROR_STEP_MS: Final = 0.5
ERROR_BINS: Final = 4_000
"""Round-trip errors are counted in bins of half a millisecond, up to two seconds."""
DENSITY_STEP: Final = 0.05
DENSITY_BINS: Final = 600
"""Accompaniment notes per beat are counted in bins of a twentieth, up to thirty."""

Histogram = dict[int, int]
"""Bin to count: what merges, whatever the number of parts."""


@dataclass
class PartReport:
    """The counts of one part of a build, or of all of it. Every field merges by adding."""

    split: str = ""
    pieces_seen: int = 0
    pieces: Counter[str] = field(default_factory=Counter)  # corpus/split: pieces kept, versions counted
    windows: Counter[str] = field(default_factory=Counter)  # corpus/split: windows kept
    dropped: Counter[str] = field(default_factory=Counter)  # reason: windows
    problems: list[tuple[str, str]] = field(default_factory=list)  # file, reason
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
    densities: Counter[str] = field(default_factory=Counter)  # corpus/split/word
    per_beat: Counter[int] = field(default_factory=Counter)  # training windows
    token_counts: Counter[int] = field(default_factory=Counter)

    def rows(self, config: str) -> int:
        """The rows of a config."""
        return sum((self.pieces if config == "notes" else self.windows).values())

    def collecting(self, pieces: Iterable[Piece], name: str) -> Iterator[Piece]:
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

    def add_piece(self, piece: Piece, windows: list[Window]) -> bool:
        """Count a piece; False where it has no window and so is left out."""
        if not windows:
            self.problems.append((piece.piece_id, "no window of it holds a melody; left out"))
            return False
        self.pieces[f"{piece.corpus}/{self.split}"] += 1
        return True

    def add_window(self, piece: Piece, window: Window, ids: list[int]) -> None:
        """Count a window and compare it with the piece it was cut from."""
        from pianalysis.tokenizer import decode

        place = f"{piece.corpus}/{self.split}"
        below = window.notes.accompaniment
        self.windows[place] += 1
        self.densities[f"{place}/{window.notes.density}"] += 1
        per_beat = len(below) / (window.length_ms / QUARTER_MS)
        if self.split == "train":
            self.per_beat[min(int(per_beat / DENSITY_STEP), DENSITY_BINS)] += 1
        self.notes += len(below) + len(window.notes.melody)
        self.accompaniment_notes += len(below)
        self.accompaniment_tokens += len(ids) - ids.index(vocab.SEP) - 1
        self.tokens += len(ids)
        self.token_counts.update(ids)
        start, end = piece.clock.to_real([window.start_ms, window.start_ms + window.length_ms])
        self.seconds += float(end - start) / 1_000
        for velocity, count in Counter(below["velocity"].tolist()).items():
            self.dynamics[vocab.DYNAMIC_NAMES[vocab.DYNAMIC_VELOCITIES.index(velocity)]] += count
        again = decode(ids)
        for given, grid, decoded in (
            (monophonic(piece.melody), window.notes.melody, again.melody),
            (piece.accompaniment, below, again.accompaniment),
        ):
            self._compare(given, grid, decoded, piece, window)

    def _compare(self, given: Notes, grid: Notes, decoded: Notes, piece: Piece, window: Window) -> None:
        """Round-trip errors in real ms of the notes that begin in a window."""
        places = [set(zip(part["onset_ms"], part["pitch"], strict=True)) for part in (grid, decoded)]
        self.lost += len(places[0] - places[1])
        self.added += len(places[1] - places[0])
        onset = piece.clock.to_clock(given["onset_ms"]) - window.start_ms
        steps = np.floor(onset / vocab.TIME_STEP_MS + 0.5 + 1e-6) * vocab.TIME_STEP_MS
        inside = np.flatnonzero((steps >= 0) & (steps < window.length_ms))
        real = piece.clock.to_real(window.start_ms + decoded["onset_ms"])
        ends = piece.clock.to_real(window.start_ms + decoded["onset_ms"] + decoded["duration_ms"])
        found = {
            (step, pitch): (time, end - time)
            for step, pitch, time, end in zip(decoded["onset_ms"], decoded["pitch"], real, ends, strict=True)
        }
        longest: dict[tuple[float, int], tuple[float, float]] = {}
        for index in inside:
            row = given[index]
            if not vocab.LOWEST_PITCH <= row["pitch"] <= vocab.HIGHEST_PITCH:
                self.off_keyboard += 1
                continue
            place = (float(steps[index]), int(row["pitch"]))
            self.merged += place in longest
            if place not in longest or row["duration_ms"] > longest[place][1]:
                longest[place] = (float(row["onset_ms"]), float(row["duration_ms"]))
        for place, (time, length) in longest.items():
            if place in found:
                self.onset_errors[_error_bin(found[place][0] - time)] += 1
                self.duration_errors[_error_bin(found[place][1] - length)] += 1

    def to_dict(self) -> dict[str, Any]:
        """The counts as JSON holds them."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PartReport:
        """The counts again from what `to_dict` gave, by way of JSON."""
        values = dict(data)
        for item in fields(cls):
            value = values[item.name]
            if isinstance(value, dict):
                values[item.name] = Counter({int(k) if _is_number(k) else k: v for k, v in value.items()})
        values["problems"] = [tuple(problem) for problem in values["problems"]]
        return cls(**values)


def _is_number(key: object) -> bool:
    return isinstance(key, int) or (isinstance(key, str) and key.isdigit())


def _error_bin(error_ms: float) -> int:
    return min(round(abs(error_ms) / ERROR_STEP_MS), ERROR_BINS)


@dataclass
class BuildReport(PartReport):
    """The counts of a whole build."""

    @classmethod
    def merge(cls, parts: Iterable[PartReport], problems: Iterable[tuple[str, str]] = ()) -> BuildReport:
        """All parts' counts added up, in order, after the problems met before."""
        whole = cls(problems=list(problems))
        for part in parts:
            for item in fields(PartReport):
                if item.name == "split":
                    continue
                value, more = getattr(whole, item.name), getattr(part, item.name)
                if isinstance(value, Counter):
                    value.update(more)
                elif isinstance(value, list):
                    value.extend(more)
                else:
                    setattr(whole, item.name, value + more)
        return whole

    def first_problems(self) -> str:
        """Some of the problems, in a line."""
        shown = [f"{name}: {reason}" for name, reason in self.problems[:3]]
        return "; ".join(shown) or "the corpora hold no pieces"

    def density_terciles(self) -> tuple[float, float]:
        """Accompaniment notes per beat at the terciles of the training windows."""
        return (_quantile(self.per_beat, 1 / 3) * DENSITY_STEP, _quantile(self.per_beat, 2 / 3) * DENSITY_STEP)

    def figures(self) -> dict[str, Any]:
        """What people read: plain numbers, rounded."""
        figures: dict[str, Any] = {
            "pieces read": self.pieces_seen,
            "pieces kept, versions counted": sum(self.pieces.values()),
            "windows kept": sum(self.windows.values()),
            **{f"windows dropped: {reason}": count for reason, count in sorted(self.dropped.items())},
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
    axes[0, 0].bar([step * DENSITY_STEP for step in steps], [report.per_beat[step] for step in steps], DENSITY_STEP)
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
