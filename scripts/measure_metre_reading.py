"""How well metre, pickup and beats are read from a melody alone; writes the block `metre` of docs/inputs.md.

    python scripts/measure_metre_reading.py --dataset data/pianalysis --split test --write
    python scripts/measure_metre_reading.py --tunes CORPUS/airdsAirs CORPUS/essenFolksong --write      # block `tunes`

Of each song's melody, from its first note on: files that state no metre, or the default that nobody set; files whose metre is
right and whose upbeat was moved to tick 0; files that are right, which must be left alone; and performances without a click,
made from the corpora with a tempo that walks at random, slows down at the ends of phrases and at the end, and onsets that are
early or late (a fixed seed for each song). Settings are chosen with `--split validation`.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pyarrow.parquet as pq
import symusic
from tqdm import tqdm
from train_downbeats import main_metre  # its neighbours in scripts/
from tune_songs import tune_songs
from update_readme import fill

from pianalysis.arranging.metre_reading import Asked, MetreReading, read_metre_of
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song, read_song
from pianalysis.melody.find import find_melody
from pianalysis.music.beat_choice import beats_of_voice, others_of
from pianalysis.music.clock import BeatClock
from pianalysis.music.downbeats import METRES, STEPS
from pianalysis.music.metres import Metre, bar_ticks, first_full_bar, stated_metre
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.notes import Notes, monophonic, sort_notes
from pianalysis.music.tracking import distinct_onsets

ROOT = Path(__file__).parents[1]
LEGEND = (
    "Shares of songs (how many songs in brackets), or mean F-measures (`mir_eval`, 70 ms). *Downbeats right*: the length of the bar and the place of its line; "
    "a song is right or wrong as a whole. *No metre stated*: from the first note on, at tick 0. *Performances*: made from the "
    "melodies alone, or with their accompaniments, the tempo a random walk (2.5 % a beat) that slows down at the ends of phrases, onsets 20 ms early or late; beats in rests of "
    "more than four beats don't count. *To a click*: onsets 15 ms early or late. *A line doubts*: another pickup is offered."
)
OF_EVERY = "Performances, and notes played to a click: of every {}th song."
OF_TUNES = (
    "`scripts/measure_metre_reading.py --tunes` with the folders of the corpus of music21 that are named above, of each the {} tunes "
    "with the smallest digests; of other books than those that the networks were trained on. As they are repeated, from the first note on, at tick 0."
)
TICKS = 480
CLICK_JITTER_MS = 15.0
"""How far from a click people play who hear one."""
WALK, KEPT, JITTER_MS = 0.025, 0.9, 20.0
"""Per beat the tempo's logarithm moves by `WALK` and keeps so much of its distance from the middle."""
PHRASE_BARS, PHRASE_SLOWER, END_SLOWER = 8, 0.10, 0.35
SLOWEST_BPM, FASTEST_BPM = 50.0, 150.0


@dataclass(frozen=True, eq=False)
class Performance:
    """A melody as played, alone or with its accompaniment: all notes, and its own, in real ms; the beats that it was made from."""

    notes: Notes
    melody: Notes
    beats_ms: np.ndarray
    downbeats_ms: np.ndarray


def songs(dataset: Path, split: str, fewest: int = 16) -> Iterator[Song]:
    """The songs of a split; versions are left out, and melodies of a few notes."""
    for path in sorted((dataset / "notes").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(64):
            for row in batch.to_pylist():
                if row["version"] == 0 and len(row["melody"]) >= fewest:
                    song = read_song({**row, "chords": []})
                    if len(song.melody) >= fewest:
                        yield song


def beat_quarters(metre: tuple[int, int]) -> float:
    """The quarters of a beat: dotted in compound metres."""
    numerator, denominator = metre
    if denominator >= 8:
        return 1.5 if numerator % 3 == 0 and denominator == 8 and numerator > 3 else 4 / denominator
    return 1.0


def performed(song: Song, *, whole: bool = False, seconds: float = 120.0) -> Performance:
    """A song's melody as somebody might play it, its first two minutes; whole: with its accompaniment."""
    seed = zlib.crc32(song.name.encode())
    generator = np.random.default_rng(seed)
    beats, times = tempo_curve(song, generator)
    parts = [as_played(song.melody, song.quarter_ms, beats, times, generator)]
    if whole:
        parts.append(as_played(song.accompaniment, song.quarter_ms, beats, times, np.random.default_rng(seed + 2)))
    parts = [notes[notes["onset_ms"] < seconds * 1000] for notes in parts]
    notes = sort_notes(np.concatenate(parts))
    first, last = notes["onset_ms"].min(), notes["onset_ms"].max()
    early = max(0.0, 500.0 - first)
    for part in (notes, parts[0]):
        part["onset_ms"] += early
    inside = (times >= first - 1500) & (times <= last + 1500)
    down = np.interp(song.clock.bar_lines / song.quarter_ms, beats, times)
    down = down[(down >= first - 1500) & (down <= last + 1500)]
    return Performance(notes, parts[0], times[inside] + early, down + early)


def tempo_curve(song: Song, generator: np.random.Generator, faster: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A song's beats in quarters, and when they are played, in ms; faster: than its own tempo."""
    beat = beat_quarters(song.clock.time_signature)
    lines = song.clock.bar_lines / song.quarter_ms
    places = [
        np.arange(stop, start - 1e-6, -beat)[::-1] if number == 0 else np.arange(start, stop - 1e-6, beat)
        for number, (start, stop) in enumerate(pairwise(lines))
    ]
    beats = np.unique(np.concatenate([*places, lines[-1:], lines[-1:] + beat]).round(4))
    bpm = np.clip(faster * song.clock.bpm / beat, SLOWEST_BPM, FASTEST_BPM)
    walk = np.zeros(len(beats) - 1)
    for place in range(1, len(walk)):
        walk[place] = KEPT * walk[place - 1] + generator.normal(0, WALK)
    bar = np.searchsorted(lines, beats[:-1] + 1e-6, side="right") - 1
    slower = walk + PHRASE_SLOWER * (bar % PHRASE_BARS == PHRASE_BARS - 1)
    left = lines[-1] - beats[:-1]
    slower += END_SLOWER * np.clip(1 - left / 6, 0, 1)
    return beats, np.concatenate([[0.0], np.cumsum(60_000 / bpm * np.exp(slower) * np.diff(beats) / beat)])


def as_played(
    notes: Notes,
    quarter_ms: float,
    beats: np.ndarray,
    times: np.ndarray,
    generator: np.random.Generator,
    jitter_ms: float = JITTER_MS,
) -> Notes:
    """Notes in clock-ms as they are played on a tempo curve, in ms, each early or late."""
    onset = np.interp(notes["onset_ms"] / quarter_ms, beats, times)
    stop = np.interp((notes["onset_ms"] + notes["duration_ms"]) / quarter_ms, beats, times)
    notes = notes.copy()
    notes["onset_ms"] = np.maximum.accumulate(onset + generator.normal(0, jitter_ms, len(onset)))
    notes["duration_ms"] = np.maximum(0.9 * (stop - onset), 30.0)
    return notes


def heard_beats(beats_ms: np.ndarray, notes: Notes, gap: float = 4.0) -> np.ndarray:
    """The beats from the first note to the last, without those in rests of more than `gap` beats, which nobody can hear."""
    onsets, stops = np.sort(notes["onset_ms"]), np.maximum.accumulate(notes["onset_ms"] + notes["duration_ms"])
    period = float(np.median(np.diff(beats_ms)))
    inside = (beats_ms >= onsets[0] - 60) & (beats_ms <= onsets[-1] + 60)
    after = np.clip(np.searchsorted(onsets, beats_ms), 1, len(onsets) - 1)
    silent = onsets[after] - stops[after - 1] > gap * period
    within = (beats_ms > stops[after - 1] + period / 2) & (beats_ms < onsets[after] - period / 2)
    return np.asarray(beats_ms[inside & ~(silent & within)], np.float64)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--dataset", type=Path, metavar="DIR")
    given.add_argument("--tunes", type=Path, nargs="+", metavar="DIR", help="of tunes in ABC, of each at most --most")
    parser.add_argument("--split", default="test", metavar="NAME")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="performances of every Nth song only")
    parser.add_argument("--most", type=int, default=300, metavar="N")
    parser.add_argument("--write", action="store_true", help="into docs/inputs.md")
    args = parser.parse_args(argv)
    try:
        if args.tunes:
            block, what, legend = "tunes", "tunes", OF_TUNES.format(args.most)
            found, measure = tune_songs(args.tunes, args.most), metres_unstated
        else:
            block, what = "metre", f"{args.split} songs"
            legend = LEGEND + (f" {OF_EVERY.format(args.every)}" if args.every > 1 else "")
            found, measure = songs(args.dataset, args.split), metres_of
        rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number, song in enumerate(tqdm(found, unit="song")):
            values = measure(song)
            if not args.tunes and number % args.every == 0:
                values |= beats_of(song)
            for name, value in values.items():
                rows[name][song.corpus].append(value)
                rows[name]["all"].append(value)
        text = f"{table(rows, what)}\n\n{legend}"
        print(text)
        if args.write:
            fill(ROOT / "docs" / "inputs.md", block, text)
    except (PianalysisError, OSError) as error:
        print(f"measure_metre_reading: error: {error}", file=sys.stderr)
        return 2
    return 0


def metres_unstated(song: Song) -> dict[str, float]:
    """What is made of a song's melody without its metre, or without its bar lines."""
    metre = main_metre(song)
    if metre is None:
        return {}
    line, _ = true_line(song)
    right = (metre, line)
    found: dict[str, float] = {}
    bare = read(from_first_note(song, None))
    guess = (stated_metre(bare.score), first_line(bare.score))
    found["no metre stated: metre right"] = same_bar(guess[0], metre)
    found["no metre stated: downbeats right"] = same_bar(guess[0], metre) and guess[1] == line
    found["… or those of half or double bars"] = nearly(guess, right)
    asked = read(from_first_note(song, None), Asked(metre=metre))
    found["metre given, no bar lines: downbeats right"] = first_line(asked.score) == line
    return found


def metres_of(song: Song) -> dict[str, float]:
    """What is made of a song's melody without its metre, with its upbeat at tick 0, and as it is."""
    metre = main_metre(song)
    if metre is None:
        return {}
    line, start = true_line(song)
    found = metres_unstated(song)
    if len(song.accompaniment):
        found |= metres_of_whole(song, metre, line)
    stated = from_first_note(song, metre)
    if line:
        moved = read(stated)
        found["upbeat at tick 0, metre stated: put right"] = first_line(moved.score) == line
        found["… or the right pickup offered"] = first_line(moved.score) == line or any(
            f"pass --pickup {line / STEPS:g}" in remark for remark in moved.remarks
        )
    whole = song.score()
    kept = read(whole)
    found["right files changed"] = signatures(kept.score) != signatures(whole)
    found["right files that a line doubts"] = any("pass --pickup" in remark for remark in kept.remarks)
    if metre == (4, 4) and not line and not start:
        default = from_first_note(song, (4, 4), 120.0)
        found["right files changed that state 4/4 at 120"] = signatures(read(default).score) != signatures(default)
    return found


def metres_of_whole(song: Song, metre: Metre, line: int) -> dict[str, float]:
    """The same of a song's melody and accompaniment; line: the steps from the melody's first note to the first bar line."""
    score = from_first_note(song, None)
    beside = without_metre(song, song.accompaniment, score)
    bar = METRES[metre][0]
    right = (line + round(beside / TICKS * STEPS)) % bar
    bare, asked = read(score), read(score, Asked(metre=metre))
    return {
        "melody and accompaniment, no metre stated: downbeats right": same_bar(stated_metre(bare.score), metre)
        and first_line(bare.score) == right,
        "melody and accompaniment, metre given: downbeats right": first_line(asked.score) == right,
    }


def beats_of(song: Song) -> dict[str, float]:
    """What is made of performances, of the melody alone and of the whole song, and of notes played to a click."""
    found: dict[str, float] = {}
    for whole in (False, True) if len(song.accompaniment) else (False,):
        of_it = beats_of_performance(performed(song, whole=whole))
        found |= {f"melody and accompaniment: {name}" if whole else name: value for name, value in of_it.items()}
    if found:
        click = read(to_a_click(song))
        found["notes played to a click that are taken for free"] = float(len(click.score.tempos) > 1)
    return found


def beats_of_performance(played: Performance) -> dict[str, float]:
    """How well a performance's beats are found; nothing of one that is too short."""
    onsets = distinct_onsets(played.notes)
    if len(onsets) < 16 or len(heard_beats(played.beats_ms, played.notes)) < 8:
        return {}
    score = as_recorded(played)
    result = read(score)
    free = len(result.score.tempos) > 1
    found = {"performances without a click that are noticed": float(free)}

    def beats(bpm: float | None = None) -> np.ndarray:
        return beats_of_voice(onsets, monophonic(played.melody), bpm=bpm, notes=played.notes).times_ms

    ours = beats()
    values = [f_measure(played, times) for times in (ours, *other_levels(ours))]
    found["beat F-measure"] = values[0]
    found["… at the best of half, same and double speed"] = max(values)
    hint = 60_000 / float(np.median(np.diff(played.beats_ms)))
    found["… with the tempo given (--bpm)"] = f_measure(played, beats(hint))
    found["performances: notes moved in time by more than 2 ms"] = float(moved_ms(score, result.score) > 2)
    if free:
        lines = BeatClock.from_score(result.score)
        down = lines.to_real(lines.bar_lines) / 1_000
        true = heard_beats(played.downbeats_ms, played.notes) / 1_000
        found["downbeat F-measure of performances"] = float(mir_eval.beat.f_measure(true, np.unique(down)))
    return found


def read(score: symusic.Score, asked: Asked | None = None) -> MetreReading:
    return read_metre_of(score, find_melody(score, track=1), asked or Asked())


def true_line(song: Song) -> tuple[int, int]:
    """The steps from the first note to the first bar line at or after it, and from the first bar's line to the first note."""
    quarter = song.quarter_ms
    begin = round(song.melody["onset_ms"][0] / quarter * STEPS)
    lines = np.rint(song.clock.bar_lines / quarter * STEPS).astype(int)
    bar = round(song.bar_ms / quarter * STEPS)
    phases, counts = np.unique((lines[:-1] - begin) % bar, return_counts=True)
    return int(phases[counts.argmax()]), begin


def from_first_note(song: Song, metre: Metre | None, bpm: float = 90.0) -> symusic.Score:
    """A song's melody with its first note at tick 0, in a metre from there on, or in none."""
    score = symusic.Score(TICKS)
    score.tempos.append(symusic.Tempo(0, bpm))
    if metre:
        score.time_signatures.append(symusic.TimeSignature(0, *metre))
    without_metre(song, song.melody, score)
    return score


def without_metre(song: Song, notes: Notes, score: symusic.Score) -> int:
    """Add notes of a song to a score that begins with the melody; it begins with them where they come first.

    Returns by how many ticks the melody begins later than before.
    """
    quarter = song.quarter_ms
    begin = np.rint(song.melody["onset_ms"][0] / quarter * STEPS) / STEPS
    start = np.rint((notes["onset_ms"] / quarter - begin) * TICKS).astype(int)
    length = np.maximum(np.rint(notes["duration_ms"] / quarter * TICKS), 1).astype(int)
    late = max(0, -int(start.min())) if len(score.tracks) else 0
    for track in score.tracks:
        track.shift_time(late, inplace=True)
    part = symusic.Track("Accompaniment" if len(score.tracks) else "Melody", 0, False)
    for row in zip(
        np.maximum(start + late, 0).tolist(),
        length.tolist(),
        notes["pitch"].tolist(),
        notes["velocity"].tolist(),
        strict=True,
    ):
        part.notes.append(symusic.Note(*row))
    score.tracks.append(part)
    return late


def as_recorded(played: Performance, bpm: float = 120.0) -> symusic.Score:
    """A performance as a recording program saves it that knows no beats: at a tempo of its own."""
    score = symusic.Score(TICKS)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    scale = TICKS * bpm / 60_000
    for name, notes in (("Melody", played.melody), ("Accompaniment", others_of(played.melody, played.notes))):
        if len(notes):
            score.tracks.append(symusic.Track(name, 0, False))
        for onset, length, pitch, velocity in notes.tolist():
            row = round(onset * scale), max(1, round(length * scale)), pitch, velocity
            score.tracks[-1].notes.append(symusic.Note(*row))
    return score


def to_a_click(song: Song) -> symusic.Score:
    """A song's melody played to a click of its own tempo."""
    generator = np.random.default_rng(zlib.crc32(song.name.encode()) + 1)
    bpm = float(np.clip(song.clock.bpm, SLOWEST_BPM, FASTEST_BPM))
    scale = 60_000 / bpm / song.quarter_ms
    notes = song.melody.copy()
    onset = notes["onset_ms"] * scale + generator.normal(0, CLICK_JITTER_MS, len(notes))
    notes["onset_ms"], notes["duration_ms"] = np.maximum.accumulate(np.maximum(onset, 0)), notes["duration_ms"] * scale
    return as_recorded(Performance(notes, notes, np.zeros(0), np.zeros(0)), bpm)


def first_line(score: symusic.Score) -> int:
    """The first full bar's line in steps, in its bar."""
    bar = bar_ticks(score, stated_metre(score))
    return round(first_full_bar(score) % bar / score.tpq * STEPS)


def same_bar(one: Metre, other: Metre) -> bool:
    return METRES.get(one) == METRES.get(other)


def nearly(guess: tuple[Metre, int], right: tuple[Metre, int]) -> bool:
    """Whether two readings agree but for every other bar line."""
    (bar, beat), (true_bar, true_beat) = METRES.get(guess[0], (0, 0)), METRES[right[0]]
    short, long = sorted((bar, true_bar))
    return beat == true_beat and short > 0 and long in (short, 2 * short) and (guess[1] - right[1]) % short == 0


def signatures(score: symusic.Score) -> list[tuple[int, int, int]]:
    found = [(item.time, item.numerator, item.denominator) for item in score.time_signatures]
    return [*found, *((tempo.time, tempo.mspq, 0) for tempo in score.tempos)]


def other_levels(beats_ms: np.ndarray) -> Iterator[np.ndarray]:
    yield beats_ms[::2]
    yield beats_ms[1::2]
    yield np.sort(np.concatenate([beats_ms, (beats_ms[:-1] + beats_ms[1:]) / 2]))


def f_measure(played: Performance, beats_ms: np.ndarray) -> float:
    true, found = (heard_beats(times, played.notes) / 1_000 for times in (played.beats_ms, beats_ms))
    return float(mir_eval.beat.f_measure(true, found))


def moved_ms(before: symusic.Score, after: symusic.Score) -> float:
    """By how much the onsets of a score's first track differ in real time from another's, at most, in ms."""
    times = (np.sort(ticks_to_ms(score, [note.time for note in score.tracks[0].notes])) for score in (before, after))
    first, second = times
    return float(np.abs(first - second).max())


def table(rows: dict[str, dict[str, list[float]]], what: str) -> str:
    corpora = sorted({corpus for row in rows.values() for corpus in row} - {"all"})
    lines = [
        f"| {what} | {' | '.join(['all', *(name.replace('_', ' ') for name in corpora)])} |",
        f"|---|{'--:|' * (len(corpora) + 1)}",
    ]
    for name, row in rows.items():
        cells = [cell(row.get(corpus, [])) for corpus in ("all", *corpora)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: Sequence[float]) -> str:
    return f"{np.mean(np.array(values, float)):.3f} ({len(values)})" if values else ""


if __name__ == "__main__":
    raise SystemExit(main())
