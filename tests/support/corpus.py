"""A small corpus in POP909's layout, for tests of the dataset."""

from __future__ import annotations

import json
import random

import symusic

QUARTER = 480
PIECES = {"train": ["001", "002", "005"], "validation": ["003"], "test": ["004"]}


def song(number, bars=20, *, bpm=120):
    """A song of quarters over whole notes, in POP909's three tracks, as MIDI bytes."""
    score = symusic.Score(QUARTER)
    score.tempos.append(symusic.Tempo(0, bpm))
    for name in ("MELODY", "BRIDGE", "PIANO"):
        score.tracks.append(symusic.Track(name, 0, False))
    for beat in range(4 * bars):
        score.tracks[0].notes.append(symusic.Note(beat * QUARTER, QUARTER, 60 + (beat * number) % 12, 80))
    for bar in range(bars):
        for track, pitch in ((1, 48), (2, 36)):
            length = 4 * QUARTER
            score.tracks[track].notes.append(symusic.Note(bar * length, length, pitch + (bar * number) % 12, 64))
    return score.dumps_midi()


def song_with_tune(seed, *, transposed=0):
    """A `song` whose melody is a walk by chance, which no other seed has."""
    score = symusic.Score.from_midi(song(seed))
    generator = random.Random(seed)
    pitch = 66
    for note in score.tracks[0].notes:
        pitch += generator.choice((-5, -2, -1, 1, 2, 3, 4)) if 55 < pitch < 80 else (66 - pitch) // 2
        note.pitch = pitch + transposed
    return score.dumps_midi()


def make_pop909(root):
    """Write the corpus: five songs, each with a version and a damaged one; returns (root, split file)."""
    for number, piece in enumerate((piece for pieces in PIECES.values() for piece in pieces), start=1):
        folder = root / "POP909" / piece
        (folder / "versions").mkdir(parents=True)
        (folder / f"{piece}.mid").write_bytes(song(number))
        (folder / "versions" / f"{piece}-v1.mid").write_bytes(song(number + 6))
        (folder / "versions" / f"{piece}-v2.mid").write_bytes(b"damaged")
        beats = "".join(f"{beat / 2} {1 - beat % 2} {float(beat % 4 == 0)}\n" for beat in range(80))
        (folder / "beat_midi.txt").write_text(beats)
        (folder / "key_audio.txt").write_text("0.0\t10.0\tC:maj\n10.0\t40.0\tA:min\n")
        (folder / "chord_midi.txt").write_text("0.0\t2.0\tC:maj\n2.0\t4.0\tN\n")
    splits = root / "splits.json"
    splits.write_text(json.dumps({**PIECES, "holdout": ["999"]}))
    return str(root), str(splits)
