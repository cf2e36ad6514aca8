"""How likely each track of a score is to have its melody.

In: a score in ticks. Out: `ScoredTrack`s. What speaks for a track and against it is in `pianalysis/data/tracks.json`: a weight a
feature, fitted by `scripts/evaluate_tracks.py` on training songs, and those of names, set by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.files import DATA
from pianalysis.melody.names import NameSays
from pianalysis.melody.track_features import FEATURES, Part, said_names, track_features
from pianalysis.melody.voices import line_of_track, voice_share
from pianalysis.music.midi import track_notes
from pianalysis.music.words import NEAR_QUARTERS, word_fit

MOST_TRACKS: Final = 48
"""Each track is compared with all others; of more than so many, those with the most notes."""
OWN_FIT: Final = 0.7
"""How well words fit a track to which a score gives them: one word may be sung on many notes, and some have none."""
WEIGHTS_FILE: Final = DATA / "tracks.json"


@dataclass(frozen=True, eq=False)
class ScoredTrack:
    """A track by its number from 1, its notes, what its name says, and the chance that its line is the melody."""

    number: int
    part: Part
    says: NameSays
    probability: float


def score_tracks(score: symusic.Score) -> list[ScoredTrack]:
    """The tracks that have notes and aren't drums, the likeliest first; of two as likely the one that comes first."""
    numbers, parts = pitched_parts(score)
    if not parts:
        return []
    logits = track_features(parts) @ bundled_weights()
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    says = said_names(parts)
    scored = [ScoredTrack(*row) for row in zip(numbers, parts, says, chances.tolist(), strict=True)]
    return sorted(scored, key=lambda item: (-item.probability, item.number))


def pitched_parts(score: symusic.Score) -> tuple[list[int], list[Part]]:
    """The numbers of the tracks that have notes and aren't drums, from 1, and what there is to know of them."""
    tracks = list(score.tracks)
    pitched = [number for number, track in enumerate(tracks, start=1) if len(track.notes) and not track.is_drum]
    compared = set(sorted(pitched, key=lambda number: -len(tracks[number - 1].notes))[:MOST_TRACKS])
    words = [int(word.time) for track in tracks for word in track.lyrics]
    numbers, parts = [], []
    for number, track in enumerate(tracks, start=1):
        if number in compared:
            notes = track_notes(score, [track])
            own = _own_words(tracks, number)
            fit = _fit(score, track, own, words)
            name = track.name.strip()
            numbers.append(number)
            parts.append(Part(notes, line_of_track(notes), int(track.program), name, voice_share(notes), fit))
    return numbers, parts


def _own_words(tracks: Sequence[symusic.Track], number: int) -> list[int]:
    """The ticks of the words that a file gives a track itself; several singers have their own."""
    track = tracks[number - 1]
    # symusic puts the lyrics of a track of a file on one of their own, without notes, that has its name.
    beside = tracks[number] if number < len(tracks) and not len(tracks[number].notes) else track
    lyrics = beside.lyrics if beside.name == track.name and len(beside.lyrics) else track.lyrics
    return [int(word.time) for word in lyrics]


def _fit(score: symusic.Score, track: symusic.Track, own: Sequence[int], words: Sequence[int]) -> float:
    """How well words fit a track, its own or all of the piece's; at least `OWN_FIT` where each of its own is on a note."""
    onsets = [note.time for note in track.notes]
    stated = OWN_FIT if len(own) and set(own) <= set(onsets) else 0.0
    return max(stated, *(word_fit(times, onsets, NEAR_QUARTERS * score.tpq) for times in (own, words)))


@lru_cache(maxsize=1)
def bundled_weights() -> NDArray[np.float64]:
    """What each of `FEATURES` adds to a track's log odds: ``[len(FEATURES)]``."""
    table = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    return np.array([table["fitted"].get(name, table["by_hand"].get(name, 0.0)) for name in FEATURES])
