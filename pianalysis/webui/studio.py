"""The work behind the page: melodies arranged bar by bar, pieces kept for a while, their chords, and files made of them.

In: submissions and options. Out: events (`start`, `notes`, `done`) as dicts, and files as bytes.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import symusic

from pianalysis.arranging.alternatives import PieceChords
from pianalysis.arranging.arranger import STATED, Arranger, Options
from pianalysis.arranging.charting import changed_chart, heard_chart
from pianalysis.arranging.pieces import notes_in_ticks
from pianalysis.arranging.writing import Fresh as Written
from pianalysis.arranging.writing import Stream
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi, track_notes
from pianalysis.music.notes import Notes, sort_notes
from pianalysis.music.reading import ReadScore
from pianalysis.tokens import vocab
from pianalysis.webui import limits
from pianalysis.webui.answers import Alternatives, Chords, Done, Fresh, Start
from pianalysis.webui.fit import measure_fit
from pianalysis.webui.heard import AS_IT_IS, MEDIA_TYPES, Heard
from pianalysis.webui.kept import Kept, Shelf
from pianalysis.webui.melodies import Submission, read_bytes
from pianalysis.webui.refusals import for_people
from pianalysis.webui.renders import Renders
from pianalysis.webui.settings import changed_options
from pianalysis.webui.telling import (
    chart_text,
    chord_info,
    chord_list,
    hands_of,
    key_info,
    metre_name,
    pedal_list,
    track_list,
)
from pianalysis.webui.turns import Listener, Turns
from pianalysis.webui.wire import note_rows, times
from pianalysis.webui.workshop import Workshop

COMPOSED_BARS: Final = 16
REST_S: Final = 0.2
"""So often it is looked whether there is time for what nobody waits for."""
READERS: Final = 2
"""Processes that read files."""
MODEL_VARIABLE: Final = "PIANALYSIS_MODEL"
Event = Start | Fresh | Done

__all__ = ["MEDIA_TYPES", "Kept", "Studio", "load_studio"]


class Studio:
    """An arranger, and the pieces it has written lately."""

    def __init__(self, arranger: Arranger, *, model_name: str = "the bundled checkpoint") -> None:
        self.arranger = arranger
        arranger.engine.step_threads_together()
        self.model_name = model_name
        self.shelf = Shelf()
        self.renders = Renders(self.shelf)
        self.turns = Turns()
        self._styles = Styles()
        self._warm_piece = ""
        self._reading = Workshop(READERS)

    def read(self, data: bytes, name: str, tune: int | None, bpm: float | None) -> ReadScore:
        """Read a stranger's file in another process (a `melodies.Reader`). Raises PianalysisError."""
        read: ReadScore = self._reading.call(read_bytes, data, name, tune, bpm, limit_s=limits.READING_S)
        return read

    def end(self) -> None:
        """End the processes that help."""
        self.renders.end()
        self._reading.end()

    def warm_up(self, melody: Path) -> None:
        """Arrange two bars of a melody: what is slow only the first time, is so before anybody waits for it."""
        wanted = Submission(ReadScore(read_midi(melody)), "", "example")
        *_, done = self.arrange(wanted, Options(max_bars=2))
        self._warm_piece = str(done.get("piece"))

    def warm_helpers(self, melodies: Iterable[Path]) -> None:
        """Hear the styles of some melodies and start the processes that help, each when nothing is being written."""
        melodies = list(melodies)
        for path in melodies:
            read, options = ReadScore(read_midi(path)), Options()
            self._wait_for_rest()
            stream = self.arranger.stream(read, options=options)
            self._styles.learn((digest(read), None, None), options, stream.piece.style)
        if melodies:
            self._wait_for_rest()
            self._reading.warm_up(read_bytes, melodies[0].read_bytes(), "", None, None)
        if self._warm_piece:
            self._wait_for_rest()
            self.renders.warm_up(self._warm_piece)

    def _wait_for_rest(self) -> None:
        while not self.turns.are_free:
            time.sleep(REST_S)

    def arrange(
        self,
        wanted: Submission,
        options: Options,
        *,
        seed: int = 0,
        track: int | None = None,
        chords: str = "",
        listens: bool = True,
    ) -> Iterator[Event]:
        """Events: one `start` with the melody, `notes` as they are written, one `done` with the piece's id.

        chords: a chart as text. listens: somebody hears it while it is written, and is not to wait. Closing the iterator stops
        the work at the next bar. Raises PianalysisError.
        """
        begin, listener = time.perf_counter(), Listener(self.turns, listens=listens)
        chart = chords.strip() or None
        asked = (digest(wanted.read), track, chart)
        with listener.turn():
            known = self._styles.known(asked, options)
            stream = self.arranger.stream(wanted.read, seed=seed, track=track, chart=chart, options=known)
            self._styles.learn(asked, options, stream.piece.style)
            limits.check_bars(stream.bars, "This piece")
            limits.check_length(float(stream.bar_lines_ms[-1]) / 1_000, "This piece")
            given = None if chart or STATED in stream.remarks else frozenset[int]()
            start = self._start(wanted, stream, given)
        yield start
        yield from _written(stream, listener)
        with listener.turn():
            done = self._done(Kept(stream.piece, stream.melody, wanted.title, given), begin)
        yield done

    def _start(self, wanted: Submission, stream: Stream, given: frozenset[int] | None) -> Start:
        piece = stream.piece  # nothing of it is written yet: its melody, its bars and its chords
        return {
            "event": "start",
            "title": wanted.title,
            "melody": note_rows(stream.melody),
            "bar_lines_ms": times(stream.bar_lines_ms),
            "bars": stream.bars,
            "how_found": stream.how_found,
            "remarks": [for_people(remark) for remark in stream.remarks],
            "tracks": track_list(wanted.score),
            "seed": stream.seed,
            "key": key_info(piece.source),
            "time_signature": metre_name(piece.source),
            "bpm": round(piece.source.clock.bpm, 2),
            "chords": chord_list(piece, given),
        }

    def compose(self, options: Options, *, seed: int = 0, bars: int = COMPOSED_BARS) -> Iterator[Event]:
        """The same events for a piece from nothing, which is told of when all of it is written. Raises PianalysisError."""
        begin, listener = time.perf_counter(), Listener(self.turns, listens=False)
        count = min(bars, options.max_bars or bars, limits.BARS)
        with listener.turn():
            piece = self.arranger.compose(
                seed=seed,
                bars=count,
                options=replace(options, max_bars=None),
                progress=lambda *_: listener.step_aside(),
            )
        yield {
            "event": "start",
            "title": "From nothing",
            "melody": note_rows(piece.melody),
            "bar_lines_ms": times(piece.bar_lines_ms),
            "bars": piece.bars,
            "how_found": "invented by the model too",
            "remarks": [for_people(remark) for remark in piece.remarks],
            "tracks": [],
            "seed": seed,
            "key": key_info(piece.source),
            "time_signature": metre_name(piece.source),
            "bpm": round(piece.source.clock.bpm, 2),
            "chords": chord_list(piece),
        }
        yield _fresh(piece.accompaniment, piece.bars, piece.bars)
        yield self._done(Kept(piece, piece.melody, "From nothing"), begin)

    def rewrite(
        self, name: str, bars: tuple[int, int], settings: Mapping[str, Any], *, seed: int, chords: str = ""
    ) -> Done:
        """The event `done` of a kept piece with some bars, first and last from 1, written anew; its form stays.

        settings: what is to be other than in the piece. chords: a chart of these bars as text; all of them are written to
        it. Raises PianalysisError.
        """
        begin = time.perf_counter()
        kept = self.shelf.piece(name)
        piece, given = kept.piece, kept.given_bars
        options = changed_options(piece.options or Options(), settings)
        before = piece.source.first_bar  # the arranger counts bars as the file has them
        in_file = (bars[0] + before, bars[1] + before)
        if not 1 <= bars[0] <= bars[1] <= piece.bars:
            raise PianalysisError(f"expected bars between 1 and {piece.bars}, found {bars[0]} to {bars[1]}")
        if chords.strip():
            old = piece.chart or heard_chart(piece)
            piece = replace(piece, chart=changed_chart(old, piece.source, in_file, chords))
            given = None if given is None else given | frozenset(range(bars[0], bars[1] + 1))
        listener = Listener(self.turns)
        with listener.turn():
            stream = self.arranger.stream_regenerated(piece, in_file, seed=seed, options=options)
        for _ in _steps(stream, listener):
            pass
        piece = stream.piece
        return self._done(replace(kept, piece=piece, given_bars=given), begin)

    def _done(self, kept: Kept, begin: float) -> Done:
        piece = kept.piece
        chart, chart_bar = chart_text(piece)
        return {
            "event": "done",
            "piece": self.shelf.keep(kept),
            "title": kept.title,
            "melody": note_rows(piece.melody),
            "notes": note_rows(piece.accompaniment),
            "hands": hands_of(piece.accompaniment, piece.border),
            "bar_lines_ms": times(piece.bar_lines_ms),
            "bars": piece.bars,
            "seconds": round(piece.seconds, 1),
            "seed": piece.seed,
            "style": piece.style,
            "key": key_info(piece.source),
            "time_signature": metre_name(piece.source),
            "bpm": round(piece.source.clock.bpm, 2),
            "chords": chord_list(piece, kept.given_bars),
            "chart": chart,
            "chart_bar": chart_bar,
            "pedal": pedal_list(piece),
            "remarks": [for_people(remark) for remark in piece.remarks],
            "fit": measure_fit(kept.given, piece).as_dict(),
            "written_in_s": round(time.perf_counter() - begin, 2),
        }

    def chords(self, name: str) -> Chords:
        """The chords of a kept piece. Raises PianalysisError."""
        kept = self.shelf.piece(name)
        chart, chart_bar = chart_text(kept.piece)
        return {
            "piece": name,
            "chords": chord_list(kept.piece, kept.given_bars),
            "chart": chart,
            "chart_bar": chart_bar,
        }

    def alternatives(self, name: str, bar: int, beat: int) -> Alternatives:
        """The chord in a bar's beat of a kept piece, both from 1, and the likeliest others. Raises PianalysisError."""
        kept = self.shelf.piece(name)
        chords = PieceChords(kept.piece)
        fifths, chord = chords.chart.key(), chords.at(bar, beat)
        given = kept.given_bars is None or chord.bar in kept.given_bars
        return {
            "piece": name,
            "chord": chord_info(chord, fifths, given=given),
            "alternatives": [
                {"symbol": item.chord.symbol(fifths), "probability": round(item.probability, 4)}
                for item in chords.alternatives(bar, beat)
            ],
        }

    def file(self, name: str, suffix: str, heard: Heard = AS_IT_IS) -> tuple[str, bytes]:
        """A piece as a file, as it is heard: what to call it, and its bytes. Raises PianalysisError."""
        return self.renders.file(name, suffix, heard).result()


class Styles:
    """The style that was found for a melody: to hear that takes nearly as long as its first bars, and the next take wants it too."""

    def __init__(self, most: int = 500) -> None:
        self._most, self._found = most, OrderedDict[tuple[Any, ...], str]()
        self._lock = threading.Lock()

    def known(self, asked: tuple[Any, ...], options: Options) -> Options:
        """The options, with the style that the same melody had with the same options."""
        if options.style != vocab.AUTO:
            return options
        with self._lock:
            style = self._found.get((*asked, options))
        return options if style is None else replace(options, style=style)

    def learn(self, asked: tuple[Any, ...], options: Options, style: str) -> None:
        """Remember what was found."""
        if options.style == vocab.AUTO:
            with self._lock:
                self._found[(*asked, options)] = style
                while len(self._found) > self._most:
                    self._found.popitem(last=False)


def digest(read: ReadScore) -> str:
    """What is the same for the same notes, bars and chords."""
    data = bytes(read.score.dumps_midi()) + bytes([read.has_bars, read.is_recording])
    return hashlib.sha256(data).hexdigest()


def _fresh(notes: Notes, bars_done: int, bars: int) -> Fresh:
    return {
        "event": "notes",
        "notes": note_rows(notes),
        "hands": hands_of(notes),
        "bars_done": bars_done,
        "bars": bars,
    }


def _steps(stream: Stream, listener: Listener) -> Iterator[Written]:
    """The steps of a stream, each in a turn of its own."""
    while True:
        with listener.turn():
            fresh = next(stream, None)
        if fresh is None:
            return
        yield fresh
        lines = stream.bar_lines_ms
        listener.heard(float(lines[min(fresh.bars_done, len(lines) - 1)] - lines[0]) / 1_000)


def _written(stream: Stream, listener: Listener) -> Iterator[Fresh]:
    """The notes of a stream as the finished piece has them, to the tick, bar by bar.

    What is told replaces what was told of the same key at the same moment, so that all that was told is the piece so far.
    """
    score, told = stream.piece.source.score, Told()
    for fresh in _steps(stream, listener):
        track = symusic.Track("", 0, False)
        track.notes.extend(notes_in_ticks(score, fresh.notes))
        notes = told.tell(track_notes(score, [track]))
        if fresh.bars_done == fresh.bars:
            notes = sort_notes(np.concatenate([notes, told.others(stream.piece.accompaniment)]))
        yield _fresh(notes, fresh.bars_done, fresh.bars)


class Told:
    """The notes that were told of a piece that is written, the last of each key at hand."""

    def __init__(self) -> None:
        self._told: dict[tuple[float, int], float] = {}
        self._last: dict[int, np.void] = {}

    def tell(self, fresh: Notes) -> Notes:
        """Fresh notes, and before them those told earlier that end where a fresh one strikes their key."""
        shorter = []
        for row in fresh:
            before = self._last.get(int(row["pitch"]))
            if before is not None and before["onset_ms"] < row["onset_ms"] < before["onset_ms"] + before["duration_ms"]:
                cut = before.copy()
                cut["duration_ms"] = row["onset_ms"] - before["onset_ms"]
                shorter.append(cut)
            self._last[int(row["pitch"])] = row
        found = np.concatenate([np.array(shorter, fresh.dtype), fresh]) if shorter else fresh
        return self.others(found)

    def others(self, notes: Notes) -> Notes:
        """Those of some notes that weren't told just so."""
        keys = [(round(float(row["onset_ms"]), 1), int(row["pitch"])) for row in notes]
        new = [self._told.get(key) != round(float(row["duration_ms"]), 1) for key, row in zip(keys, notes, strict=True)]
        self._told.update((key, round(float(row["duration_ms"]), 1)) for key, row in zip(keys, notes, strict=True))
        chosen: Notes = notes[np.array(new, bool)]
        return chosen


def load_studio(model: str | None = None) -> Studio:
    """A studio with a model: the one asked for, else that of PIANALYSIS_MODEL, else the bundled one.

    A model of PIANALYSIS_MODEL that can't be loaded (no network, say) is replaced by the bundled one with a message;
    one that was asked for by name raises PianalysisError.
    """
    wanted = model or os.environ.get(MODEL_VARIABLE) or None
    if wanted is None:
        return Studio(Arranger.from_pretrained())
    try:
        return Studio(Arranger.from_pretrained(wanted), model_name=wanted)
    except PianalysisError as error:
        if model:
            raise
        print(f"{error}; using the bundled checkpoint", file=sys.stderr)
        return Studio(Arranger.from_pretrained())
