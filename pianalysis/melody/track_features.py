"""What tells the melody's track from the others, in numbers.

In: the notes of each track in real ms, its line, its programme and its name. Out: `FEATURES` of each, most of them beside
those of the other tracks, so that a transposed or slower piece has the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.melody.features import note_features
from pianalysis.melody.names import NameSays, names_low_voice, read_name
from pianalysis.melody.net import bundled_net
from pianalysis.melody.voices import ONE_VOICE_SHARE
from pianalysis.music.notes import SAME_ONSET_MS, Notes

REST_MS: Final = 2_000.0
"""A line that is silent for longer rests; a shorter silence is within a phrase."""
SCARCE_SHARE: Final = 0.15
"""A line that sounds in less of the piece's time is a fill, or an introduction."""
MOSTLY: Final = 0.5
"""A soloist is heard for more of the piece's time than it rests."""
PERIODS: Final = (2, 3, 4, 6, 8)
"""After how many notes a broken chord comes back to its key."""
BASSES, PADS, CHOIRS, STRINGS = range(32, 40), range(88, 96), range(52, 55), range(48, 52)
STRUCK: Final = (47, *range(112, 128))
"""Timpani, percussion and noises by their General MIDI programmes, from 0."""
SOLOISTS: Final = (*range(40, 43), *range(52, 55), *range(56, 61), *range(64, 80))
"""Violin, viola, cello, voices, brass, reeds and pipes …"""
ACCOMPANISTS: Final = (*range(40), 46)
"""… and what accompanies them: keyboards, mallets, organs, guitars, basses, the harp."""
NOISES: Final = range(119, 128)
HIGHER_SEMITONES: Final = 2.0
"""A line is above another that is so much lower in the mean …"""
DOUBLED: Final = 0.8
"""… unless so many of its notes are the other's, in octaves."""
LOWEST_SUNG, HIGHEST_SUNG = 55.0, 84.0
"""A line whose mean pitch is beyond is unusual: G3, C6."""

FEATURES: Final = (
    "one_voice",  # the share of notes that no other of the track goes with
    "alone",  # 1 where that is the whole track, but for a twentieth
    "heard",  # the F1 to be expected of its notes by melody extraction, which hears all tracks as one
    "sure",  # the mean chance that this gives a note of its line
    "on_top",  # the share of the line's notes over which nothing of another track sounds
    "height",  # octaves from the mean of the other tracks' pitches
    "low",  # octaves of the line's mean pitch below LOWEST_SUNG
    "high",  # … and above HIGHEST_SUNG
    "coverage",  # of a track of one voice the share of the piece's time in which it doesn't rest, as its square root, else 0
    "scarce",  # from 1 for a line that never sounds down to 0 for one that doesn't rest in SCARCE_SHARE of the piece's time
    "density",  # log2 of the line's notes a second while it doesn't rest, over that of all tracks' lines together
    "length",  # log2 of the mean length of its notes, over that of all
    "filled",  # the share of that time in which a note sounds: who sings takes breath
    "steps",  # the share of intervals of 1 or 2 semitones
    "repeats",  # … of 0
    "leaps",  # … of more than 7
    "broken",  # the share of notes whose pitch is that of 2, 3, 4, 6 or 8 notes before: the best of these
    "even",  # the share of waits between notes that are the commonest one
    "range",  # octaves between the 5th and the 95th percentile of pitch of all its notes
    "loudness",  # mean velocity over that of all notes, in 16ths of the scale
    "lyrics",  # how well words fit it, from 0 to 1, as the square of their `word_fit`
    "bass_programme",
    "struck_programme",
    "noise_programme",  # breath, seashore, birds, helicopters
    "pad_programme",  # pads, string ensembles, choirs
    "soloist",  # 1 for the one track of one voice, heard most of the time, on what sings, where all others are played on keys or plucked
    "name_never",
    "name_low",
    "name_high",
    "name_perhaps",
    "name_melody",
)
"""The columns of `track_features`."""
_SAYS: Final = (NameSays.NEVER, NameSays.LOW, NameSays.HIGH, NameSays.PERHAPS, NameSays.MELODY)


@dataclass(frozen=True, eq=False)
class Part:
    """A track: its notes and its line in real ms, sorted; its programme from 0; its name; the share that is one voice; and how well
    words fit it, from 0 to 1.
    """

    notes: Notes
    line: Notes
    program: int
    name: str
    one_voice: float
    lyrics: float = 0.0


def track_features(parts: Sequence[Part]) -> NDArray[np.float64]:
    """The features of each track of a piece: ``[tracks, len(FEATURES)]``, of about unit size."""
    together = np.concatenate([part.notes for part in parts])
    begin, end = together["onset_ms"].min(), (together["onset_ms"] + together["duration_ms"]).max()
    sounding = [_sounding_ms(part.line) for part in parts]
    pace = np.log2(sum(len(part.line) for part in parts) / max(sum(sounding), 1.0))
    heard = _heard(parts)
    names = said_names(parts)
    rows = []
    for index, (part, sounds_ms) in enumerate(zip(parts, sounding, strict=True)):
        others = [other for place, other in enumerate(parts) if place != index]
        mean = float(part.line["pitch"].mean())
        elsewhere = np.concatenate([other.notes["pitch"] for other in others]) if others else part.notes["pitch"]
        low, top = np.quantile(part.notes["pitch"], [0.05, 0.95])
        coverage = float(np.sqrt(min(sounds_ms / max(end - begin, 1.0), 1.0)))
        alone = part.one_voice >= ONE_VOICE_SHARE
        rows.append([
            part.one_voice,
            alone,
            *heard[index],
            _on_top(part.line, [other.notes for other in others]),
            float(np.clip((mean - elsewhere.mean()) / 12, -2, 2)),
            max(LOWEST_SUNG - mean, 0.0) / 12,
            max(mean - HIGHEST_SUNG, 0.0) / 12,
            coverage * alone,
            max(1.0 - coverage**2 / SCARCE_SHARE, 0.0),
            float(np.clip(np.log2(len(part.line) / max(sounds_ms, 1.0)) - pace, -3, 3)),
            float(np.clip(np.log2(max(part.line["duration_ms"].mean(), 1) / max(together["duration_ms"].mean(), 1)), -3, 3)),
            min(float(part.line["duration_ms"].sum()) / max(sounds_ms, 1.0), 1.5),
            *_motion(part.line),
            float(top - low) / 12,
            float(np.clip((part.notes["velocity"].mean() - together["velocity"].mean()) / 16, -2, 2)),
            part.lyrics**2,
            part.program in BASSES,
            part.program in STRUCK,
            part.program in NOISES,
            part.program in PADS or part.program in CHOIRS or part.program in STRINGS,
            alone and coverage**2 >= MOSTLY and _alone_sings(part, others),
            *(names[index] == says for says in _SAYS),
        ])  # fmt: skip
    return np.array(rows, dtype=np.float64)


def _alone_sings(part: Part, others: Sequence[Part]) -> bool:
    """Whether a track is the one that is played on what sings."""
    return bool(others) and part.program in SOLOISTS and all(other.program in ACCOMPANISTS for other in others)


def _heard(parts: Sequence[Part]) -> NDArray[np.float64]:
    """What melody extraction, which hears all tracks as one, makes of each: ``[tracks, 2]``, the columns heard and sure.

    heard: the F1 to be expected if all notes of the track are said to be the melody, by the chances that the network gives
    each note. sure: the mean of these for its line.
    """
    if len(parts) < 2:
        return np.ones((len(parts), 2))
    notes = np.concatenate([part.notes for part in parts])
    of_part = np.repeat(np.arange(len(parts)), [len(part.notes) for part in parts])
    order = np.lexsort((notes["pitch"], notes["onset_ms"]))
    notes, of_part = notes[order], of_part[order]
    odds = bundled_net().score(notes, note_features(notes)).astype(np.float64)
    chances = 1 / (1 + np.exp(-odds))
    found = np.bincount(of_part, chances, len(parts))
    expected = 2 * found / (np.bincount(of_part, minlength=len(parts)) + chances.sum())
    sure = []
    for index, part in enumerate(parts):
        line = {(row["onset_ms"], row["pitch"]) for row in part.line}
        mine = of_part == index
        on_line = np.array([(row["onset_ms"], row["pitch"]) in line for row in notes[mine]])
        sure.append(float(chances[mine][on_line].mean()))
    return np.stack([expected, np.array(sure)], axis=1)


def said_names(parts: Sequence[Part]) -> list[NameSays]:
    """What the names say; nothing where every track has the same one, which is the piece's.

    An alto's or a tenor's says that it is below another only where another is above: in a song for a tenor none is.
    """
    names = [part.name for part in parts]
    if len(names) > 1 and len(set(names)) == 1:
        return [NameSays.NOTHING] * len(names)
    said = [read_name(name) for name in names]
    return [
        NameSays.NOTHING if says == NameSays.LOW and _has_nobody_above(index, parts, said) else says
        for index, says in enumerate(said)
    ]


def _has_nobody_above(index: int, parts: Sequence[Part], said: Sequence[NameSays]) -> bool:
    """Whether a singer with a low voice's name is the highest of the singers, by what the others are called and by what they are."""
    part = parts[index]
    if not names_low_voice(part.name):
        return False
    return not any(
        says in (NameSays.HIGH, NameSays.MELODY)
        or (_is_higher(other, part) and (says == NameSays.LOW or _is_its_like(other, part)))
        for place, (other, says) in enumerate(zip(parts, said, strict=True))
        if place != index
    )


def _is_higher(other: Part, part: Part) -> bool:
    """Whether a line lies above another; what doubles it an octave higher is the same line."""
    above = other.line["pitch"].mean() - part.line["pitch"].mean()
    return bool(above >= HIGHER_SEMITONES) and doubled_share(part.line, other.line) < DOUBLED


def _is_its_like(other: Part, part: Part) -> bool:
    """Whether two tracks may be two singers: one voice each, on the same programme."""
    return other.program == part.program and min(other.one_voice, part.one_voice) >= ONE_VOICE_SHARE


def doubled_share(line: Notes, other: Notes) -> float:
    """The share of a line's notes that another strikes at the same time, in unison or octaves.

    >>> from pianalysis.music.notes import make_notes
    >>> line = make_notes([(0, 500, 60, 80), (500, 500, 64, 80)])
    >>> doubled_share(line, make_notes([(10, 500, 72, 80), (500, 500, 65, 80)]))
    0.5
    """
    first = np.searchsorted(other["onset_ms"], line["onset_ms"] - SAME_ONSET_MS)
    stop = np.searchsorted(other["onset_ms"], line["onset_ms"] + SAME_ONSET_MS, side="right")
    classes, mine = other["pitch"] % 12, line["pitch"] % 12
    return float(np.mean([(classes[a:b] == own).any() for a, b, own in zip(first, stop, mine, strict=True)]))


def _sounding_ms(line: Notes) -> float:
    """How long a line doesn't rest."""
    waits = np.diff(line["onset_ms"])
    last = float(line["duration_ms"][-1])
    return float(np.minimum(waits, np.minimum(line["duration_ms"][:-1], waits) + REST_MS).sum()) + last


def rest_share(line: Notes, span_ms: float) -> float:
    """The share of a piece so long in which a line rests."""
    return 1.0 - min(_sounding_ms(line) / max(span_ms, 1.0), 1.0)


def _on_top(line: Notes, others: Sequence[Notes]) -> float:
    """The share of a line's notes over which nothing of the others sounds when they begin."""
    covered = np.zeros(len(line), bool)
    for notes in others:
        covered |= highest_sounding(notes, line["onset_ms"]) > line["pitch"]
    return 1.0 - float(covered.mean())


def highest_sounding(notes: Notes, at_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest pitch that sounds at each of some times, a chord's own beginning included; -1 where none does.

    >>> from pianalysis.music.notes import make_notes
    >>> notes = make_notes([(0, 1000, 60, 80), (500, 250, 64, 80)])
    >>> highest_sounding(notes, np.array([0.0, 600.0, 800.0, 1000.0])).tolist()
    [60.0, 64.0, 60.0, -1.0]
    """
    highest = np.full(len(at_ms), -1.0)
    order = np.argsort(at_ms, kind="stable")
    times = at_ms[order]
    first = np.searchsorted(times, notes["onset_ms"] - SAME_ONSET_MS)
    stop = np.searchsorted(times, notes["onset_ms"] + np.maximum(notes["duration_ms"] - SAME_ONSET_MS, 1.0))
    for start, end, pitch in zip(first.tolist(), stop.tolist(), notes["pitch"].tolist(), strict=True):
        if end > start:
            where = order[start:end]
            highest[where] = np.maximum(highest[where], pitch)
    return highest


def _motion(line: Notes) -> tuple[float, ...]:
    """steps, repeats, leaps, broken, even."""
    pitch, waits = line["pitch"].astype(int), np.diff(line["onset_ms"])
    if len(pitch) < 2:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    intervals = np.abs(np.diff(pitch))
    back = [
        float(((pitch[k:] == pitch[:-k]) & (pitch[k:] != pitch[k - 1 : -1])).mean()) for k in PERIODS if len(pitch) > k
    ]
    commonest = np.unique(np.round(waits / 40), return_counts=True)[1].max() / len(waits)
    step = ((intervals > 0) & (intervals <= 2)).mean()
    return (
        float(step),
        float((intervals == 0).mean()),
        float((intervals > 7).mean()),
        max(back, default=0.0),
        float(commonest),
    )
