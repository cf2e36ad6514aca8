"""Notes to sound: a sampled piano.

In: note arrays in real milliseconds. Out: stereo audio from sampled piano strings. The samples
(`data/piano/`) are three velocity layers of every third key of the Salamander Grand Piano (Alexander Holm, CC BY 3.0),
tuned, aligned and levelled by `scripts/make_piano_samples.py`. The sound library is imported when used.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA, check_folder, write_atomically
from pianalysis.music.notes import Notes, check_notes

SAMPLE_RATE_HZ: Final = 44_100
SAMPLE_FOLDER: Final = DATA / "piano"
PEAK_DBFS: Final = -1.0
AUDIO_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".mp3")
"""What `save_wav` writes; libsndfile's names for them are the same without the dot."""
DYNAMIC_RANGE_DB: Final = 40.0
"""Between velocity 1 and velocity 127."""
HIGHEST_DAMPED_PITCH, RING_MS = 88, 2_500.0
"""Strings above this E6 have no damper: they ring on, for as long as they can be heard."""

Sound = NDArray[np.float32]
Floats = NDArray[np.float64]
StrPath = str | os.PathLike[str]
Progress = Callable[[float], None]


def synthesize(
    notes: Notes,
    *,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    progress: Progress | None = None,
    gains: Sound | None = None,
) -> Sound:
    """Play notes on the sampled piano.

    notes: real milliseconds; onsets before 0 sound at 0, velocities are held to 1–127. Returns [samples, 2] from time 0
    to the end of the last note's release, its peak at −1 dBFS; half a second of silence if there are no notes. gains: [n], how
    loud each note is beside the others, 1 for all where they aren't given.
    `progress` is called with the fraction done, rising to 1. Raises PianalysisError for times or pitches out of range.
    """
    if not 8_000 <= sample_rate_hz <= 192_000:
        raise PianalysisError(f"expected a sample rate from 8000 to 192000 Hz, found {sample_rate_hz}")
    check_notes(notes)
    ringing = notes["pitch"] > HIGHEST_DAMPED_PITCH
    held_ms = np.where(ringing, np.maximum(notes["duration_ms"], RING_MS), notes["duration_ms"])
    release_ms = np.interp(notes["pitch"], [21, HIGHEST_DAMPED_PITCH], [300.0, 180.0])
    times_ms = np.stack([np.maximum(notes["onset_ms"], 0.0), held_ms, release_ms])
    start, held, release = np.rint(times_ms * sample_rate_hz / 1_000).astype(np.int64)
    mix = np.zeros((int((start + held + release).max(initial=0)) or sample_rate_hz // 2, 2), dtype=np.float32)
    order = np.argsort(notes["pitch"], kind="stable")  # one key after the other, so that its strings stay in the cache
    for done, index in enumerate(order, start=1):
        pitch, velocity = int(notes["pitch"][index]), int(notes["velocity"][index])
        sound = _strike(pitch, velocity, int(held[index] + release[index]), sample_rate_hz)
        if gains is not None:
            sound *= gains[index]
        released = sound[held[index] :]
        released *= (1 - np.arange(len(released), dtype=np.float32) / release[index])[:, None] ** 3
        mix[start[index] : start[index] + len(sound)] += sound
        if progress is not None and done % 64 == 0 and done < len(order):
            progress(done / len(order))
    peak = max(float(mix.max()), -float(mix.min()), 1e-9)
    mix *= np.float32(10 ** (PEAK_DBFS / 20) / peak)
    if progress is not None:
        progress(1.0)
    return mix


def velocity_amplitude(velocity: int) -> float:
    """Amplitude of a MIDI velocity, 1 at 127: the square law of Dannenberg, Interpretation of MIDI Velocity (2006).

    >>> [round(velocity_amplitude(velocity), 2) for velocity in (1, 64, 127)]
    [0.01, 0.3, 1.0]
    """
    quietest = 10 ** (-DYNAMIC_RANGE_DB / 40)
    return (quietest + (1 - quietest) * (velocity - 1) / 126) ** 2


def _strike(pitch: int, velocity: int, length: int, sample_rate_hz: int) -> Sound:
    """One key struck and held: [length or what the strings give, 2], a new array.

    Between two layers the sound is their mix; they lie in phase (see the script), so this cancels nothing.
    """
    velocity = min(max(velocity, 1), 127)
    layers = next(iter(_sample_files().values()))
    position = float(np.interp(velocity, list(layers), range(len(layers))))
    lower, share = int(position), position % 1
    amplitude = velocity_amplitude(velocity)
    sound = _strings(pitch, lower, sample_rate_hz)[:length] * np.float32(amplitude * (1 - share))
    if share > 0:
        sound += _strings(pitch, lower + 1, sample_rate_hz)[:length] * np.float32(amplitude * share)
    return sound


@cache
def _sample_files() -> dict[int, dict[int, str]]:
    """Of each sampled pitch, the layers' velocities, soft to loud, and files."""
    files: dict[int, dict[int, str]] = {}
    for row in json.loads((SAMPLE_FOLDER / "index.json").read_text(encoding="utf-8")):
        files.setdefault(row["pitch"], {})[row["velocity"]] = row["file"]
    return files


@cache
def _recording(file: str) -> Sound:
    """A bundled sample, [samples, 2] at `SAMPLE_RATE_HZ`."""
    import soundfile

    return np.asarray(soundfile.read(SAMPLE_FOLDER / file, dtype="float32", always_2d=True)[0], dtype=np.float32)


@lru_cache(maxsize=8)  # enough for the key being played: `synthesize` goes key by key
def _strings(pitch: int, layer: int, sample_rate_hz: int) -> Sound:
    """The strings of a key left ringing, [samples, 2], from the nearest sampled key, played faster or slower."""
    nearest, files = min(_sample_files().items(), key=lambda item: abs(item[0] - pitch))
    sound = _recording(list(files.values())[layer])
    return _resample(sound, 2 ** ((pitch - nearest) / 12) * SAMPLE_RATE_HZ / sample_rate_hz)


def _resample(sound: Sound, speed: float) -> Sound:
    """Play [samples, channels] `speed` times as fast, through its spectrum: no aliasing, and right to 0.1 cents."""
    if speed == 1:
        return sound
    ratio = Fraction(speed).limit_denominator(200)  # 89/84 for a semitone
    blocks = -(-len(sound) // ratio.numerator)
    step = 1 << max(blocks.bit_length() - 4, 0)  # of small prime factors: those sizes transform fast
    blocks = -(-blocks // step) * step
    stretched = np.fft.irfft(np.fft.rfft(sound.T, ratio.numerator * blocks), ratio.denominator * blocks)
    kept = stretched.T[: int(len(sound) / speed)] / np.float32(speed)
    return np.ascontiguousarray(kept, dtype=np.float32)


def save_wav(
    path: StrPath, notes: Notes, *, sample_rate_hz: int = SAMPLE_RATE_HZ, progress: Progress | None = None
) -> Path:
    """Write `synthesize(notes)` as audio: 16-bit `.wav` or `.flac`, `.ogg` (Vorbis) or `.mp3`, by the path's suffix.

    The file appears whole or not at all. Raises PianalysisError for other suffixes and for folders that don't exist.
    """
    target = Path(path)
    if target.suffix.lower() not in AUDIO_SUFFIXES:
        raise PianalysisError(f"{target}: expected a name that ends in one of {', '.join(AUDIO_SUFFIXES)}")
    check_folder(target)
    sound = synthesize(notes, sample_rate_hz=sample_rate_hz, progress=progress)
    return write_atomically(target, encode(sound, sample_rate_hz, target.suffix[1:].upper()))


def encode(sound: Sound, sample_rate_hz: int, format: str) -> bytes:
    """Sound as a file's bytes. format: libsndfile's name, such as MP3. Raises PianalysisError for a rate it can't have."""
    import soundfile

    data = io.BytesIO()
    try:
        with soundfile.SoundFile(data, "w", sample_rate_hz, 2, format=format) as file:
            for start in range(0, len(sound), 2**14):  # libsndfile's Vorbis encoder overflows its stack on long pieces
                file.write(sound[start : start + 2**14])
    except soundfile.LibsndfileError as error:
        raise PianalysisError(f"can't write {format} at {sample_rate_hz} Hz ({error}); use 44100 Hz or .wav") from None
    return data.getvalue()
