"""The named endpoints: `/arrange` for programs and MCP, `/stream`, `/rewrite` and `/export` for the page and for programs.

Imported only by `server.py`, since Gradio reads the annotations. An error of input reaches the caller as one sentence.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio.data_classes import FileData

from pianalysis.errors import PianalysisError
from pianalysis.tokens import vocab
from pianalysis.webui.melodies import Submission, read_file, read_submission
from pianalysis.webui.settings import NUMBERS, read_options, read_seed
from pianalysis.webui.studio import MEDIA_TYPES, Studio

WORKERS: Final = int(os.environ.get("PIANALYSIS_WORKERS", "4"))
"""Pieces written at once. Four share two cores and are all heard within a second, where one after the other the fourth
waits for three pieces; all are finished at about the same time (measured: first notes after 0.4–0.7 s against 0.5, 4.6,
9.7 and 15.8 s), and each is still written faster than it's played."""

FILES_LAST_S: Final = 3600.0


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors of input as Gradio passes them on: the sentence, no traceback."""
    try:
        yield
    except PianalysisError as error:
        raise gr.Error(str(error), print_exception=False) from None


def add_endpoints(server: gr.Server, studio: Studio, examples: Mapping[str, Path]) -> None:
    """The endpoints of a server. Whatever writes music shares one queue."""

    def submission(file: FileData | dict[str, Any] | None, melody: str) -> Submission:
        if file is None:
            return read_submission(melody, examples)
        name, path = _name_and_path(file)
        return read_file(path.read_bytes(), name)

    def arrange(
        file: FileData | None = None,
        melody: str = "",
        seed: int = 0,
        style: str = vocab.AUTO,
        density: str = "mid",
        settings: dict[str, Any] | None = None,
        max_bars: int = 0,
        track: int = 0,
        format: str = "mid",
    ) -> FileData:
        """Write a two-handed piano accompaniment around a melody. The melody itself stays as it is, note for note.

        Args:
            file: A MIDI file with the melody; or leave it out and give `melody`.
            melody: An example's name (such as ode_to_joy), note names (C4/4 D4/4 E4/2) or ABC notation.
            seed: The same seed gives the same piece.
            style: pop, classical, hymn, or auto: the one that fits the melody best.
            density: How many notes: low, mid or high.
            settings: Any of left_hand, ending, key, SETTINGS, such as {"temperature": 1.1}, which is more adventurous than 0.9.
            max_bars: Accompany only so many bars; 0 for all.
            track: The melody's track in the file, from 1; 0 to have it found.
            format: mid, wav, mp3, png or musicxml.

        Returns:
            The piece as a file of that format.
        """
        with plain_errors():
            options = read_options({"style": style, "density": density, "max_bars": max_bars} | (settings or {}))
            _check_format(format)
            events = studio.arrange(submission(file, melody), options, seed=read_seed(seed), track=track or None)
            *_, done = events
            return _as_file_data(studio, done["piece"], format)

    def stream(
        melody: str, settings: dict[str, Any], seed: int = 0, track: int = 0, title: str = "", bpm: float = 100.0
    ) -> Iterator[dict[str, Any]]:
        """Write an accompaniment, and tell of it as it is written: events start, notes (bar by bar) and done.

        Args:
            melody: An example's name, note names, ABC, a MIDI file as data:audio/midi;base64,…, or played notes as JSON.
            settings: Any of style, density, left_hand, ending, key, SETTINGS, max_bars.
            seed: The same seed gives the same piece.
            track: The melody's track, from 1; 0 to have it found.
            title: What to call the piece.
            bpm: The tempo of note names.
        """
        with plain_errors():
            wanted = read_submission(melody, examples, title=title[:80], bpm=bpm)
            yield from studio.arrange(wanted, read_options(settings), seed=read_seed(seed), track=track or None)

    def compose(settings: dict[str, Any], seed: int = 0) -> Iterator[dict[str, Any]]:
        """Write a piece from nothing, a melody and its accompaniment: events start, notes and done.

        Args:
            settings: Any of style, density, left_hand, ending, key, SETTINGS, max_bars.
            seed: The same seed gives the same piece.
        """
        with plain_errors():
            yield from studio.compose(read_options(settings), seed=read_seed(seed))

    def rewrite(piece: str, first: int, last: int, settings: dict[str, Any], seed: int = 1) -> dict[str, Any]:
        """Write some bars of a piece anew, joined to what is around them; everything else stays.

        Args:
            piece: Its id, from the event done.
            first: The first bar, from 1.
            last: The last bar, itself written anew.
            settings: Any of style, density, left_hand, ending, key, SETTINGS.
            seed: The same seed gives the same bars.

        Returns:
            The event done of the changed piece.
        """
        with plain_errors():
            return studio.rewrite(piece, (first, last), read_options(settings), seed=read_seed(seed))

    def export(piece: str, format: str = "mid") -> FileData:
        """A piece that /stream wrote, as a file.

        Args:
            piece: Its id, from the event done.
            format: mid, wav, mp3, png or musicxml.
        """
        with plain_errors():
            _check_format(format)
            return _as_file_data(studio, piece, format)

    for function in (arrange, stream, compose, rewrite):
        function.__doc__ = (function.__doc__ or "").replace("SETTINGS", ", ".join(NUMBERS))
    server.api(arrange, name="arrange", concurrency_limit=WORKERS, concurrency_id="piano")
    server.api(stream, name="stream", concurrency_limit=WORKERS, concurrency_id="piano")
    server.api(compose, name="compose", concurrency_limit=WORKERS, concurrency_id="piano")
    server.api(rewrite, name="rewrite", concurrency_limit=WORKERS, concurrency_id="piano")
    server.api(export, name="export", concurrency_limit=WORKERS, concurrency_id="files")


def _check_format(format: str) -> None:
    if format not in MEDIA_TYPES:
        raise PianalysisError(f"expected the format as one of {', '.join(MEDIA_TYPES)}, found {format!r}")


def _name_and_path(file: FileData | dict[str, Any]) -> tuple[str, Path]:
    """Of an uploaded file, what its owner called it and where Gradio put it."""
    row = file if isinstance(file, dict) else file.model_dump()
    path = Path(row["path"])
    return str(row.get("orig_name") or path.name), path


def _as_file_data(studio: Studio, piece: str, format: str) -> FileData:
    """A piece in a file of its own, which is there for an hour."""
    called, data = studio.file(piece, format)
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir(), "gradio"))
    folder.mkdir(parents=True, exist_ok=True)
    delete_old_files(folder)
    target = Path(tempfile.mkdtemp(dir=folder), called)
    target.write_bytes(data)
    return FileData(path=str(target), orig_name=called)


def delete_old_files(folder: Path, *, older_than_s: float = FILES_LAST_S) -> None:
    """Delete what Gradio and `/export` left in a folder: a public demo would fill its disk."""
    limit = time.time() - older_than_s
    for path in folder.glob("*/*"):
        with suppress(OSError):
            if path.is_file() and path.stat().st_mtime < limit:
                path.unlink()
                path.parent.rmdir()
