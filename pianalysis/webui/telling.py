"""What there is to say of a piece, as plain lists and dicts: its notes by hand, its chords, key, metre and tempo.

In: sources and pieces. Out: JSON-ready values, times in real milliseconds.
"""

from __future__ import annotations

import numpy as np
import symusic

from pianalysis.arranging.alternatives import LikelyChord, PieceChords, chart_of_bars
from pianalysis.arranging.arranger import Arrangement
from pianalysis.arranging.pieces import Source
from pianalysis.harmony.chart import GAP, Chart
from pianalysis.harmony.symbols import key_fifths
from pianalysis.metrics.keys import Key, find_key
from pianalysis.music.clock import QUARTER_MS, tempo_fold
from pianalysis.music.hands import split_hands
from pianalysis.music.keys import keys_of
from pianalysis.music.metres import quarters_of, stated_metre
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.notes import Notes
from pianalysis.music.pedal import pedal_spans
from pianalysis.webui.answers import ChordInfo, KeyInfo, TrackName
from pianalysis.webui.wire import times

SHARP_NAMES = ("F", "C", "G", "D", "A", "E", "B")
LEFT, RIGHT = "L", "R"


def hands_of(notes: Notes, border: int | None = None) -> str:
    """The hand that plays each note, a letter each. border: the right hand's lowest key, where it is known."""
    right = split_hands(notes) if border is None else notes["pitch"] >= border
    return "".join(RIGHT if is_right else LEFT for is_right in right.tolist())


def key_info(source: Source) -> KeyInfo:
    """The key of a source's melody: what its file states, or the likeliest; its mode where nobody states it too.

    Most files that state C major say nothing: there the notes tell.
    """
    stated = [item for item in keys_of(source.score) if item.mode]
    heard = find_key(source.melody.notes) or Key(0, False)
    fifths = key_fifths(heard.tonic, heard.is_minor)
    if stated and (stated[0].fifths or stated[0].mode == "minor"):
        return named_key(stated[0].fifths, is_minor=stated[0].mode == "minor")
    return named_key(fifths, is_minor=heard.is_minor)


def named_key(fifths: int, *, is_minor: bool) -> KeyInfo:
    """A key by its sharps.

    >>> named_key(1, is_minor=False)["name"], named_key(-3, is_minor=True)["name"], named_key(6, is_minor=False)["name"]
    ('G major', 'C minor', 'F# major')
    """
    place = fifths + 1 + 3 * is_minor
    sharps = place // 7
    accidental = "#" * sharps if sharps > 0 else "b" * -sharps
    return {"fifths": fifths, "name": f"{SHARP_NAMES[place % 7]}{accidental} {'minor' if is_minor else 'major'}"}


def metre_name(source: Source) -> str:
    """The metre of most of the bars."""
    return "{}/{}".format(*stated_metre(source.score))


def pickup_of(source: Source) -> float:
    """The quarters from the melody's first note to the first whole bar's line; 0 where it begins on one."""
    lines = source.clock.bar_lines
    first = float(source.clock.notes_to_clock(source.melody.notes)["onset_ms"].min())
    line = float(lines[min(source.first_bar + 1, len(lines) - 1)])
    quarters = (line - first) / (QUARTER_MS * tempo_fold(source.clock.bpm))
    whole = float(quarters_of(stated_metre(source.score)))
    return 0.0 if quarters >= whole - 0.02 else round(quarters * 96) / 96


def chord_info(chord: LikelyChord, fifths: int, *, given: bool = False) -> ChordInfo:
    """A chord for the page, spelled in a key of so many sharps. given: somebody said so."""
    start, end = times([chord.onset_ms, chord.end_ms])
    known = chord.probability is not None and not given
    return {
        "start_ms": start,
        "end_ms": end,
        "bar": chord.bar,
        "beat": chord.beat,
        "symbol": chord.chord.symbol(fifths) if chord.chord else GAP,
        "probability": round(chord.probability, 4) if known and chord.probability is not None else None,
    }


def chord_list(piece: Arrangement, given: frozenset[int] | None = frozenset()) -> list[ChordInfo]:
    """A piece's chords; [] where its model knows none. given: the bars, from 1, whose chords somebody gave; None: all."""
    if piece.chart is None:
        return []
    fifths = piece.chart.key()
    return [chord_info(chord, fifths, given=given is None or chord.bar in given) for chord in PieceChords(piece).chords]


def chart_text(piece: Arrangement) -> tuple[str, int]:
    """A piece's chart as text, as its melody's first verse has it, and the bar, from 1, at which it begins; "" for none."""
    source = piece.source
    first, last = source.first_bar + source.intro_bars, source.last_bar
    if source.verses:
        first, last = source.verses[0].start, source.verses[0].stop
    if piece.chart is None:
        return "", 1
    return source_chart_text(piece.chart, source, first, last), first - source.first_bar + 1


def source_chart_text(chart: Chart, source: Source, first: int, last: int) -> str:
    """The text of a chart's bars, from the first to before the last, from 0."""
    return chart_of_bars(chart, source, (first, last)).text(chart.key())


def pedal_list(piece: Arrangement) -> list[list[float]]:
    """From when to when the sustain pedal is down, in real ms."""
    if len(piece.score.tracks) < 2 or not (spans := pedal_spans(piece.score.tracks[1])):
        return []
    return [times(span) for span in ticks_to_ms(piece.score, np.array(spans))]


def track_list(score: symusic.Score) -> list[TrackName]:
    """The tracks that a melody may be chosen from."""
    return [
        {"number": number, "name": track.name.strip()[:40], "notes": len(track.notes)}
        for number, track in enumerate(score.tracks, start=1)
        if len(track.notes) and not track.is_drum
    ]
