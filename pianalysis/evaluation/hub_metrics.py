"""The metrics as `evaluate.Metric`s: predictions and references in, a dictionary of numbers out.

    from pianalysis.evaluation.hub_metrics import PitchConsonanceScore
    PitchConsonanceScore().compute(predictions=[accompaniment], references=[melody])

Predictions are pieces, each a list of notes: note arrays, or rows of onset_ms, duration_ms, pitch and velocity as the
dataset's config `notes` has them, but in clock-ms. A value is the mean over the pieces in which it is defined, NaN if
in none. Nothing is fetched, and nothing written: inputs are kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Final

import datasets
import evaluate
import numpy as np

from pianalysis.dataset.rows import NOTES_FEATURES
from pianalysis.errors import PianalysisError
from pianalysis.evaluation import citations
from pianalysis.harmony.beats import WEAK, beat_grid
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.recognise import recognise_spans
from pianalysis.metrics import (
    chords,
    distributions,
    excerpts,
    harmony,
    keys,
    playability,
    progressions,
    recall,
    repetition,
    seams,
    statistics,
    two_sample,
)
from pianalysis.music.clock import QUARTER_MS, SIXTEENTH_MS
from pianalysis.music.notes import Notes, make_notes

BAR_MS: Final = 4 * QUARTER_MS

Rows = Sequence[Mapping[str, Any]]
Values = dict[str, float]
Metre = tuple[int, int]
FOUR_FOUR: Final[Metre] = (4, 4)

_NOTES: Final = NOTES_FEATURES["accompaniment"]
_CHORDS: Final = datasets.List(
    {"onset_ms": datasets.Value("float64"), "end_ms": datasets.Value("float64"), "label": datasets.Value("string")}
)
_TIMES: Final = datasets.List(datasets.Value("float64"))
_MELODIES: Final = "references: each piece's melody, notes in clock-ms."
_ACCOMPANIMENTS: Final = "predictions: accompaniments, notes in clock-ms."
_CHORD_ROWS: Final = "each piece's chords, rows of onset_ms, end_ms and label, in clock-ms."
_BAR_LINES: Final = "bar_lines_ms: each piece's bar lines in clock-ms, the end of the last bar among them."
_METRE: Final = "metre: the time signature of all, (4, 4)."


def to_notes(rows: Rows) -> Notes:
    """Rows of a note each as a note array."""
    return make_notes((row["onset_ms"], row["duration_ms"], row["pitch"], row["velocity"]) for row in rows)


def to_spans(rows: Rows) -> list[ChordSpan]:
    """Rows of a chord each as spans."""
    return chords.spans_of_labels((row["onset_ms"], row["end_ms"], row["label"]) for row in rows)


def own_chords(notes: Notes, bar_lines_ms: Sequence[float], metre: Metre) -> list[ChordSpan]:
    """The chords that are heard in notes."""
    return recognise_spans(notes, beat_grid(bar_lines_ms, metre))


def to_rows(column: Any) -> Any:
    """A column of pieces with every note array in it as rows; anything else as it is."""
    if not isinstance(column, Iterable) or isinstance(column, str):
        return column
    return [_piece_rows(piece) for piece in column]


def _piece_rows(piece: Any) -> Any:
    if isinstance(piece, np.ndarray):
        names = piece.dtype.names
        return [dict(zip(names, row, strict=True)) for row in piece.tolist()] if names else piece.tolist()
    return piece


def mean_values(values: Iterable[Values]) -> Values:
    """The mean of each value over the pieces in which it is a number; NaN if in none."""
    table: dict[str, list[float]] = {}
    for row in values:
        for name, value in row.items():
            table.setdefault(name, []).append(value)
    numbers = {name: [value for value in column if not np.isnan(value)] for name, column in table.items()}
    return {name: float(np.mean(column)) if column else float("nan") for name, column in numbers.items()}


class PieceMetric(evaluate.Metric):  # type: ignore[misc]
    """What they share: inputs by columns, one row a piece; a subclass computes the values of a piece."""

    about: ClassVar[str]
    inputs: ClassVar[str]
    source: ClassVar[str] = ""
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES}

    def __init__(self, *args: Any, keep_in_memory: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, keep_in_memory=keep_in_memory, **kwargs)

    def _build_data_dir(self) -> str:
        # evaluate makes a folder in the user's cache even for what it keeps in memory
        return "" if self.keep_in_memory else str(super()._build_data_dir())

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.about,
            citation=self.source,
            inputs_description=self.inputs,
            features=datasets.Features(self.columns),
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> None:
        """Add pieces: a list of each column."""
        more = {name: to_rows(column) for name, column in kwargs.items()}
        super().add_batch(predictions=to_rows(predictions), references=to_rows(references), **more)

    def add(self, *, prediction: Any = None, reference: Any = None, **kwargs: Any) -> None:
        """Add one piece: the row of each column."""
        more = {name: _piece_rows(value) for name, value in kwargs.items()}
        super().add(prediction=_piece_rows(prediction), reference=_piece_rows(reference), **more)

    def _compute(self, **inputs: Any) -> Values:
        columns = [list(inputs.pop(name)) for name in self.columns]
        return mean_values(self.piece_values(*row, **inputs) for row in zip(*columns, strict=True))

    def piece_values(self, *row: Any, **options: Any) -> Values:
        """The values of one piece; `row` in the order of `columns`, `options` what else `compute` was given."""
        raise NotImplementedError


class MelodyRecall(PieceMetric):
    """`recall.melody_recall`: {"melody_recall"}."""

    about = "The share of a melody's notes that stand in a piece: exact pitch, onset within 20 ms, one to one."
    inputs = "predictions: whole pieces; references: the melodies asked for, in real ms. tolerance_ms: 20."
    source = citations.MIR_EVAL

    def piece_values(self, piece: Rows, melody: Rows, *, tolerance_ms: float = 20.0) -> Values:
        return {"melody_recall": recall.melody_recall(to_notes(melody), to_notes(piece), tolerance_ms=tolerance_ms)}


class PitchConsonanceScore(PieceMetric):
    """`harmony.pitch_consonance_score`: {"pitch_consonance_score"}."""

    about = "PCS: the mean consonance, −1 to 1, of the melody with each accompaniment note that sounds with it."
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} step_ms: how often it is looked at (125, a sixteenth)."
    source = citations.YEH

    def piece_values(self, below: Rows, melody: Rows, *, step_ms: float = SIXTEENTH_MS) -> Values:
        value = harmony.pitch_consonance_score(to_notes(melody), to_notes(below), step_ms=step_ms)
        return {"pitch_consonance_score": value}


class ClashRate(PieceMetric):
    """`harmony.clash_rate`: {"clash_rate"}."""

    about = (
        "The share of the melody's time with an accompaniment pitch class a semitone away and the melody's own absent."
    )
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES}"

    def piece_values(self, below: Rows, melody: Rows) -> Values:
        return {"clash_rate": harmony.clash_rate(to_notes(melody), to_notes(below))}


class Coupling(PieceMetric):
    """`harmony.coupling` of PCS and clash rate: {"pitch_consonance_score", "clash_rate"}, as differences."""

    about = (
        "PCS and clash rate with a piece's own accompaniment minus those with another's: the next piece's, the first's "
        "for the last."
    )
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} At least two of each, of different pieces."

    def _compute(self, predictions: Any, references: Any) -> Values:  # type: ignore[override]
        pieces = [to_notes(rows) for rows in predictions]
        if len(pieces) < 2:
            raise PianalysisError(f"coupling: expected at least two pieces to compare, found {len(pieces)}; add more")
        scores: dict[str, harmony.Metric] = {
            "pitch_consonance_score": partial(harmony.pitch_consonance_score, step_ms=SIXTEENTH_MS),
            "clash_rate": harmony.clash_rate,
        }
        others = [*pieces[1:], pieces[0]]
        melodies = [to_notes(rows) for rows in references]
        return mean_values(
            {name: harmony.coupling(score, melody, own, other) for name, score in scores.items()}
            for melody, own, other in zip(melodies, pieces, others, strict=True)
        )


class ChordAccuracy(PieceMetric):
    """`chords.chord_accuracy`: {"root", "major_minor"}."""

    about = "The share of labelled time in which the chord that a rule hears in the accompaniment is the label's."
    inputs = f"{_ACCOMPANIMENTS} references: {_CHORD_ROWS} {_BAR_LINES} {_METRE}"
    source = citations.POP909
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _CHORDS, "bar_lines_ms": _TIMES}

    def piece_values(self, below: Rows, labels: Rows, lines: Sequence[float], *, metre: Metre = FOUR_FOUR) -> Values:
        return asdict(chords.chord_accuracy(own_chords(to_notes(below), lines, metre), to_spans(labels)))


class ChordTones(PieceMetric):
    """`chords.chord_tone_share` and `chords.root_in_bass`: {"chord_tone_share", "root_in_bass"}."""

    about = (
        "How an accompaniment plays chords that are given: the share of its sounding time whose pitch class is in the "
        "chord, and the share of chords whose root is the lowest key of their first beat."
    )
    inputs = f"{_ACCOMPANIMENTS} references: {_CHORD_ROWS}"
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _CHORDS}

    def piece_values(self, below: Rows, labels: Rows) -> Values:
        notes, spans = to_notes(below), to_spans(labels)
        return {
            "chord_tone_share": chords.chord_tone_share(notes, spans),
            "root_in_bass": chords.root_in_bass(notes, spans),
        }


class OwnChords(PieceMetric):
    """What an accompaniment's own chords are like: see `chords`, `progressions` and `keys` for each value."""

    about = (
        "Of the chords that a rule hears in an accompaniment: chord-tone share, root in the bass, the melody's share of "
        "time and of strong beats in them, changes a bar, distinct ones in eight bars, falling fifths, whether the last "
        "is the tonic of the melody's key; and the share of notes out of that key."
    )
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} {_BAR_LINES} {_METRE}"
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "bar_lines_ms": _TIMES}

    def piece_values(self, below: Rows, melody: Rows, lines: Sequence[float], *, metre: Metre = FOUR_FOUR) -> Values:
        notes, voice = to_notes(below), to_notes(melody)
        own, grid, key = own_chords(notes, lines, metre), beat_grid(lines, metre), keys.find_key(voice)
        return {
            "chord_tone_share": chords.chord_tone_share(notes, own),
            "root_in_bass": chords.root_in_bass(notes, own),
            "melody_in_chord": chords.chord_tone_share(voice, own),
            "strong_notes_in_chord": chords.strong_notes_in_chord(
                voice, own, grid.borders_ms[:-1][grid.strength > WEAK]
            ),
            "chord_changes": progressions.chord_changes(own, bars=len(lines) - 1),
            "distinct_chords": progressions.distinct_chords(own, bar_lines_ms=lines),
            "falling_fifths": progressions.falling_fifths(own),
            "final_tonic": progressions.final_tonic(own, key),
            "out_of_key": keys.out_of_key(key, notes),
        }


class ChordBigramDivergence(PieceMetric):
    """`progressions.bigram_divergence` of all pieces' own chords: {"chord_bigram_divergence"}."""

    about = (
        "The Jensen–Shannon divergence, in bits, of how chords follow one another in two sets of accompaniments, by triad "
        "and root motion, as a rule hears them: 0 for the same, 1 for nothing in common."
    )
    inputs = f"{_ACCOMPANIMENTS} references: human accompaniments of the same bars. {_BAR_LINES} {_METRE}"
    source = citations.LIN
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "bar_lines_ms": _TIMES}

    def _compute(  # type: ignore[override]
        self, predictions: Any, references: Any, bar_lines_ms: Any, metre: Metre = FOUR_FOUR
    ) -> Values:
        ours, theirs = (
            sum(
                progressions.chord_bigrams(own_chords(to_notes(rows), lines, metre))
                for rows, lines in zip(column, bar_lines_ms, strict=True)
            )
            for column in (predictions, references)
        )
        return {"chord_bigram_divergence": progressions.bigram_divergence(ours, theirs)}


class ClassifierTwoSampleTest(PieceMetric):
    """`two_sample.classifier_two_sample` of four-bar excerpts: {"auc"}."""

    about = (
        f"Can gradient boosting on {len(excerpts.FEATURES)} features of four-bar excerpts tell accompaniments from human "
        "ones of songs that it hasn't seen? The area under the ROC curve: 0.5 where it can't, 1 where it always can."
    )
    inputs = (
        f"{_ACCOMPANIMENTS} references: human accompaniments of the same songs. melodies: those of the songs. "
        f"{_BAR_LINES} {_METRE} seed: 0. Needs the extra `evaluation`."
    )
    source = citations.LOPEZ_PAZ
    columns: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("predictions", "references", "melodies"), _NOTES),
        "bar_lines_ms": _TIMES,
    }

    def _compute(  # type: ignore[override]
        self,
        predictions: Any,
        references: Any,
        melodies: Any,
        bar_lines_ms: Any,
        metre: Metre = FOUR_FOUR,
        seed: int = 0,
    ) -> Values:
        ours, theirs = (
            [
                excerpts.excerpt_features(
                    to_notes(melody), to_notes(rows), own_chords(to_notes(rows), lines, metre), lines
                )
                for rows, melody, lines in zip(column, melodies, bar_lines_ms, strict=True)
            ]
            for column in (predictions, references)
        )
        songs = [np.repeat(np.arange(len(rows)), [len(song) for song in rows]) for rows in (theirs, ours)]
        rows = [np.concatenate([np.zeros((0, len(excerpts.FEATURES))), *part]) for part in (theirs, ours)]
        test = two_sample.classifier_two_sample(*rows, *songs, seed=seed)
        return {"auc": test.auc}


class OverlappingArea(PieceMetric):
    """`distributions.overlapping_areas`: {"pitch", "duration", "inter_onset", "velocity"}, and each as "…_by_piece"."""

    about = (
        "Overlapping areas of the distributions of pitch, duration, inter-onset interval and velocity: of all pieces "
        "pooled, and (by piece) the mean over pieces, each against its own reference."
    )
    inputs = f"{_ACCOMPANIMENTS} references: the human accompaniments of the same pieces."
    source = citations.YANG_LERCH

    def _compute(self, predictions: Any, references: Any) -> Values:  # type: ignore[override]
        ours, theirs = ([to_notes(rows) for rows in column] for column in (predictions, references))
        by_piece = mean_values(
            distributions.overlapping_areas([own], [reference]) for own, reference in zip(ours, theirs, strict=True)
        )
        pooled = distributions.overlapping_areas(ours, theirs)
        return pooled | {f"{name}_by_piece": value for name, value in by_piece.items()}


class PieceStatistics(PieceMetric):
    """`statistics`' values by MusPy's names, entropy over one and four bars, and {"notes_per_beat"} until the last end."""

    about = (
        "Groove consistency, pitch-class entropy over one and four bars, scale consistency, polyphony, empty-beat rate "
        "and notes per beat."
    )
    inputs = "predictions: pieces or accompaniments, in clock-ms. bar_ms: 2000; step_ms: 125; beat_ms: 500."
    source = citations.MUSPY
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES}

    def piece_values(
        self, rows: Rows, *, bar_ms: float = BAR_MS, step_ms: float = SIXTEENTH_MS, beat_ms: float = QUARTER_MS
    ) -> Values:
        notes = to_notes(rows)
        return statistics.piece_statistics(notes, bar_ms=bar_ms, step_ms=step_ms, beat_ms=beat_ms)


class LongestCopy(PieceMetric):
    """`repetition.longest_copy`: {"longest_copy"} and {"longest_copy_of_all"}, in notes."""

    about = "The longest run of notes that stands in the training set too (rhythm to the sixteenth, any key), in notes."
    inputs = f"{_ACCOMPANIMENTS} index: a repetition.CopyIndex of the training pieces."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES}

    def _compute(self, predictions: Any, index: repetition.CopyIndex) -> Values:  # type: ignore[override]
        copies = [{"longest_copy": float(repetition.longest_copy(to_notes(rows), index))} for rows in predictions]
        longest = max((copy["longest_copy"] for copy in copies), default=float("nan"))
        return mean_values(copies) | {"longest_copy_of_all": longest}


class SelfSimilarity(PieceMetric):
    """`repetition.self_similarity`: {"self_similarity"}."""

    about = "How alike, 0 to 1, the accompaniments of a two-bar melody phrase and of its returns are."
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} bar_lines_ms: each piece's bar lines in clock-ms."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "bar_lines_ms": _TIMES}

    def piece_values(self, below: Rows, melody: Rows, lines: Sequence[float]) -> Values:
        value = repetition.self_similarity(to_notes(melody), to_notes(below), bar_lines_ms=lines)
        return {"self_similarity": value}


class Playability(PieceMetric):
    """`playability.playability`: {"notes_left", "notes_right", "in_reach", "held_in_reach"}."""

    about = "After a simple split into two hands: the most keys each strikes at once; how often both are in reach."
    inputs = "predictions: pieces or accompaniments."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES}

    def piece_values(self, rows: Rows) -> Values:
        return asdict(playability.playability(to_notes(rows)))


class SeamContrast(PieceMetric):
    """`seams.seam_contrast`: {"pcs_near", "pcs_inside", "density_near", "density_inside"}."""

    about = "PCS, and notes a beat, within a beat of the joints of a piece's windows and elsewhere."
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} joints_ms: where each piece's windows are joined, in clock-ms."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "joints_ms": _TIMES}

    def piece_values(
        self, below: Rows, melody: Rows, joints: Sequence[float], *, beat_ms: float = QUARTER_MS
    ) -> Values:
        return asdict(seams.seam_contrast(to_notes(melody), to_notes(below), joints, beat_ms=beat_ms))
