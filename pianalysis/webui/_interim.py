"""INTERIM, removed when the engine's own stream is merged: windows as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pianalysis.arranger import Arranger, Options, _finish, _prepare, _to_the_models_key
from pianalysis.notes import make_notes


@dataclass
class Fresh:
    notes: Any
    bars_done: int
    bars: int


class Stream:
    def __init__(self, arranger, source, seed, track, options):
        self.arranger, self.seed, self.options = arranger, seed, options or Options()
        self.source = _prepare(source, track, self.options.max_bars)
        if arranger.normalises_key:
            self.source = _to_the_models_key(self.source)
        lines = self.source.clock.bar_lines
        self.melody = self.source.melody.notes
        self.bar_lines_ms = self.source.clock.to_real(lines[self.source.first_bar : self.source.last_bar + 1])
        self.bars = len(self.bar_lines_ms) - 1
        self.how_found, self.remarks = self.source.melody.how, self.source.remarks
        self.parts = []

    def __iter__(self):
        done = [0]
        before = 0
        for part in self.arranger._windows(
            self.source, self.options, np.random.default_rng(self.seed), lambda a, b: done.__setitem__(0, a)
        ):
            self.parts.append(part)
            notes = self.piece.accompaniment
            lines = self.bar_lines_ms
            for bar in range(before, done[0]):
                inside = (notes["onset_ms"] >= lines[bar] - 1) & (notes["onset_ms"] < lines[bar + 1] - 1)
                yield Fresh(notes[inside], bar + 1, self.bars)
            before = done[0]

    @property
    def piece(self):
        return _finish(self.source, np.concatenate([make_notes(), *self.parts]), self.seed)


if not hasattr(Arranger, "stream"):
    Arranger.stream = lambda self, source, *, seed=0, track=None, options=None: Stream(
        self, source, seed, track, options
    )
