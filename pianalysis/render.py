"""Notes to sound and to a picture.

In: note arrays in real milliseconds. Out: stereo audio from sampled piano strings, or a piano roll as PNG. The samples
(`data/piano/`) are three velocity layers of every third key of the Salamander Grand Piano (Alexander Holm, CC BY 3.0),
tuned, aligned and levelled by `scripts/make_piano_samples.py`. The sound and picture libraries are imported when used.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.notes import Notes, PianalysisError, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAMPLE_RATE_HZ: Final = 44_100
SAMPLE_FOLDER: Final = Path(__file__).parent / "data" / "piano"
PEAK_DBFS: Final = -1.0
AUDIO_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".mp3")
"""What `save_wav` writes; libsndfile's names for them are the same without the dot."""
LONGEST_MINUTES: Final = 120.0
DYNAMIC_RANGE_DB: Final = 40.0
"""Between velocity 1 and velocity 127."""
HIGHEST_DAMPED_PITCH, RING_MS = 88, 2_500.0
"""Strings above this E6 have no damper: they ring on, for as long as they can be heard."""
MELODY_COLOUR, ACCOMPANIMENT_COLOUR = "#D55E00", "#0072B2"
"""Vermilion and blue of Okabe and Ito's palette, told apart by every kind of eye."""
FAINTEST: Final = 0.2
"""Opacity of velocity 1; velocity 127 is opaque."""
PAGE_WIDTH_IN, HEADER_IN, MARGIN_IN, DOTS_PER_INCH = 16.0, 0.75, 0.55, 110
SYSTEMS, SYSTEM_S = 10, 20.0
"""As many rows as a page has before they get longer than this."""

Sound = NDArray[np.float32]
Floats = NDArray[np.float64]
StrPath = str | os.PathLike[str]
Progress = Callable[[float], None]


def synthesize(notes: Notes, *, sample_rate_hz: int = SAMPLE_RATE_HZ, progress: Progress | None = None) -> Sound:
    """Play notes on the sampled piano.

    notes: real milliseconds; onsets before 0 sound at 0, velocities are held to 1–127. Returns [samples, 2] from time 0
    to the end of the last note's release, its peak at −1 dBFS; half a second of silence if there are no notes.
    `progress` is called with the fraction done, rising to 1. Raises PianalysisError for times or pitches out of range.
    """
    if not 8_000 <= sample_rate_hz <= 192_000:
        raise PianalysisError(f"expected a sample rate from 8000 to 192000 Hz, found {sample_rate_hz}")
    _check_notes(notes)
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


def _check_notes(notes: Notes) -> None:
    end_ms = notes["onset_ms"] + notes["duration_ms"]
    if not np.isfinite(end_ms).all() or (notes["duration_ms"] < 0).any():
        raise PianalysisError("expected finite onsets and durations of 0 ms or more, found others")
    if ((notes["pitch"] < 0) | (notes["pitch"] > 127)).any():
        raise PianalysisError("expected MIDI pitches from 0 to 127, found others")
    minutes = float(end_ms.max(initial=0.0)) / 60_000
    if minutes > LONGEST_MINUTES:
        raise PianalysisError(f"expected at most {LONGEST_MINUTES:.0f} minutes of music, found {minutes:,.0f}; cut it")


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
    _check_folder(target)
    sound = synthesize(notes, sample_rate_hz=sample_rate_hz, progress=progress)
    return write_atomically(target, _encode(sound, sample_rate_hz, target.suffix[1:].upper()))


def _check_folder(target: Path) -> None:
    """Before the work rather than after it."""
    if not target.parent.is_dir():
        raise PianalysisError(f"{target}: there is no folder {target.parent}; make it first")


def _encode(sound: Sound, sample_rate_hz: int, format: str) -> bytes:
    import soundfile

    data = io.BytesIO()
    try:
        with soundfile.SoundFile(data, "w", sample_rate_hz, 2, format=format) as file:
            for start in range(0, len(sound), 2**14):  # libsndfile's Vorbis encoder overflows its stack on long pieces
                file.write(sound[start : start + 2**14])
    except soundfile.LibsndfileError as error:
        raise PianalysisError(f"can't write {format} at {sample_rate_hz} Hz ({error}); use 44100 Hz or .wav") from None
    return data.getvalue()


def save_png(
    path: StrPath,
    melody: Notes,
    accompaniment: Notes,
    *,
    bar_lines_ms: ArrayLike,
    title: str = "",
    max_seconds: float = 60.0,
) -> Path:
    """Draw the whole piece as a piano roll in rows of whole bars: about ten of 20 s to `max_seconds`, or more of them.

    melody, accompaniment: real milliseconds; the louder a note, the more opaque. bar_lines_ms: the bars' starts; the
    first is bar 1. The file appears whole or not at all. Raises PianalysisError for times or pitches out of range, and
    if the file can't be written.
    """
    target = Path(path)
    _check_folder(target)
    both = np.concatenate([melody, accompaniment])
    _check_notes(both)
    from matplotlib.figure import Figure  # the object API: no pyplot, no state shared with the caller's plots

    ends_s = (both["onset_ms"] + both["duration_ms"]) / 1_000
    bars_s = np.unique(np.asarray(bar_lines_ms, dtype=np.float64)) / 1_000
    rows = systems(bars_s, float(ends_s.max(initial=1.0)), max_seconds)
    low, high = int(both["pitch"].min(initial=55)) - 2, int(both["pitch"].max(initial=65)) + 2
    row_in = min(max((high - low) * 0.036, 0.9), max(30 / len(rows), 0.9), 2.4)
    height_in = HEADER_IN + len(rows) * (row_in + MARGIN_IN)
    figure = Figure(figsize=(PAGE_WIDTH_IN, height_in), dpi=DOTS_PER_INCH, facecolor="white")
    margin = MARGIN_IN / PAGE_WIDTH_IN
    _draw_header(figure, title, height_in)
    for number, (start, end) in enumerate(rows):
        bottom = height_in - HEADER_IN - number * (row_in + MARGIN_IN) - row_in
        axes = figure.add_axes((margin, bottom / height_in, 1 - 2 * margin, row_in / height_in))
        axes.set_xlim(start, start + max(last - first for first, last in rows))
        axes.set_ylim(low - 0.5, high + 0.5)
        _draw_grid(axes, bars_s, end)
        _draw_notes(axes, accompaniment, ACCOMPANIMENT_COLOUR, start, end)
        _draw_notes(axes, melody, MELODY_COLOUR, start, end)
    data = io.BytesIO()
    figure.savefig(data, format="png")
    return write_atomically(target, data.getvalue())


def systems(bars_s: Floats, end_s: float, max_seconds: float = 60.0) -> list[tuple[float, float]]:
    """Where each row of a piano roll starts and ends, in seconds: whole bars, from 0 to the bar line after `end_s`.

    >>> systems(np.arange(0.0, 33.0, 4.0), 31.0)
    [(0.0, 20.0), (20.0, 32.0)]
    """
    row_s = min(max(end_s / SYSTEMS, SYSTEM_S), max(max_seconds, 1.0))
    breaks = np.append(bars_s[bars_s < end_s], bars_s[bars_s >= end_s][:1] if (bars_s >= end_s).any() else end_s)
    start, rows = min(0.0, float(breaks[0])), []
    while start < breaks[-1]:
        fitting = breaks[(breaks > start) & (breaks <= start + row_s)]
        stop = float(fitting[-1]) if len(fitting) else start + row_s  # a bar longer than a row is cut
        rows.append((start, stop))
        start = stop
    return rows


def _draw_header(figure: Figure, title: str, height_in: float) -> None:
    left, middle = MARGIN_IN / PAGE_WIDTH_IN, 1 - 0.3 / height_in
    figure.text(
        left, middle, title[:80], fontsize=15, fontweight="bold", color="#222222", va="center", parse_math=False
    )
    for offset_in, colour, text in ((3.1, MELODY_COLOUR, "melody"), (2.1, ACCOMPANIMENT_COLOUR, "accompaniment")):
        x = 1 - left - offset_in / PAGE_WIDTH_IN
        figure.text(x, middle, "■ ", fontsize=13, color=colour, va="center", ha="right")
        figure.text(x, middle, text, fontsize=10, color="#222222", va="center")
    figure.text(1 - left, middle, "paler = softer", fontsize=8, color="#777777", va="center", ha="right")


def _draw_grid(axes: Axes, bars_s: Floats, end: float) -> None:
    """Black keys, octaves, numbered bar lines and seconds of one row; `end` is where its music stops."""
    (start, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    keys = np.arange(np.ceil(bottom), top, dtype=np.int64)
    axes.barh(keys[np.isin(keys % 12, (1, 3, 6, 8, 10))], end - start, 1, start, color="#F1F2F5", zorder=0)
    octaves = keys[keys % 12 == 0]
    axes.hlines(octaves - 0.5, start, end, colors="#D5D8DE", linewidths=0.6, zorder=1)
    axes.set_yticks(octaves, [f"C{key // 12 - 1}" for key in octaves], fontsize=8, color="#444444")
    shown = np.flatnonzero((bars_s >= start) & (bars_s <= end))
    axes.vlines(bars_s[shown], bottom, top, colors="#B4B9C2", linewidths=0.7, zorder=1, clip_on=False)
    bar_s = float(np.median(np.diff(bars_s))) if len(bars_s) > 1 else end - start
    every = next((step for step in (1, 2, 4, 8, 16) if step * bar_s > 0.02 * (right - start)), 32)
    for bar in shown[(shown % every == 0) & (bars_s[shown] < end)]:
        axes.annotate(str(bar + 1), (bars_s[bar], top), (1, 2), textcoords="offset points", fontsize=7, color="#777777")
    step_s = next(step for step in (1, 2, 5, 10, 30, 60, 600, 6_000) if (right - start) / step <= 15)
    seconds = np.arange(np.ceil(start / step_s) * step_s, end, step_s)
    axes.set_xticks(seconds, [f"{second:.0f} s" for second in seconds], fontsize=7, color="#777777")
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)


def _draw_notes(axes: Axes, notes: Notes, colour: str, start: float, end: float) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    left = np.maximum(notes["onset_ms"] / 1_000, start)
    right = np.minimum((notes["onset_ms"] + notes["duration_ms"]) / 1_000, end)
    seen = right > left
    left, right, pitch = left[seen], right[seen], notes["pitch"][seen]
    half = 0.65  # of a semitone: a little over its row, so that single notes are no hairlines
    corners = np.stack([left, pitch - half, left, pitch + half, right, pitch + half, right, pitch - half], axis=1)
    opacity = FAINTEST + (1 - FAINTEST) * np.clip(notes["velocity"][seen], 1, 127) / 127
    colours = np.column_stack([np.tile(to_rgb(colour), (len(left), 1)), opacity])
    shapes = list(corners.reshape(-1, 4, 2))  # not snapped to whole pixels: they would differ in height
    axes.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="white", linewidths=0.3, snap=False))
