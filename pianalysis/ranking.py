"""Which of several takes is likest to what people play: neither dull nor wild, consonant, without clashes.

In: finished pieces. Out: how far each is from human accompaniments. Consonance counts on both sides, so that no take wins by
playing nothing but thirds, and likelihood too: the likeliest music is one note held for ever (Meister et al. 2023, *Locally
Typical Sampling*).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from math import inf, isnan
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis import vocab
from pianalysis.charting import held_chords
from pianalysis.grammar import voice_start
from pianalysis.metrics.harmony import clash_rate, pitch_consonance_score
from pianalysis.metrics.likelihood import count_notes
from pianalysis.notes import Notes, sort_notes
from pianalysis.tokenizer import encode
from pianalysis.windows import make_window

if TYPE_CHECKING:
    from pianalysis.engine import Engine
    from pianalysis.pieces import Arrangement

SIXTEENTH_MS: Final = 125.0


@dataclass(frozen=True)
class Look:
    """What takes are told apart by.

    surprise: nats an accompaniment note that the model found the piece less likely than it expected to find its own (its
    entropy), over windows one after the other; below 0 for a dull piece. pcs, clash_rate: `pianalysis.metrics.harmony`.
    """

    surprise: float
    pcs: float
    clash_rate: float


HUMAN: Final[Mapping[str, tuple[Look, Look]]] = {
    "classical": (Look(0.351, 0.624, 0.035), Look(0.62, 0.109, 0.031)),
    "pop": (Look(0.931, 0.584, 0.051), Look(0.611, 0.087, 0.035)),
}
"""Mean and standard deviation of human accompaniments by style, over whole validation songs, the first 90 s of each
(`scripts/fit_ranking.py`)."""


def look(engine: Engine, piece: Arrangement) -> Look:
    """A piece as `distance` sees it. NaN where there's nothing to see: no accompaniment, or never with the melody."""
    voice, below = voices(piece)
    return Look(
        surprise(engine, piece, voice, below),
        pitch_consonance_score(voice, below, step_ms=SIXTEENTH_MS),
        clash_rate(voice, below),
    )


def distance(seen: Look, style: str) -> float:
    """How far a piece is from human ones, in standard deviations: the root of the summed squares; infinite for a NaN.

    Fewer clashes than people's are no fault.

    >>> mean, spread = HUMAN["pop"]
    >>> distance(Look(mean.surprise, mean.pcs - 2 * spread.pcs, 0.0), "pop")
    2.0
    """
    mean, spread = HUMAN.get(style, HUMAN["classical"])  # hymns aren't measured yet
    away = [(a - b) / c for a, b, c in zip(astuple(seen), astuple(mean), astuple(spread), strict=True)]
    away[-1] = max(away[-1], 0.0)
    return inf if any(map(isnan, away)) else float(np.linalg.norm(away))


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
    for ids in _windows(piece, voice, below):
        if len(ids) > engine.max_length:
            continue  # a bar of more than five hundred notes: what can't be read isn't judged
        found, entropy = engine.likelihood(ids, voice_start(ids))
        nats, expected, notes = nats + found, expected + entropy, notes + count_notes(ids)
    return (nats - expected) / notes if notes else float("nan")


def _windows(piece: Arrangement, voice: Notes, below: Notes) -> Iterator[list[int]]:
    source, bar = piece.source, piece.source.first_bar
    lines = source.clock.bar_lines[: source.last_bar + 1]
    chords = held_chords(piece.chart.transposed(source.shift)) if piece.chart else None
    while bar < source.last_bar:
        window = make_window(voice, below, lines, bar, piece.style, chords)
        yield encode(window.notes)
        bar += window.bars
