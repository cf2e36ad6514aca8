"""What several test files draw: tempo maps, time signatures, tracks and whole scores in ticks, notes in milliseconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import symusic
from hypothesis import strategies as st

from pianalysis.music.notes import make_notes, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import MELODY_VELOCITY, ChordTones, WindowNotes

MELODY_ROWS = st.tuples(st.floats(0, 60_000), st.floats(0, 5_000), st.integers(0, 127), st.integers(1, 127))
"""Notes of any kind, in milliseconds."""

STEPS = st.integers(0, len(vocab.TIME_IDS) - 1).map(lambda step: float(step * vocab.TIME_STEP_MS))
PITCHES = st.sampled_from(vocab.PITCH_IDS)
LENGTHS = st.sampled_from(vocab.DURATIONS_MS).map(float)

TPQS = st.sampled_from([1, 24, 96, 120, 220, 480, 960, 1024, 10_080])


def note_arrays(max_size: int = 40) -> st.SearchStrategy:
    return st.lists(MELODY_ROWS, max_size=max_size).map(make_notes)


@st.composite
def tracks(draw, *, tpq: int, name: str = "", quarters: int = 40, min_notes: int = 0):
    """Notes of which no two sound at once on one key, zero-length ones among them: what MIDI can state exactly."""
    places = st.tuples(st.integers(0, quarters * 4), st.integers(0, 127))
    starts = draw(st.dictionaries(places, st.integers(1, 127), min_size=min_notes, max_size=30))
    track = symusic.Track(name, draw(st.integers(0, 127)), False)
    for (place, pitch), velocity in sorted(starts.items()):
        later = [other for other, key in starts if key == pitch and other > place]
        first, room = place * tpq // 4, min(later, default=place + 16) * tpq // 4 - place * tpq // 4
        track.notes.append(symusic.Note(first, draw(st.integers(0, room)), pitch, velocity))
    return track


@st.composite
def scores(draw, *, max_tracks: int = 3, names: tuple[str, ...] = ("",)):
    """A score in ticks with at least one note, any tempo map from 10 to 1,000 bpm and any time signatures."""
    score = symusic.Score(draw(TPQS))
    places = st.integers(0, 50 * score.tpq)
    for tick, mspq in sorted(draw(st.dictionaries(places, st.integers(60_000, 6_000_000), max_size=5)).items()):
        score.tempos.append(symusic.Tempo(tick, mspq=mspq))
    metres = st.tuples(st.integers(1, 16), st.sampled_from([1, 2, 4, 8, 16, 32]))
    for tick, (numerator, denominator) in sorted(draw(st.dictionaries(places, metres, max_size=4)).items()):
        score.time_signatures.append(symusic.TimeSignature(tick, numerator, denominator))
    for number in range(draw(st.integers(1, max_tracks))):
        name = draw(st.sampled_from(names))
        score.tracks.append(draw(tracks(tpq=score.tpq, name=name, min_notes=int(number == 0))))
    return score


@st.composite
def beat_annotations(draw):
    """Beats 300 to 1,200 ms apart, downbeats anywhere, and a span that may reach past them on both sides."""
    gaps = draw(st.lists(st.floats(300, 1_200), min_size=1, max_size=40))
    beats = draw(st.floats(0, 5_000)) + np.cumsum([0, *gaps])
    downbeats = np.zeros(len(beats), bool)
    downbeats[draw(st.lists(st.integers(0, len(beats) - 1), min_size=1, max_size=12))] = True
    start = draw(st.floats(0, float(beats[-1])))
    return beats, downbeats, start, start + draw(st.floats(1, 120_000))


def simple_score(rows, *, tpq: int = 480, bpm: float = 120, metre: tuple[int, int] | None = None, name: str = "MELODY"):
    """A score of one track from (quarter, length in quarters, pitch) rows."""
    score = symusic.Score(tpq)
    score.tempos.append(symusic.Tempo(0, bpm))
    if metre:
        score.time_signatures.append(symusic.TimeSignature(0, *metre))
    add_track(score, rows, name=name)
    return score


def add_track(score, rows, *, name: str = "", is_drum: bool = False) -> None:
    track = symusic.Track(name, 0, is_drum)
    for onset, length, pitch in rows:
        track.notes.append(symusic.Note(round(onset * score.tpq), round(length * score.tpq), pitch, 80))
    score.tracks.append(track)


@st.composite
def grid_notes(draw, *, loud=True, one_voice=False):
    """Notes as tokens state them; with `one_voice` one at each onset."""
    velocities = st.sampled_from(vocab.DYNAMIC_VELOCITIES) if loud else st.just(MELODY_VELOCITY)
    places = draw(st.dictionaries(STEPS if one_voice else st.tuples(STEPS, PITCHES), st.tuples(LENGTHS, velocities)))
    if one_voice:
        return sort_notes(make_notes((onset, length, draw(PITCHES), v) for onset, (length, v) in places.items()))
    return sort_notes(make_notes((onset, length, pitch, v) for (onset, pitch), (length, v) in places.items()))


@st.composite
def chord_parts(draw, *, min_size=0):
    """The chords of a window: any bass, any tones, and now and then no chord; the first at 0, the others anywhere."""
    later = draw(st.sets(STEPS.filter(bool), max_size=12))
    onsets = [0, *sorted(map(int, later))] if later or min_size or draw(st.booleans()) else []
    classes = st.integers(0, 11)
    kinds = st.one_of(
        st.just((-1, ())),
        st.tuples(classes, st.sets(classes, min_size=1).map(lambda tones: tuple(sorted(tones)))),
    )
    return tuple(ChordTones(onset, *draw(kinds)) for onset in onsets)


@st.composite
def windows(draw, *, chords=None):
    """Whole windows, of any style and density, with chords and without; `chords`: only the ones or the others."""
    melody = draw(grid_notes(loud=False, one_voice=True))
    style, density = draw(st.sampled_from([*vocab.STYLES])), draw(st.sampled_from([*vocab.DENSITIES]))
    with_chords = draw(st.booleans()) if chords is None else chords
    held = draw(chord_parts()) if with_chords else None
    return WindowNotes(melody, draw(grid_notes()), style, density, held)


def lead_sheets():
    """Windows of melody and chords without an accompaniment."""
    return windows(chords=True).map(lambda window: replace(window, accompaniment=None))
