"""The metre, the pickup and the beats of a melody, as somebody says they are, as its file has them, or as they are heard.

In: a score in ticks, its melody and what was asked for. Out: the same notes at the same times, on bar lines (and, where the
melody was played without a click, on beats) that fit them; what was changed, or might be, is said in a line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.harmony.stated import OURS
from pianalysis.melody.find import Melody
from pianalysis.music.beat_choice import beats_of_voice
from pianalysis.music.downbeats import Part, Reading, readings
from pianalysis.music.metres import (
    COMMON,
    Metre,
    bar_ticks,
    first_full_bar,
    quarters_of,
    stated_metre,
    with_bar_lines,
)
from pianalysis.music.midi import ticks_to_ms, track_notes
from pianalysis.music.notes import NOTE_DTYPE, Notes, monophonic
from pianalysis.music.regrid import Regridded, on_beats
from pianalysis.music.tracking import LONGEST_MS, Beats, distinct_onsets, grid_score

FEWEST_NOTES: Final = 12
"""Fewer notes say too little of their metre …"""
FEWEST_PLAYED: Final = 16
"""… and of the tempo that they are played in."""
SURE_WITHOUT: Final = 0.15
"""How likely a reading must be to be used where the file states no metre: what is left is 4/4 from the first note on, which is
seldom right …"""
SURE_OF_DEFAULT: Final = 0.97
"""… where it states 4/4 at 120, as programs do whose user said nothing …"""
SURE_OF_STATED: Final = 0.97
"""… and where somebody stated a metre, of which only the pickup is questioned. Of 125 validation songs whose files are right and
begin on a bar line none is changed; another reading of one of them is 0.91 sure."""
WORTH_SAYING, WORTH_DOUBT = 0.5, 0.4
"""A reading that isn't sure enough, but likelier than all others together, is offered; where somebody stated a metre, another
pickup that is about as likely as the file's: it is offered for 78 % of the validation songs whose upbeat was moved to tick 0, and
for 4 % of those that are right."""
FILE_BEGINS_A_BAR: Final = 6.0
"""How much likelier a reading is whose bar line stands at tick 0, where the melody doesn't begin there."""
NEAR_GRID_MS: Final = 8.0
ON_GRID_SHARE: Final = 0.7
OFF_BEAT_NATS, TOGETHER = 2.2, 0.45
"""How much onsets must keep together on the file's eighths, triplets, sixteenths or finer (the length of their mean direction, 1
when all are as late) to be played to its click: of the validation songs performed without one 99 % do less, of those played 15 ms
off it 2 %. And nats a note by which beats that are heard must explain the onsets better than the file's, times how much these
keep together: of all such performances 97 % are noticed (with one nat for all of them 90 %, of mazurkas and other busy dances
76 %), of what is played 15 ms off a click nothing."""
SAME: Final[dict[Metre, Metre]] = {(2, 2): (4, 4), (4, 8): (2, 4)}
"""Metres that are heard as another."""


@dataclass(frozen=True)
class Asked:
    """What somebody says beside the file. pickup: quarters before the first full bar, from the melody's first note on.

    keep: nothing is questioned. bpm: about the beats a minute of a performance.
    """

    metre: Metre | None = None
    pickup: Fraction | None = None
    keep: bool = False
    bpm: float | None = None


@dataclass(frozen=True, eq=False)
class MetreReading:
    """A score and its melody on the bar lines that were found, asked for, or there; what to say of it.

    tracked: its beats were found in how it was played.
    """

    score: symusic.Score
    melody: Melody
    remarks: tuple[str, ...] = ()
    tracked: bool = False


def read_metre_of(score: symusic.Score, melody: Melody, asked: Asked, *, written: bool = False) -> MetreReading:
    """A melody with its metre, pickup and beats put right where somebody says so, or where it is sure enough.

    written: people wrote these bar lines (a score on paper, a tune in ABC); only what is asked for is changed. The score and
    the melody given stay as they are. Raises PianalysisError for a pickup that doesn't fit into a bar.
    """
    trusted = asked.keep or written or any(marker.text.startswith(OURS) for marker in score.markers)
    remarks: list[str] = []
    default = _is_default(score)  # before its beats are moved: a tempo map of ours says nothing of the metre
    played = None if trusted else _played_beats(score, melody, asked.bpm)
    if played is not None:
        onsets, beats = played
        grid = on_beats(score, onsets, beats)
        score, melody = _on_grid(score, grid), _moved_melody(melody, grid)
        bpm = 60_000 / float(np.median(np.diff(beats.times_ms)))
        remarks.append(
            f"the notes don't keep to the file's beats; their own were found, about {bpm:.0f} a minute (--keep-metre has "
            "the file's)"
        )
    if asked.metre is not None or asked.pickup is not None:
        placed, said = _as_asked(score, melody, asked, trusted=trusted)
    elif trusted:
        placed, said = score, []
    else:
        placed, said = _as_heard(score, melody, default=default, tracked=played is not None)
    return MetreReading(placed, melody, (*remarks, *said), played is not None)


def _as_asked(score: symusic.Score, melody: Melody, asked: Asked, *, trusted: bool) -> tuple[symusic.Score, list[str]]:
    """The score in the metre, or with the pickup, that was asked for; the other is the file's, or heard."""
    metre = asked.metre or stated_metre(score)
    start = _first_tick(melody)
    if asked.pickup is not None:
        if asked.pickup >= quarters_of(metre):
            raise PianalysisError(
                f"expected a pickup shorter than a bar of {_name(metre)}, {_number(quarters_of(metre))} quarters, found "
                f"{_number(asked.pickup)}; it is counted in quarter notes"
            )
        return with_bar_lines(score, start + round(asked.pickup * score.tpq), asked.metre), []
    line, likeliest = first_full_bar(score), None
    if line == 0 and not trusted and (start % bar_ticks(score, metre) == 0 or not score.time_signatures):
        likeliest = next(iter(_readings(score, melody, SAME.get(metre, metre))), None)
    if likeliest is not None and likeliest.probability >= SURE_WITHOUT:
        line = start + round(likeliest.pickup * score.tpq)
        said = f"bars of {_name(metre)} as you asked, {_begins(likeliest)} ({likeliest.probability:.2f} sure)"
        return with_bar_lines(score, line, metre), [f"{said}; --pickup says otherwise"]
    return with_bar_lines(score, line, metre), []


def _as_heard(score: symusic.Score, melody: Melody, *, default: bool, tracked: bool) -> tuple[symusic.Score, list[str]]:
    """The score in the likeliest reading of its melody, if that is another than its own and sure enough."""
    metre, start = stated_metre(score), _first_tick(melody)
    heard_as = SAME.get(metre, metre)
    if not default and not tracked and (start % bar_ticks(score, metre) or len(score.time_signatures) != 1):
        return score, []  # its pickup, or its metres, were thought of
    found = _readings(score, melody, None if default else heard_as, tracked=tracked)
    if not found:
        return score, []
    ticks, first = bar_ticks(score, metre), first_full_bar(score)

    def is_own(reading: Reading) -> bool:
        return reading.metre == heard_as and (start + round(reading.pickup * score.tpq) - first) % ticks == 0

    best = found[0]
    if is_own(best) and not tracked:
        return score, [] if default else _doubt(next(reading for reading in found if not is_own(reading)))
    sure = SURE_OF_STATED
    if tracked:
        sure = 0.0
    elif default:
        sure = SURE_OF_DEFAULT if score.time_signatures else SURE_WITHOUT
    if best.probability >= sure:
        line = start + round(best.pickup * score.tpq)
        held = best.metre if default or tracked else None
        heard = "the notes sound" if tracked else "the melody sounds"
        said = f"{heard} like {_name(best.metre)}, {_begins(best)} ({best.probability:.2f} sure), and {'are' if tracked else 'is'}"
        return with_bar_lines(score, line, held), [
            f"{said} barred so; --time-signature, --pickup or --keep-metre say otherwise"
        ]
    if not default:
        return score, _doubt(best)
    if best.probability >= WORTH_SAYING:
        return score, [
            f"the melody may be in {_name(best.metre)}, {_begins(best)} ({best.probability:.2f} sure); if it is, pass "
            f"--time-signature {_name(best.metre)} --pickup {_number(best.pickup)}"
        ]
    return score, []


def _doubt(other: Reading) -> list[str]:
    """A line that offers another pickup than that of the file, where it is likely enough."""
    if other.probability < WORTH_DOUBT:
        return []
    return [
        f"the melody may begin {_begins(other)} ({other.probability:.2f} sure); if it does, pass --pickup "
        f"{_number(other.pickup)}"
    ]


def _readings(score: symusic.Score, melody: Melody, metre: Metre | None, *, tracked: bool = False) -> list[Reading]:
    """What the melody may be read as, from the first quarter of the file on where it doesn't begin there.

    tracked: its beats were found; tick 0 says nothing.
    """
    voice = monophonic(melody.notes)
    if len(voice) < FEWEST_NOTES:
        return []
    quarters = _quarters(score, melody, voice)
    found = readings(voice, quarters, metre, _beside(score, melody))
    start = float(np.rint(quarters[0, 0] * 4) / 4)
    if start < 0.25 or tracked:
        return found
    weights = [FILE_BEGINS_A_BAR if (start + item.pickup) % quarters_of(item.metre) == 0 else 1.0 for item in found]
    total = sum(weight * item.probability for weight, item in zip(weights, found, strict=True))
    weighed = [
        replace(item, probability=weight * item.probability / total)
        for weight, item in zip(weights, found, strict=True)
    ]
    return sorted(weighed, key=lambda reading: -reading.probability)


def _beside(score: symusic.Score, melody: Melody) -> Part | None:
    """The other notes of the file, but for its drums."""
    sung = {(note.time, note.pitch) for note in melody.score_notes}
    other = symusic.Track("", 0, False)
    for track in score.tracks:
        if not track.is_drum:
            other.notes.extend(note for note in track.notes if (note.time, note.pitch) not in sung)
    if not len(other.notes):
        return None
    other.notes.sort(key=lambda note: (note.time, note.pitch, note.duration))
    table = other.notes.numpy()
    notes = np.zeros(len(table["time"]), NOTE_DTYPE)
    notes["pitch"], notes["velocity"] = table["pitch"], table["velocity"]
    return Part(notes, np.stack([table["time"], table["time"] + table["duration"]]) / score.tpq)


def _quarters(score: symusic.Score, melody: Melody, voice: Notes) -> NDArray[np.float64]:
    """The onsets and ends of a voice of the melody in quarters."""
    ticks = np.array(sorted({note.time for note in melody.score_notes}), np.int64)
    ms = ticks_to_ms(score, ticks)
    onset = ticks[np.clip(np.searchsorted(ms, voice["onset_ms"] + 1e-3, side="right") - 1, 0, len(ticks) - 1)]
    after = np.append(onset[1:], onset[-1] + 4 * score.tpq)
    rate = np.interp(voice["onset_ms"], ms, np.gradient(ticks.astype(np.float64), ms) if len(ms) > 1 else [1.0])
    stop = np.minimum(onset + voice["duration_ms"] * rate, after)
    return np.asarray(np.stack([onset, stop]) / score.tpq, np.float64)


def _first_tick(melody: Melody) -> int:
    return min(int(note.time) for note in melody.score_notes)


def _is_default(score: symusic.Score) -> bool:
    """Whether nobody stated a metre: none is there, or 4/4 at 120 alone, as programs write it by themselves."""
    if not score.time_signatures:
        return True
    (first, *others), tempi = list(score.time_signatures), list(score.tempos)
    unset = len(tempi) == 0 or (len(tempi) == 1 and abs(tempi[0].mspq - 500_000) <= 1)
    return not others and (first.numerator, first.denominator) == COMMON and unset


def _played_beats(score: symusic.Score, melody: Melody, bpm: float | None) -> tuple[NDArray[np.float64], Beats] | None:
    """The onsets and beats of notes that were played without regard to the file's, None where they keep to those."""
    if len({tempo.mspq for tempo in score.tempos}) > 1 or len(score.time_signatures) > 1:
        return None  # somebody drew a tempo map, or bar lines
    pitched = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    notes = track_notes(score, pitched)
    onsets = distinct_onsets(notes)
    if len(onsets) < FEWEST_PLAYED or onsets[-1] - onsets[0] > LONGEST_MS:
        return None
    quarter_ms = float(ticks_to_ms(score, [score.tpq])[0])
    together = _together(onsets, quarter_ms)
    if _on_grid_share(onsets, quarter_ms) >= ON_GRID_SHARE or together > TOGETHER:
        return None
    beats = beats_of_voice(onsets, monophonic(melody.notes), bpm=bpm, notes=notes)
    of_file = max(
        grid_score(onsets, np.arange(0.0, onsets[-1] + 6 * quarter_ms, quarter_ms * beat), division)
        for beat, division in ((1.0, 2), (2.0, 2), (0.5, 2), (1.5, 3))
    )
    if grid_score(onsets, beats.times_ms, beats.division) < of_file + OFF_BEAT_NATS * together:
        return None
    return onsets, beats


def _together(onsets: NDArray[np.float64], quarter_ms: float) -> float:
    """How much onsets are as late as each other on parts of the file's quarters, from 0 to 1."""
    turns = (np.exp(2j * np.pi * onsets * parts / quarter_ms) for parts in (2, 3, 4, 6, 8, 12))
    return max(float(np.abs(turn.mean())) for turn in turns)


def _on_grid_share(onsets: NDArray[np.float64], quarter_ms: float) -> float:
    """The share of onsets on the file's sixteenths or triplets."""
    away = np.minimum(*(np.abs(onsets - np.rint(onsets / step) * step) for step in (quarter_ms / 4, quarter_ms / 6)))
    return float(np.mean(away <= NEAR_GRID_MS))


def _on_grid(old: symusic.Score, grid: Regridded) -> symusic.Score:
    """The score on its new beats, in the old one's metre."""
    score = grid.score
    for item in old.time_signatures:
        score.time_signatures.append(symusic.TimeSignature(0, item.numerator, item.denominator))
    return score


def _moved_melody(melody: Melody, grid: Regridded) -> Melody:
    starts = grid.ticks([note.time for note in melody.score_notes]).tolist()
    stops = grid.ticks([note.time + note.duration for note in melody.score_notes]).tolist()
    moved = symusic.Track("", 0, False)
    for note, start, stop in zip(melody.score_notes, starts, stops, strict=True):
        moved.notes.append(symusic.Note(start, max(1, stop - start), note.pitch, note.velocity))
    return replace(melody, score_notes=tuple(moved.notes), notes=track_notes(grid.score, [moved]))


def _name(metre: Metre) -> str:
    return f"{metre[0]}/{metre[1]}"


def _number(value: Fraction | float) -> str:
    return f"{float(value):g}"


def _begins(reading: Reading) -> str:
    if not reading.pickup:
        return "without a pickup"
    return f"with a pickup of {_number(reading.pickup)} quarter{'s' if reading.pickup != 1 else ''}"
