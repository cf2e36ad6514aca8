"""The work behind the page: melodies arranged bar by bar, pieces kept for a while, and files made of them.

In: submissions and options. Out: events (`start`, `notes`, `done`) as dicts, and files as bytes.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pianalysis.arranging.arranger import Arrangement, Arranger, Options
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import Notes
from pianalysis.output.musicxml import save_musicxml
from pianalysis.webui.fit import measure_fit
from pianalysis.webui.melodies import Submission
from pianalysis.webui.wire import note_rows, piece_summary, times, track_list

COMPOSED_BARS: Final = 16
KEPT_PIECES: Final = 300
"""A piece is some tens of kilobytes; the oldest is forgotten first."""
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "mid": "audio/midi",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "png": "image/png",
}
MODEL_VARIABLE: Final = "PIANALYSIS_MODEL"


@dataclass(frozen=True, eq=False)
class Kept:
    """A finished piece, the melody that was given for it and what it is called."""

    piece: Arrangement
    given: Notes
    title: str


class Studio:
    """An arranger, and the pieces it has written lately."""

    def __init__(self, arranger: Arranger, *, model_name: str = "the bundled checkpoint") -> None:
        self.arranger = arranger
        self.model_name = model_name
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._rendering = threading.Lock()

    def warm_up(self, melody: Path) -> None:
        """Arrange two bars of a melody: what is slow only the first time, is so before anybody waits for it."""
        wanted = Submission(read_midi(melody), "")
        for _ in self.arrange(wanted, Options(max_bars=2)):
            pass

    def arrange(
        self, wanted: Submission, options: Options, *, seed: int = 0, track: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Events: one `start` with the melody, `notes` as they are written, one `done` with the piece's id.

        Closing the iterator stops the work at the next bar. Raises PianalysisError.
        """
        begin = time.perf_counter()
        stream = self.arranger.stream(wanted.score, seed=seed, track=track, options=options)
        yield {
            "event": "start",
            "title": wanted.title,
            "melody": note_rows(stream.melody),
            "bar_lines_ms": times(stream.bar_lines_ms),
            "bars": stream.bars,
            "how_found": stream.how_found,
            "remarks": list(stream.remarks),
            "tracks": track_list(wanted.score),
            "seed": seed,
        }
        for fresh in stream:
            yield {
                "event": "notes",
                "notes": note_rows(fresh.notes),
                "bars_done": fresh.bars_done,
                "bars": fresh.bars,
            }
        yield self._done(Kept(stream.piece, stream.melody, wanted.title), begin)

    def compose(self, options: Options, *, seed: int = 0, bars: int = COMPOSED_BARS) -> Iterator[dict[str, Any]]:
        """The same events for a piece from nothing, which is told of when all of it is written. Raises PianalysisError."""
        begin = time.perf_counter()
        piece = self.arranger.compose(seed=seed, bars=min(bars, options.max_bars or bars), options=options)
        yield {
            "event": "start",
            "title": "From nothing",
            "melody": note_rows(piece.melody),
            "bar_lines_ms": times(piece.bar_lines_ms),
            "bars": piece.bars,
            "how_found": "invented by the model too",
            "remarks": list(piece.remarks),
            "tracks": [],
            "seed": seed,
        }
        yield {"event": "notes", "notes": note_rows(piece.accompaniment), "bars_done": piece.bars, "bars": piece.bars}
        yield self._done(Kept(piece, piece.melody, "From nothing"), begin)

    def rewrite(self, name: str, bars: tuple[int, int], options: Options, *, seed: int) -> dict[str, Any]:
        """The event `done` of a kept piece with some bars, first and last from 1, written anew. Raises PianalysisError."""
        begin = time.perf_counter()
        kept = self.piece(name)
        before = kept.piece.source.first_bar  # the arranger counts bars as the file has them
        piece = self.arranger.regenerate(
            kept.piece, bars=(bars[0] + before, bars[1] + before), seed=seed, options=options
        )
        return self._done(replace(kept, piece=piece), begin)

    def _done(self, kept: Kept, begin: float) -> dict[str, Any]:
        fit = measure_fit(kept.given, kept.piece).as_dict()
        answer = {"event": "done", "piece": self.keep(kept), "fit": fit, **piece_summary(kept.piece)}
        return answer | {"written_in_s": round(time.perf_counter() - begin, 2)}

    def keep(self, kept: Kept) -> str:
        """Keep a piece; returns its id, which can't be guessed."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[name] = kept
            while len(self._kept) > KEPT_PIECES:
                self._kept.popitem(last=False)
        return name

    def piece(self, name: str) -> Kept:
        """A piece by its id. Raises PianalysisError for one that has been forgotten."""
        with self._lock:
            if name not in self._kept:
                raise PianalysisError(
                    "This piece isn't kept here any more. Write it again: the seed makes it the same."
                )
            self._kept.move_to_end(name)
            return self._kept[name]

    def file(self, name: str, suffix: str) -> tuple[str, bytes]:
        """A piece as a file: what to call it, and its bytes. Raises PianalysisError."""
        if suffix not in MEDIA_TYPES:
            raise PianalysisError(f"expected one of {', '.join(MEDIA_TYPES)}, found {suffix!r}")
        kept = self.piece(name)
        stem = "".join(letter if letter.isalnum() else "_" for letter in kept.title).strip("_").lower() or "piece"
        with tempfile.TemporaryDirectory() as folder, self._rendering:  # one at a time: rendering takes a core
            path = Path(folder, f"piece.{suffix}")
            if suffix == "mid":
                kept.piece.save(path)
            elif suffix == "png":
                kept.piece.save_png(path, title=kept.title)
            elif suffix == "musicxml":
                save_musicxml(path, kept.piece, title=kept.title)
            else:
                kept.piece.save_wav(path)
            return f"{stem}-{kept.piece.seed}.{suffix}", path.read_bytes()


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
