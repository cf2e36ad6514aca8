"""A melody to a whole piece: windows in turn, each with the history of the one before.

In: a MIDI melody (path, bytes or `symusic.Score`). Out: an `Arrangement`: score, notes, and files of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import symusic

from pianalysis import vocab
from pianalysis.clock import BeatClock, sits_on_grid, snap
from pianalysis.melody import Melody, find_melody, fold_to_keyboard, key_shift, monophonic
from pianalysis.notes import (
    Notes,
    PianalysisError,
    let_go_before_restrike,
    make_notes,
    ms_to_ticks,
    read_midi,
    sort_notes,
    track_notes,
    write_midi,
)
from pianalysis.tokenizer import MELODY_VELOCITY, decode_notes, encode_accompaniment, encode_melody
from pianalysis.windows import bars_in_window, notes_between

if TYPE_CHECKING:
    from pianalysis.generation import Engine, Sampling

Progress = Callable[[int, int], None]
"""Called with the bars done and the bars in all."""

LONGEST_REST_MS: Final = 2_000
"""No voice rests longer, in clock-ms: of POP909's and OpenScore's gaps between onsets 999 in 1,000 are shorter."""
COMPOSED_TPQ: Final = 480


@dataclass(frozen=True, eq=False)
class Arrangement:
    """A piece: `score` holds the melody as given on track 1, the accompaniment on track 2.

    melody, accompaniment: notes in real ms. bar_lines_ms: real ms. how_found: which notes were taken as the melody.
    remarks: what a user should know (notes outside the piano, windows cut short …).
    """

    score: symusic.Score
    melody: Notes
    accompaniment: Notes
    bar_lines_ms: np.ndarray
    seed: int
    how_found: str
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> Notes:
        """Melody and accompaniment together, sorted, in real ms."""
        return sort_notes(np.concatenate([self.melody, self.accompaniment]))

    @property
    def seconds(self) -> float:
        """The length of the piece in seconds, to the end of its last note."""
        notes = self.notes
        return float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0)) / 1_000

    @property
    def bars(self) -> int:
        """The number of bars from the first to the last that something is played in."""
        return len(self.bar_lines_ms) - 1

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the piece as a MIDI file, whole or not at all."""
        return write_midi(path, self.score)

    def save_wav(self, path: str | os.PathLike[str]) -> Path:
        """Play the piece on the sampled piano into an audio file."""
        from pianalysis.render import save_wav

        return save_wav(path, self.notes)

    def save_png(self, path: str | os.PathLike[str], *, title: str = "") -> Path:
        """Draw the piece as a piano roll."""
        from pianalysis.render import save_png

        return save_png(path, self.melody, self.accompaniment, bar_lines_ms=self.bar_lines_ms, title=title)


@dataclass(frozen=True)
class Options:
    """What a user may ask for. max_bars None: all bars."""

    style: str = "pop"
    density: str = "mid"
    temperature: float = 0.9
    top_k: int = 50
    top_p: float = 0.95
    max_bars: int | None = None

    def __post_init__(self) -> None:
        for value, table in ((self.style, vocab.STYLES), (self.density, vocab.DENSITIES)):
            if value not in table:
                raise PianalysisError(f"expected one of {[*table]}, found {value!r}")
        if self.max_bars is not None and self.max_bars < 1:
            raise PianalysisError(f"expected at least 1 bar, found {self.max_bars}")
        _ = self.sampling  # checks its numbers

    @property
    def sampling(self) -> Sampling:
        """The part that `generation` reads. Raises PianalysisError for values out of range."""
        from pianalysis.generation import Sampling

        return Sampling(self.temperature, self.top_k, self.top_p)


@dataclass(frozen=True, eq=False)
class _Source:
    """A melody on its clock.

    voice: the prompt, one voice on the piano's keys, in clock-ms. shift: the semitones that it was moved by, to the key
    that the model knows. The bars are first_bar … last_bar.
    """

    score: symusic.Score
    melody: Melody
    clock: BeatClock
    voice: Notes
    first_bar: int
    last_bar: int
    on_grid: bool
    remarks: tuple[str, ...] = ()
    shift: int = 0


class Arranger:
    """Writes accompaniments. ``Arranger.from_pretrained()("melody.mid", seed=0).save("full.mid")``."""

    def __init__(self, model: Any) -> None:
        from pianalysis.generation import Engine

        self.engine: Engine = Engine(model)

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str] | None = None) -> Arranger:
        """With a checkpoint from a folder or the Hub; the bundled one by default."""
        from pianalysis.model import load_model

        return cls(load_model(model))

    def __call__(
        self,
        source: str | os.PathLike[str] | bytes | symusic.Score,
        *,
        seed: int = 0,
        track: int | None = None,
        options: Options | None = None,
        progress: Progress | None = None,
        **changes: Any,
    ) -> Arrangement:
        """Arrange a melody. `changes` are fields of `Options`, on top of `options`. The same seed, the same piece.

        Raises PianalysisError for unusable input or options, FileNotFoundError for a path that isn't there.
        """
        chosen = replace(options or Options(), **changes)
        prepared = _prepare(source, track, chosen.max_bars)
        if self.normalises_key:
            prepared = _to_the_models_key(prepared)
        parts = self._windows(prepared, chosen, np.random.default_rng(seed), progress)
        return _finish(prepared, np.concatenate([make_notes(), *parts]), seed)

    @property
    def normalises_key(self) -> bool:
        """Whether the model was trained on pieces transposed to C major or A minor."""
        from pianalysis.model import normalises_key

        return normalises_key(self.engine.model)

    def _windows(
        self, source: _Source, options: Options, generator: np.random.Generator, progress: Progress | None
    ) -> Iterator[Notes]:
        """The new accompaniment notes of each window in clock-ms, window after window."""
        lines = source.clock.bar_lines
        bar = start_bar = source.first_bar
        history = make_notes()
        while bar < source.last_bar:
            stop_bar = min(start_bar + bars_in_window(lines, start_bar), source.last_bar)
            fresh = self._one_window(source, options, generator, history, (start_bar, bar, stop_bar))
            history = np.concatenate([history, fresh])
            if progress is not None:
                progress(stop_bar - source.first_bar, source.last_bar - source.first_bar)
            yield fresh
            bar = stop_bar
            start_bar = max(start_bar + 1, bar - max(1, bars_in_window(lines, start_bar) // 2))

    def _one_window(
        self,
        source: _Source,
        options: Options,
        generator: np.random.Generator,
        history: Notes,
        bars: tuple[int, int, int],
    ) -> Notes:
        """New notes for the bars from the second to the third, the window starting at the first; clock-ms."""
        from pianalysis.generation import state_after

        start_bar, bar, stop_bar = bars
        lines = source.clock.bar_lines
        start = float(lines[start_bar])
        length = min(float(lines[stop_bar]) - start, float(vocab.WINDOW_MS))
        first = float(lines[bar]) - start
        above = notes_between(source.voice, start, length)
        past = notes_between(history, start, first) if first else make_notes()
        prompt = encode_melody(above, style=options.style, density=options.density)
        if len(prompt) + 2 * len(encode_accompaniment(past)) > self.engine.max_length:
            past = make_notes()  # a very dense stretch: better no history than no room for the answer
        prompt += encode_accompaniment(past)
        state = state_after(
            prompt,
            first_ms=int(np.ceil(first)),
            length_ms=int(np.floor(length)),
            rest_ms=LONGEST_REST_MS,
            lowest=vocab.LOWEST_PITCH + max(source.shift, 0),
            highest=vocab.HIGHEST_PITCH + min(source.shift, 0),
        )
        ids = self.engine.continue_prompt(prompt, state, options.sampling, generator)
        fresh = decode_notes(ids, loud=True)
        fresh["onset_ms"] += start
        return fresh

    def compose(
        self,
        *,
        seed: int = 0,
        bars: int = 16,
        bpm: float = 100.0,
        options: Options | None = None,
        progress: Progress | None = None,
        **changes: Any,
    ) -> Arrangement:
        """A piece from nothing, in 4/4: first a melody, four bars at a time after the first eight, then its accompaniment.

        Raises PianalysisError for options out of range.
        """
        if not 1 <= bars <= 1_000 or not 20 <= bpm <= 300:
            raise PianalysisError(f"expected 1 to 1,000 bars at 20 to 300 bpm, found {bars} bars at {bpm} bpm")
        chosen = replace(options or Options(), **changes, max_bars=bars)
        score = _empty_score(bpm)
        generator = np.random.default_rng([seed, 1])
        melody = self._compose_melody(score, bars, chosen, generator)
        if self.normalises_key:  # it writes in C major or A minor; the seed chooses the key
            melody["pitch"] += generator.integers(-6, 6)
            melody = fold_to_keyboard(melody)
        if not len(melody):
            raise PianalysisError(
                f"the model wrote no melody with seed {seed}; choose another seed or a higher temperature"
            )
        _append_track(score, "MELODY", score, melody)
        piece = self(score, seed=seed, progress=progress, options=chosen)
        return replace(piece, how_found="composed")

    def _compose_melody(
        self, score: symusic.Score, bars: int, options: Options, generator: np.random.Generator
    ) -> Notes:
        from pianalysis.generation import state_after

        clock = BeatClock.from_score(score)
        bar_ms, total = 4 * 500.0, bars * 4 * 500.0
        melody, done = make_notes(), 0.0
        while done < total:
            start = max(0.0, done - 4 * bar_ms)
            past = notes_between(melody, start, done - start) if done else make_notes()
            prompt = encode_melody(past, style=options.style, density=options.density)[:-1]
            length = min(total - start, float(vocab.WINDOW_MS))
            state = state_after(prompt, first_ms=int(done - start), length_ms=int(length), rest_ms=LONGEST_REST_MS)
            fresh = decode_notes(self.engine.continue_prompt(prompt, state, options.sampling, generator), loud=False)
            fresh["onset_ms"] += start
            melody, done = monophonic(np.concatenate([melody, fresh])), start + length
        melody = melody.copy()
        melody["duration_ms"] = np.minimum(melody["duration_ms"], total - melody["onset_ms"])
        # On the composed score's clock a tempo outside 55–125 is folded; notes are stretched back to written bars.
        scale = clock.bar_lines[1] / bar_ms
        melody["onset_ms"] *= scale
        melody["duration_ms"] *= scale
        melody["velocity"] = MELODY_VELOCITY
        return clock.notes_to_real(melody)


def _prepare(
    source: str | os.PathLike[str] | bytes | symusic.Score, track: int | None, max_bars: int | None
) -> _Source:
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else "the melody"
    score = source if isinstance(source, symusic.core.ScoreTick) else read_midi(source, name=name)
    melody = find_melody(score, track=track, name=name)
    clock = BeatClock.from_score(score)
    notes = clock.notes_to_clock(melody.notes)
    remarks = []
    folded = fold_to_keyboard(notes)
    if (folded["pitch"] != notes["pitch"]).any():
        count = int((folded["pitch"] != notes["pitch"]).sum())
        remarks.append(
            f"{count} melody notes lie off the piano's 88 keys; they are kept, and accompanied an octave nearer"
        )
    voice = monophonic(folded)
    lines = clock.bar_lines
    last_ms = float((notes["onset_ms"] + notes["duration_ms"]).max())
    first_bar = max(0, int(np.searchsorted(lines, notes["onset_ms"].min() + 1e-3, side="right")) - 1)
    last_bar = int(np.clip(np.searchsorted(lines, last_ms - 1e-3, side="left"), first_bar + 1, len(lines) - 1))
    if max_bars is not None and max_bars < last_bar - first_bar:
        last_bar = first_bar + max_bars
        remarks.append(f"only the first {max_bars} bars are accompanied, as you asked")
    return _Source(score, melody, clock, voice, first_bar, last_bar, sits_on_grid(voice), tuple(remarks))


def _to_the_models_key(source: _Source) -> _Source:
    """The source with its voice in C major or A minor: of two octaves the one that is nearer to where it was."""
    shift = key_shift(source.voice)
    moved = source.voice.copy()
    moved["pitch"] += shift
    return replace(source, voice=fold_to_keyboard(moved), shift=shift)


def _finish(source: _Source, below: Notes, seed: int) -> Arrangement:
    lines = source.clock.bar_lines
    below = below.copy()
    below["pitch"] -= source.shift
    if source.on_grid and len(below):
        below = snap(below)
        below = below[below["onset_ms"] < lines[source.last_bar]]
    below = let_go_before_restrike(below)
    below["duration_ms"] = np.minimum(below["duration_ms"], lines[source.last_bar] - below["onset_ms"])
    below = source.clock.notes_to_real(below)
    score = _empty_like(source.score)
    melody_track = symusic.Track("Melody", 0, False)
    melody_track.notes.extend(symusic.Note(n.time, n.duration, n.pitch, n.velocity) for n in source.melody.score_notes)
    score.tracks.append(melody_track)
    _append_track(score, "Accompaniment", source.score, below)
    _check_melody_kept(source.melody, score)
    bars = source.clock.to_real(lines[source.first_bar : source.last_bar + 1])
    accompaniment = track_notes(score, [score.tracks[1]])
    return Arrangement(score, source.melody.notes, accompaniment, bars, seed, source.melody.how, source.remarks)


def _empty_like(score: symusic.Score) -> symusic.Score:
    """A score without tracks but with the tempo map, metres and keys of another."""
    empty = symusic.Score(score.tpq)
    empty.tempos.extend(score.tempos)
    empty.time_signatures.extend(score.time_signatures)
    empty.key_signatures.extend(score.key_signatures)
    return empty


def _empty_score(bpm: float) -> symusic.Score:
    score = symusic.Score(COMPOSED_TPQ)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    return score


def _append_track(score: symusic.Score, name: str, tempo_map: symusic.Score, notes: Notes) -> None:
    """Add a track of notes in real ms to a score in ticks, in place."""
    track = symusic.Track(name, 0, False)
    start, stop = (ms_to_ticks(tempo_map, ms) for ms in (notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]))
    # A note shorter than a coarse tick takes the last one of its own, so that none begins at the piece's end.
    start = np.where(stop > start, start, np.maximum(stop - 1, 0))
    in_ticks = notes.copy()
    in_ticks["onset_ms"], in_ticks["duration_ms"] = start, np.maximum(stop - start, 1)
    in_ticks = let_go_before_restrike(in_ticks)
    in_ticks = in_ticks[in_ticks["duration_ms"] > 0]
    onset, length = (in_ticks[name].astype(int) for name in ("onset_ms", "duration_ms"))
    for row in zip(
        *(column.tolist() for column in (onset, length, in_ticks["pitch"], in_ticks["velocity"])), strict=True
    ):
        track.notes.append(symusic.Note(*row))
    score.tracks.append(track)


def _check_melody_kept(melody: Melody, score: symusic.Score) -> None:
    """The first law, checked on every output."""
    given = [(n.time, n.duration, n.pitch, n.velocity) for n in melody.score_notes]
    written = [(n.time, n.duration, n.pitch, n.velocity) for n in score.tracks[0].notes]
    if sorted(given) != sorted(written):
        raise RuntimeError("the melody was not kept note for note; please report this with the file")
