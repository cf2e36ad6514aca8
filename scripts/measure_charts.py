"""How closely the arranger keeps to a chart that it is given, and what `harmony` does to the charts that it finds.

    python scripts/measure_charts.py --dataset data/pianalysis --songs 8
    python scripts/measure_charts.py --dataset data/pianalysis --songs 40 --harmony

Given are the songs' own chords, of the test songs of each corpus. Printed are the share of the accompaniment's sounding time
that is in them, and the share of chords whose root (or the bass that the chart says) is the lowest key in their first beat.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from pianalysis.arranging.arranger import Arranger
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import Song
from pianalysis.evaluation.takes import song_chart
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.harmony.features import melody_shift
from pianalysis.harmony.harmoniser import harmonise
from pianalysis.harmony.richness import OWN_DOMINANTS, RICHNESS, SEVENTHS
from pianalysis.harmony.symbols import Chord, key_fifths
from pianalysis.metrics.chords import chord_accuracy, chord_tone_share, root_in_bass, strong_notes_in_chord

FIGURES: Final = ("changes a bar", "sevenths", "secondary dominants", "melody in chord", "root")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--songs", type=int, default=8, help="of each corpus")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each song")
    parser.add_argument("--model")
    parser.add_argument("--harmony", action="store_true", help="measure what `harmony` does instead")
    args = parser.parse_args(argv)
    if args.harmony:
        for corpus, songs in read_songs(args.dataset, "test", float("inf")).items():
            measure_harmony(corpus, [song for song in songs if song.chords][: args.songs])
        return 0
    arranger = Arranger.from_pretrained(args.model)
    everything = []
    for corpus, songs in read_songs(args.dataset, "test", args.seconds).items():
        rows = [kept_to(arranger, song) for song in songs[: args.songs] if song.chords]
        everything += rows
        print(f"{corpus}: {len(rows)} songs, in chord {mean(rows, 0):.3f}, bass {mean(rows, 1):.3f}", flush=True)
    print(f"all: {len(everything)} songs, in chord {mean(everything, 0):.3f}, bass {mean(everything, 1):.3f}")
    worst = np.nanmin(np.array(everything), axis=0)
    print(f"the worst song: in chord {worst[0]:.3f}, bass {worst[1]:.3f}")
    return 0


def measure_harmony(corpus: str, songs: Sequence[Song]) -> None:
    """Print what the charts of some songs are like in each richness."""
    for richness in RICHNESS:
        rows = np.array([of_chart(song, richness) for song in songs])
        shown = ", ".join(f"{name} {value:.2f}" for name, value in zip(FIGURES, np.nanmean(rows, axis=0), strict=True))
        print(f"{corpus}, {richness}: {len(rows)} songs, {shown}", flush=True)


def of_chart(song: Song, richness: str) -> list[float]:
    """Of a song's chart: the `FIGURES`."""
    beats = clock_beats(song.clock)
    chart = harmonise(song.melody, beats, song.style, harmony=richness).chart
    chords = [chord for chord in chart.chords if chord and chord.quality]
    spans = [span for span in chart.spans if span.chord and span.chord.quality]
    key = key_fifths(-melody_shift(song.melody) % 12)
    tonic = 7 * key % 12
    secondary = [
        first.chord.quality == "7"
        and (second.chord.root - first.chord.root) % 12 == 5
        and (first.chord.root - tonic) % 12 not in OWN_DOMINANTS
        for first, second in pairwise(spans)
    ]
    own = song_chart(song).spans
    strong = beats.borders_ms[:-1][beats.strength > 0]
    return [
        (len(spans) - 1) / (len(chart.bar_lines) - 1),
        float(np.mean([chord.quality in SEVENTHS for chord in chords])),
        float(np.mean(secondary)) if secondary else float("nan"),
        strong_notes_in_chord(song.melody, chart.spans, strong),
        chord_accuracy(chart.spans, own).root,
    ]


def kept_to(arranger: Arranger, song: Song) -> tuple[float, float]:
    """Of one song, arranged with its own chords."""
    chart = song_chart(song)
    piece = arranger(song.score(), chart=chart, style=song.style, keep_metre=True)
    return kept(song.notes_of(piece.score, 1), chart)


def kept(notes: np.ndarray, chart: Chart) -> tuple[float, float]:
    """The share of sounding time in the chart, and of chords whose bass is the lowest key; notes: on the chart's clock."""
    return chord_tone_share(notes, chart.spans), root_in_bass(notes, [on_its_bass(span) for span in chart.spans])


def on_its_bass(span: ChordSpan) -> ChordSpan:
    """A chord whose root is the bass that is asked for."""
    chord = span.chord
    return ChordSpan(span.onset_ms, span.end_ms, Chord(chord.bass) if chord and chord.quality else chord)


def mean(rows: Sequence[tuple[float, float]], column: int) -> float:
    return float(np.nanmean([row[column] for row in rows])) if rows else float("nan")


if __name__ == "__main__":
    raise SystemExit(main())
