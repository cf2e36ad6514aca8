"""The words of a song in a MIDI file: lyric events, or the text events of karaoke files, and the syllables in them.

In: the file's bytes. Out: (tick, text) as the file has them; `Syllable`s as a score writes them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import symusic
from numpy.typing import ArrayLike, NDArray

from pianalysis.music.midi_events import LYRIC, TEXT, text_events
from pianalysis.music.midi_texts import texts_in_utf8

KARAOKE: Final = b"@K"
"""How a text event begins that says that the others are words."""
LONGEST_SYLLABLE: Final = 30
FEWEST_SUNG, SUNG_SHARE = 6, 0.8
"""Texts that are taken for words though nothing says so: so many at least, and such a share of them, begin with notes of one track."""
NEAR_QUARTERS: Final = 0.12
"""A word is on a note that begins so near: a singer's notes are played, its words typed."""
NEW_LINE: Final = re.compile(r"^[\\/<]|[\r\n]")
"""Karaoke files begin a page with \\ and a line with /, Yamaha's a page with <."""


@dataclass(frozen=True)
class Syllable:
    """A syllable to sing, and whether it begins a word and ends one."""

    tick: int
    text: str
    begins: bool = True
    ends: bool = True


def read_words(data: bytes) -> list[tuple[int, str]]:
    """The words in a MIDI file, by tick, as they are written there: spaces, hyphens and signs for new lines included.

    [] where it has none, or can't be read. Text events are words only in files that call themselves karaoke.
    """
    if b"\xff\x05" not in data and KARAOKE not in data:
        return []
    found: dict[int, list[tuple[int, bytes]]] = {TEXT: [], LYRIC: []}
    data = texts_in_utf8(data)
    for event in text_events(data):
        if event.kind in found:
            found[event.kind].append((event.tick, data[event.start : event.end]))
    karaoke = any(text.startswith(KARAOKE) for _, text in found[TEXT])
    words = found[LYRIC] or ([row for row in found[TEXT] if not row[1].startswith(b"@")] if karaoke else [])
    words = [row for row in words if row[1].strip(b" \0")]
    rows = sorted(((tick, text.decode(errors="replace")) for tick, text in words), key=lambda row: row[0])
    return [(tick, text.replace("\0", "")) for tick, text in rows]


def read_sung_texts(data: bytes, score: symusic.Score) -> list[tuple[int, str]]:
    """Text events that are words though the file doesn't say so: on the notes of one track; [] where there are no such.

    For files without lyrics, karaoke or chords among their texts.
    """
    if b"\xff\x01" not in data:
        return []
    data = texts_in_utf8(data)
    rows = [
        (event.tick, data[event.start : event.end].decode(errors="replace").replace("\0", ""))
        for event in text_events(data)
        if event.kind == TEXT
    ]
    rows = sorted((row for row in rows if row[1].strip() and len(row[1]) <= LONGEST_SYLLABLE), key=lambda row: row[0])
    ticks = {tick for tick, _ in rows}
    on_notes = max((len(ticks & {note.time for note in track.notes}) for track in score.tracks), default=0)
    return rows if on_notes >= max(FEWEST_SUNG, SUNG_SHARE * len(rows)) else []


def put_words(score: symusic.Score, words: list[tuple[int, str]]) -> None:
    """Make words the score's only lyrics, in place: of the track that they fit best, drums only where nothing else plays."""
    if not words:
        return
    ticks = [tick for tick, _ in words]
    for track in score.tracks:
        track.lyrics = type(track.lyrics)()
    near = NEAR_QUARTERS * score.tpq
    best = max(
        score.tracks,
        key=lambda track: (not track.is_drum, word_fit(ticks, [note.time for note in track.notes], near)),
    )
    best.lyrics.extend([symusic.TextMeta(tick, text) for tick, text in words])


def word_fit(words: ArrayLike, onsets: ArrayLike, near: float) -> float:
    """How well words fit a line, from 0 to 1: the F1 of the times of words and those of notes, which are the same if not farther apart.

    A busy line has a note at every word, but no words at most of its notes; one that rests has none at most words.

    >>> word_fit([0, 480, 960, 1440], [0, 480, 970, 1440], near=58), word_fit([0, 480], range(0, 960, 160), near=58)
    (1.0, 0.5)
    """
    times, starts = np.unique(np.asarray(words, np.float64)), np.unique(np.asarray(onsets, np.float64))
    if not len(times) or not len(starts):
        return 0.0
    sung = _share_near(times, starts, near)
    worded = _share_near(starts, times, near)
    return 2 * sung * worded / (sung + worded) if sung + worded else 0.0


def _share_near(given: NDArray[np.float64], others: NDArray[np.float64], near: float) -> float:
    """The share of some times near which there is one of others, which are sorted."""
    after = np.searchsorted(others, given)
    gaps = [np.abs(given - others[np.clip(after - back, 0, len(others) - 1)]) for back in (0, 1)]
    return float((np.minimum(*gaps) <= near).mean())


def score_words(score: symusic.Score, ticks: Collection[int] = ()) -> list[tuple[int, str]]:
    """The lyrics of a score, by tick: of the track of which most stand at some ticks, a melody's onsets.

    Where several tracks are sung, as in a choir's score, they have the same words; the first is taken of two that fit as well.
    """
    sung = [[(int(item.time), str(item.text)) for item in track.lyrics] for track in score.tracks]
    best = max(sung, key=lambda rows: (sum(tick in ticks for tick, _ in rows), bool(rows)), default=[])
    return sorted(best, key=lambda row: row[0])


def syllables_of(words: Iterable[tuple[int, str]]) -> list[Syllable]:
    """Words as syllables: a space or a new line ends a word, a hyphen doesn't; where there are neither, each is a word.

    >>> [(s.text, s.begins, s.ends) for s in syllables_of([(0, "/Hap"), (1, "py "), (2, "birth-"), (3, "day")])]
    [('Hap', True, False), ('py', False, True), ('birth', True, False), ('day', False, True)]
    """
    rows = [(tick, text) for tick, text in words if text.strip(" \\/<^\r\n-_\t")]
    spaced = any(text != text.strip(" ") for _, text in rows)
    syllables: list[Syllable] = []
    open_word = False
    for place, (tick, text) in enumerate(rows):
        following = rows[place + 1][1] if place + 1 < len(rows) else " "
        bare = text.strip(" \\/\r\n\t").removeprefix("<").replace("^", " ").strip()
        breaks = text.rstrip("\r\n\t\\/") != text or NEW_LINE.search(following) or following.startswith(" ")
        joined = bare.endswith("-") or following.lstrip().startswith("-") or (spaced and not text.endswith(" "))
        ends = not joined or (bool(breaks) and not bare.endswith("-"))
        syllables.append(Syllable(tick, bare.strip("-") or bare, not open_word, ends))
        open_word = not ends
    return syllables
