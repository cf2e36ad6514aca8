"""How much is taken from one person: a queue of strangers shares the machine.

In: nothing. Out: numbers with their units, and the same as the page reads them.
"""

from __future__ import annotations

from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import MAX_CHARACTERS as MAX_CHART_CHARACTERS
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.reading import ReadScore
from pianalysis.webui.refusals import RefusedError
from pianalysis.webui.wire import MAX_PLAYED_NOTES

FILE_BYTES: Final = 8 * 2**20
BODY_BYTES: Final = FILE_BYTES * 4 // 3 + 2**18
"""Of a request: a file in base64 and what goes with it."""
MINUTES: Final = 10.0
"""Of music, of the melody and of the piece."""
BARS: Final = 1_000
QUARTERS: Final = 5_000
MELODY_NOTES: Final = 20_000
TEXT_CHARACTERS: Final = 100_000
"""Of notes or ABC that are typed."""
TITLE_CHARACTERS: Final = 80
HUM_SECONDS: Final = 120
WRITING_S: Final = 240.0
"""Of work on one piece, not counting the time that it waits."""
READING_S: Final = 60.0
RENDERING_S: Final = 90.0


def for_page() -> dict[str, float]:
    """The limits that the page names or keeps to."""
    return {
        "file_bytes": FILE_BYTES,
        "minutes": MINUTES,
        "hum_seconds": HUM_SECONDS,
        "max_bars": BARS,
        "played_notes": MAX_PLAYED_NOTES,
        "text_characters": TEXT_CHARACTERS,
        "chart_characters": MAX_CHART_CHARACTERS,
        "title_characters": TITLE_CHARACTERS,
    }


def check_score(read: ReadScore, called: str) -> None:
    """Raise RefusedError for a melody that is longer than anybody may have accompanied here."""
    score = read.score
    minutes = float(ticks_to_ms(score, [score.end()])[0]) / 60_000
    if minutes > MINUTES:
        raise too_long(f"{called} lasts {minutes:.0f} minutes, and this page takes up to {MINUTES:.0f}")
    quarters = score.end() / score.tpq
    if quarters > QUARTERS:
        raise too_long(f"{called} has {quarters:,.0f} quarter notes, and this page takes up to {QUARTERS:,}")
    try:
        bars = len(BeatClock.from_score(score).bar_lines) - 1
    except PianalysisError as error:
        raise RefusedError(f"{called} can't be read: {error}", "not_readable") from None
    check_bars(bars, called)


def check_bars(bars: int, called: str) -> None:
    """Raise RefusedError for more bars than are written here."""
    if bars > BARS:
        raise too_long(f"{called} has {bars:,} bars, and this page takes up to {BARS:,}")


def check_length(seconds: float, called: str) -> None:
    """Raise RefusedError for a piece that is longer than is written here; a minute is let through for what is around it."""
    if seconds > (MINUTES + 1) * 60:
        raise too_long(f"{called} would last {seconds / 60:.0f} minutes, and this page writes up to {MINUTES:.0f}")


def too_long(sentence: str) -> RefusedError:
    """The refusal of something that is too long."""
    return RefusedError(f"{sentence}. Cut it, or run Pianalysis on your own computer, where it may last.", "too_long")
