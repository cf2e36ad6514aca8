"""Which track has the melody: how often it is found, and what the weights of `pianalysis/data/tracks.json` are fitted on.

    python scripts/evaluate_tracks.py --data ../shared/data --split test --json after.json --former before.json --write
    python scripts/evaluate_tracks.py --data ../shared/data --fit pianalysis/data/tracks.json

The corpora's songs, with their tracks in any order, made into what people have (`KINDS`): without names, with names in other
languages, as bands, as two hands, as songs whose voice sings seldom. A choice is right if its notes and those of the right line
have F1 of `RIGHT` or more. With `PYTHONPATH` of another checkout the same files are read by that one's `find_melody`.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import symusic
from tqdm import tqdm

from pianalysis.dataset.corpora import open_files, read_splits
from pianalysis.melody.find import find_melody
from pianalysis.music.midi import read_midi

INPUTS = Path(__file__).parents[1] / "docs" / "inputs.md"
RIGHT = 0.9
CORPORA = ("pop909", "openscore_lieder", "polish_scores", "hymns")
MOST = 150  # training songs of a corpus
NEAR_TICKS = 1 / 16  # of a quarter: what is struck together
MELODIES = ("Melody", "VOCAL", "Lead Vocal", "Vocals", "主旋律", "メロディ", "ボーカル", "Mélodie", "Chant", "Gesang", "Melodie", "Melodía",
            "Voz", "Voce", "Melodia", "Мелодия", "Вокал", "멜로디", "보컬", "人声", "Voix", "Singstimme", "Vocal 1", "melody (flute)")  # fmt: skip
OTHERS = (
    "Piano",
    "Guitar",
    "Strings",
    "钢琴",
    "ピアノ",
    "Klavier",
    "Synth",
    "피아노",
    "Пианино",
    "Accompaniment",
    "Track 2",
    "Keys",
    "",
)
LURES = ("Lead Guitar", "Solo", "Harmony Vocals", "Backing Vocals", "Pad", "Chords", "Voice 2 (Harmony)")
SINGERS = (0, 0, 4, 11, 22, 24, 40, 52, 53, 56, 60, 65, 68, 71, 73, 75, 80, 81, 85)
PLAYERS = (0, 0, 1, 4, 5, 16, 24, 25, 26, 27, 46, 48, 49, 89, 90)

Rows = list[tuple[int, int, int, int]]
"""(tick, length, pitch, velocity)"""


@dataclass(frozen=True)
class Line:
    """A track to be: its notes, a programme, a name."""

    rows: Rows
    program: int = 0
    name: str = ""


@dataclass(frozen=True)
class Song:
    """What a corpus says: each part's rows, ticks a quarter, and the piece's own head."""

    key: str
    head: symusic.Score
    parts: dict[str, Rows]


@dataclass(frozen=True, eq=False)
class Example:
    """A score, the kind it is of, the (tick, pitch) of its melody's notes, and the number of its track."""

    kind: str
    score: symusic.Score
    melody: frozenset[tuple[int, int]]
    track: int


def songs(data: Path, split: str, limit: int | None) -> Iterator[tuple[str, Song]]:
    """The songs of a split, corpus by corpus."""
    for corpus in CORPORA:
        files = open_files(data / f"{corpus}.tar.xz")
        by_stem = {Path(name).stem: name for name in files if name.endswith(".mid") and "/versions/" not in name}
        keys = [key for key, where in read_splits(data / f"{corpus}_splits.json").items() if where == split]
        for key in tqdm(keys[:limit], disable=None, desc=f"{corpus} {split}"):
            if key in by_stem:
                score = read_midi(files[by_stem[key]](), name=key)
                parts: dict[str, Rows] = {}
                for track in score.tracks:
                    rows = [(note.time, note.duration, note.pitch, note.velocity) for note in track.notes]
                    parts.setdefault(track.name.strip().upper(), []).extend(rows)
                yield corpus, Song(key, score, {name: sorted(rows) for name, rows in parts.items() if rows})


def examples(corpus: str, song: Song, generator: np.random.Generator) -> Iterator[Example]:
    """All kinds of examples that a song gives."""
    parts = song.parts
    voice = next((parts[name] for name in parts if name.startswith(("MELODY", "VOICE", "SOLO", "SOPRANO"))), None)
    hands = [parts.get(f"PIANO {side}") for side in ("RH", "LH")]
    if corpus == "pop909" and voice:
        yield from _of_pop(song, voice, generator)
    elif corpus == "hymns" and voice:
        yield from _of_hymns(song, voice, generator)
    elif hands[0] and hands[1]:
        right, left = Line(hands[0]), Line(hands[1])
        yield _make("two hands, no names", song, [right, left], generator)
        yield _make(
            "two hands, named", song, [Line(right.rows, 0, "Right Hand"), Line(left.rows, 0, "Left Hand")], generator
        )
        if voice:
            yield _make("voice and piano, no names", song, [Line(voice), right, left], generator)
            short = _seldom(voice, generator)
            if len(short) >= 8:
                yield _make("short voice, no names", song, [Line(short), right, left], generator)
            yield _make("voice named, other languages", song, _named([voice, hands[0], hands[1]], generator), generator)


def _of_pop(song: Song, voice: Rows, generator: np.random.Generator) -> Iterator[Example]:
    bridge, piano = song.parts.get("BRIDGE", []), song.parts.get("PIANO", [])
    others = [rows for rows in (bridge, piano) if rows]
    yield _make("POP909, no names", song, [Line(voice), *map(Line, others)], generator)
    yield _make("melody named, other languages", song, _named([voice, *others], generator), generator)
    band = [Line(voice, int(generator.choice(SINGERS)))]
    band += [Line(rows, int(generator.choice(PLAYERS))) for rows in others]
    band += [line for line in _invented(voice, piano, generator) if generator.random() < 0.6]
    yield _make("band, no names", song, [Line(line.rows, line.program) for line in band], generator)
    named = [Line(voice, band[0].program, str(generator.choice(MELODIES)))]
    named += [Line(line.rows, line.program, line.name or str(generator.choice(LURES))) for line in band[1:]]
    yield _make("band, misleading names", song, named, generator)
    short = _seldom(voice, generator)
    broken = Line(_broken(piano, generator), int(generator.choice(PLAYERS)))
    if len(short) >= 8 and broken.rows:
        yield _make("short vocal, long broken chords", song, [Line(short, band[0].program), broken], generator)


def _of_hymns(song: Song, voice: Rows, generator: np.random.Generator) -> Iterator[Example]:
    below = [rows for name, rows in song.parts.items() if name.startswith(("ALTO", "TENOR", "BASS"))]
    yield _make("four voices, no names", song, [Line(voice), *map(Line, below)], generator)
    if len(below) == 3:
        pairs = [Line(sorted(voice + below[0]), 0, ":soprano"), Line(sorted(below[1] + below[2]), 0, ":tenor")]
        yield _make("two voices a track", song, pairs, generator)


def _named(lines: list[Rows], generator: np.random.Generator) -> list[Line]:
    """The first with a melody's name, the others with others'."""
    names = [generator.choice(MELODIES), *generator.choice(OTHERS, len(lines) - 1)]
    return [Line(rows, 0, str(name)) for rows, name in zip(lines, names, strict=True)]


def _make(kind: str, song: Song, lines: list[Line], generator: np.random.Generator) -> Example:
    """A score of some lines in any order, of which the first has the melody."""
    score = symusic.Score(song.head.tpq)
    score.tempos.extend(song.head.tempos)
    score.time_signatures.extend(song.head.time_signatures)
    order = generator.permutation(len(lines))
    for place in order:
        track = symusic.Track(lines[place].name, lines[place].program, False)
        track.notes.extend(symusic.Note(*row) for row in lines[place].rows)
        score.tracks.append(track)
    melody = frozenset((tick, pitch) for tick, _, pitch, _ in _top(lines[0].rows, song.head.tpq))
    return Example(kind, score, melody, int(np.flatnonzero(order == 0)[0]) + 1)


def _top(rows: Rows, tpq: int) -> Rows:
    """The top line: of each chord the highest, unless a higher one of the line sounds on; one voice is left alone."""
    near, line = NEAR_TICKS * tpq, Rows()
    starts = [row[0] for row in rows]
    if not any(b - a < near for a, b in itertools.pairwise(starts)):
        return rows
    for row in sorted(rows, key=lambda row: (row[0], -row[2], -row[1])):
        if not any(
            row[2] <= other[2] and row[0] < max(other[0] + other[1] - near, other[0] + near) for other in line[-24:]
        ):
            if line and row[0] - line[-1][0] < near:
                line.pop()
            line.append(row)
    return line


def _seldom(voice: Rows, generator: np.random.Generator) -> Rows:
    """A voice that sings in one stretch of the piece, a fifth to two fifths of it."""
    begin, end = voice[0][0], voice[-1][0]
    length = (end - begin) * generator.uniform(0.2, 0.4)
    start = generator.uniform(begin, end - length)
    return [row for row in voice if start <= row[0] < start + length]


def _beats(piano: Rows, tpq: int, beats: int) -> Iterator[tuple[int, list[int]]]:
    """What a piano plays in each stretch of so many beats: its tick, its pitches in order."""
    heard: dict[int, set[int]] = {}
    for tick, _, pitch, _ in piano:
        heard.setdefault(tick // (beats * tpq), set()).add(pitch)
    for stretch, pitches in sorted(heard.items()):
        yield stretch * beats * tpq, sorted(pitches)


def _broken(piano: Rows, generator: np.random.Generator, tpq: int = 480) -> Rows:
    """One voice of broken chords, in eighths or sixteenths, somewhere about middle C."""
    step, shape = (
        int(tpq / generator.choice([2, 4])),
        ([0, 1, 2, 1], [0, 2, 1, 2], [0, 1, 2], [2, 1, 0, 1])[generator.integers(4)],
    )
    lowest, rows = int(generator.integers(43, 64)), Rows()
    for start, pitches in _beats(piano, tpq, 2):
        classes = sorted({pitch % 12 for pitch in pitches})[:4]
        tones = sorted(lowest + (pitch_class - lowest) % 12 for pitch_class in classes)
        if len(tones) >= 3:
            rows += [(start + k * step, step, tones[shape[k % len(shape)]], 70) for k in range(2 * tpq // step)]
    return rows


def _invented(voice: Rows, piano: Rows, generator: np.random.Generator, tpq: int = 480) -> list[Line]:
    """What a band plays beside a melody: a bass, a pad, broken chords, timpani, a second voice a third or a sixth below."""
    bass = [(start, tpq, 28 + (pitches[0] - 28) % 12, 90) for start, pitches in _beats(piano, tpq, 1)]
    pad = [
        (start, 4 * tpq, 55 + (pitch - 55) % 12, 60)
        for start, pitches in _beats(piano, tpq, 4)
        for pitch in pitches[:3]
    ]
    drum = [(start, tpq // 2, 40 + (pitches[0] - 40) % 12, 100) for start, pitches in _beats(piano, tpq, 2)]
    down = int(generator.choice([3, 4, 8, 9, 12]))
    kept = generator.random(len(voice)) < generator.uniform(0.4, 1)
    second = [(tick, length, pitch - down, max(velocity - 10, 1)) for (tick, length, pitch, velocity), keep
              in zip(voice, kept, strict=True) if keep]  # fmt: skip
    return [
        Line(
            bass, int(generator.choice([0, 32, 33, 35, 38])), str(generator.choice(["Bass", "Baß", "ベース", "Bajo"]))
        ),
        Line(pad, int(generator.choice([0, 48, 50, 88, 89])), str(generator.choice(["Pad", "Strings", "Vocal Pads"]))),
        Line(
            _broken(piano, generator),
            int(generator.choice(PLAYERS)),
            str(generator.choice(["Arpeggio", "Guitar", "Lead"])),
        ),
        Line(drum, 47, "Timpani"),
        Line(
            second,
            int(generator.choice(SINGERS)),
            str(generator.choice(["Backing Vocals", "Harmony", "Voice 2 (Harmony)"])),
        ),
    ]


def agreement(found: set[tuple[int, int]], right: frozenset[tuple[int, int]]) -> float:
    """F1 of (tick, pitch) found."""
    return 2 * len(found & right) / max(len(found) + len(right), 1)


def measure(data: Path, split: str, limit: int | None) -> dict[str, dict[str, float]]:
    """For each kind: songs, the share that is chosen right, mean F1."""
    results: dict[str, list[float]] = {}
    for corpus, song in songs(data, split, limit):
        for example in examples(corpus, song, _generator(song)):
            found = {(note.time, note.pitch) for note in find_melody(example.score).score_notes}
            results.setdefault(example.kind, []).append(agreement(found, example.melody))
    return {
        kind: {"songs": len(f1), "right": float(np.mean(np.array(f1) >= RIGHT)), "f1": float(np.mean(f1))}
        for kind, f1 in results.items()
    }


def _generator(song: Song) -> np.random.Generator:
    return np.random.default_rng(list(song.key.encode()))


def fit(data: Path, path: Path, penalty: float) -> None:
    """Fit the weights on training songs: the chance of a track is the softmax of its weighed features."""
    from scipy.optimize import minimize

    from pianalysis.melody.track_features import FEATURES, track_features
    from pianalysis.melody.track_scores import pitched_parts

    table = json.loads(path.read_text(encoding="utf-8"))
    free = [column for column, name in enumerate(FEATURES) if name not in table["by_hand"]]
    fixed = np.array([table["by_hand"].get(name, 0.0) for name in FEATURES])
    sets = []
    for corpus, song in songs(data, "train", MOST):
        for example in examples(corpus, song, _generator(song)):
            if "name" in example.kind and "no names" not in example.kind:
                continue
            numbers, parts = pitched_parts(example.score)
            sets.append((track_features(parts), numbers.index(example.track)))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = penalty * float(weights @ weights), 2 * penalty * weights
        for rows, right in sets:
            logits = rows[:, free] @ weights + rows @ fixed
            chances = np.exp(logits - logits.max())
            chances /= chances.sum()
            total -= float(np.log(chances[right] + 1e-12))
            slope = slope + (chances @ rows[:, free] - rows[right, free])
        return total, slope

    weights = minimize(loss, np.zeros(len(free)), jac=True, method="L-BFGS-B").x
    table["fitted"] = {FEATURES[column]: round(float(weight), 3) for column, weight in zip(free, weights, strict=True)}
    path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(table, indent=1), f"{len(sets)} examples, loss {loss(weights)[0] / len(sets):.4f}")


def table(results: dict[str, dict[str, float]], former: dict[str, dict[str, float]], split: str) -> str:
    """Markdown: a row a kind, before and now."""
    rows = [
        f"| {kind} | {row['songs']} | {former[kind]['right']:.3f} | {row['right']:.3f} | {former[kind]['f1']:.3f} | {row['f1']:.3f} |"
        for kind, row in results.items()
    ]
    head = ["| what is given | songs | right before | right | F1 before | F1 |", "|---|--:|--:|--:|--:|--:|"]
    legend = (
        f"`scripts/evaluate_tracks.py --split {split}`, which makes these files from the corpora's songs and says how; the weights "
        f"were fitted on training songs, those of names, programmes and lines that hardly sound set by hand. *Right*: the share of songs of whose notes F1 is {RIGHT} or more, where the right ones are the "
        "voice's, and of two hands the top line of the right. *Before*: a track named so, else the highest of those that are one voice, "
        "else melody extraction. POP909's songs without names are MELODY, BRIDGE and PIANO; a band adds a bass, a pad, broken chords, "
        "timpani and a second voice, made by rule."
    )
    return "\n".join([*head, *rows, "", legend])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the corpora's archives")
    parser.add_argument("--split", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--limit", type=int, help="at most so many songs a corpus")
    parser.add_argument(
        "--fit", type=Path, metavar="FILE", help="fit the weights in this file anew, and write them there"
    )
    parser.add_argument("--penalty", type=float, default=0.2, help="how much the weights' squares cost")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--former", type=Path, metavar="FILE", help="the same file as another checkout had it")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/inputs.md, beside --former's figures"
    )
    args = parser.parse_args(argv)
    if args.fit:
        fit(args.data, args.fit, args.penalty)
        return 0
    results = measure(args.data, args.split, args.limit)
    for kind, row in results.items():
        print(f"{kind:36} {row['songs']:5} right {row['right']:.3f} F1 {row['f1']:.3f}")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if args.write:
        from update_readme import between  # its neighbour in scripts/

        former = json.loads(args.former.read_text(encoding="utf-8"))
        text = INPUTS.read_text(encoding="utf-8")
        INPUTS.write_text(between(text, "lines", table(results, former, args.split)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
