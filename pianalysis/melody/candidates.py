"""The lines of a score that may be its melody, listed: who, how high, how much of the time.

In: a score in ticks. Out: `Candidate`s, the likeliest first, by which people choose where the finder errs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.melody.find import Melody, find_melody
from pianalysis.melody.names import NameSays, read_name
from pianalysis.melody.track_features import rest_share
from pianalysis.melody.track_scores import ScoredTrack, score_tracks
from pianalysis.melody.voices import Kind, line_kind
from pianalysis.music.notes import Notes

SLICES: Final = 48
"""Into how many stretches of time a contour is cut."""
HEIGHTS: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A line that may be a piece's melody.

    number: its track's, from 1, as `find_melody(score, track=…)` and `--track` count. name, program: the track's; program by
    General MIDI, from 0. kind: all the track's notes, where it is one voice; its top line; or its likeliest line, where both hands
    play it. share: of the piece's time, in which the line doesn't rest. contour: its mean pitch in each of `SLICES` equal
    stretches of the piece, NaN where it rests. probability: that it is the melody, of all candidates.
    """

    number: int
    name: str
    program: int
    kind: Kind
    melody: Melody
    share: float
    contour: NDArray[np.float64]
    probability: float

    @property
    def lowest(self) -> int:
        """The line's lowest MIDI pitch."""
        return int(self.melody.notes["pitch"].min())

    @property
    def highest(self) -> int:
        """… and its highest."""
        return int(self.melody.notes["pitch"].max())

    def picture(self) -> str:
        """The contour as text: a block a stretch, the higher the pitch the taller, a dot where the line rests."""
        sung = self.contour[~np.isnan(self.contour)]
        low, span = float(sung.min(initial=127)), float(max(np.ptp(sung), 1)) if len(sung) else 1.0
        places = [
            0 if np.isnan(pitch) else round((pitch - low) / span * (len(HEIGHTS) - 1))
            for pitch in self.contour.tolist()
        ]
        return "".join(
            "·" if np.isnan(pitch) else HEIGHTS[place]
            for pitch, place in zip(self.contour.tolist(), places, strict=True)
        )


def candidates(score: symusic.Score, *, slices: int = SLICES) -> list[Candidate]:
    """The line of each track that has notes and isn't drums, the likeliest first: what `find_melody` takes comes first."""
    scored = score_tracks(score)
    everything = [item.part.notes for item in scored]
    begin = min((float(notes["onset_ms"].min()) for notes in everything), default=0.0)
    end = max((float((notes["onset_ms"] + notes["duration_ms"]).max()) for notes in everything), default=0.0)
    only = len(scored) == 1
    return [_candidate(score, item, (begin, end), slices, only=only) for item in scored]


def _candidate(
    score: symusic.Score, item: ScoredTrack, span_ms: tuple[float, float], slices: int, *, only: bool
) -> Candidate:
    melody = find_melody(score, track=item.number)
    return Candidate(
        item.number,
        item.part.name,
        item.part.program,
        line_kind(item.part.notes, only=only, named=read_name(item.part.name) == NameSays.MELODY),
        melody,
        1.0 - rest_share(melody.notes, span_ms[1] - span_ms[0]),
        contour(melody.notes, np.linspace(*span_ms, slices + 1)),
        item.probability,
    )


def contour(line: Notes, edges_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """A line's mean pitch in each stretch between two edges, weighed by how long each note sounds there; NaN for none.

    >>> from pianalysis.music.notes import make_notes
    >>> contour(make_notes([(0, 500, 60, 80), (500, 250, 64, 80)]), np.array([0.0, 500.0, 1000.0, 1500.0])).tolist()
    [60.0, 64.0, nan]
    """
    start, stop = line["onset_ms"], line["onset_ms"] + line["duration_ms"]
    shared = np.minimum(stop, edges_ms[1:, None]) - np.maximum(start, edges_ms[:-1, None])
    shared = np.maximum(shared, 0.0)
    total = shared.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = shared @ line["pitch"].astype(np.float64) / total
    return mean
