"""Which of several takes is closest to what people play: in its chords and its key, without clashes, neither dull nor wild.

In: finished pieces. Out: how far each is from human accompaniments. Only the piece itself is looked at: its melody, its
own chart, its notes. Likelihood counts on both sides, because the likeliest music is one note held for ever (Meister et al.
2023, *Locally Typical Sampling*).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.arranging.charting import held_chords
from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_CHORD, Chord
from pianalysis.metrics.chords import chord_tone_share, root_in_bass
from pianalysis.metrics.harmony import clash_rate
from pianalysis.metrics.keys import Key, find_key, out_of_key
from pianalysis.music.notes import Notes, make_notes, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import count_notes, voice_start
from pianalysis.tokens.tokenizer import encode
from pianalysis.tokens.windows import make_window

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Arrangement
    from pianalysis.model.engine import Engine

PEOPLE_FILE: Final = DATA / "ranking.json"
TONE_VELOCITY: Final = 64
"""Of a chord's tone where it stands for a note; nothing depends on it."""
MORE_IS_A_FAULT: Final = frozenset({"clash_rate", "out_of_key"})
"""Of these, fewer than people's are none."""


@dataclass(frozen=True)
class Look:
    """What takes are told apart by.

    surprise: nats an accompaniment note that the model found the piece less likely than it expected to find its own (its
    entropy), over windows one after the other; below 0 for a dull piece. clash_rate: `pianalysis.metrics.harmony`.
    out_of_key: `pianalysis.metrics.keys`, the key of melody and chart. chord_tones: `pianalysis.metrics.chords`, of the
    piece's chart; chord_bass: `bass_share`; both None without a chart that names a chord.
    """

    surprise: float
    clash_rate: float
    out_of_key: float
    chord_tones: float | None = None
    chord_bass: float | None = None


@dataclass(frozen=True)
class People:
    """Human accompaniments of one style, as looks: how many songs, their mean and their standard deviation."""

    songs: int
    mean: Look
    spread: Look


def look(engine: Engine, piece: Arrangement) -> Look:
    """A piece as `distance` sees it. NaN where there's nothing to see: no accompaniment, or never under a chord.

    Without a chart no chords are looked at. Those heard in the accompaniment itself would fit it whatever it plays.
    """
    voice, below = voices(piece)
    chords = spans_of(piece)
    seen = surprise(engine, piece, voice, below), clash_rate(voice, below), out_of_key(key_of(voice, chords), below)
    return Look(*seen, chord_tone_share(below, chords), bass_share(below, chords)) if chords else Look(*seen)


def distance(seen: Look, style: str, people: Mapping[str, People] | None = None) -> float:
    """How far a piece is from human ones, in standard deviations: the root of the summed squares; infinite for a NaN.

    Fewer clashes, or notes out of the key, than people's are no fault, and what is None doesn't count. people: by style;
    without it `read_people`'s. Raises PianalysisError for a style that isn't among them.

    >>> people = {"pop": People(2, Look(0.5, 0.05, 0.02, 0.95, 0.9), Look(0.5, 0.01, 0.02, 0.03, 0.1))}
    >>> distance(Look(1.5, 0.0, 0.02, 0.95), "pop", people)
    2.0
    """
    table = people or read_people()
    if style not in table:
        raise PianalysisError(f"expected a style of which human pieces were looked at, {[*table]}, found {style!r}")
    mean, spread = (asdict(of) for of in (table[style].mean, table[style].spread))
    away = {name: (value - mean[name]) / spread[name] for name, value in asdict(seen).items() if value is not None}
    away |= {name: max(away[name], 0.0) for name in MORE_IS_A_FAULT if not isnan(away[name])}
    return inf if any(map(isnan, away.values())) else float(np.linalg.norm([*away.values()]))


@lru_cache
def read_people(path: Path = PEOPLE_FILE) -> Mapping[str, People]:
    """Human accompaniments by style, from the file that `scripts/fit_ranking.py` writes: validation songs alone."""
    styles = json.loads(path.read_text(encoding="utf-8"))["styles"]
    return {
        style: People(row["songs"], Look(**row["mean"]), Look(**row["standard_deviation"]))
        for style, row in styles.items()
    }


def bass_share(below: Notes, chords: Sequence[ChordSpan]) -> float:
    """The share of chords whose bass, as the chart writes it, is the lowest key that sounds in their first beat; 0 to 1.

    People have 0.92 to 0.96; with the root instead of the bass 0.62 in classical music, where the chart inverts chords.
    """
    return root_in_bass(below, [replace(span, chord=Chord(span.chord.bass)) for span in chords if span.chord])


def key_of(voice: Notes, chords: Sequence[ChordSpan]) -> Key | None:
    """The key of a melody and of the chords below, each tone as long as its chord, on one clock; None without either."""
    tones = [
        (span.onset_ms, span.end_ms - span.onset_ms, tone, TONE_VELOCITY)
        for span in chords
        for tone in (span.chord.pitch_classes if span.chord else ())
    ]
    return find_key(np.concatenate([make_notes(tones), voice]))


def spans_of(piece: Arrangement) -> list[ChordSpan]:
    """The chords of the accompanied bars, in clock-ms and the key in which the model has them; [] without a chart."""
    if piece.chart is None:
        return []
    source = piece.source
    start, end = source.clock.bar_lines[[source.first_bar, source.last_bar]].tolist()
    spans = piece.chart.transposed(source.shift).between(start, end)
    return [span for span in spans if span.chord and span.chord != NO_CHORD]


def voices(piece: Arrangement) -> tuple[Notes, Notes]:
    """Melody and accompaniment of the accompanied bars, in clock-ms and the key in which the model has them."""
    source = piece.source
    above = source.voice[source.voice["onset_ms"] < source.clock.bar_lines[source.last_bar]]
    below = sort_notes(source.clock.notes_to_clock(piece.accompaniment))
    below["pitch"] += source.shift
    inside = (below["pitch"] >= vocab.LOWEST_PITCH) & (below["pitch"] <= vocab.HIGHEST_PITCH)
    return above, below[inside]


def surprise(engine: Engine, piece: Arrangement, voice: Notes, below: Notes) -> float:
    """The `Look.surprise` of a piece whose voices are these; NaN without an accompaniment note."""
    nats, expected, notes = 0.0, 0.0, 0
    for ids in _windows(piece, voice, below, with_chords=engine.weights.plays_chords):
        if len(ids) > engine.max_length:
            continue  # a bar of more than five hundred notes: what can't be read isn't judged
        found, entropy = engine.likelihood(ids, voice_start(ids))
        nats, expected, notes = nats + found, expected + entropy, notes + count_notes(ids)
    return (nats - expected) / notes if notes else float("nan")


def _windows(piece: Arrangement, voice: Notes, below: Notes, *, with_chords: bool) -> Iterator[list[int]]:
    source, bar = piece.source, piece.source.first_bar
    lines = source.clock.bar_lines[: source.last_bar + 1]
    chords = held_chords(piece.chart.transposed(source.shift)) if with_chords and piece.chart else None
    while bar < source.last_bar:
        window = make_window(voice, below, lines, bar, piece.style, chords)
        yield encode(window.notes)
        bar += window.bars
