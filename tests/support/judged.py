"""Made-up songs as MIDI that a system might have written, for tests of the judge."""

from __future__ import annotations

import numpy as np
import symusic

TUNES = ((72, 76, 79, 76), (72, 74, 77, 74), (71, 74, 79, 74), (72, 76, 79, 84))
ROOTS = (0, 5, 7, 0)


def song_of(number, *, bars=8):
    """Melody and accompaniment of a song in C as (quarter, length, pitch): a note a beat over broken chords, by its number."""
    melody = [(4 * bar + beat, 1.0, TUNES[(bar + number) % 4][beat]) for bar in range(bars) for beat in range(4)]
    below = []
    for bar in range(bars):
        root = 48 + ROOTS[(bar + number) % 4]
        below.append((4 * bar, 4.0, root - 12))
        below += [(4 * bar + step / 2, 0.5, root + (0, 4, 7)[(step + number) % 3]) for step in range(bar % 2, 8)]
    return melody, below


def score_of(*voices, bpm=100, metre=(4, 4), tpq=480, later=0.0, up=0, names=("Melody", "Piano")):
    """A score of voices, each a track; `later` in quarters, `up` in semitones."""
    score = symusic.Score(tpq)
    if bpm:
        score.tempos.append(symusic.Tempo(0, bpm))
    if metre:
        score.time_signatures.append(symusic.TimeSignature(0, *metre))
    for name, voice in zip(names, voices, strict=False):
        track = symusic.Track(name, 0, False)
        for start, length, pitch in voice:
            tick, stop = (round(tpq * (time + later)) for time in (start, start + length))
            track.notes.append(symusic.Note(tick, stop - tick, pitch + up, 70))
        score.tracks.append(track)
    return score


def blocks(melody, *, bars=8):
    """Another system's accompaniment: the same triad in every bar."""
    return [(4 * bar, 4.0, pitch) for bar in range(bars) for pitch in (48, 52, 55)]


def folders(root, *, songs=4, bars=8, up=0):
    """Three folders: melodies, a system's arrangements, people's pieces; the system's melody is among the piano's notes."""
    for name in ("melodies", "out", "people"):
        (root / name).mkdir(parents=True)
    for number in range(songs):
        melody, below = song_of(number, bars=bars)
        file = f"song{number}.mid"
        score_of(melody, up=up).dump_midi(root / "melodies" / file)
        score_of([*melody, *blocks(melody, bars=bars)], up=up).dump_midi(root / "out" / file)
        score_of(melody, below, up=up).dump_midi(root / "people" / file)
    return root


def means(figures):
    """The mean of each metric."""
    return {name: np.nan if figure["mean"] is None else figure["mean"] for name, figure in figures.items()}
