"""Rendering: what is heard is what was written, and files appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pianalysis.errors import PianalysisError
from pianalysis.music.notes import Notes, make_notes
from pianalysis.output import audio, picture

RATE = audio.SAMPLE_RATE_HZ
PEAK = 10 ** (audio.PEAK_DBFS / 20)
MELODY = make_notes([(0, 900, 72, 127), (1_000, 900, 76, 127)])
ACCOMPANIMENT = make_notes([(0, 2_000, 48, 127), (1_000, 1_000, 55, 20)])
Row = tuple[float, float, int, int]


def play(*rows: Row) -> NDArray[np.float32]:
    return audio.synthesize(make_notes(rows))


def between(sound: NDArray[np.float32], start_s: float, end_s: float) -> NDArray[np.float32]:
    return sound[round(start_s * RATE) : round(end_s * RATE)]


def rms(sound: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def spectrum(pitch: int, velocity: int = 80) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractional MIDI pitches and magnitudes of a key held for two seconds."""
    sound = between(play((0, 2_000, pitch, velocity)), 0.05, 2.0).sum(axis=1, dtype=np.float64)
    magnitudes = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**18))[1:]
    return 69 + 12 * np.log2(np.arange(1, 2**17 + 1) * RATE / 2**18 / 440), magnitudes


@pytest.mark.parametrize("velocity", [20, 64, 100, 127])
def test_a4_is_440_hz(velocity: int) -> None:
    pitches, magnitudes = spectrum(69, velocity)
    assert abs(440 * 2 ** ((pitches[magnitudes.argmax()] - 69) / 12) - 440) < 2


@pytest.mark.parametrize("pitch", [48, 60, 61, 71, 88, 99, 108])
def test_keys_sound_at_their_pitch(pitch: int) -> None:
    pitches, magnitudes = spectrum(pitch)
    near = np.abs(pitches - pitch) < 6
    # 35 cents: a piano's top octave is tuned wide, by a third of a semitone at its end
    assert abs(pitches[near][magnitudes[near].argmax()] - pitch) < 0.35
    assert magnitudes[near].max() > 0.1 * magnitudes.max()


@pytest.mark.parametrize("pitch", [21, 22, 28, 36])
def test_bass_keys_have_the_partials_of_their_pitch(pitch: int) -> None:
    """The lowest strings hardly sound their fundamental: it's the ladder of partials that gives the pitch."""
    pitches, magnitudes = spectrum(pitch)

    def ladder(candidate: float) -> float:
        rungs = candidate + 12 * np.log2(np.arange(1, 9))
        return float(sum(magnitudes[np.abs(pitches - rung) < 0.4].max() for rung in rungs))

    assert max(range(pitch - 6, pitch + 7), key=ladder) == pitch


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3e3), st.floats(0, 4e3), st.integers(0, 127), st.integers(1, 127)), min_size=1))
def test_dense_music_peaks_at_minus_one_dbfs(rows: list[Row]) -> None:
    sound = play(*rows)
    assert (sound.dtype.name, sound.shape[1]) == ("float32", 2)
    assert np.abs(sound).max() == pytest.approx(PEAK, abs=1e-4)


def test_louder_velocities_are_louder() -> None:
    velocities = [1, 20, 39, 40, 41, 50, 61, 62, 63, 80, 97, 98, 99, 115, 127]
    sound = play(*((1_000 * i, 500, 60, velocity) for i, velocity in enumerate(velocities)))
    levels = [rms(between(sound, i, i + 0.4)) for i in range(len(velocities))]
    assert levels == sorted(levels)
    assert 20 * np.log10(levels[-1] / levels[0]) == pytest.approx(audio.DYNAMIC_RANGE_DB, abs=1)


@pytest.mark.parametrize("pitch", [21, 40, 60, 84, 108])
def test_a_note_starts_and_ends_where_it_should(pitch: int) -> None:
    sound = play((500, 1_000, pitch, 90), (8_000, 0, 60, 90))
    loud = np.abs(sound).max(axis=1) > 0.1 * np.abs(between(sound, 0.4, 1.0)).max()
    assert np.argmax(loud) / RATE == pytest.approx(0.5, abs=0.01)
    heard = [bool(between(sound, *part).any()) for part in ((0, 0.49), (1.4, 1.5), (1.81, 2.0), (4.0, 7.9))]
    assert heard == [False, True, pitch > audio.HIGHEST_DAMPED_PITCH, False]


def test_releases_do_not_click() -> None:
    steps = np.abs(np.diff(play((0, 731, 40, 100), (2_000, 0, 60, 1)), axis=0))
    assert between(steps, 0.725, 2.0).max() <= between(steps, 0.5, 0.725).max()


@pytest.mark.parametrize("pitch", [30, 60, 72, 100])
def test_stereo_goes_with_the_keyboard_and_survives_mono(pitch: int) -> None:
    left, right = play((0, 500, pitch, 80)).T
    assert rms(left) / rms(right) == pytest.approx(10 ** (np.interp(pitch, [21, 108], [3, -3]) / 20), rel=0.25)
    assert rms(left + right) > 0.8 * (rms(left) + rms(right))


def test_no_notes_are_half_a_second_of_silence() -> None:
    np.testing.assert_array_equal(play(), np.zeros((RATE // 2, 2), dtype=np.float32))


def test_same_notes_same_sound() -> None:
    first = audio.synthesize(ACCOMPANIMENT)
    for again in (ACCOMPANIMENT, ACCOMPANIMENT[::-1]):
        np.testing.assert_array_equal(first, audio.synthesize(again))


def test_sample_rate_and_progress() -> None:
    seen: list[float] = []
    notes = make_notes([(10 * i, 500, 60, 80) for i in range(200)])
    sound = audio.synthesize(notes, sample_rate_hz=22_050, progress=seen.append)
    assert len(sound) / 22_050 == pytest.approx(1.99 + 0.5 + 0.23, abs=0.02)
    assert seen == [0.32, 0.64, 0.96, 1.0]


@pytest.mark.parametrize("row", [(0, -1, 60), (np.nan, 1, 60), (0, np.inf, 60), (9e9, 1, 60), (0, 1, 128), (0, 1, -1)])
def test_unplayable_notes_are_refused(row: tuple[float, float, int], tmp_path: Path) -> None:
    with pytest.raises(PianalysisError, match="expected"):
        play((*row, 80))
    with pytest.raises(PianalysisError, match="expected"):
        picture.save_png(tmp_path / "x.png", make_notes([(*row, 80)]), ACCOMPANIMENT, bar_lines_ms=[])


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".WAV"])
def test_audio_files_decode_to_the_right_length(suffix: str, tmp_path: Path) -> None:
    path = audio.save_wav(tmp_path / f"piece{suffix}", MELODY)
    decoded, rate = soundfile.read(path)
    assert rate == RATE
    assert len(decoded) == pytest.approx(len(audio.synthesize(MELODY)), abs=3_000 if suffix == ".mp3" else 0)
    assert np.abs(decoded).max() == pytest.approx(PEAK, abs=0.05)
    assert soundfile.info(path).subtype == "PCM_16" or suffix in (".ogg", ".mp3")


def test_failures_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x.aac", "x", "no/x.wav"):
        with pytest.raises(PianalysisError, match=r"no folder|\.mp3"):
            audio.save_wav(tmp_path / name, MELODY)
    with pytest.raises(PianalysisError, match="no folder"):
        picture.save_png(tmp_path / "no" / "x.png", MELODY, ACCOMPANIMENT, bar_lines_ms=[])
    (tmp_path / "old.wav").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PianalysisError, match="No space left"):
        audio.save_wav(tmp_path / "old.wav", MELODY)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("old.wav", b"old")]


def draw(path: Path, melody: Notes, accompaniment: Notes, bars_ms: NDArray[np.int64]) -> Image.Image:
    return Image.open(picture.save_png(path, melody, accompaniment, bar_lines_ms=bars_ms, title="5$ ^ a_{b"))


def test_the_picture_shows_both_hands(tmp_path: Path) -> None:
    for colour, counts in ((picture.MELODY_COLOUR, list[int]()), (picture.ACCOMPANIMENT_COLOUR, list[int]())):
        for melody, accompaniment in ((MELODY, ACCOMPANIMENT), (MELODY[:0], ACCOMPANIMENT[:0])):
            image = draw(tmp_path / "x.png", melody, accompaniment, np.arange(0, 3_000, 1_000)).convert("RGB")
            off = np.abs(np.asarray(image, dtype=np.int64) - list(bytes.fromhex(colour[1:]))).max(axis=2)
            counts.append(int((off < 3).sum()))
        assert counts[0] > counts[1] + 1_000  # more than the legend shows


def test_a_long_song_wraps_at_bar_lines(tmp_path: Path) -> None:
    song = make_notes([(500 * i, 500, 40 + i % 40, 1 + i % 127) for i in range(480)])
    bars_ms = np.arange(0, 240_001, 3_000)
    short, long = (draw(tmp_path / "x.png", part, part, bars_ms).size for part in (song[:40], song))
    assert short[0] == long[0]
    assert 4 * short[1] < long[1] < 4_000
    assert picture.systems(bars_ms / 1_000, 240.0) == [(start, start + 24.0) for start in range(0, 240, 24)]
    assert picture.systems(np.zeros(0), 30.0) == [(0.0, 20.0), (20.0, 30.0)]
    assert picture.systems(np.array([-1.0, 4.0]), 8.0) == [(-1.0, 8.0)]
    assert len(picture.systems(np.zeros(0), 3_600.0)) == 60


def test_samples_are_complete_small_and_credited() -> None:
    expected = {(pitch, velocity) for pitch in range(21, 109, 3) if pitch != 48 for velocity in (40, 62, 98)}
    assert {(pitch, velocity) for pitch, files in audio._sample_files().items() for velocity in files} == expected
    assert sum(path.stat().st_size for path in audio.SAMPLE_FOLDER.iterdir()) < 5_000_000
    assert "Alexander Holm" in (audio.SAMPLE_FOLDER / "LICENSE.txt").read_text(encoding="utf-8")


def test_importing_is_cheap() -> None:
    code = "import sys, pianalysis.output.audio; print({'matplotlib', 'soundfile', 'scipy.signal'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_labels_stand_above_a_row_and_change_nothing_in_it(tmp_path: Path) -> None:
    bars = [0.0, 1_000.0, 2_000.0]
    plain, labelled = (
        np.asarray(Image.open(picture.save_png(path, MELODY, ACCOMPANIMENT, bar_lines_ms=bars, labels=labels)))
        for path, labels in ((tmp_path / "a.png", []), (tmp_path / "b.png", [(0.0, "C"), (1_000.0, "F#m7b5")]))
    )
    changed = np.argwhere((plain != labelled).any(axis=2))
    assert len(changed) > 20
    left = plain[:, : plain.shape[1] // 3, :3]  # the legend, in the notes' colours, is on the right
    assert changed[:, 0].max() < np.argwhere((left == (0xD5, 0x5E, 0x00)).all(axis=2))[:, 0].min()
    assert set(changed[:, 1] // (labelled.shape[1] // 2)) == {0, 1}
