"""What is heard at each moment of a recording: pitch, how surely, loudness, and how likely a note begins there.

In: a `Sound`. Out: `Frames`, `FRAMES_PER_SECOND` of them a second. Pitch is found by probabilistic YIN (Mauch & Dixon 2014, as
`librosa.pyin`) in the range that plain YIN hears first: a low hum and a whistle want windows of different lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.hearing.sound import RATE_HZ, Floats, RecordingError, Sound

HOP: Final = 220
"""Samples: 10 ms, nearly."""
FRAMES_PER_SECOND: Final = RATE_HZ / HOP
LOWEST_HZ, HIGHEST_HZ = 55.0, 4_200.0
RANGE_MARGIN: Final = 5.0
"""Semitones that pitch may go beyond the range heard first."""
WIDEST_RANGE: Final = 60.0
CHUNK_SECONDS, OVERLAP_SECONDS = 20.0, 0.5
PERIODIC: Final = 0.15
"""YIN's aperiodicity below which a frame has a pitch for certain."""
QUIET_DB: Final = -45.0
"""Below the loud parts: what is softer is the room."""
FLUX_WINDOW: Final = 1_024
RISE_FRAMES: Final = 6
PASSAGE_SECONDS: Final = 3.0
"""People sing some phrases softly; loudness is told from what is near."""
SOFTEST_PASSAGE_DB: Final = -20.0

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Frames:
    """What is heard, all [frames].

    pitch: MIDI semitones, NaN where none is heard. voiced: how surely there is a pitch, 0 to 1. loudness_db: below the loudest.
    rise: how many dB louder it is a moment later than a moment before, 0 or more. flux: how much of the spectrum is new, as a
    multiple of what is usual in the recording.
    """

    pitch: Floats
    voiced: Floats
    loudness_db: Floats
    rise: Floats
    flux: Floats

    def __len__(self) -> int:
        return len(self.pitch)


def hear_frames(sound: Sound, *, name: str = "the recording", progress: Progress | None = None) -> Frames:
    """Pitch and loudness of a recording. `progress` is called with the fraction done.

    Raises RecordingError where no pitch is heard.
    """
    overall = _loudness_db(sound.samples)
    loudness = overall - np.maximum(_loud_around(overall), SOFTEST_PASSAGE_DB)
    low, high = _range_hz(sound.samples, loudness, name)
    pitch, voiced = _pitch(sound.samples, low, high, progress)
    count = min(len(pitch), len(loudness))
    flux = _flux(sound.samples)[:count]
    return Frames(pitch[:count], voiced[:count], loudness[:count], _rise(overall)[:count], flux)


def _loudness_db(samples: NDArray[np.float32]) -> Floats:
    """The level of 40 ms around each frame, fading at their ends so that a low voice's periods don't show, relative to the
    loud parts' (their 95th percentile)."""
    window = np.hanning(4 * HOP + 1)
    padded = np.pad(samples.astype(np.float64) ** 2, 2 * HOP)
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::HOP]
    level = 10 * np.log10(np.maximum(frames @ (window / window.sum()), 1e-14))
    return np.asarray(level - np.percentile(level, 95))


def _loud_around(level_db: Floats) -> Floats:
    """The loudest level within some seconds of each frame."""
    reach = int(PASSAGE_SECONDS * FRAMES_PER_SECOND / 2)
    padded = np.pad(level_db, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1))


def _rise(loudness_db: Floats) -> Floats:
    """Where it grows louder, at the steepest moments, by how much in all."""
    level = np.maximum(loudness_db, QUIET_DB)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(level, RISE_FRAMES, mode="edge"), 2 * RISE_FRAMES + 1)
    whole = around[:, RISE_FRAMES:].max(axis=1) - around[:, : RISE_FRAMES + 1].min(axis=1)
    slope = np.maximum(around[:, RISE_FRAMES + 2] - around[:, RISE_FRAMES - 2], 0.0)
    steepest = np.lib.stride_tricks.sliding_window_view(np.pad(slope, RISE_FRAMES), 2 * RISE_FRAMES + 1).max(axis=1)
    return np.asarray(whole * slope / np.maximum(steepest, 0.5))


def _flux(samples: NDArray[np.float32]) -> Floats:
    """New energy in the log spectrum from frame to frame, over its median where there is sound."""
    import librosa

    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE_HZ, n_fft=FLUX_WINDOW, hop_length=HOP, n_mels=64, fmin=60, fmax=8_000
    )
    level = librosa.power_to_db(mel, ref=np.max, top_db=60)
    change = np.maximum(np.diff(level, n=1, axis=1, prepend=level[:, :1]), 0.0).mean(axis=0).astype(np.float64)
    usual = float(np.median(change[change > 0.05])) if (change > 0.05).any() else 1.0
    return np.asarray(change / max(usual, 0.05))


def _range_hz(samples: NDArray[np.float32], loudness_db: Floats, name: str) -> tuple[float, float]:
    """Between which frequencies the melody lies, with a margin."""
    import librosa

    hop = 4 * HOP
    heard: list[Floats] = []
    step = int(CHUNK_SECONDS * FRAMES_PER_SECOND) // 4 * hop
    for start in range(0, len(samples), step):
        part = samples[start : start + step]
        if len(part) < 2_048:
            continue
        found = librosa.yin(
            part,
            fmin=LOWEST_HZ,
            fmax=HIGHEST_HZ,
            sr=RATE_HZ,
            frame_length=2_048,
            hop_length=hop,
            trough_threshold=PERIODIC,
        )
        loud = loudness_db[start // HOP :: 4][: len(found)]
        found = found[: len(loud)]
        steady = np.abs(12 * np.log2(found / np.roll(found, 1))) < 1.0
        heard.append(np.asarray(found[(loud > -25.0) & steady & (found < HIGHEST_HZ * 0.98)], dtype=np.float64))
    all_heard = np.concatenate(heard) if heard else np.zeros(0)
    if len(all_heard) < 3:
        raise RecordingError(
            f"{name}: expected one voice that sings, hums, whistles or plays, found no pitch; record it closer, without noise"
        )
    low, high = np.percentile(12 * np.log2(all_heard / LOWEST_HZ), [2, 98])
    low, high = low - RANGE_MARGIN, high + RANGE_MARGIN
    if high - low > WIDEST_RANGE:
        middle = float(np.median(12 * np.log2(all_heard / LOWEST_HZ)))
        low, high = max(low, middle - WIDEST_RANGE / 2), min(high, middle + WIDEST_RANGE / 2)
    return max(LOWEST_HZ, LOWEST_HZ * 2 ** (low / 12)), min(HIGHEST_HZ, LOWEST_HZ * 2 ** (high / 12))


def _pitch(
    samples: NDArray[np.float32], low_hz: float, high_hz: float, progress: Progress | None
) -> tuple[Floats, Floats]:
    """MIDI pitch and the chance that there is one, [frames] each; in pieces, so that memory stays small."""
    import librosa

    periods = 4 * RATE_HZ / low_hz
    frame_length = next((size for size in (512, 1_024) if size >= periods), 2_048)
    chunk, overlap = (int(seconds * FRAMES_PER_SECOND) for seconds in (CHUNK_SECONDS, OVERLAP_SECONDS))
    frames = 1 + len(samples) // HOP
    pitches, chances = [], []
    for start in range(0, frames, chunk):
        before = min(start, overlap)
        part = samples[(start - before) * HOP : (start + chunk + overlap) * HOP]
        if len(part) < frame_length:
            part = np.pad(part, (0, frame_length - len(part)))
        found, _, chance = librosa.pyin(
            part, fmin=low_hz, fmax=high_hz, sr=RATE_HZ, frame_length=frame_length, hop_length=HOP,
            resolution=0.2, fill_na=None,
        )  # fmt: skip
        kept = slice(before, before + min(chunk, frames - start))
        pitches.append(69 + 12 * np.log2(found[kept] / 440.0))
        chances.append(chance[kept])
        if progress is not None:
            progress(min(1.0, (start + chunk) / frames))
    return np.concatenate(pitches), np.concatenate(chances)
