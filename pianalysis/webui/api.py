"""The named endpoints: `/arrange` and `/export` of one line each for scripts and MCP, the others for the page and programs.

Imported only by `server.py`, since Gradio reads the annotations. An error of input reaches the caller as one sentence with a
code.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio.data_classes import FileData

from pianalysis.arranging.options import Options
from pianalysis.errors import PianalysisError
from pianalysis.tokens import vocab
from pianalysis.webui import limits
from pianalysis.webui.answers import Alternatives, Chords, Done, Intake, Start
from pianalysis.webui.heard import AS_IT_IS, MEDIA_TYPES, Heard
from pianalysis.webui.intake import take_in
from pianalysis.webui.melodies import Asked, Submission, as_data_url, read_file, read_submission
from pianalysis.webui.refusals import SERVER_SENTENCE, code_of, for_people
from pianalysis.webui.settings import NUMBERS, read_options, read_seed
from pianalysis.webui.studio import Event, Studio
from pianalysis.webui.uploads import folder_of_uploads, read_upload

WORKERS: Final = int(os.environ.get("PIANALYSIS_WORKERS", "40"))
"""Pieces in hand at once; `turns` says which of them is written on. All are finished at about the same time as one after the
other, but each is heard soon."""
FILES: Final = 32
"""Exports at once: few are worked on (`renders`), and MIDI mustn't wait for those that aren't."""
READERS: Final = 2
"""Melodies looked at at once, and chords."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors as Gradio passes them on: the sentence, its code as the title; of a fault of ours, nothing of its inside."""
    try:
        yield
    except PianalysisError as error:
        raise gr.Error(for_people(str(error)), title=code_of(error), print_exception=False) from None
    except Exception:
        traceback.print_exc()
        raise gr.Error(SERVER_SENTENCE, title="server", print_exception=False) from None


def add_endpoints(server: gr.Server, studio: Studio, examples: Mapping[str, Path]) -> None:
    """The endpoints of a server. Whatever writes music shares one queue."""

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
        chords: str = "",
    ) -> FileData:
        """Write a two-handed piano accompaniment around a melody. The melody itself stays as it is, note for note.

        Args:
            file: A file with the melody (MIDI, MusicXML, ABC, or a recording of one voice); or leave it out and give `melody`.
            melody: An example's name (such as ode_to_joy), note names (C4/4 D4/4 E4/2) or ABC notation.
            seed: The same seed gives the same piece.
            style: pop, classical, hymn, or auto: the one that fits the melody best.
            density: How many notes: low, mid or high.
            settings: Any of left_hand, ending, key, SETTINGS, such as {"temperature": 1.1}, which is more adventurous than 0.9.
            max_bars: Accompany only so many bars; 0 for all.
            track: The melody's track in the file, from 1; 0 to have it found.
            format: mid, wav, mp3, png or musicxml.
            chords: The chords to play, a bar for each of the melody's (C | Am F | ? | G7); ? is found.

        Returns:
            The piece as a file of that format.
        """
        with plain_errors():
            asked = {"style": style, "density": density, "max_bars": max_bars} | (settings or {})
            options = read_options(asked)
            _check_format(format)
            wanted = _submission(file, melody, examples, asked, studio)
            *_, done = studio.arrange(
                wanted, options, seed=read_seed(seed), track=track or None, chords=chords, listens=False
            )
            return _as_file_data(studio, _piece_of(done), format)

    def inspect(
        file: FileData | None = None,
        melody: str = "",
        track: int = 0,
        title: str = "",
        bpm: float = 100.0,
        settings: dict[str, Any] | None = None,
    ) -> Intake:
        """Look at a melody before anything is written: its tracks, key, metre, tempo, pickup and chords.

        Args:
            file: A file with the melody (MIDI, MusicXML, ABC, or a recording of one voice); or leave it out and give `melody`.
            melody: As for /stream.
            track: The melody's track, from 1; 0 to have it found.
            title: What to call it: a file's name.
            bpm: The tempo of note names.
            settings: Any of time_signature, pickup, keep_metre, bpm, tune, key, transpose.
        """
        with plain_errors():
            given = settings or {}
            options = read_options(given)
            if file is not None:
                name, data = read_upload(file)
                wanted = read_file(data, title or name, _asked(given, title or name, bpm), reader=studio.read)
                text = as_data_url(data)
            else:
                wanted, text = (
                    read_submission(melody, examples, _asked(given, title, bpm), reader=studio.read),
                    melody.strip(),
                )
            if wanted.kind == "recording":  # it is heard once
                text = as_data_url(bytes(wanted.score.dumps_midi()), midi=True)
            return take_in(wanted, options, track=track, melody=text)

    def stream(
        melody: str,
        settings: dict[str, Any],
        seed: int = 0,
        track: int = 0,
        title: str = "",
        bpm: float = 100.0,
        chords: str = "",
    ) -> Iterator[Event]:
        """Write an accompaniment, and tell of it as it is written: events start, notes (bar by bar) and done.

        Args:
            melody: An example's name, note names, ABC, played notes as JSON, or a file (MIDI, MusicXML, ABC, a recording) as
                data:application/octet-stream;base64,…
            settings: Any of style, density, harmony, left_hand, difficulty, ending, key, time_signature, SETTINGS, max_bars.
            seed: The same seed gives the same piece.
            track: The melody's track, from 1; 0 to have it found.
            title: What to call the piece.
            bpm: The tempo of note names.
            chords: The chords to play, a bar for each of the melody's (C | Am F | ? | G7); ? is found.
        """
        with plain_errors():
            wanted = read_submission(melody, examples, _asked(settings, title, bpm), reader=studio.read)
            options = read_options(settings)
            yield from studio.arrange(wanted, options, seed=read_seed(seed), track=track or None, chords=chords)

    def compose(settings: dict[str, Any], seed: int = 0) -> Iterator[Event]:
        """Write a piece from nothing, a melody and its accompaniment: events start, notes and done.

        Args:
            settings: Any of style, density, left_hand, ending, key, SETTINGS, max_bars.
            seed: The same seed gives the same piece.
        """
        with plain_errors():
            yield from studio.compose(read_options(settings), seed=read_seed(seed))

    def rewrite(piece: str, first: int, last: int, settings: dict[str, Any], seed: int = 1, chords: str = "") -> Done:
        """Write some bars of a piece anew, joined to what is around them; everything else stays.

        Args:
            piece: Its id, from the event done.
            first: The first bar, from 1.
            last: The last bar, itself written anew.
            settings: What is to be other than in the piece: any of style, density, harmony, left_hand, difficulty, SETTINGS.
            seed: The same seed gives the same bars.
            chords: Other chords for these bars, such as "Am | F G".

        Returns:
            The event done of the changed piece, which has an id of its own.
        """
        with plain_errors():
            return studio.rewrite(piece, (first, last), settings, seed=read_seed(seed), chords=chords)

    def chords(piece: str) -> Chords:
        """The chords of a piece, each with how likely it is by the melody alone.

        Args:
            piece: Its id, from the event done.
        """
        with plain_errors():
            return studio.chords(piece)

    def alternatives(piece: str, bar: int, beat: int = 1) -> Alternatives:
        """The chord of a piece in a bar's beat, and the likeliest others for as long as it lasts.

        Args:
            piece: Its id, from the event done.
            bar: The bar, from 1.
            beat: The beat in it, from 1.
        """
        with plain_errors():
            return studio.alternatives(piece, bar, beat)

    def export(
        piece: str,
        format: str = "mid",
        transpose: int = 0,
        rate: float = 1.0,
        parts: str = "both",
        metronome: bool = False,
        melody_gain: float = 1.0,
        accompaniment_gain: float = 1.0,
    ) -> FileData:
        """A piece that /stream wrote, as a file; as it is heard, where more is said.

        Args:
            piece: Its id, from the event done.
            format: mid, wav, mp3, png or musicxml.
            transpose: So many semitones higher.
            rate: So many times as fast.
            parts: both, melody or accompaniment.
            metronome: With a click each beat.
            melody_gain: How loud the melody is in a sound file, 0 to 1.
            accompaniment_gain: How loud the accompaniment is, 0 to 1.
        """
        with plain_errors():
            _check_format(format)
            heard = Heard(
                int(transpose), float(rate), parts, float(melody_gain), float(accompaniment_gain), bool(metronome)
            )
            return _as_file_data(studio, piece, format, heard)

    for function in (arrange, stream, compose, rewrite):
        function.__doc__ = (function.__doc__ or "").replace("SETTINGS", ", ".join(NUMBERS))
    answers: dict[Callable[..., Any], Any] = {
        arrange: FileData,
        inspect: Intake,
        stream: Start | Done,
        compose: Start | Done,
        rewrite: Done,
        chords: Chords,
        alternatives: Alternatives,
        export: FileData,
    }
    for endpoint, answer in answers.items():
        endpoint.__annotations__["return"] = answer  # not as text: Gradio reads the type itself
    for writes in (arrange, stream, compose, rewrite):
        server.api(writes, name=writes.__name__, concurrency_limit=WORKERS, concurrency_id="piano")
    for reads in (inspect, chords, alternatives):
        server.api(reads, name=reads.__name__, concurrency_limit=READERS, concurrency_id="reading")
    server.api(export, name="export", concurrency_limit=FILES, concurrency_id="files")


def _asked(settings: Mapping[str, Any], title: str, bpm: float) -> Asked:
    """What the reader of a melody must know of what was sent."""
    options: Options = read_options(settings)
    tempo = float(bpm) if options.bpm is None else options.bpm
    return Asked(title[: limits.TITLE_CHARACTERS], tempo, options.tune, options.bpm, options.time_signature)


def _submission(
    file: FileData | dict[str, Any] | None,
    melody: str,
    examples: Mapping[str, Path],
    settings: Mapping[str, Any],
    studio: Studio,
) -> Submission:
    if file is None:
        return read_submission(melody, examples, _asked(settings, "", 100.0), reader=studio.read)
    name, data = read_upload(file)
    return read_file(data, name, _asked(settings, name, 100.0), reader=studio.read)


def _piece_of(done: Event) -> str:
    if done["event"] != "done":
        raise PianalysisError("expected a finished piece, found one that was stopped")
    return str(done.get("piece"))


def _check_format(format: str) -> None:
    if format not in MEDIA_TYPES:
        raise PianalysisError(f"expected the format as one of {', '.join(MEDIA_TYPES)}, found {format!r}")


def _as_file_data(studio: Studio, piece: str, format: str, heard: Heard = AS_IT_IS) -> FileData:
    """A piece in a file of its own, which is there for an hour."""
    called, data = studio.file(piece, format, heard)
    folder = folder_of_uploads()
    folder.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(dir=folder), called)
    target.write_bytes(data)
    return FileData(path=str(target), orig_name=called)
