"""A melody made ready to be accompanied, and the piece that comes of it.

In: a melody (path of MIDI, MusicXML or ABC, bytes or `symusic.Score`), then notes to play under it. Out: a `Source`, then an `Arrangement`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import symusic

from pianalysis.arranging.kept import markers_of, melody_track
from pianalysis.arranging.metre_reading import Asked, read_metre_of
from pianalysis.arranging.structure import Earlier, earlier_bars
from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.key_areas import KeyAreas
from pianalysis.harmony.stated import chart_markers, stated_chart
from pianalysis.melody.find import Melody, find_melody
from pianalysis.music.clock import EARLY_MS, BeatClock, sits_on_grid, snap
from pianalysis.music.difficulty import border_under, can_play
from pianalysis.music.keys import fold_to_keyboard, key_shift
from pianalysis.music.midi import check_limits, ms_to_ticks, read_midi, ticks_to_ms, track_notes, write_midi
from pianalysis.music.notes import Notes, let_go_before_restrike, make_notes, monophonic, sort_notes
from pianalysis.music.pedal import held_by_pedal, pedal_spans
from pianalysis.music.reading import ReadScore, read_with_remarks
from pianalysis.music.tempo import with_bpm

if TYPE_CHECKING:
    from pianalysis.arranging.options import Options
    from pianalysis.harmony.chart import Chart

COMPOSED_TPQ: Final = 480
UNWRITTEN: Final = (".mxl", ".mei", ".abc", ".pdf", ".svg", ".jpg", ".jpeg", ".mp3", ".ogg", ".flac", ".m4a")
"""Ends of names that ask for another kind of file than those that are written."""


@dataclass(frozen=True, eq=False)
class Arrangement:
    """A piece: `score` holds the melody as given on track 1, the accompaniment on track 2.

    melody, accompaniment: notes in real ms. bar_lines_ms: real ms. how_found: which notes were taken as the melody.
    remarks: what a user should know (notes outside the piano, windows cut short …). chart: the chords that it was written
    from, on the clock; `chords` are the same in real ms. None for a model that knows none, and where nobody knows. source, options: what it was made of
    and what was asked for; `options` is None where nobody knows. precision: of the engine that wrote it, "int8" or
    "float32": one seed gives another piece in each.
    """

    score: symusic.Score
    melody: Notes
    accompaniment: Notes
    bar_lines_ms: np.ndarray
    seed: int
    how_found: str
    source: Source = field(repr=False)
    options: Options | None = None
    remarks: tuple[str, ...] = ()
    chart: Chart | None = None
    precision: str | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str] | bytes | symusic.Score) -> Arrangement:
        """A piece that was saved as MIDI: the melody on track 1, the accompaniment on track 2, if there is one.

        Its chart is that of the file's markers, where they state one.

        Raises PianalysisError or FileNotFoundError for what isn't such a file.
        """
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else "the piece"
        score = path if isinstance(path, symusic.core.ScoreTick) else read_midi(path, name=name)
        tracks = [track for track in score.tracks if len(track.notes)]  # lyrics may lie in one of their own
        if not 1 <= len(tracks) <= 2:
            raise PianalysisError(
                f"{name}: expected the melody on track 1 and the accompaniment on track 2, as `pianalysis arrange` "
                f"writes them, found {len(tracks)} tracks"
            )
        source = with_all_bars(prepare(score, 1, None), score)
        piece = rebuild(source, [*tracks[1].notes] if len(tracks) > 1 else [])
        if len(tracks) > 1:
            piece.score.tracks[1].controls.extend(tracks[1].controls)
        return replace(piece, chart=source.stated)

    @property
    def notes(self) -> Notes:
        """Melody and accompaniment together, sorted, in real ms."""
        return sort_notes(np.concatenate([self.melody, self.accompaniment]))

    @property
    def chords(self) -> list[ChordSpan]:
        """The chart's chords in these bars, one after the other, in real ms as the notes are; [] without a chart."""
        if self.chart is None:
            return []
        clock, bars = self.source.clock, [self.source.first_bar, self.source.last_bar]
        spans = self.chart.between(*clock.bar_lines[bars].tolist())
        times = np.array([(span.onset_ms, span.end_ms) for span in spans]).reshape(-1, 2)
        rows = zip(clock.to_real(times).tolist(), spans, strict=True)
        return [ChordSpan(onset, end, span.chord) for (onset, end), span in rows]

    @property
    def border(self) -> int | None:
        """The right hand's lowest key where a difficulty was asked for; None where the notes tell the hands (`split_hands`)."""
        rule = self.options.hand_rule if self.options else None
        if rule is None or self.options is None:
            return None
        border = border_of(self.source, self.options)
        return border if can_play(self.accompaniment, border, rule) else None

    @property
    def style(self) -> str:
        """What was asked for; where nobody knows, the default."""
        return self.options.style if self.options else "pop"

    @property
    def seconds(self) -> float:
        """The length of the piece in seconds, to the end of its last note."""
        notes = self.notes
        return float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0)) / 1_000

    @property
    def bars(self) -> int:
        """The number of bars from the first to the last that something is played in."""
        return len(self.bar_lines_ms) - 1

    @property
    def about(self) -> str:
        """What it takes to write it again: version, style, seed and precision. In a MIDI file it is the first marker."""
        from pianalysis.version import __version__

        known = f", style {self.style}, seed {self.seed}, {self.precision}" if self.options and self.precision else ""
        return f"Pianalysis {__version__}{known}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the piece as a MIDI file, whole or not at all; a name that ends in .musicxml, .xml, .wav or .png is written as
        `save_musicxml`, `save_wav` and `save_png` do.

        A MIDI file's first marker is what it is made with (`about`), then come those that the melody's file had, and its
        chart's chords, where they change. Raises PianalysisError for a name that ends in what can't be written.
        """
        suffix = Path(path).suffix.lower()
        written = {
            ".musicxml": self.save_musicxml,
            ".xml": self.save_musicxml,
            ".wav": self.save_wav,
            ".png": self.save_png,
        }
        if suffix in written:
            return written[suffix](path)
        if suffix in UNWRITTEN:
            raise PianalysisError(f"{path}: expected a name that ends in .mid, .musicxml, .wav or .png, found {suffix}")
        score = self.score.copy()
        kept = list(score.markers)
        score.markers = type(score.markers)()
        score.markers.append(symusic.TextMeta(0, self.about))
        score.markers.extend(kept)
        if self.chart is not None:
            score.markers.extend(chart_markers(self.chart, self.score, self.source.clock))
        return write_midi(path, score)

    def save_musicxml(self, path: str | os.PathLike[str], *, title: str = "") -> Path:
        """Write the piece as a score to read: the melody on a staff of its own, chord symbols above, the piano on two."""
        from pianalysis.output.musicxml import save_musicxml

        return save_musicxml(path, self, title=title)

    def save_wav(self, path: str | os.PathLike[str]) -> Path:
        """Play the piece on the sampled piano into an audio file."""
        from pianalysis.output.audio import save_wav

        return save_wav(path, self.sounding)

    @property
    def sounding(self) -> Notes:
        """`notes` as long as they sound: the accompaniment's with the sustain pedal."""
        if len(self.score.tracks) < 2 or not (spans := pedal_spans(self.score.tracks[1])):
            return self.notes
        spans_ms = ticks_to_ms(self.score, np.array(spans)).tolist()
        return sort_notes(np.concatenate([self.melody, held_by_pedal(self.accompaniment, spans_ms)]))

    def save_png(self, path: str | os.PathLike[str], *, title: str = "") -> Path:
        """Draw the piece as a piano roll, the chords above it."""
        from pianalysis.output.picture import save_png

        labels = self._labels()
        return save_png(
            path, self.melody, self.accompaniment, bar_lines_ms=self.bar_lines_ms, title=title, labels=labels
        )

    def _labels(self) -> list[tuple[float, str]]:
        """Where in real ms which chord's symbol stands."""
        key = self.chart.key() if self.chart else 0
        return [(span.onset_ms, span.chord.symbol(key)) for span in self.chords if span.chord]


@dataclass(frozen=True, eq=False)
class Source:
    """A melody on its clock.

    voice: the prompt, one voice on the piano's keys, in clock-ms. shift: the semitones that it was moved by, to the key
    that the model knows. The bars are first_bar … last_bar. stated: the chart that the file states, in the melody's own key,
    on the clock's beats; what it leaves open is a gap.

    Of a piece with a form of its own (`form.lay_out`): intro_bars: so many of the bars come before the melody. line: what the
    piano plays of it there, in clock-ms and the model's key; the voice has it too. verses: each verse's bars. returning: what
    `earlier_bars` is, where it isn't found in the voice.
    """

    score: symusic.Score
    melody: Melody
    clock: BeatClock
    voice: Notes
    first_bar: int
    last_bar: int
    on_grid: bool
    remarks: tuple[str, ...] = ()
    shift: int = 0
    stated: Chart | None = None
    intro_bars: int = 0
    line: Notes = field(default_factory=make_notes)
    verses: tuple[range, ...] = ()
    returning: Mapping[int, Earlier] | None = None

    @property
    def bars(self) -> int:
        """How many bars are accompanied."""
        return self.last_bar - self.first_bar

    @cached_property
    def keys(self) -> KeyAreas | None:
        """Where the file's key signature changes; None where it doesn't."""
        return KeyAreas.of(self.score, self.clock)

    @cached_property
    def earlier_bars(self) -> Mapping[int, Earlier]:
        """The bars in which the melody returns, and where it was heard first."""
        return self.returning if self.returning is not None else earlier_bars(self.voice, self.clock.bar_lines)

    @property
    def bar_lines_ms(self) -> np.ndarray:
        """The lines of these bars in real ms, one more than there are bars."""
        return self.clock.to_real(self.clock.bar_lines[self.first_bar : self.last_bar + 1])


def prepare(
    source: str | os.PathLike[str] | bytes | symusic.Score | ReadScore,
    track: int | None,
    max_bars: int | None,
    asked: Asked | None = None,
    *,
    tune: int | None = None,
) -> Source:
    """A melody on its clock, as it is, in its own key. tune: which one of a tune book in ABC, from 1.

    asked: what is said of its metre and tempo; what isn't said may be heard in it (`metre_reading`). Without it all is as in
    the file.
    Raises PianalysisError or FileNotFoundError for what can't be used.
    """
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else "the melody"
    if isinstance(source, symusic.core.ScoreTick):
        source = ReadScore(source)
    bpm = asked.bpm if asked else None
    read = source if isinstance(source, ReadScore) else read_with_remarks(source, name=name, tune=tune, bpm=bpm)
    score, remarks = read.score, [*read.remarks]
    melody = find_melody(score, track=track, name=name)
    if asked is not None:
        score, melody, said = _as_asked(read, melody, asked, name)
        remarks.extend(said)
    clock = BeatClock.from_score(score)
    notes = clock.notes_to_clock(melody.notes)
    folded = fold_to_keyboard(notes)
    if (folded["pitch"] != notes["pitch"]).any():
        count = int((folded["pitch"] != notes["pitch"]).sum())
        remarks.append(
            f"{count} melody notes lie off the piano's 88 keys; they are kept, and accompanied an octave nearer"
        )
    voice = monophonic(folded)
    lines = clock.bar_lines
    last_ms = float((notes["onset_ms"] + notes["duration_ms"]).max())
    first_bar = max(0, int(np.searchsorted(lines, notes["onset_ms"].min() + 1e-3, side="right")) - 1)
    last_bar = int(np.clip(np.searchsorted(lines, last_ms - 1e-3, side="left"), first_bar + 1, len(lines) - 1))
    if max_bars is not None and max_bars < last_bar - first_bar:
        last_bar = first_bar + max_bars
        remarks.append(f"only the first {max_bars} bars are accompanied, as you asked")
    on_grid, stated = sits_on_grid(voice, lines), stated_chart(score, clock)
    return Source(score, melody, clock, voice, first_bar, last_bar, on_grid, tuple(remarks), stated=stated)


def _as_asked(
    read: ReadScore, melody: Melody, asked: Asked, name: str
) -> tuple[symusic.Score, Melody, tuple[str, ...]]:
    """A score and its melody on the bar lines that fit them, in the tempo that is asked for; what is said of that."""
    found = read_metre_of(read.score, melody, asked, written=read.has_bars)
    if (
        asked.bpm is None or read.is_recording or found.tracked
    ):  # there it said how fast the beats are, which were found
        return found.score, found.melody, found.remarks
    score = with_bpm(found.score, asked.bpm)
    check_limits(score, name)
    return score, retimed(found.melody, score), found.remarks


def retimed(melody: Melody, score: symusic.Score, score_notes: Iterable[symusic.Note] | None = None) -> Melody:
    """A melody by a score's tempo map; its notes in ticks are others where they are given."""
    track = symusic.Track("", 0, False)
    track.notes.extend(melody.score_notes if score_notes is None else score_notes)
    return replace(melody, score_notes=tuple(track.notes), notes=track_notes(score, [track]))


def with_all_bars(source: Source, score: symusic.Score) -> Source:
    """The source of a piece that is there, with the bars in which only the accompaniment, on track 2, is played."""
    below = source.clock.notes_to_clock(track_notes(score, [*score.tracks[1:2]]))
    if not len(below):
        return source
    lines, ends = source.clock.bar_lines, below["onset_ms"] + below["duration_ms"]
    first = max(0, int(np.searchsorted(lines, below["onset_ms"].min() + EARLY_MS, side="right")) - 1)
    last = int(np.clip(np.searchsorted(lines, ends.max() - EARLY_MS, side="left"), 1, len(lines) - 1))
    before = max(0, source.first_bar - first)
    return replace(
        source, first_bar=min(first, source.first_bar), last_bar=max(last, source.last_bar), intro_bars=before
    )


def to_the_models_key(source: Source) -> Source:
    """The source with its voice in C major or A minor: of two octaves the one that is nearer to where it was."""
    shift = key_shift(source.voice)
    moved, line = source.voice.copy(), source.line.copy()
    moved["pitch"] += shift
    line["pitch"] += shift
    return replace(source, voice=fold_to_keyboard(moved), line=fold_to_keyboard(line), shift=shift)


def in_its_own_key(source: Source) -> Source:
    """The source with its voice in the melody's key."""
    voice, line = source.voice.copy(), source.line.copy()
    voice["pitch"] -= source.shift
    line["pitch"] -= source.shift
    return replace(source, voice=fold_to_keyboard(voice), line=fold_to_keyboard(line), shift=0)


def border_of(source: Source, options: Options) -> int:
    """The right hand's lowest key in a piece that is to be easy to play, in the melody's key."""
    return border_under(source.melody.notes, options.lowest, options.highest)


def to_real(source: Source, below: Notes, lead: np.ndarray | None = None) -> Notes:
    """What the model wrote (clock-ms, its key) as it is played: real ms, the melody's key and grid, inside the bars.

    lead: onsets on the clock that are as they should be, to which others in their beats keep (`snap`).
    """
    lines = source.clock.bar_lines
    below = below.copy()
    below["pitch"] -= source.shift
    if source.on_grid and len(below):
        below = snap(below, lines, lead)
        below = below[below["onset_ms"] < lines[source.last_bar]]
    below = let_go_before_restrike(below)
    below["duration_ms"] = np.minimum(below["duration_ms"], lines[source.last_bar] - below["onset_ms"])
    return source.clock.notes_to_real(below)


def finish(source: Source, below: Notes) -> Arrangement:
    """The piece of a melody and what is played under it, in real ms."""
    return rebuild(source, notes_in_ticks(source.score, below))


def rebuild(source: Source, below: Iterable[symusic.Note]) -> Arrangement:
    """The piece of a melody and an accompaniment in ticks."""
    score = _empty_like(source.score)
    score.tracks.append(melody_track(source.score, source.melody.score_notes))
    score.tracks.append(symusic.Track("Accompaniment", 0, False))
    score.tracks[1].notes.extend(below)
    _check_melody_kept(source.melody, score)
    accompaniment = track_notes(score, [score.tracks[1]])
    lines = source.bar_lines_ms
    return Arrangement(
        score, source.melody.notes, accompaniment, lines, 0, source.melody.how, source, remarks=source.remarks
    )


def _empty_like(score: symusic.Score) -> symusic.Score:
    """A score without tracks but with the tempo map, metres, keys and markers, but for chords, of another."""
    empty = symusic.Score(score.tpq)
    empty.tempos.extend(score.tempos)
    empty.time_signatures.extend(score.time_signatures)
    empty.key_signatures.extend(score.key_signatures)
    empty.markers.extend(markers_of(score))
    return empty


def empty_score(bpm: float) -> symusic.Score:
    """A score without notes, in 4/4."""
    score = symusic.Score(COMPOSED_TPQ)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    return score


def notes_in_ticks(tempo_map: symusic.Score, notes: Notes) -> list[symusic.Note]:
    """Notes in real ms as a score in ticks has them, sorted; no key is struck while it sounds."""
    start, stop = (ms_to_ticks(tempo_map, ms) for ms in (notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]))
    # A note shorter than a coarse tick takes the last one of its own, so that none begins at the piece's end.
    start = np.where(stop > start, start, np.maximum(stop - 1, 0))
    in_ticks = notes.copy()
    in_ticks["onset_ms"], in_ticks["duration_ms"] = start, np.maximum(stop - start, 1)
    in_ticks = let_go_before_restrike(in_ticks)
    in_ticks = in_ticks[in_ticks["duration_ms"] > 0]
    return [
        symusic.Note(int(onset), int(length), pitch, velocity) for onset, length, pitch, velocity in in_ticks.tolist()
    ]


def append_track(score: symusic.Score, name: str, notes: Notes) -> None:
    """Add a track of notes in real ms to a score in ticks, in place."""
    track = symusic.Track(name, 0, False)
    track.notes.extend(notes_in_ticks(score, notes))
    score.tracks.append(track)


def _check_melody_kept(melody: Melody, score: symusic.Score) -> None:
    """The first law, checked on every output."""
    given = [(n.time, n.duration, n.pitch, n.velocity) for n in melody.score_notes]
    written = [(n.time, n.duration, n.pitch, n.velocity) for n in score.tracks[0].notes]
    if sorted(given) != sorted(written):
        raise RuntimeError("the melody was not kept note for note; please report this with the file")
