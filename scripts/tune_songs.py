"""Tunes in ABC as songs without an accompaniment, for scripts that train on them or measure with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song, excerpt_of
from pianalysis.melody.find import find_melody
from pianalysis.music.abc_books import decode
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.clock import BeatClock
from pianalysis.music.notes import NOTE_DTYPE

FEWEST_NOTES = 16


def tunes(folders: Sequence[Path], most: int) -> dict[str, list[str]]:
    """The tunes of each folder's books (.abc), each once, at most so many, those with the smallest digests first."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for folder in folders:
        rows = []
        for path in sorted(folder.rglob("*.abc")):
            text = decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
            for part in re.split(r"^(?=X:)", text, flags=re.MULTILINE):
                plain = re.sub(r"^%%MIDI.*\n", "", re.split(r"\n[ \t]*\n", part.strip())[0] + "\n", flags=re.MULTILINE)
                if (
                    plain.startswith("X:")
                    and re.search(r"^K:.*\n(.*\n)*?[^%]*[A-Ga-g]", plain, re.MULTILINE)
                    and plain not in seen
                ):
                    seen.add(plain)
                    rows.append(plain)
        found[folder.name] = sorted(rows, key=digest)[:most]
    return found


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def tune_songs(folders: Sequence[Path], most: int = 100_000) -> Iterator[Song]:
    """The tunes of folders that have notes enough, as they are written and repeated; a song's corpus is its folder's name.

    Raises PianalysisError for a folder without any.
    """
    for name, texts in tunes(folders, most).items():
        if not texts:
            raise PianalysisError(f"{name}: expected tunes in ABC (.abc) in this folder, found none")
        for number, text in enumerate(texts):
            try:
                score = from_abc(text)
                clock = BeatClock.from_score(score)
                melody = clock.notes_to_clock(find_melody(score).notes)
            except PianalysisError:  # a tune of rests, say
                continue
            nothing = np.zeros(0, NOTE_DTYPE)
            song = excerpt_of(clock, melody).song(f"{name}-{number}", name, melody, nothing, (), "")
            if len(song.melody) >= FEWEST_NOTES:
                yield song
