"""Recordings, opened: WAV, FLAC, Ogg, MP3 and what else libsndfile reads, as one channel at one rate.

In: a path or bytes. Out: samples. Libraries of sound are imported when used.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError, first_line, needs

RATE_HZ: Final = 22_050
"""At which pitch is looked for: the highest whistle's period is five samples."""
MAX_SOUND_BYTES: Final = 256 * 2**20
"""Ten minutes of stereo in 24 bits at 48 kHz are 173 MB."""
MAX_SECONDS: Final = 600.0
SHORTEST_SECONDS: Final = 0.2
BLOCK_SECONDS: Final = 10.0
QUIETEST_PEAK: Final = 10 ** (-66 / 20)

Floats = NDArray[np.float64]


class RecordingError(PianalysisError):
    """A recording that can't be read, is past the limits, or has no melody in it."""


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel: `samples` [n] at `RATE_HZ`, peak 1, without an offset; `channels` there were in the file."""

    samples: NDArray[np.float32]
    channels: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / RATE_HZ


def read_sound(data: bytes, *, name: str = "the recording") -> Sound:
    """The sound of a file's bytes; `name` is what errors call it.

    Raises MissingPackageError without the extra `audio`, and RecordingError for what libsndfile can't read, is longer than
    `MAX_SECONDS` or shorter than `SHORTEST_SECONDS`, or is silent.
    """
    needs("audio", "librosa")
    if len(data) > MAX_SOUND_BYTES:
        raise RecordingError(
            f"{name}: {len(data) >> 20} MB is too large; recordings up to {MAX_SOUND_BYTES >> 20} MB are read"
        )
    samples, rate_hz, channels = _decoded(data, name)
    if not np.isfinite(samples).all():
        raise RecordingError(f"{name}: expected samples that are numbers, found others; export the recording again")
    samples = samples - samples.mean(dtype=np.float64).astype(np.float32) if len(samples) else samples
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < QUIETEST_PEAK:
        raise RecordingError(f"{name}: expected a melody, found silence; check the microphone and record it again")
    return Sound(_resampled(samples / np.float32(peak), rate_hz), channels)


def _decoded(data: bytes, name: str) -> tuple[NDArray[np.float32], int, int]:
    """Samples of the channels' mean, their rate, and how many channels there were. Long ones are never held whole."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate_hz, channels = int(file.samplerate), int(file.channels)
            if not 4_000 <= rate_hz <= 400_000:
                raise RecordingError(f"{name}: expected a sample rate of 4,000 to 400,000 Hz, found {rate_hz:,}")
            blocks, count = [], 0
            for block in file.blocks(int(BLOCK_SECONDS * rate_hz), dtype="float32", always_2d=True):
                count += len(block)
                if count > MAX_SECONDS * rate_hz:
                    raise RecordingError(
                        f"{name}: expected a recording of at most {MAX_SECONDS / 60:.0f} minutes, found a longer one; "
                        "cut out the melody"
                    )
                blocks.append(block.mean(axis=1))
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        if isinstance(error, PianalysisError):
            raise
        raise RecordingError(
            f"{name}: expected a recording in WAV, FLAC, Ogg or MP3, found what can't be read ({first_line(error)}); "
            "export it as WAV"
        ) from None
    if count < SHORTEST_SECONDS * rate_hz:
        raise RecordingError(f"{name}: expected a recording of a melody, found {count / rate_hz:.2f} s of sound")
    return np.concatenate(blocks), rate_hz, channels


def _resampled(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    if rate_hz == RATE_HZ:
        return samples
    import librosa

    return np.asarray(librosa.resample(samples, orig_sr=rate_hz, target_sr=RATE_HZ), dtype=np.float32)
