"""The chords that somebody gives for a song, in a file of any kind.

In: a chart as text (`C | Am F | G7`), labels with times in seconds (`0.0 2.5 C:maj` a line, as .lab files have them), or a score
that states its chords (markers in MIDI, symbols in MusicXML and ABC). Out: spans in clock-ms of the song.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Chords, Excerpt
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.stated import stated_chart
from pianalysis.harmony.symbols import parse_chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.timed import File, is_score, score_of

TEXTS: Final = (".txt", ".lab")
_TIMED_LINE: Final = re.compile(r"\s*(\d+(?:\.\d*)?)[\s,]+(\d+(?:\.\d*)?)[\s,]+(\S+)\s*")


def given_chords(source: File | symusic.Score, excerpt: Excerpt, *, name: str) -> Chords:
    """The chords of a file, a score or a text's bytes, on the clock of the piece.

    A text's bars are all of the piece's, or those of the excerpt, whichever they are as many as. Raises PianalysisError that names the
    file for what can't be read or doesn't fit.
    """
    try:
        if not is_score(source):
            text = _text_of(source)
            if text is not None:
                return _timed_labels(text, excerpt.clock) or _of_chart(_chart(text, excerpt))
        score = score_of(source, name=name)
    except UnicodeDecodeError:
        raise PianalysisError(f"{name}: expected a chart as text in UTF-8, found other bytes; save it anew") from None
    except PianalysisError as error:
        said = str(error)
        raise PianalysisError(said if said.startswith(name) else f"{name}: {said}") from None
    chords = stated_chords(score, excerpt.clock)
    if not chords:
        raise PianalysisError(
            f"{name}: expected chords in markers or symbols, found none; give a chart as text (C | Am F | G7)"
        )
    return chords


def stated_chords(score: symusic.Score, clock: BeatClock) -> Chords:
    """The chords that a score states, on another clock by real time; none where it states none."""
    own = BeatClock.from_score(score)
    chart = stated_chart(score, own)
    if chart is None:
        return ()
    return tuple((*clock.to_clock(own.to_real([start, end])).tolist(), label) for start, end, label in _of_chart(chart))


def _of_chart(chart: Chart) -> Chords:
    """The spans of a chart with their names; a gap is no chord's."""
    return tuple((span.onset_ms, span.end_ms, span.chord.harte() if span.chord else "N") for span in chart.spans)


def _text_of(source: File) -> str | None:
    """The text of a chart; None where the source is a score's file or bytes."""
    if isinstance(source, bytes):
        return None if source[:4] == b"MThd" else source.decode("utf-8-sig")
    path = Path(os.fspath(source))
    return path.read_bytes().decode("utf-8-sig") if path.suffix.lower() in TEXTS else None


def _timed_labels(text: str, clock: BeatClock) -> Chords:
    """Labels with seconds, each line start, end and chord; () where the text is something else."""
    rows = [_TIMED_LINE.fullmatch(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = [row.groups() for row in rows if row is not None]
    if not rows or len(found) < len(rows):
        return ()
    chords = []
    for start, end, label in found:
        parse_chord(label)  # a label that nobody knows is said, rather than silently no chord
        onset_ms, end_ms = clock.to_clock([float(start) * 1_000, float(end) * 1_000]).tolist()
        chords.append((onset_ms, end_ms, label))
    return tuple(chords)


def _chart(text: str, excerpt: Excerpt) -> Chart:
    clock, beats = excerpt.clock, clock_beats(excerpt.clock)
    try:
        return Chart.from_text(text, bar_lines=clock.bar_lines, beats=beats.borders_ms)
    except PianalysisError:
        start, end = excerpt.span_ms
        inside = beats.borders_ms[(beats.borders_ms >= start - 1e-3) & (beats.borders_ms <= end + 1e-3)]
        lines = clock.bar_lines[excerpt.first : excerpt.stop + 1]
        return Chart.from_text(text, bar_lines=lines, beats=inside)
