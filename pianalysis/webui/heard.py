"""A piece as it is heard on the page: in another key, faster, one part of it, with a metronome; and files of that.

In: a kept piece and a `Heard`. Out: a file's name and its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.arranging.arranger import Arrangement
from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.stated import chart_markers
from pianalysis.harmony.symbols import key_fifths
from pianalysis.music.midi import ms_to_ticks, ticks_to_ms, track_notes
from pianalysis.music.notes import Notes
from pianalysis.music.pedal import held_by_pedal, pedal_spans
from pianalysis.output.audio import SAMPLE_RATE_HZ, encode, synthesize
from pianalysis.output.musicxml import to_musicxml
from pianalysis.output.picture import save_png
from pianalysis.webui import limits
from pianalysis.webui.kept import Kept
from pianalysis.webui.refusals import RefusedError

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "mid": "audio/midi",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "png": "image/png",
}
RENDERED: Final = ("wav", "mp3", "png")
"""What takes seconds to make."""
BOTH, MELODY, ACCOMPANIMENT = "both", "melody", "accompaniment"
PARTS: Final = (BOTH, MELODY, ACCOMPANIMENT)
FARTHEST: Final = 24
SLOWEST, FASTEST = 0.25, 2.0
LOWEST_KEY, HIGHEST_KEY = 21, 108
CLICK_HZ, DOWNBEAT_HZ, CLICK_MS = 1_000.0, 1_500.0, 30.0
CLICK_LOUDNESS: Final = 0.25
HIGH_CLICK, LOW_CLICK = 76, 77
"""General MIDI's wood blocks."""


@dataclass(frozen=True)
class Heard:
    """How a piece is played. transpose: semitones. rate: 1 is its own tempo, 2 twice as fast. parts: one of `PARTS`.

    melody_gain, accompaniment_gain: how loud each part is in a sound file, 0 to 1. metronome: with a click each beat. Raises
    PianalysisError for values out of range.
    """

    transpose: int = 0
    rate: float = 1.0
    parts: str = BOTH
    melody_gain: float = 1.0
    accompaniment_gain: float = 1.0
    metronome: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.transpose, int) and -FARTHEST <= self.transpose <= FARTHEST):
            raise PianalysisError(
                f"expected to transpose by -{FARTHEST} to {FARTHEST} semitones, found {self.transpose}"
            )
        if not SLOWEST <= self.rate <= FASTEST:
            raise PianalysisError(f"expected a rate from {SLOWEST:g} to {FASTEST:g}, found {self.rate}")
        if self.parts not in PARTS:
            raise PianalysisError(f"expected the parts as one of {[*PARTS]}, found {self.parts!r}")
        for gain in (self.melody_gain, self.accompaniment_gain):
            if not 0 <= gain <= 1:
                raise PianalysisError(f"expected a gain from 0 to 1, found {gain}")

    @property
    def changes(self) -> bool:
        """Whether the piece is heard otherwise than it is."""
        return self != Heard()


AS_IT_IS: Final = Heard()


@dataclass(frozen=True, eq=False)
class Played:
    """A piece as it is heard, in ticks; chords in real ms."""

    score: symusic.Score
    chords: tuple[ChordSpan, ...]
    fifths: int
    border: int | None
    beats_ms: NDArray[np.float64]
    downbeats: NDArray[np.bool_]
    bar_lines_ms: NDArray[np.float64]


def make_file(kept: Kept, suffix: str, heard: Heard = AS_IT_IS) -> tuple[str, bytes]:
    """A piece as a file: what to call it, and its bytes. Raises PianalysisError for another format, or a piece too long."""
    if suffix not in MEDIA_TYPES:
        raise PianalysisError(f"expected one of {', '.join(MEDIA_TYPES)}, found {suffix!r}")
    if suffix in ("wav", "mp3") and kept.piece.seconds / heard.rate > limits.MINUTES * 120:
        raise RefusedError("At this tempo the piece is too long for a sound file. Play it faster.", "too_long")
    stem = "".join(letter if letter.isalnum() else "_" for letter in kept.title).strip("_").lower() or "piece"
    name = f"{stem}-{kept.piece.seed}.{suffix}"
    if suffix == "mid" and not heard.changes:
        return name, _saved(kept.piece)
    played = as_heard(kept.piece, heard)
    if suffix == "mid":
        return name, bytes(_with_markers(kept.piece, played, heard).dumps_midi())
    if suffix == "musicxml":
        return name, to_musicxml(played.score, title=kept.title, chords=played.chords, border=played.border)
    if suffix == "png":
        return name, _picture(played, kept.title)
    return name, encode(_sound(played, heard), SAMPLE_RATE_HZ, suffix.upper())


def as_heard(piece: Arrangement, heard: Heard) -> Played:
    """A piece in another key and tempo, with the parts that are heard; notes that would leave a piano's keys go by octaves."""
    score = piece.score.copy()
    for place, track in enumerate(score.tracks):
        if heard.parts == (ACCOMPANIMENT if place == 0 else MELODY) and place < 2:
            for events in (track.notes, track.controls, track.pitch_bends, track.pedals, track.lyrics):
                events.clear()
        _transpose(track, heard.transpose)
    _transpose_keys(score, heard.transpose)
    _quicken(score, heard.rate)
    chart = piece.chart.transposed(heard.transpose) if piece.chart else None
    chords = tuple(
        ChordSpan(
            span.onset_ms / heard.rate, span.end_ms / heard.rate, span.chord and span.chord.transposed(heard.transpose)
        )
        for span in piece.chords
    )
    border = None if piece.border is None else piece.border + heard.transpose
    beats, downbeats = _beats(piece)
    return Played(
        score,
        chords,
        chart.key() if chart else 0,
        border,
        beats / heard.rate,
        downbeats,
        piece.bar_lines_ms / heard.rate,
    )


def _saved(piece: Arrangement) -> bytes:
    with TemporaryDirectory() as folder:
        return piece.save(Path(folder, "piece.mid")).read_bytes()


def _transpose(track: symusic.Track, semitones: int) -> None:
    """Move a track's notes, in place. What leaves the piano comes back by octaves, unless its key is struck then anyway."""
    if not semitones or track.is_drum:
        return
    inside = {(note.time, note.pitch + semitones) for note in track.notes}
    moved = []
    for note in track.notes:
        own = pitch = note.pitch + semitones
        while pitch < LOWEST_KEY:
            pitch += 12
        while pitch > HIGHEST_KEY:
            pitch -= 12
        if pitch == own or (note.time, pitch) not in inside:
            moved.append(symusic.Note(note.time, note.duration, pitch, note.velocity))
    track.notes.clear()
    track.notes.extend(moved)


def _transpose_keys(score: symusic.Score, semitones: int) -> None:
    signatures = [
        symusic.KeySignature(item.time, key_fifths((7 * item.key + semitones) % 12), item.tonality)
        for item in score.key_signatures
    ]
    if semitones:
        score.key_signatures.clear()
        score.key_signatures.extend(signatures)


def _quicken(score: symusic.Score, rate: float) -> None:
    """Play a score faster, in place: the tempo is in the file."""
    if rate == 1:
        return
    tempi = [symusic.Tempo(tempo.time, tempo.qpm * rate) for tempo in score.tempos if tempo.mspq > 0]
    if not any(tempo.time == 0 for tempo in tempi):
        tempi.insert(0, symusic.Tempo(0, 120.0 * rate))
    score.tempos.clear()
    score.tempos.extend(tempi)


def _beats(piece: Arrangement) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The beats of a piece's bars in real ms, and which of them begin a bar: quarters, or eighths where the metre has them."""
    clock = piece.source.clock
    lines = clock.bar_lines[piece.source.first_bar : piece.source.last_bar + 1]
    top, bottom = clock.time_signature
    beat_ms = float(np.median(np.diff(lines))) / (top // 3 if bottom == 8 and top % 3 == 0 else top)
    beats: list[float] = []
    for start, stop in zip(lines[:-1].tolist(), lines[1:].tolist(), strict=True):
        count = max(1, round((stop - start) / beat_ms))
        beats += [stop - beat_ms * place for place in range(count, 0, -1)]
    times = np.array(beats)
    down = np.isclose(times[:, None], lines[None, :-1], atol=1.0).any(axis=1)
    return clock.to_real(times), down


def _with_markers(piece: Arrangement, played: Played, heard: Heard) -> symusic.Score:
    """The score with what it is made with and its chords as markers, and the metronome on a track of its own."""
    score = played.score
    kept = list(score.markers)
    score.markers.clear()
    score.markers.append(symusic.TextMeta(0, piece.about))
    score.markers.extend(kept)
    if piece.chart is not None:
        chart = piece.chart.transposed(heard.transpose)
        score.markers.extend(chart_markers(chart, piece.score, piece.source.clock))
    if heard.metronome:
        track = symusic.Track("Metronome", 0, True)
        length = max(1, score.tpq // 8)
        for tick, down in zip(ms_to_ticks(score, played.beats_ms).tolist(), played.downbeats.tolist(), strict=True):
            track.notes.append(
                symusic.Note(max(tick, 0), length, HIGH_CLICK if down else LOW_CLICK, 90 if down else 70)
            )
        score.tracks.append(track)
    return score


def _parts(played: Played) -> tuple[Notes, Notes]:
    """Melody and accompaniment in real ms, as long as they sound."""
    tracks = played.score.tracks
    melody = track_notes(played.score, tracks[:1])
    below = track_notes(played.score, tracks[1:2])
    if len(tracks) > 1 and len(below) and (spans := pedal_spans(tracks[1])):
        below = held_by_pedal(below, ticks_to_ms(played.score, np.array(spans)).tolist())
    return melody, below


def _picture(played: Played, title: str) -> bytes:
    melody, below = _parts(played)
    labels = [(span.onset_ms, span.chord.symbol(played.fifths)) for span in played.chords if span.chord]
    with TemporaryDirectory() as folder:
        path = Path(folder, "piece.png")
        save_png(path, melody, below, bar_lines_ms=played.bar_lines_ms, title=title, labels=labels)
        return path.read_bytes()


def _sound(played: Played, heard: Heard) -> NDArray[np.float32]:
    """The piece as sound, each part as loud as it is heard."""
    melody, below = _parts(played)
    notes = np.concatenate([melody, below])
    gains = np.repeat([heard.melody_gain, heard.accompaniment_gain], [len(melody), len(below)]).astype(np.float32)
    order = np.lexsort((notes["pitch"], notes["onset_ms"]))
    order = order[gains[order] > 0]
    sound = synthesize(notes[order], gains=gains[order])
    return _with_clicks(sound, played) if heard.metronome else sound


def _with_clicks(sound: NDArray[np.float32], played: Played) -> NDArray[np.float32]:
    """Sound with a click each beat, no louder than full scale."""
    samples = np.arange(int(CLICK_MS * SAMPLE_RATE_HZ / 1_000))
    fade = np.exp(-samples / len(samples) * 5)
    mixed = sound.copy()
    for time_ms, down in zip(played.beats_ms.tolist(), played.downbeats.tolist(), strict=True):
        pitch = DOWNBEAT_HZ if down else CLICK_HZ
        click = CLICK_LOUDNESS * fade * np.sin(2 * np.pi * pitch * samples / SAMPLE_RATE_HZ)
        start = max(0, int(time_ms * SAMPLE_RATE_HZ / 1_000))
        room = mixed[start : start + len(click)]
        room += click[: len(room), None].astype(np.float32)
    np.clip(mixed, -1.0, 1.0, out=mixed)
    return mixed
