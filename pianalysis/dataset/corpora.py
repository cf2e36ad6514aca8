"""The corpora, read as pieces: POP909, OpenScore Lieder, Polish scores, hymns, OpenEWLD, and files of a user's own.

In: a folder or an archive. Out: `Piece`s with melody and accompaniment in real milliseconds and a clock.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.melody.find import Melody, find_melody, notes_around
from pianalysis.melody.voices import skyline, top_line
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi, ticks_to_ms, track_notes
from pianalysis.music.musicxml import SheetMusic, read_musicxml
from pianalysis.music.notes import Notes, make_notes
from pianalysis.music.xmlfiles import MUSICXML_SUFFIXES

Files = Mapping[str, Callable[[], bytes]]
"""The files of a corpus: a path inside it to what reads it."""

Problems = list[tuple[str, str]]
"""(file, reason) of what can't be used."""

ChordSource = Literal["label", "written", "rule", ""]
"""Where a piece's chords are from: labels made for the corpus, symbols in the score, a rule; "" where it has none."""

SPLITS = ("train", "validation", "test")
TABLE: Final = "metadata.tsv"
"""What a corpus with one file a piece says about each: tab-separated, a head with `id` and more."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One version of one piece: notes in real ms, clock, and what the catalogue says.

    style: pop, classical or hymn. chords: (start, end) in real ms and a label as Harte et al. (2005) write it. A lead
    sheet is melody and chords: its accompaniment is empty.
    """

    piece_id: str
    version: int
    corpus: str
    style: str
    title: str
    composer: str
    license: str
    melody: Notes
    accompaniment: Notes
    clock: BeatClock
    key: str = ""
    chords: tuple[tuple[float, float, str], ...] = ()
    chord_source: ChordSource = ""
    lead_sheet: bool = False


class FolderFiles(Mapping[str, Callable[[], bytes]]):
    """The files of a folder by their paths inside, of which only the names are kept: there may be millions."""

    def __init__(self, root: Path, names: Iterable[str]) -> None:
        self._root = root
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Callable[[], bytes]:
        if name not in self._names:
            raise KeyError(name)
        return Path(self._root, name).read_bytes

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def open_files(root: str | os.PathLike[str]) -> Files:
    """The files of a folder or of a tar archive (.tar, .tar.gz, .tar.xz), by their path inside, sorted."""
    path = Path(root)
    if path.is_dir():
        return FolderFiles(
            path, sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
        )
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a folder or an archive, found nothing")
    if not tarfile.is_tarfile(path):
        raise PianalysisError(f"{path}: expected a folder or a tar archive, found another kind of file")
    try:
        with tarfile.open(path) as archive:
            # PurePosixPath drops the leading ./ of archives made with "tar -C folder ."
            contents = {str(PurePosixPath(item.name)): archive.extractfile(item) for item in archive if item.isfile()}
            data = {name: file.read() for name, file in contents.items() if file is not None}
    except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise PianalysisError(f"{path}: the archive is damaged or cut off ({error}); fetch it again") from None
    return {name: io.BytesIO(data[name]).getvalue for name in sorted(data)}


def read_splits(path: str | os.PathLike[str]) -> dict[str, str]:
    """Piece id to split, from a JSON file of ``{"train": [ids], "validation": […], "test": […]}``."""
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
        pairs = [(str(piece), split) for split in SPLITS for piece in table[split]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PianalysisError(f"{path}: expected JSON with lists {list(SPLITS)}, found none ({error})") from None
    splits = dict(pairs)
    if len(splits) < len(pairs):
        twice = next(piece for piece, count in Counter(piece for piece, _ in pairs).items() if count > 1)
        raise PianalysisError(f"{path}: expected each piece in one split, found {twice} more than once")
    return splits


def _two_voices(score: symusic.Score, name: str, above: tuple[str, ...], below: tuple[str, ...]) -> tuple[Notes, Notes]:
    """Melody and accompaniment in real ms, from the tracks whose names begin so; neither may be empty."""
    voices = []
    for prefixes in (above, below):
        notes = track_notes(score, (track for track in score.tracks if track.name.strip().upper().startswith(prefixes)))
        if not len(notes):
            found = [track.name for track in score.tracks]
            raise PianalysisError(
                f"{name}: expected notes in a track named {' or '.join(prefixes)}, found the tracks {found}"
            )
        voices.append(notes)
    return voices[0], voices[1]


def read_pop909(
    files: Files, piece_id: str, *, versions: bool = False, problems: Problems | None = None
) -> Iterator[Piece]:
    """A POP909 song (Wang et al. 2020), and its alternative versions if asked for.

    Melody = MELODY, accompaniment = BRIDGE + PIANO, clock from beat_midi.txt. Raises PianalysisError; an alternative
    version that can't be read is added to `problems` instead.
    """
    folder = next((name.rsplit("/", 1)[0] for name in files if name.endswith(f"/{piece_id}/{piece_id}.mid")), None)
    if folder is None:
        raise PianalysisError(f"expected {piece_id}/{piece_id}.mid in the corpus, found none")
    if f"{folder}/beat_midi.txt" not in files:
        raise PianalysisError(f"{folder}: expected beat_midi.txt beside the song, found none")
    beats = np.loadtxt(io.StringIO(files[f"{folder}/beat_midi.txt"]().decode()), ndmin=2)
    names = [f"{folder}/{piece_id}.mid"]
    if versions:
        names += sorted(name for name in files if name.startswith(f"{folder}/versions/") and name.endswith(".mid"))
    key = max(_spans(files, f"{folder}/key_audio.txt"), key=lambda span: span[1] - span[0], default=(0.0, 0.0, ""))[2]
    chords = _spans(files, f"{folder}/chord_midi.txt")
    for version, name in enumerate(names):
        try:
            melody, below = _two_voices(read_midi(files[name](), name=name), name, ("MELODY",), ("BRIDGE", "PIANO"))
        except PianalysisError as error:
            if version == 0:
                raise
            if problems is not None:
                problems.append((name, str(error)))
            continue
        both = np.concatenate([melody, below])
        span = {
            "start_ms": float(both["onset_ms"].min()),
            "end_ms": float((both["onset_ms"] + both["duration_ms"]).max()),
        }
        clock = BeatClock.from_beats(beats[:, 0] * 1_000, beats[:, -1] > 0.5, **span)
        source: ChordSource = "label" if chords else ""
        yield Piece(piece_id, version, "pop909", "pop", "", "", "MIT", melody, below, clock, key, chords, source)


def _spans(files: Files, name: str) -> tuple[tuple[float, float, str], ...]:
    """Labelled stretches from a file of (start in s, end in s, label) lines, in real ms; none if the file is absent."""
    if name not in files:
        return ()
    rows = (line.split() for line in files[name]().decode().splitlines())
    return tuple((float(row[0]) * 1_000, float(row[1]) * 1_000, row[2]) for row in rows if len(row) == 3)


def read_lieder(files: Files, piece_id: str) -> Iterator[Piece]:
    """A song of OpenScore Lieder (Gotham & Jonas 2021): melody = the voice, accompaniment = the piano staves."""
    data, name = _piece_file(files, piece_id, ".mid")
    about, score = _about(files, piece_id), read_midi(data, name=name)
    melody, below = _two_voices(score, name, ("VOICE",), ("PIANO",))
    clock = BeatClock.from_score(score)
    title, composer = about.get("title", ""), about.get("composer", "")
    yield Piece(piece_id, 0, "openscore_lieder", "classical", title, composer, "CC0-1.0", melody, below, clock)


def read_polish(files: Files, piece_id: str) -> Iterator[Piece]:
    """A piece of the Heritage of Polish music: melody = the voice or the solo instrument, accompaniment = the piano.

    Of a piece for piano alone the melody is the top line of the right hand. Where the piano doubles the singer it goes
    on doing so: that is how the composer set the song, and a piano part without its top voice would be nobody's.
    """
    data, name = _piece_file(files, piece_id, ".mid")
    about, score = _about(files, piece_id), read_midi(data, name=name)
    if any(track.name.startswith(("VOICE", "SOLO")) and len(track.notes) for track in score.tracks):
        melody, below = _two_voices(score, name, ("VOICE", "SOLO"), ("PIANO",))
    else:
        right, left = _two_voices(score, name, ("PIANO RH",), ("PIANO LH",))
        melody, below = top_line(right, left)
    yield Piece(
        piece_id,
        0,
        "polish_scores",
        "classical",
        about.get("title", ""),
        about.get("composer", ""),
        about.get("license") or "CC-BY-4.0",
        melody,
        below,
        BeatClock.from_score(score),
    )


def read_hymn(files: Files, piece_id: str) -> Iterator[Piece]:
    """A hymn, song or carol in four parts: melody = the soprano, accompaniment = alto, tenor and bass.

    abc2midi begins at tick 1: all is moved back to 0, so that there is no bar of one tick before the first.
    """
    data, name = _piece_file(files, piece_id, ".mid")
    about, score = _about(files, piece_id), read_midi(data, name=name)
    score = score.shift_time(-min((item.time for item in score.time_signatures), default=0))
    melody, below = _two_voices(score, name, ("SOPRANO",), ("ALTO", "TENOR", "BASS"))
    clock = BeatClock.from_score(score)
    title = _hymn_title(piece_id, about.get("title", ""))
    yield Piece(piece_id, 0, "hymns", "hymn", title, "", about.get("license") or "Public Domain", melody, below, clock)


def read_openewld(files: Files, piece_id: str) -> Iterator[Piece]:
    """A lead sheet of OpenEWLD (Simonetta et al. 2018): melody = the top line, chords as written, no accompaniment."""
    data, name = _piece_file(files, piece_id, ".mxl")
    about, sheet = _about(files, piece_id), read_musicxml(data, name=name)
    melody = skyline(track_notes(sheet.score, sheet.score.tracks))
    yield Piece(
        piece_id,
        0,
        "openewld",
        "pop",
        about.get("title") or sheet.title,
        about.get("authors", "").strip("[]") or sheet.composer,
        about.get("license") or "Public Domain",
        melody,
        make_notes(),
        BeatClock.from_score(sheet.score),
        chords=_written_chords(sheet),
        chord_source="written" if sheet.chords else "",
        lead_sheet=True,
    )


def _written_chords(sheet: SheetMusic) -> tuple[tuple[float, float, str], ...]:
    """The chord symbols of a score as a piece has them, in real ms."""
    starts, ends = (ticks_to_ms(sheet.score, [chord[side] for chord in sheet.chords]).tolist() for side in (0, 1))
    return tuple(zip(starts, ends, (label for _, _, label in sheet.chords), strict=True))


def _hymn_title(piece_id: str, title: str) -> str:
    """The title in the table, or for the songbooks, whose table has the name of a font or nothing there, the file's.

    >>> _hymn_title("ls-Love_s_Young_Dream", "Garamond Premr Pro Smdb Subh")
    "Love's Young Dream"
    """
    if title and not title.startswith("Garamond"):
        return title
    words = piece_id.partition("-")[2].replace("_", " ").strip()
    return re.sub(r" s\b", "'s", re.sub(r"\b([LlDd]) (?=[AEIOUaeiou])", r"\1'", words))


def _piece_file(files: Files, piece_id: str, suffix: str) -> tuple[bytes, str]:
    """The bytes and the name of the file of a piece, whichever folder it is in. Raises PianalysisError for none."""
    name = next((name for name in files if PurePosixPath(name).name == piece_id + suffix), None)
    if name is None:
        raise PianalysisError(f"expected {piece_id}{suffix} in the corpus, found none")
    return files[name](), name


def _about(files: Files, piece_id: str) -> dict[str, str]:
    """The row of a piece in the corpus's table, by column; {} without one."""
    for name in files:
        if PurePosixPath(name).name == TABLE:
            head, *rows = files[name]().decode("utf-8", "replace").split("\n")  # a title may hold other line ends
            row = next((row for row in rows if row.startswith(f"{piece_id}\t")), None)
            if row is not None:
                columns, values = (line.rstrip("\r").split("\t") for line in (head, row))
                return {column: value.strip() for column, value in zip(columns, values, strict=False)}
    return {}


def read_single(data: bytes, name: str, *, style: str = "pop") -> Iterator[Piece]:
    """A file of a user's own: the melody as `find_melody` finds it, everything else that isn't drums around it.

    MIDI, or MusicXML by its name; MusicXML with chord symbols and nothing but a melody is a lead sheet.
    """
    if PurePosixPath(name).suffix.lower() not in MUSICXML_SUFFIXES:
        score = read_midi(data, name=name)
        yield piece_around(score, find_melody(score, name=name), name, style=style)
        return
    sheet = read_musicxml(data, name=name)
    piece = piece_around(sheet.score, find_melody(sheet.score, name=name), name, style=style)
    yield replace(
        piece,
        title=sheet.title or piece.title,
        composer=sheet.composer,
        chords=_written_chords(sheet),
        chord_source="written" if sheet.chords else "",
        lead_sheet=bool(sheet.chords) and not len(piece.accompaniment),
    )


def piece_around(score: symusic.Score, melody: Melody, name: str, *, style: str = "pop") -> Piece:
    """A score whose accompaniment is all that isn't melody or drums."""
    below = notes_around(score, melody)
    return Piece(
        name, 0, "folder", style, PurePosixPath(name).stem, "", "", melody.notes, below, BeatClock.from_score(score)
    )
