"""Voices and instruments made in code, to measure how well recordings are heard: sung, hummed, whistled, plucked, played.

In: notes in real ms, one voice. Out: samples at `RATE_HZ`, and nothing of a real person. Each singer (a seed) has a tuning, a
vibrato, slides, scoops, breath and consonants of its own; what is sung between two notes is as it is with people: pitch
glides over a few hundredths of a second, vowels fade in, consonants interrupt or dim the sound.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from pianalysis.music.notes import Notes
from pianalysis.output.audio import synthesize

RATE_HZ: Final = 22_050
CONTROL_HZ: Final = 1_000
"""Of pitch and loudness."""
VOICES: Final = ("sing", "hum", "whistle", "guitar", "piano")
FORMANTS_HZ: Final = {
    "a": (800, 1_150, 2_900), "e": (400, 1_700, 2_600), "i": (300, 2_200, 2_900), "o": (450, 800, 2_830),
    "u": (325, 700, 2_530),
}  # fmt: skip
SPOKEN: Final = 0.6
"""Of sung notes begin with a consonant."""
LEGATO_MS: Final = 60.0

Floats = NDArray[np.float64]


def perform(notes: Notes, voice: str, seed: int, *, noise_db: float | None = None) -> NDArray[np.float32]:
    """Notes as a voice performs them; `noise_db` is the signal-to-noise ratio of what is added to it, half white, half low."""
    rng = np.random.default_rng(seed)
    made = {"sing": _sing, "hum": _hum, "whistle": _whistle, "guitar": _pluck, "piano": _play}[voice](notes, rng)
    made = made / max(float(np.abs(made).max()), 1e-9) * 0.5
    if noise_db is not None:
        white = rng.standard_normal(len(made))
        low = lfilter([1.0], [1.0, -0.97], rng.standard_normal(len(made)))
        noise = white / white.std() + low / low.std()
        made = made + noise * float(np.sqrt((made**2).mean()) / noise.std() * 10 ** (-noise_db / 20))
    return made.astype(np.float32)


def _times(notes: Notes) -> tuple[Floats, Floats, int]:
    """Onsets and ends in control steps, and how many steps there are, with half a second after the last note."""
    onset = notes["onset_ms"] * CONTROL_HZ / 1_000
    end = (notes["onset_ms"] + notes["duration_ms"]) * CONTROL_HZ / 1_000
    return onset, end, int(end.max() + 0.5 * CONTROL_HZ)


def _pitch_curve(notes: Notes, rng: np.random.Generator, *, slide_ms: tuple[float, float], wobble: float) -> Floats:
    """MIDI pitch at each control step: glides, scoops, vibrato, drift and a tuning of one's own. `wobble`: 1 is a singer's."""
    onset, end, count = _times(notes)
    moment = np.arange(count, dtype=np.float64)
    off = wobble * rng.normal(0, 0.12, len(notes))
    pitches = notes["pitch"] + off
    curve = np.full(count, pitches[0])
    for index in range(1, len(notes)):
        width = rng.uniform(*slide_ms) * CONTROL_HZ / 1_000
        middle = onset[index] + (0.0 if onset[index] - end[index - 1] < LEGATO_MS else -width)
        share = 0.5 + 0.5 * np.tanh((moment - middle) / (width / 4))
        curve += (pitches[index] - pitches[index - 1]) * share
    rate, depth, delay = rng.uniform(4.8, 6.5), wobble * rng.uniform(0.15, 0.8), rng.uniform(150, 300)
    for begin, stop in zip(onset, end, strict=True):
        inside = (moment >= begin) & (moment < stop)
        since = moment[inside] - begin
        if stop - begin > delay + 150:
            grown = np.clip((since - delay) / 200, 0, 1)
            curve[inside] += depth * grown * np.sin(2 * np.pi * rate * since / CONTROL_HZ)
        if rng.random() < 0.25 * wobble:  # a scoop from below
            curve[inside] -= rng.uniform(0.5, 1.5) * np.exp(-since / 25)
    steps = rng.standard_normal(count // 50 + 2)
    drift = np.interp(moment, np.arange(len(steps)) * 50.0, steps) * 0.08 * wobble
    return np.asarray(curve + drift + rng.uniform(-0.3, 0.3))


def _envelope(
    notes: Notes,
    rng: np.random.Generator,
    *,
    rise_ms: float,
    fall_ms: float,
    dip_db: tuple[float, float],
    dip_ms: float,
) -> Floats:
    """Amplitude at each control step. Where a note follows at once there is a dip of a depth from the range, before it."""
    onset, end, count = _times(notes)
    amplitude, swell_db = np.zeros(count), rng.uniform(-8, 0)
    moment = np.arange(count, dtype=np.float64)
    for index, (begin, stop) in enumerate(zip(onset, end, strict=True)):
        inside = slice(int(begin), min(int(stop + 3 * fall_ms), count))
        since = moment[inside] - begin
        shape = np.clip(since / rise_ms, 0, 1) * np.where(
            moment[inside] < stop, 1, np.exp((stop - moment[inside]) / fall_ms)
        )
        swell_db = np.clip(swell_db + rng.normal(0, 2.5), -14, 0)
        loud = 10 ** ((swell_db + rng.uniform(-3, 0)) / 20) * (0.9 + 0.1 * np.cos(since / 150))
        amplitude[inside] = np.maximum(amplitude[inside], shape * loud)
        if index and begin - end[index - 1] < LEGATO_MS:
            length = min(dip_ms, 0.4 * (end[index - 1] - onset[index - 1]))
            depth = 10 ** (-rng.uniform(*dip_db) / 20)
            place = (moment - (begin - length / 2)) / (length / 2)
            dip = depth + (1 - depth) * np.clip(np.abs(place), 0, 1) ** 2
            amplitude[: int(begin)] *= dip[: int(begin)]
            amplitude[inside] = amplitude[inside] * np.maximum(depth, np.clip(since / rise_ms, 0, 1))
    return amplitude


def _at_rate(curve: Floats) -> Floats:
    count = int(len(curve) * RATE_HZ / CONTROL_HZ)
    return np.interp(np.arange(count) * CONTROL_HZ / RATE_HZ, np.arange(len(curve)), curve)


def _harmonics(pitch: Floats, weight: NDArray[np.float64], frequencies: Floats) -> Floats:
    """Harmonics of a pitch curve [samples]; `weight` [harmonics, control steps]."""
    phase = 2 * np.pi * np.cumsum(frequencies) / RATE_HZ
    total = np.zeros(len(phase))
    for number, row in enumerate(weight, start=1):
        audible = frequencies * number < RATE_HZ * 0.45
        total += _at_rate(row)[: len(phase)] * audible * np.sin(number * phase)
    return total


def _sing(notes: Notes, rng: np.random.Generator) -> Floats:
    pitch = _pitch_curve(notes, rng, slide_ms=(40, 150), wobble=1.0)
    loud = _envelope(notes, rng, rise_ms=25, fall_ms=40, dip_db=(1, 5), dip_ms=60)
    onset, end, count = _times(notes)
    vowel = np.zeros((3, count))
    said = [FORMANTS_HZ[rng.choice(list(FORMANTS_HZ))] for _ in notes]
    hiss, mumbled = np.zeros(count), np.ones(count)
    for index, (begin, stop) in enumerate(zip(onset, end, strict=True)):
        vowel[:, int(begin) : count] = np.array(said[index])[:, None]
        repeated = index and notes["pitch"][index] == notes["pitch"][index - 1]
        if repeated or rng.random() < SPOKEN:  # nobody sings a key twice without a consonant
            length = rng.uniform(40, 90)
            if index:
                length = min(length, 0.4 * (stop - begin), 0.4 * (end[index - 1] - onset[index - 1]))
            gap = slice(max(0, int(begin - length)), int(begin))
            kind = rng.random()
            if kind < 0.35:  # m, n, l: dimmer and duller
                loud[gap] *= rng.uniform(0.2, 0.4)
                mumbled[gap] = 0.0
            else:
                loud[gap] *= 0.01
                if kind < 0.75:  # s, f, t
                    hiss[gap] = rng.uniform(0.03, 0.2)
    vowel[:, : int(onset[0])] = np.array(said[0])[:, None]
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    weight = []
    for number in range(1, 26):
        heard = number * frequency
        resonance = 0.05 + sum(
            gain / (1 + ((heard - formant) / width) ** 2)
            for formant, gain, width in zip(vowel, (1.0, 0.6, 0.3), (90, 120, 170), strict=True)
        )
        bright = mumbled if number > 2 else 1.0
        weight.append(loud * resonance * bright / number**0.8)
    voice = _harmonics(pitch, np.array(weight), _at_rate(frequency))
    voice /= max(float(np.abs(voice).max()), 1e-9)
    sharp = sosfilt(butter(4, 3_500, "highpass", fs=RATE_HZ, output="sos"), rng.standard_normal(len(voice)))
    breath = sosfilt(butter(2, [800, 5_000], "bandpass", fs=RATE_HZ, output="sos"), rng.standard_normal(len(voice)))
    return voice + sharp * _at_rate(hiss) + breath * (0.006 + 0.012 * _at_rate(loud))


def _hum(notes: Notes, rng: np.random.Generator) -> Floats:
    pitch = _pitch_curve(notes, rng, slide_ms=(50, 130), wobble=0.7)
    loud = _envelope(notes, rng, rise_ms=40, fall_ms=60, dip_db=(0, 3), dip_ms=90)
    onset, end, _ = _times(notes)
    for index in range(1, len(notes)):
        if notes["pitch"][index] == notes["pitch"][index - 1]:  # a hum's only way to say it twice: breath or a push
            length = min(rng.uniform(60, 110), 0.5 * (end[index - 1] - onset[index - 1]))
            gap = slice(int(onset[index] - length), int(onset[index]))
            loud[gap] *= 1 - (1 - 10 ** (-rng.uniform(8, 20) / 20)) * np.hanning(max(gap.stop - gap.start, 1))
    weight = np.array([loud / number**2.2 for number in range(1, 9)])
    voice = _harmonics(pitch, weight, _at_rate(440 * 2 ** ((pitch - 69) / 12)))
    breath = sosfilt(butter(2, 1_000, fs=RATE_HZ, output="sos"), rng.standard_normal(len(voice)))
    return voice + 0.01 * breath * _at_rate(loud)


def _whistle(notes: Notes, rng: np.random.Generator) -> Floats:
    pitch = _pitch_curve(notes, rng, slide_ms=(30, 90), wobble=0.6)
    loud = _envelope(notes, rng, rise_ms=20, fall_ms=25, dip_db=(2, 8), dip_ms=50)
    onset, _, _ = _times(notes)
    for index in range(1, len(notes)):
        if notes["pitch"][index] == notes["pitch"][index - 1]:
            loud[max(0, int(onset[index] - rng.uniform(30, 60))) : int(onset[index])] *= 0.05
    voice = _harmonics(pitch, loud[None], _at_rate(440 * 2 ** ((pitch - 69) / 12)))
    air = sosfilt(butter(2, [1_500, 7_000], "bandpass", fs=RATE_HZ, output="sos"), rng.standard_normal(len(voice)))
    return voice + 0.03 * air * _at_rate(loud)


def _pluck(notes: Notes, rng: np.random.Generator) -> Floats:
    """A string plucked (Karplus & Strong 1983), damped when the next note begins."""
    tuning = rng.uniform(-0.2, 0.2)
    total = np.zeros(int((notes["onset_ms"] + notes["duration_ms"]).max() / 1_000 * RATE_HZ) + RATE_HZ // 2)
    for onset_ms, length_ms, pitch, _ in notes.tolist():
        period = RATE_HZ / (440 * 2 ** ((pitch + tuning - 69) / 12)) - 0.5
        whole = int(period)
        rest = period - whole
        count = int((length_ms + 60) / 1_000 * RATE_HZ)
        excitation = np.zeros(count)
        excitation[: whole + 1] = rng.uniform(-1, 1, min(whole + 1, count))
        back = np.zeros(whole + 3)
        back[0] = 1.0
        for tap, gain in (
            (0, 0.5 * (1 - rest)),
            (1, 0.5),
            (2, 0.5 * rest),
        ):  # a mean of two, and a fraction of a sample
            back[whole + tap] -= 0.996 * gain
        string = lfilter([1.0], back, excitation)
        string[-int(0.05 * RATE_HZ) :] *= np.linspace(1, 0, min(int(0.05 * RATE_HZ), count))[-count:]
        start = int(onset_ms / 1_000 * RATE_HZ)
        room = total[start : start + count]
        room += string[: len(room)] * rng.uniform(0.6, 1.0)
    return sosfilt(butter(2, 60, "highpass", fs=RATE_HZ, output="sos"), total)


def _play(notes: Notes, rng: np.random.Generator) -> Floats:
    loud = notes.copy()
    loud["velocity"] = rng.integers(60, 100, len(notes))
    return synthesize(loud, sample_rate_hz=RATE_HZ).mean(axis=1).astype(np.float64)
