"""The corpora: POP909, OpenScore Lieder and folders of MIDI files, read as pieces.

In: a folder or an archive. Out: `Piece`s with melody and accompaniment in real milliseconds and a clock.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import symusic

from pianalysis.clock import BeatClock
from pianalysis.melody import Melody, find_melody
from pianalysis.notes import Notes, PianalysisError, read_midi, track_notes

Files = Mapping[str, Callable[[], bytes]]
"""The files of a corpus: a path inside it to what reads it."""

Problems = list[tuple[str, str]]
"""(file, reason) of what can't be used."""

SPLITS = ("train", "validation", "test")
LIEDER_TABLE = "metadata.tsv"


@dataclass(frozen=True, eq=False)
class Piece:
    """One version of one piece: notes in real ms, clock, and what the catalogue says."""

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
    """Start and end in real ms, label."""


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


def _two_voices(data: bytes, name: str, above: tuple[str, ...], below: tuple[str, ...]) -> tuple[Notes, Notes]:
    """Melody and accompaniment in real ms, from the tracks whose names begin so; neither may be empty."""
    score = read_midi(data, name=name)
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
            melody, below = _two_voices(files[name](), name, ("MELODY",), ("BRIDGE", "PIANO"))
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
        yield Piece(piece_id, version, "pop909", "pop", "", "", "MIT", melody, below, clock, key, chords)


def _spans(files: Files, name: str) -> tuple[tuple[float, float, str], ...]:
    """Labelled stretches from a file of (start in s, end in s, label) lines, in real ms; none if the file is absent."""
    if name not in files:
        return ()
    rows = (line.split() for line in files[name]().decode().splitlines())
    return tuple((float(row[0]) * 1_000, float(row[1]) * 1_000, row[2]) for row in rows if len(row) == 3)


def read_lieder(files: Files, piece_id: str) -> Iterator[Piece]:
    """A song of OpenScore Lieder (Gotham & Jonas 2021): melody = the voice, accompaniment = the piano staves."""
    name = next((name for name in files if name.endswith(f"/{piece_id}.mid") or name == f"{piece_id}.mid"), None)
    if name is None:
        raise PianalysisError(f"expected {piece_id}.mid in the corpus, found none")
    title, composer = _lieder_titles(files).get(piece_id, ("", ""))
    data = files[name]()
    melody, below = _two_voices(data, name, ("VOICE",), ("PIANO",))
    clock = BeatClock.from_score(read_midi(data, name=name))
    yield Piece(piece_id, 0, "openscore_lieder", "classical", title, composer, "CC0-1.0", melody, below, clock)


def _lieder_titles(files: Files) -> dict[str, tuple[str, str]]:
    table = next((name for name in files if name.endswith(LIEDER_TABLE)), None)
    if table is None:
        return {}
    rows = (line.split("\t") for line in files[table]().decode().splitlines()[1:])
    return {row[0]: (row[3], row[1]) for row in rows if len(row) >= 4}


def read_single(data: bytes, name: str, *, style: str = "pop") -> Iterator[Piece]:
    """A file of a user's own: the melody as `find_melody` finds it, everything else that isn't drums around it."""
    score = read_midi(data, name=name)
    yield piece_around(score, find_melody(score, name=name), name, style=style)


def piece_around(score: symusic.Score, melody: Melody, name: str, *, style: str = "pop") -> Piece:
    """A score whose accompaniment is all that isn't melody or drums."""
    kept = {(note.time, note.pitch) for note in melody.score_notes}
    rest = symusic.Track()
    for track in score.tracks:
        if not track.is_drum:
            rest.notes.extend(note for note in track.notes if (note.time, note.pitch) not in kept)
    below = track_notes(score, [rest])
    return Piece(
        name, 0, "folder", style, PurePosixPath(name).stem, "", "", melody.notes, below, BeatClock.from_score(score)
    )
