"""How well chords fit melodies: people's, simple rules', an HMM's and the harmoniser's, on the test songs.

    python scripts/evaluate_harmony.py --json harmony.json
    python scripts/evaluate_harmony.py --corpora pop909 --systems people rule harmoniser --songs 20
    python scripts/evaluate_harmony.py --tunes

Prints a table in Markdown, a row a corpus and system, then how right the harmoniser is when it says how sure it is. A song's
own chords are POP909's labels, OpenEWLD's written chords, and elsewhere what `recognise` hears in melody and accompaniment
together; people's row is what it hears in the accompaniment alone (of lead sheets, the written chords). The HMM learns from the
train split. What the GPT-2 makes of the chords `scripts/evaluate_model.py` measures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pianalysis.dataset.corpora import SPLITS, Piece
from pianalysis.dataset.piece_chords import piece_chart
from pianalysis.dataset.sources import CorpusSource, open_corpus, opened
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.references import block_chords, half_bars
from pianalysis.files import write_atomically
from pianalysis.harmony.beats import WEAK, BeatGrid, clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.decoding import Chain
from pianalysis.harmony.features import EARLY_MS, PARTS, melody_features, melody_shift
from pianalysis.harmony.harmoniser import DRAWN, LIKELIEST, harmonise
from pianalysis.harmony.net import state_of
from pianalysis.harmony.recognise import recognise
from pianalysis.harmony.symbols import NO_CHORD, NO_ROOT, PITCH_CLASSES, Chord
from pianalysis.metrics.chords import strong_notes_in_chord
from pianalysis.metrics.progressions import MAJOR, MINOR, bigram_divergence, chord_bigrams, chord_changes, triad_of
from pianalysis.music.clock import BeatClock
from pianalysis.music.notes import Notes, monophonic

ARCHIVES = {
    "pop909": "pop909.tar.xz",
    "lieder": "openscore_lieder.tar.xz",
    "polish": "polish_scores.tar.xz",
    "hymns": "hymns.tar.xz",
    "openewld": "openewld.tar.xz",
}
CORPORA = tuple(ARCHIVES)
TRIADS = 24
SMOOTHING = 1.0
PHRASE_BEATS = 2
BINS = 10

Chords = Sequence[Chord | None]
"""A chord a beat; None where none is known."""


@dataclass(frozen=True, eq=False)
class HarmonySong:
    """A song with its chords: melody (one voice) and accompaniment in clock-ms, and a chord a beat, None if not known."""

    corpus: str
    piece_id: str
    title: str
    style: str
    melody: Notes
    accompaniment: Notes
    clock: BeatClock
    beats: BeatGrid
    chords: tuple[Chord | None, ...]


def spans_of(song: HarmonySong, chords: Chords) -> tuple[ChordSpan, ...]:
    """Chords on the beats of a song as spans, equal ones joined; None is no chord."""
    known = tuple(chord or NO_CHORD for chord in chords)
    return Chart(known, tuple(song.beats.borders_ms.tolist()), tuple(song.clock.bar_lines.tolist())).spans


def read_songs(data: Path, corpora: Sequence[str], split: str, *, limit: int | None = None) -> list[HarmonySong]:
    """The songs of a split with their chords, from the archives of the corpora; those that can't be read are left out."""
    songs = []
    for corpus in corpora:
        with opened([CorpusSource(corpus, str(data / ARCHIVES[corpus]))]) as (source,):
            files = open_corpus(source)
            for piece_id in tqdm(files.ids[split][:limit], desc=f"{corpus} {split}"):
                try:
                    songs += [song_of(corpus, piece) for piece in files.read(piece_id)]
                except PianalysisError as error:
                    tqdm.write(f"{piece_id}: {error}")
    return songs


def song_of(corpus: str, piece: Piece) -> HarmonySong:
    """A piece on its beats, with its chords."""
    clock = piece.clock
    chart, source = piece_chart(piece)
    # Labels say where there is no chord; silence, or nothing written yet, doesn't.
    chords = tuple(None if chord == NO_CHORD and source != "label" else chord for chord in chart.chords)
    melody, accompaniment = clock.notes_to_clock(piece.melody), clock.notes_to_clock(piece.accompaniment)
    return HarmonySong(
        corpus,
        piece.piece_id,
        piece.title,
        piece.style,
        monophonic(melody),
        accompaniment,
        clock,
        clock_beats(clock),
        chords,
    )


# --- whose chords


def peoples(song: HarmonySong) -> Chords:
    """What is heard in the human accompaniment; of lead sheets, which have none, the written chords."""
    return recognise(song.accompaniment, song.beats) if len(song.accompaniment) else song.chords


def by_rule(song: HarmonySong) -> Chords:
    """The triad of the key that has most of the melody's time, a half bar each."""
    triads = block_chords(song.melody, spans_ms=half_bars(song))
    spans = []
    for start in np.unique(triads["onset_ms"]):
        notes = triads[triads["onset_ms"] == start]
        root, *upper = np.sort(notes["pitch"]).tolist()
        quality = {(4, 7): "maj", (3, 7): "min", (3, 6): "dim"}[upper[0] - root, upper[1] - root]
        spans.append(ChordSpan(float(start), float(start + notes["duration_ms"][0]), Chord(root % 12, quality)))
    return Chart.from_spans(spans, bar_lines=song.clock.bar_lines, beats=song.beats.borders_ms).chords


class HiddenMarkov:
    """24 triads whose melody notes are drawn one by one: counted on training songs, decoded exactly.

    A chord's pitch classes, in the key of C, are weighted by their time in beats; whether it changes depends on how
    strong the beat is.
    """

    def __init__(self, songs: Sequence[HarmonySong]) -> None:
        notes = np.full((TRIADS, PITCH_CLASSES), SMOOTHING)
        pairs, first = np.full((TRIADS, TRIADS), SMOOTHING), np.full(TRIADS, SMOOTHING)
        changed = np.full((3, 2), SMOOTHING)
        for song in songs:
            shift = melody_shift(song.melody)
            states = np.array([self._state(chord, shift) for chord in song.chords])
            known = states >= 0
            np.add.at(notes, states[known], self._time(song, shift)[known])
            np.add.at(first, states[known], 1)
            both = known[:-1] & known[1:]
            before, after, strength = states[:-1][both], states[1:][both], song.beats.strength[1:][both]
            np.add.at(changed, (strength, (before != after).astype(int)), 1)
            np.add.at(pairs, (before[before != after], after[before != after]), 1)
        np.fill_diagonal(pairs, 0.0)
        with np.errstate(divide="ignore"):
            self.transitions = np.log(pairs / pairs.sum(axis=1, keepdims=True))
        np.fill_diagonal(self.transitions, 0.0)
        self.notes, self.first = np.log(notes / notes.sum(axis=1, keepdims=True)), np.log(first / first.sum())
        self.change = np.log(changed[:, 1] / changed[:, 0])

    def __call__(self, song: HarmonySong) -> Chords:
        shift = melody_shift(song.melody)
        emissions = self._time(song, shift) @ self.notes.T
        emissions[0] += self.first
        path = Chain(emissions, self.change[song.beats.strength], self.transitions).likeliest()
        return [Chord((state // 2 - shift) % PITCH_CLASSES, ("maj", "min")[state % 2]) for state in path.tolist()]

    @staticmethod
    def _state(chord: Chord | None, shift: int) -> int:
        root, mode = triad_of(chord)
        return -1 if mode not in (MAJOR, MINOR) else (root + shift) % PITCH_CLASSES * 2 + (mode == MINOR)

    @staticmethod
    def _time(song: HarmonySong, shift: int) -> np.ndarray:
        """Beats of each pitch class in each beat, ``[n, 12]``."""
        shares = melody_features(song.melody, song.beats, song.style, shift)[:, : PARTS * PITCH_CLASSES]
        return shares.reshape(len(shares), PARTS, PITCH_CLASSES).mean(axis=1)


def drawn(song: HarmonySong) -> Chords:
    """The harmoniser's chords, drawn by chance: seed 0."""
    return harmonise(song.melody, song.beats, song.style, choice=DRAWN).chart.chords


def seeded(song: HarmonySong) -> Chords:
    """The surest by the charts that seed 0 draws, as an arrangement of that seed has them."""
    return harmonise(song.melody, song.beats, song.style, seed=0).chart.chords


def likeliest(song: HarmonySong) -> Chords:
    """The chart that the harmoniser finds likeliest as a whole."""
    return harmonise(song.melody, song.beats, song.style, choice=LIKELIEST).chart.chords


def surest(song: HarmonySong) -> Chords:
    """The harmoniser's surest chords, its default."""
    return harmonise(song.melody, song.beats, song.style).chart.chords


# --- how good they are


@dataclass(frozen=True)
class Row:
    """A line of the table: shares 0 … 1, changes a bar, bits; over all beats between a melody's first and last note."""

    corpus: str
    system: str
    songs: int
    root: float
    major_minor: float
    cadence: float
    in_chord: float
    changes: float
    divergence: float


def row_of(corpus: str, system: str, songs: Sequence[HarmonySong], chords: Sequence[Chords]) -> Row:
    """How the chords of one system agree with the songs' own, beats of all songs together; they follow in the order."""
    counts = [counts_of(song, found) for song, found in zip(songs, chords, strict=True)]
    right = np.sum([item.right for item in counts], axis=0)
    asked = np.sum([item.asked for item in counts], axis=0)
    found, own = (np.sum([getattr(item, name) for item in counts], axis=0) for name in ("bigrams", "own_bigrams"))
    root, modes, cadence, changes = (right / np.maximum(asked, 1)).tolist()
    in_chord = float(np.nanmean([item.in_chord for item in counts]))
    divergence = bigram_divergence(found, own)
    return Row(corpus, system, len(songs), root, modes, cadence, in_chord, changes, divergence)


@dataclass(frozen=True, eq=False)
class Counts:
    """Of one song: how many are right, of how many: roots, major and minor, cadences; changes, of bars; the share of strong
    notes in the chord. And how often which chord follows which, found and in the song."""

    right: np.ndarray
    asked: np.ndarray
    in_chord: float
    bigrams: np.ndarray
    own_bigrams: np.ndarray


def counts_of(song: HarmonySong, found: Chords) -> Counts:
    inside = sung(song) & np.array([chord is not None for chord in found])
    found = [chord if there else None for chord, there in zip(found, inside.tolist(), strict=True)]
    wanted = [chord if there else None for chord, there in zip(song.chords, inside.tolist(), strict=True)]
    ours, theirs = (np.array([triad_of(chord) for chord in chords]).reshape(-1, 2) for chords in (found, wanted))
    known = theirs[:, 0] != NO_ROOT
    modes = known & np.isin(theirs[:, 1], (MAJOR, MINOR))
    same = ours[:, 0] == theirs[:, 0]
    ends = [beat for beat in phrase_ends(song) if inside[beat] and known[beat]]
    agreed = [beat for beat in ends if arrival(ours, beat) == arrival(theirs, beat)]
    strong = song.beats.borders_ms[:-1][song.beats.strength > WEAK]
    spans, own = spans_of(song, found), spans_of(song, wanted)
    bars = len(np.unique(song.beats.bar[inside]))
    changes = chord_changes(spans, bars=1) if any(chord not in (None, NO_CHORD) for chord in found) else 0.0
    same_mode = same & modes & (ours[:, 1] == theirs[:, 1])
    return Counts(
        np.array([(same & known).sum(), same_mode.sum(), len(agreed), changes]),
        np.array([known.sum(), modes.sum(), len(ends), bars]),
        strong_notes_in_chord(song.melody, spans, strong),
        chord_bigrams(spans),
        chord_bigrams(own),
    )


def sung(song: HarmonySong) -> np.ndarray:
    """The beats from a melody's first note to its last: before and after nobody could know the chords, ``[n]``."""
    borders, melody = song.beats.borders_ms, song.melody
    end = float(melody["onset_ms"][-1] + melody["duration_ms"][-1])
    return (borders[1:] > melody["onset_ms"][0] + 1) & (borders[:-1] < end - 1)


def phrase_ends(song: HarmonySong) -> list[int]:
    """The beats of the notes after which the melody waits two beats and more, and of its last."""
    starts = song.beats.index(song.melody["onset_ms"] + EARLY_MS)
    waits = np.append(np.diff(starts), PHRASE_BEATS)
    return np.unique(starts[waits >= PHRASE_BEATS]).tolist()


def arrival(triads: np.ndarray, beat: int) -> tuple[int, int]:
    """The root that is reached at a beat, and the one before it: where a cadence comes from and goes to."""
    earlier = triads[:beat, 0][(triads[:beat, 0] != triads[beat, 0]) & (triads[:beat, 0] != NO_ROOT)]
    return int(triads[beat, 0]), int(earlier[-1]) if len(earlier) else NO_ROOT


@dataclass(frozen=True)
class Reliability:
    """Beats whose chord the harmoniser calls about so likely: how likely on average, how many are right, of how many."""

    corpus: str
    said: float
    right: float
    beats: int


def reliability(songs: Sequence[HarmonySong], bins: int = BINS) -> list[Reliability]:
    """How often a beat's likeliest chord is right, root and quality, by how likely the harmoniser calls it; where it is sung."""
    said, right = [], []
    for song in songs:
        made = harmonise(song.melody, song.beats, song.style)
        chances = made.scores.chain.marginals()
        states = np.array([-1 if chord is None else state_of(chord, made.shift) for chord in song.chords])
        asked = sung(song) & (states >= 0)
        said.append(chances.max(axis=1)[asked])
        right.append((chances.argmax(axis=1) == states)[asked])
    all_said, all_right = np.concatenate(said), np.concatenate(right)
    place = np.minimum((all_said * bins).astype(int), bins - 1)
    return [
        Reliability(
            songs[0].corpus, float(all_said[place == row].mean()), float(all_right[place == row].mean()), int(count)
        )
        for row, count in enumerate(np.bincount(place, minlength=bins).tolist())
        if count
    ]


def charts_of_tunes() -> str:
    """Well-known tunes with the harmoniser's chords, and the share of beats that a music teacher would accept."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from tunes import TUNES

    texts = []
    for tune in TUNES:
        made = harmonise(tune.melody, tune.beats)
        accepted = np.mean(tune.accepted(made.chart))
        end = "ends on the tonic" if tune.ends_on_tonic(made.chart) else "does not end on the tonic"
        texts.append(f"{tune.title} ({made.style}; accepted {accepted:.0%}, {end})\n\n{made.chart.text(tune.fifths)}")
    return "\n\n".join(texts)


# --- the command


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora's archives")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--systems", nargs="+", choices=LABELS, default=list(LABELS))
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--songs", type=int, help="at most so many a corpus (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables as JSON too")
    parser.add_argument("--tunes", action="store_true", help="print charts of well-known tunes instead")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.tunes:
        print(charts_of_tunes())
        return 0
    rows, sure = [], []
    for corpus in args.corpora:
        songs = [song for song in read_songs(args.data, [corpus], args.split, limit=args.songs) if len(song.melody)]
        for name in args.systems:
            rows.append(measured(args, name, corpus, songs))
        sure += reliability(songs) if "harmoniser" in args.systems else []
    print(f"{table_of_rows(rows)}\n\n{table_of_reliability(sure)}" if sure else table_of_rows(rows))
    if args.json:
        found = {"rows": [asdict(row) for row in rows], "reliability": [asdict(row) for row in sure]}
        write_atomically(args.json, (json.dumps(found, indent=1) + "\n").encode())
    return 0


def measured(args: argparse.Namespace, name: str, corpus: str, songs: list[HarmonySong]) -> Row:
    """The row of a system on the songs of a corpus."""
    system: Callable[[HarmonySong], Chords]
    system = HiddenMarkov(read_songs(args.data, [corpus], "train")) if name == "hmm" else SYSTEMS[name]
    return row_of(corpus, name, songs, [system(song) for song in tqdm(songs, desc=f"{corpus} {name}")])


def table_of_rows(rows: Sequence[Row]) -> str:
    head = [
        "corpus",
        "chords",
        "songs",
        "root",
        "maj/min",
        "cadences",
        "melody in chord",
        "changes a bar",
        "bigrams' divergence",
    ]
    body = [
        [row.corpus, LABELS[row.system], str(row.songs)]
        + [
            f"{value:.2f}"
            for value in (row.root, row.major_minor, row.cadence, row.in_chord, row.changes, row.divergence)
        ]
        for row in rows
    ]
    return markdown(head, body)


def table_of_reliability(rows: Sequence[Reliability]) -> str:
    body = [[row.corpus, f"{row.said:.2f}", f"{row.right:.2f}", f"{row.beats:,}"] for row in rows]
    return markdown(["corpus", "says", "right", "beats"], body)


def markdown(head: list[str], body: list[list[str]]) -> str:
    """A table whose first column is words and the others numbers.

    >>> print(markdown(["a", "b"], [["x", "1"]]))
    | a | b |
    |---|---:|
    | x | 1 |
    """
    lines = [head, *body]
    rule = "|---|" + "---:|" * (len(head) - 1)
    texts = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([texts[0], rule, *texts[1:]])


LABELS = {
    "people": "people",
    "rule": "the key's best triad",
    "hmm": "HMM",
    "harmoniser": "harmoniser, surest",
    "seeded": "harmoniser, a seed's surest",
    "likeliest": "harmoniser, likeliest",
    "drawn": "harmoniser, drawn",
}
SYSTEMS: dict[str, Callable[[HarmonySong], Chords]] = {
    "people": peoples,
    "rule": by_rule,
    "harmoniser": surest,
    "seeded": seeded,
    "likeliest": likeliest,
    "drawn": drawn,
}
"""Those that need nothing but the song."""


if __name__ == "__main__":
    raise SystemExit(main())
