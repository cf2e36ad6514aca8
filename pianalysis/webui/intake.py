"""A melody before anything is written: its lines to choose from, its key, metre, tempo and pickup, its chords.

In: a `Submission` and settings. Out: an `Intake`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pianalysis.arranging.options import Options
from pianalysis.arranging.pieces import Source, prepare
from pianalysis.arranging.transposing import transposed
from pianalysis.errors import NoMelodyError
from pianalysis.melody.candidates import Candidate, candidates
from pianalysis.webui import limits
from pianalysis.webui.answers import Intake, TrackInfo
from pianalysis.webui.melodies import Submission
from pianalysis.webui.refusals import for_people
from pianalysis.webui.telling import key_info, metre_name, pickup_of, source_chart_text
from pianalysis.webui.wire import note_rows, times

OPENING_MS: Final = 20_000.0
NAME_CHARACTERS: Final = 40


def take_in(wanted: Submission, options: Options, *, track: int = 0, melody: str = "") -> Intake:
    """What there is to say of a melody. track: the line that is chosen, 0 to have it found. melody: the text it came as.

    Raises PianalysisError for a file without a melody, or a track that isn't there.
    """
    lines = candidates(wanted.score)
    if not lines:
        raise NoMelodyError("expected a melody, found only drums; give a file with a pitched track")
    source = prepare(wanted.read, track or None, None, options.metre_asked)
    limits.check_bars(source.bars, "This melody")
    source = transposed(source, options)
    chosen = track or lines[0].number
    notes = source.melody.notes
    return {
        "title": wanted.title,
        "kind": wanted.kind,
        "melody": melody,
        "tracks": [_track(item, chosen=item.number == chosen) for item in lines],
        "track": track,
        "how_found": source.melody.how,
        "key": key_info(source),
        "time_signature": metre_name(source),
        "bpm": round(source.clock.bpm, 2),
        "pickup": pickup_of(source),
        "bars": source.bars,
        "seconds": round(float((notes["onset_ms"] + notes["duration_ms"]).max()) / 1_000, 1),
        "tunes": wanted.tunes,
        "chords": stated_text(source),
        "melody_notes": note_rows(notes),
        "bar_lines_ms": times(source.bar_lines_ms),
        "remarks": [for_people(remark) for remark in source.remarks],
    }


def stated_text(source: Source) -> str:
    """The chart that a file states, a bar for each of its melody's; "" where it states none."""
    if source.stated is None:
        return ""
    return source_chart_text(source.stated, source, source.first_bar, source.last_bar)


def _track(item: Candidate, *, chosen: bool) -> TrackInfo:
    notes = item.melody.notes
    first = float(notes["onset_ms"].min())
    opening = notes[notes["onset_ms"] < first + OPENING_MS].copy()
    opening["onset_ms"] -= first
    contour = [None if np.isnan(pitch) else round(pitch, 2) for pitch in item.contour.tolist()]
    return {
        "number": item.number,
        "name": item.name.strip()[:NAME_CHARACTERS],
        "notes": len(notes),
        "share": round(item.share, 4),
        "low": item.lowest,
        "high": item.highest,
        "likelihood": round(item.probability, 4),
        "chosen": chosen,
        "contour": contour,
        "opening": note_rows(opening),
    }
