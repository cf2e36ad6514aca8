"""Marks in a score: of the sustain pedal, under the piano's lower staff, and of a ritardando.

In: a score in ticks, controller 64 on its second track, and its measures. Out: for each measure what is written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from xml.etree import ElementTree

import numpy as np
import symusic

from pianalysis.music.pedal import pedal_spans
from pianalysis.output.measures import QUARTER, SMALLEST, Measure
from pianalysis.output.slowing import WORD, slows_from

STEP_QUARTERS: Final = 0.25
LOWER_STAFF: Final = 2

Mark = Callable[[ElementTree.Element], None]


def pedal_marks(score: symusic.Score, measures: Sequence[Measure]) -> dict[int, list[Mark]]:
    """What is to be written into the measures, by their index: where the pedal is put down and let go.

    A pedal that follows a chord is marked with the chord, a sixteenth earlier at most than it goes down. A change is two marks: the
    one for both isn't shown by all programs.
    """
    spans = pedal_spans(score.tracks[1]) if len(score.tracks) > 1 else []
    if not spans:
        return {}
    places = [place for a, b in spans for place in ((_on_a_sixteenth(a, score.tpq), "start"), (b, "stop"))]
    played, marks = np.array([measure.played for measure in measures]), dict[int, list[Mark]]()
    for tick, kind in places:
        moment = tick * QUARTER / score.tpq
        index = max(
            0, int(np.searchsorted(played, moment + SMALLEST - (kind == "stop") * 2 * SMALLEST, side="right")) - 1
        )
        offset = int(np.clip(round((moment - played[index]) / SMALLEST) * SMALLEST, 0, measures[index].length))
        marks.setdefault(index, []).append(partial(_add_pedal, kind=kind, offset=offset))
    return marks


def slowing_marks(score: symusic.Score, measures: Sequence[Measure]) -> dict[int, list[Mark]]:
    """The word for a piece that slows down to its end, in the measure where it begins to."""
    tick = slows_from(score)
    if tick is None:
        return {}
    played, moment = np.array([measure.played for measure in measures]), tick * QUARTER / score.tpq
    index = max(0, int(np.searchsorted(played, moment + SMALLEST, side="right")) - 1)
    return {index: [partial(_add_word, offset=max(0, round(moment - played[index])))]}


def _add_word(element: ElementTree.Element, *, offset: int) -> None:
    direction = ElementTree.SubElement(element, "direction", placement="above")
    types = ElementTree.SubElement(direction, "direction-type")
    ElementTree.SubElement(types, "words", {"font-style": "italic"}).text = WORD
    if offset:
        ElementTree.SubElement(direction, "offset").text = str(offset)


def _on_a_sixteenth(tick: int, tpq: int) -> int:
    """The sixteenth that a tick follows."""
    step = max(1, round(STEP_QUARTERS * tpq))
    return tick // step * step


def _add_pedal(element: ElementTree.Element, *, kind: str, offset: int) -> None:
    direction = ElementTree.SubElement(element, "direction", placement="below")
    types = ElementTree.SubElement(direction, "direction-type")
    ElementTree.SubElement(types, "pedal", type=kind, line="yes", sign="no")
    if offset:
        ElementTree.SubElement(direction, "offset", sound="yes").text = str(offset)
    ElementTree.SubElement(direction, "staff").text = str(LOWER_STAFF)
