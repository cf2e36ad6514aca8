"""The last chord of a piece, which stays.

In: a source and its chart, both in one key. Out: an `Ending`: from when on which chord stays; and notes that end with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.arranging.charting import held_chords
from pianalysis.arranging.form_options import AUTO, NONE
from pianalysis.errors import PianalysisError
from pianalysis.harmony.symbols import Chord
from pianalysis.metrics.keys import RELATIVE, Key, find_key
from pianalysis.music.clock import EARLY_MS, ROUNDING_MS
from pianalysis.music.midi import ms_to_ticks
from pianalysis.music.notes import Notes, make_notes, sort_notes
from pianalysis.tokens.windows import HeldChord

if TYPE_CHECKING:
    from pianalysis.arranging.options import Options
    from pianalysis.arranging.pieces import Source
    from pianalysis.harmony.chart import Chart

BASS_KEY: Final = 38
"""Around this D2 the last bass lies."""
LEAP_WEIGHT: Final = 0.25
"""What a semitone from the bass before costs, beside one from there."""
HIGHEST_BASS: Final = 52
LOWEST_ABOVE: Final = 48
"""Below this key the last chord's upper tones growl."""
HIGHEST_ABOVE: Final = 72
OCTAVE: Final = 12
UNKNOWN_TOP: Final = 84
UNKNOWN_VELOCITY: Final = 64
LOOKED_BACK: Final = 12
"""So many of the last notes say how loud the last chord is."""


@dataclass(frozen=True)
class Ending:
    """From onset_ms to end_ms, clock-ms, a chord stays: its bass and its tones, pitch classes. top: the melody's last key."""

    onset_ms: float
    end_ms: float
    bass: int
    tones: tuple[int, ...]
    top: int


def ending_of(source: Source, chart: Chart | None, options: Options) -> Ending | None:
    """How a piece ends; None where it ends as the model writes it. Raises PianalysisError where no chord is known for it."""
    if options.ending == NONE or (options.ending == AUTO and chart is None):
        return None
    if chart is None:
        raise PianalysisError(
            f"expected chords for the ending {options.ending!r}, found none: this model knows no chords; choose a model that plays "
            "chords, or the ending none"
        )
    key, end_ms = find_key(source.voice), float(source.clock.bar_lines[source.last_bar])
    chord = chart.at(end_ms - 1.0)
    at_home = bool(chord and chord.pitch_classes and chord.root in _homes(key))
    cut_off = bool((source.voice["onset_ms"] >= end_ms - ROUNDING_MS).any())  # the melody goes on, by itself
    if options.ending == AUTO and (cut_off or not at_home):
        return None
    held = next((span for span in held_chords(chart) if span.start_ms < end_ms - ROUNDING_MS <= span.end_ms), None)
    if held is None or not held.tones:
        home = Chord(key.tonic if key else 0, "min" if key and key.is_minor else "maj")
        held = HeldChord(0.0, end_ms, home.bass, tuple(sorted(home.pitch_classes)))
    sung = source.voice[source.voice["onset_ms"] < end_ms - ROUNDING_MS]
    begins = max(
        float(source.clock.bar_lines[source.last_bar - 1]), held.start_ms, float(sung["onset_ms"].max(initial=0))
    )
    return Ending(begins, end_ms, held.bass, held.tones, int(sung["pitch"][-1]) if len(sung) else UNKNOWN_TOP)


def _homes(key: Key | None) -> tuple[int, ...]:
    """The roots that a piece in a scale comes home to: the major tonic and its relative minor's."""
    if key is None:
        return ()
    major = (key.tonic - RELATIVE * key.is_minor) % OCTAVE
    return major, (major + RELATIVE) % OCTAVE


def onset_in_ticks(source: Source, ending: Ending) -> int:
    """The tick from which a last chord stays."""
    return int(ms_to_ticks(source.score, source.clock.to_real([ending.onset_ms]))[0])


def ended(notes: Notes, ending: Ending, before: Notes, keys: tuple[int, int], *, octave: bool) -> Notes:
    """A piece's last notes with its last chord in place of what would be struck from there on (a new array).

    before: what was played before these. keys: the lowest and the highest. octave: whether the bass is doubled.
    """
    kept = notes[notes["onset_ms"] < ending.onset_ms - EARLY_MS].copy()
    kept["duration_ms"] = np.minimum(kept["duration_ms"], ending.onset_ms - kept["onset_ms"])
    past = sort_notes(np.concatenate([before[-LOOKED_BACK:], kept]))[-LOOKED_BACK:]
    low = past["pitch"][past["pitch"] < HIGHEST_BASS]
    velocity = int(np.median(past["velocity"])) if len(past) else UNKNOWN_VELOCITY
    length = ending.end_ms - ending.onset_ms
    chord = chord_keys(ending, int(low[-1]) if len(low) else BASS_KEY, keys, octave=octave)
    return sort_notes(np.concatenate([kept, make_notes((ending.onset_ms, length, key, velocity) for key in chord)]))


def held_on(notes: Notes, ending: Ending) -> Notes:
    """A hymn's last notes: the voices stay on the last chord (a new array)."""
    late = notes["onset_ms"] >= ending.onset_ms - EARLY_MS
    first = float(notes["onset_ms"][late].min()) if late.any() else float(notes["onset_ms"].max(initial=0))
    stays = notes["onset_ms"] == first
    kept: Notes = notes[stays | (notes["onset_ms"] < first)].copy()
    kept["duration_ms"][kept["onset_ms"] == first] = ending.end_ms - first
    return kept


def chord_keys(ending: Ending, before: int, keys: tuple[int, int], *, octave: bool = True) -> list[int]:
    """The keys of a last chord, rising: its bass near to the one before, its tones in close position below the melody.

    >>> chord_keys(Ending(0, 2000, 0, (0, 4, 7), 72), 43, (21, 108))
    [36, 48, 60, 64, 67]
    """
    lowest, top = keys[0], min(keys[1], ending.top - 1)
    basses = [key for key in range(lowest, min(top, HIGHEST_BASS) + 1) if key % OCTAVE == ending.bass]
    bass = min(basses, key=lambda key: LEAP_WEIGHT * abs(key - before) + abs(key - BASS_KEY), default=None)
    floor = max(lowest, LOWEST_ABOVE, (bass or 0) + 3)
    above = [key for key in range(floor, min(top, HIGHEST_ABOVE) + 1) if key % OCTAVE in ending.tones]
    above = above[-max(len(ending.tones), 3) :] if len(ending.tones) > 1 else above[-1:]
    found = [key for key in above if above[-1] - key <= OCTAVE] if above else []
    if bass is not None:
        double = bass + OCTAVE
        found += [bass, double] if octave and found and double < found[0] else [bass]
    return sorted(found)
