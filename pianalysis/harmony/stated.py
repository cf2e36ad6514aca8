"""The chords that a file states in its markers or on a track of chords, and the markers that state a chart.

In: a score in ticks and its clock, or a chart. Out: a `Chart` on the clock's beats; markers, a chord each.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import GAP, Chart, ChordSpan
from pianalysis.harmony.recognise import recognised_chart
from pianalysis.harmony.symbols import Chord, parse_chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import ms_to_ticks, ticks_to_ms, track_notes

OURS: Final = "Pianalysis "
"""How the first marker of a file begins that we wrote."""
SECTIONS: Final = "ABCDEFG"
CHORD_TRACK: Final = re.compile(
    r"^\W*(chords?|akk?orde?|accords?|acordes?|accordi|acorduri|аккорды|コード|和弦|和音|코드)(?!\w)", re.IGNORECASE
)
"""How a track is called that plays a song's chords and nothing else."""


def stated_chart(score: symusic.Score, clock: BeatClock) -> Chart | None:
    """The chart that a score's markers state, else the one that a track of chords plays; None where there is neither.

    A chord holds until the next marker that is one; before the first one the chart has a gap. Markers that are no chords,
    such as a verse's name, are read over, and all of them are where they are letters from A up, as sections of a piece are
    called. A beat gets the chord that fills most of it.
    """
    marks = _chord_marks(score)
    if not marks:
        return _chart_of_track(score, clock)
    beats, lines = clock_beats(clock), clock.bar_lines
    times = clock.to_clock(ticks_to_ms(score, [tick for tick, _ in marks])).tolist()
    borders = [float(lines[0]), *times, max(times[-1], float(lines[-1]))]
    chords = [None, *(chord for _, chord in marks)]
    spans = (ChordSpan(start, end, chord) for chord, (start, end) in zip(chords, pairwise(borders), strict=True))
    return Chart.from_spans(spans, bar_lines=lines, beats=beats.borders_ms)


def _chart_of_track(score: symusic.Score, clock: BeatClock) -> Chart | None:
    """What is heard on the tracks that are called chords; silent beats are gaps."""
    tracks = [
        track for track in score.tracks if CHORD_TRACK.search(track.name) and len(track.notes) and not track.is_drum
    ]
    if not tracks or len(tracks) == len([track for track in score.tracks if len(track.notes)]):
        return None
    heard = recognised_chart(clock.notes_to_clock(track_notes(score, tracks)), clock_beats(clock))
    return heard.with_chords([chord if chord and chord.pitch_classes else None for chord in heard.chords])


def chart_markers(chart: Chart, score: symusic.Score, clock: BeatClock) -> list[symusic.TextMeta]:
    """A marker for each change of a chart, on the score's ticks; `stated_chart` gives the chart back."""
    spans, key = chart.spans, chart.key()
    ticks = ms_to_ticks(score, clock.to_real([span.onset_ms for span in spans])).tolist()
    texts = [span.chord.symbol(key) if span.chord else GAP for span in spans]
    return [symusic.TextMeta(max(tick, 0), text) for tick, text in zip(ticks, texts, strict=True)]


def other_markers(score: symusic.Score) -> list[tuple[int, str]]:
    """A score's markers that are no chords, by tick: a verse's name, a section's letter."""
    chords = {(tick, chord) for tick, chord in _chord_marks(score)}
    found = []
    for mark in sorted(score.markers, key=lambda mark: mark.time):
        text = mark.text.strip()
        states = text == GAP or (is_chord(text) and (mark.time, parse_chord(text)) in chords)
        if text and not states and not text.startswith(OURS):
            found.append((int(mark.time), text))
    return found


def _chord_marks(score: symusic.Score) -> list[tuple[int, Chord | None]]:
    """The markers that are chords, by tick; a gap's is None."""
    texts = sorted(((mark.time, mark.text.strip()) for mark in score.markers), key=lambda mark: mark[0])
    ours = bool(texts) and texts[0][1].startswith(OURS)
    marks = [(tick, text) for tick, text in texts if text == GAP or is_chord(text)]
    names = [text for _, text in marks]
    if not ours and names == list(SECTIONS[: len(names)]):
        return []
    return [(tick, None if text == GAP else parse_chord(text)) for tick, text in marks]


def is_chord(text: str) -> bool:
    """Whether a marker's text is a chord's symbol."""
    try:
        parse_chord(text)
    except PianalysisError:
        return False
    return True
