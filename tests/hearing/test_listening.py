"""Recordings made in code, and what is heard in them."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from pianalysis.errors import MissingPackageError
from pianalysis.hearing.beats import find_beats
from pianalysis.hearing.listening import hear, hear_sound
from pianalysis.hearing.sound import RATE_HZ, RecordingError, Sound
from pianalysis.music.midi import ticks_to_ms, track_notes
from pianalysis.music.notes import make_notes
from pianalysis.music.reading import read_score, read_with_remarks
from pianalysis.music.recordings import to_score

pytest.importorskip("librosa", reason="the extra audio")
soundfile = pytest.importorskip("soundfile")

PITCHES = (60, 62, 64, 64, 65, 67, 67, 60)
"""With a repeated key, and a step back by a fifth."""


def melody(pitches=PITCHES, *, each_ms=450.0, sung_ms=410.0):
    return make_notes([(300 + each_ms * n, sung_ms, pitch, 80) for n, pitch in enumerate(pitches)])


def as_file(samples, format="WAV", rate_hz=RATE_HZ):
    target = io.BytesIO()
    soundfile.write(target, samples, rate_hz, format=format)
    return target.getvalue()


def tone(pitches, each_s=0.5):
    """A plain tone with fading ends for each pitch."""
    moment = np.arange(int(each_s * RATE_HZ)) / RATE_HZ
    shape = np.minimum(1, np.minimum(moment, each_s - moment) / 0.03)
    return np.concatenate([shape * np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * moment) for p in pitches]).astype(
        "f4"
    )


def sound(samples):
    return Sound(np.asarray(samples / np.abs(samples).max(), dtype=np.float32), 1)


@pytest.mark.parametrize(
    ("voice", "up", "noise_db"), [("sing", 0, None), ("sing", 0, 20.0), ("hum", -12, None), ("whistle", 24, 20.0),
                                  ("guitar", -7, None), ("piano", 0, None)]
)  # fmt: skip
def test_a_melody_is_heard_whoever_performs_it(script, voice, up, noise_db):
    notes = melody([pitch + up for pitch in PITCHES])
    heard = hear_sound(sound(script("singer").perform(notes, voice, 3, noise_db=noise_db)))
    near = np.abs(heard.notes["onset_s"][None] * 1_000 - notes["onset_ms"][:, None]) < 50
    right = near & (heard.notes["pitch"][None] == notes["pitch"][:, None])
    assert right.any(axis=1).all()
    assert len(heard.notes) <= len(notes) + 1  # a consonant in noise may sound like a beginning
    assert not heard.remarks


def test_a_tuning_of_ones_own_is_no_other_key():
    heard = hear_sound(sound(tone(np.array([60, 64, 67, 64, 60]) + 0.3)))
    assert heard.notes["pitch"].tolist() == [60, 64, 67, 64, 60]
    assert heard.tuning_cents == pytest.approx(30, abs=6)


def test_loud_notes_are_loud():
    samples = tone([60, 62, 64])
    samples[: len(samples) // 3] *= 0.2
    heard = hear_sound(sound(samples))
    assert heard.notes["velocity"][0] < heard.notes["velocity"][1] - 20


def test_silence_around_the_melody_moves_it_and_nothing_else():
    plain, quiet = tone([60, 62, 64, 60]), np.zeros(RATE_HZ, dtype=np.float32)
    first, second = (hear_sound(sound(samples)).notes for samples in (plain, np.concatenate([quiet, plain, quiet])))
    assert first["pitch"].tolist() == second["pitch"].tolist() == [60, 62, 64, 60]
    assert np.abs(first["onset_s"] + 1 - second["onset_s"]).max() < 0.03


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_formats(tmp_path, format):
    stereo = np.repeat(tone([60, 64, 67])[:, None], 2, axis=1)
    (tmp_path / "sound.bin").write_bytes(as_file(stereo, format))
    score = read_score(tmp_path / "sound.bin")
    assert [note.pitch for note in score.tracks[0].notes] == [60, 64, 67]


NOISE = np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype("f4") * 0.1
BAD = {
    "silent": (as_file(np.zeros(RATE_HZ)), "silence"),
    "noise": (as_file(NOISE), "noise"),
    "short": (as_file(np.ones(100) * 0.5), "0.00 s of sound"),
    "long": (as_file(np.zeros(601 * 8_000), rate_hz=8_000), "at most 10 minutes"),
    "cut": (as_file(NOISE)[:30], "export it as WAV"),
    "phone": (b"\0\0\0\x20ftypM4A \0\0\0\0", "export it as WAV"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_what_is_no_melody_is_one_sentence(data, says):
    with pytest.raises(RecordingError, match=says) as caught:
        read_score(data, name="hum.wav")
    assert str(caught.value).startswith("hum.wav: ")
    assert "\n" not in str(caught.value)


def test_several_voices_are_doubted(script):
    chords = [(500 * n, 490, pitch, 80) for n in range(5, 11) for pitch in (48, 52 + n, 55, 61, 66)]
    samples = script("singer").perform(make_notes([(500 * n, 450, 60 + n, 80) for n in range(5)] + chords), "piano", 0)
    heard = read_with_remarks(as_file(samples), name="both.wav")
    assert [note.pitch for note in heard.score.tracks[0].notes][:5] == [60, 61, 62, 63, 64]
    assert "more than one voice" in heard.remarks[0]
    with pytest.raises(RecordingError, match="several voices"):
        read_score(as_file(samples[3 * RATE_HZ :]), name="chords.wav")


def test_without_the_extra_one_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    monkeypatch.setattr("pianalysis.errors.find_spec", lambda package: None if package == "librosa" else True)
    with pytest.raises(MissingPackageError, match=r"pianalysis\[audio\]"):
        hear(as_file(NOISE))


@pytest.mark.parametrize("bpm", [70, 96, 120, 150])
def test_beats_follow_a_singer_who_slows_down(bpm):
    rng = np.random.default_rng(bpm)
    beats = np.concatenate([[0.4], 0.4 + np.cumsum(60 / bpm * np.linspace(1, 1.15, 40))])
    bars = [[1, 1, 0.5, 0.5, 1], [2, 1, 1], [1.5, 0.5, 1, 1], [1, 1, 2]]
    lengths = np.concatenate([bars[index] for index in rng.integers(0, 4, 10)])
    place = np.concatenate([[0], np.cumsum(lengths)])
    place = place[place < 40]
    onsets = np.interp(place, np.arange(41), beats) + rng.normal(0, 0.012, len(place))
    ends = np.append(onsets[1:], onsets[-1] + 0.3)
    found = find_beats(onsets, ends, bpm=bpm)
    near = np.abs(found[:, None] - beats[None]).min(axis=0)
    assert (near < 0.07).mean() > 0.9


def test_a_score_keeps_notes_where_they_were_sung(script):
    heard = hear_sound(sound(script("singer").perform(melody(), "sing", 5)))
    score = to_score(heard)
    notes = track_notes(score, score.tracks)
    assert notes["pitch"].tolist() == heard.notes["pitch"].tolist()
    shift = heard.notes["onset_s"] * 1_000 - notes["onset_ms"]
    assert np.ptp(shift) < 60  # pulled softly to sixteenths, all else is silence cut off before the first beat
    assert np.diff(ticks_to_ms(score, [tempo.time for tempo in score.tempos])).min() > 200


def test_a_hum_is_arranged(script, tiny_arranger, tmp_path):
    samples = script("singer").perform(melody(), "hum", 1)
    (tmp_path / "hum.wav").write_bytes(as_file(samples))
    piece = tiny_arranger(tmp_path / "hum.wav", seed=0)
    assert piece.melody["pitch"].tolist() == list(PITCHES)
