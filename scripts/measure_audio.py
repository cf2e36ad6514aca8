"""How well melodies are heard in recordings, sung, hummed, whistled, plucked and played, clean and in noise.

    python scripts/measure_audio.py --dataset data/pianalysis                      # validation melodies: to choose settings by
    python scripts/measure_audio.py --dataset data/pianalysis --test --write       # test melodies, into docs/inputs.md

The recordings are made in code (`scripts/singer.py`, and for the piano this package's own), from the melodies of songs that
nothing was chosen on; each has a singer of its own. A note is right when its onset is within 50 ms and its pitch within 50
cents (`mir_eval.transcription`); with offsets, its end too within 50 ms or a fifth of its length.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import mir_eval
import numpy as np
from singer import RATE_HZ, VOICES, perform  # its neighbour in scripts/
from update_readme import between

from pianalysis.evaluation.run import read_songs
from pianalysis.hearing.listening import hear_sound
from pianalysis.hearing.sound import Sound
from pianalysis.music.notes import Notes, monophonic

INPUTS: Final = Path(__file__).parents[1] / "docs" / "inputs.md"
NOISES_DB: Final = (None, 20.0)
MIDDLES: Final = {"sing": (50, 69), "hum": (46, 58), "whistle": (79, 91), "guitar": (52, 67), "piano": (60, 79)}
"""Where the middle of a melody lies for each voice, as MIDI pitches."""
LEGEND: Final = (
    "`scripts/measure_audio.py --test`: melodies of test songs (hymns, Lieder, Polish scores, POP909), twenty seconds of each, performed by voices made in "
    "code (`scripts/singer.py`: vibrato, slides, scoops, vowels, consonants, breath, a tuning of one's own; *piano*: the one in this "
    "package). No person sang: for real singing take these as an upper bound. A note is right when it begins within 50 ms and is "
    "within 50 cents; with offsets, when it ends within 50 ms or a fifth of its length too. Noise is half white, half low. *Speed*: "
    "seconds of sound a second of one CPU thread."
)
SHORTEST_MS: Final = 70.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--songs", type=int, default=4, help="of each corpus and voice")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--write", action="store_true", help="into docs/inputs.md")
    args = parser.parse_args(argv)
    split = "test" if args.test else "validation"
    melodies = [
        (f"{corpus} {number}", song.melody)
        for corpus, songs in read_songs(args.dataset, split, args.seconds * 1.3).items()
        for number, song in enumerate(songs[: args.songs])
    ]
    rows = [measure(voice, noise, melodies, args.seconds) for voice in VOICES for noise in NOISES_DB]
    text = table(rows)
    print(text)
    if args.write:
        INPUTS.write_text(between(INPUTS.read_text(encoding="utf-8"), "audio", text), encoding="utf-8")
    return 0


def fitted(notes: Notes, voice: str, seed: int, seconds: float) -> Notes:
    """A melody as a voice would perform it: in its range, at a speed of its own, from half a second on, one note at a time."""
    rng = np.random.default_rng(seed)
    notes = monophonic(notes)
    notes = notes[notes["duration_ms"] >= SHORTEST_MS].copy()
    speed = rng.uniform(0.85, 1.25)
    notes["onset_ms"] = (notes["onset_ms"] - notes["onset_ms"].min()) / speed + 500
    notes["duration_ms"] /= speed
    notes["pitch"] += round(rng.uniform(*MIDDLES[voice]) - float(np.median(notes["pitch"])))
    return notes[notes["onset_ms"] + notes["duration_ms"] <= 1_000 * seconds]


def measure(
    voice: str, noise_db: float | None, melodies: Sequence[tuple[str, Notes]], seconds: float
) -> dict[str, object]:
    """Means over melodies of precision, recall, F and F with offsets, and the speed."""
    scores, taken_s, sound_s = [], 0.0, 0.0
    for name, melody in melodies:
        seed = zlib.crc32(f"{name} {voice}".encode())
        notes = fitted(melody, voice, seed, seconds)
        samples = perform(notes, voice, seed, noise_db=noise_db)
        begin = time.process_time()
        heard = hear_sound(Sound(samples / np.abs(samples).max(), 1)).notes
        taken_s += time.process_time() - begin
        sound_s += len(samples) / RATE_HZ
        scores.append(score(notes, heard))
    precision, recall, f, with_offsets = np.mean(scores, axis=0)
    return {
        "voice": voice, "noise": noise_db, "melodies": len(scores), "precision": precision, "recall": recall, "f": f,
        "worst": min(row[2] for row in scores), "with_offsets": with_offsets, "speed": sound_s / taken_s,
    }  # fmt: skip


def score(notes: Notes, heard: np.ndarray) -> tuple[float, float, float, float]:
    """Precision, recall, F without offsets, F with them."""
    wanted = np.stack([notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]], axis=1) / 1_000
    found = np.stack([heard["onset_s"], heard["end_s"]], axis=1)
    given = (wanted, hertz(notes["pitch"]), found, hertz(heard["pitch"]))
    measure = mir_eval.transcription.precision_recall_f1_overlap
    plain = measure(*given, onset_tolerance=0.05, pitch_tolerance=50.0, offset_ratio=None)
    return (*plain[:3], measure(*given, onset_tolerance=0.05, pitch_tolerance=50.0, offset_ratio=0.2)[2])


def hertz(pitch: np.ndarray) -> np.ndarray:
    return 440.0 * 2 ** ((pitch.astype(float) - 69) / 12)


def table(rows: Sequence[dict[str, object]]) -> str:
    lines = [
        "| voice | noise | melodies | precision | recall | F | worst F | F with offsets | speed |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        noise = "none" if row["noise"] is None else f"{row['noise']:.0f} dB below"
        figures = " | ".join(f"{row[name]:.3f}" for name in ("precision", "recall", "f", "worst", "with_offsets"))
        lines.append(f"| {row['voice']} | {noise} | {row['melodies']} | {figures} | {row['speed']:.0f} × |")
    return "\n".join([*lines, "", LEGEND])


if __name__ == "__main__":
    raise SystemExit(main())
