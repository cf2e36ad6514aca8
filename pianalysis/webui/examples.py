"""The example melodies, as cards: what they are called, how long they last, and how they begin.

In: a folder of MIDI files and its README, whose table names them. Out: `Example`s in the table's order.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.melody.find import find_melody
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi
from pianalysis.webui.wire import Row, opening

ROW: Final = re.compile(r"^\| \[(?P<file>[^\]]+)\]\([^)]*\) \|(?P<cells>.*)\|$", re.MULTILINE)
PLACES: Final = (DATA / "examples", Path(__file__).parents[2] / "space" / "examples")
"""In an installed package, and in the repository."""


@dataclass(frozen=True)
class Example:
    """A card. opening: its first eight bars as [onset_ms, duration_ms, pitch, velocity]."""

    name: str
    title: str
    origin: str
    metre: str
    bpm: str
    bars: str
    length: str
    opening: list[Row]

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)


def find_examples_folder(folder: Path | None = None) -> Path:
    """The folder of the examples. Raises PianalysisError if there is none."""
    for place in (folder,) if folder else PLACES:
        if place.joinpath("README.md").is_file():
            return place
    raise PianalysisError(f"expected example melodies with their README.md in {folder or PLACES[0]}, found none")


def load_examples(folder: Path) -> list[Example]:
    """The examples that the folder's README lists."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return [
        _example(folder / row["file"], [cell.strip() for cell in row["cells"].split("|")]) for row in ROW.finditer(text)
    ]


def _example(path: Path, cells: list[str]) -> Example:
    title, origin, _, metre, bpm, bars, length, *_ = cells
    score = read_midi(path)
    melody = find_melody(score).notes
    lines = BeatClock.from_score(score)
    bar_lines_ms = lines.to_real(lines.bar_lines).tolist()
    return Example(path.stem, title, _short(origin), metre, bpm, bars, length, opening(melody, bar_lines_ms))


def _short(origin: str) -> str:
    """Who or where it's from, without dates and sources.

    >>> _short("Ludwig van Beethoven (1770–1827), Symphony no. 9, 1824"), _short("Irish traditional jig, 18th century")
    ('Ludwig van Beethoven', 'Irish traditional jig')
    """
    return re.split(r" \(|, ", origin)[0]
