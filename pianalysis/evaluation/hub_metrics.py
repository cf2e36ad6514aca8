"""The metrics as `evaluate.Metric`s: predictions and references in, a dictionary of numbers out.

    from pianalysis.evaluation.hub_metrics import PitchConsonanceScore
    PitchConsonanceScore().compute(predictions=["accompaniment.mid"], references=["melody.mid"])
    PitchConsonanceScore().compute(predictions=[accompaniment], references=[melody], beats_ms=60_000 / bpm)

Predictions are pieces: paths, `symusic.Score`s (all their notes but drums), note arrays, or rows of onset_ms, duration_ms, pitch
and velocity as the dataset's config `notes` has them. Files and scores say where their beats are. Arrays and rows don't: a
metric that counts in beats takes `beats_ms` with them, for all pieces the length of a quarter in the notes' own ms (500 on the
beat clock), or a list that has for each piece that length or the times of its quarters; bar lines in a metre tell it too.
Nothing is assumed. All times of a piece are in the unit of its notes (of a score in real ms); metrics see them on the beat clock.
A value is the mean over the pieces in which it is defined, NaN if in none. Nothing is fetched, and nothing written: inputs
are kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Final

import datasets
import evaluate
import numpy as np
import symusic

from pianalysis.dataset.rows import NOTES_FEATURES
from pianalysis.errors import PianalysisError
from pianalysis.evaluation import citations
from pianalysis.harmony.beats import WEAK, BeatGrid, beat_grid
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
from pianalysis.music.clock import QUARTER_MS, SIXTEENTH_MS, BeatClock, Floats
from pianalysis.music.notes import Notes, make_notes
from pianalysis.music.timed import (
    FOUR_FOUR,
    HOW,
    beat_by_beat,
    clock_of_bars,
    clock_of_beats,
    is_file_or_score,
    pitched_notes,
    quarter_ms_of,
    score_of,
)

Rows = Sequence[Mapping[str, Any]]
Values = dict[str, float]
Metre = Sequence[float]
"""Numerator, denominator, and a quarter in clock-ms: 500, or half or twice that where the tempo is folded."""

_NOTES: Final = NOTES_FEATURES["accompaniment"]
_CHORDS: Final = datasets.List(
    {"onset_ms": datasets.Value("float64"), "end_ms": datasets.Value("float64"), "label": datasets.Value("string")}
)
_TIMES: Final = datasets.List(datasets.Value("float64"))
_MELODIES: Final = "references: each piece's melody."
_ACCOMPANIMENTS: Final = "predictions: accompaniments. beats_ms: where arrays' beats are."
_CHORD_ROWS: Final = "each piece's chords, rows of onset_ms, end_ms and label."
_BAR_LINES: Final = "bar_lines_ms: each piece's bar lines, the end of the last bar among them (default: the score's)."
_METRE: Final = "metre: the time signature of all, or a list of each piece's (default: the scores', of arrays (4, 4))."
_BARS: Final = {"bar_lines_ms": _TIMES, "metres": _TIMES}


def to_notes(rows: Rows) -> Notes:
    """Rows of a note each as a note array."""
    return make_notes((row["onset_ms"], row["duration_ms"], row["pitch"], row["velocity"]) for row in rows)


def to_spans(rows: Rows) -> list[ChordSpan]:
    """Rows of a chord each as spans."""
    return chords.spans_of_labels((row["onset_ms"], row["end_ms"], row["label"]) for row in rows)


def own_chords(notes: Notes, bar_lines_ms: Sequence[float], metre: Metre) -> list[ChordSpan]:
    """The chords that are heard in notes."""
    return recognise_spans(notes, grid_of(bar_lines_ms, metre))


def grid_of(bar_lines_ms: Sequence[float], metre: Metre) -> BeatGrid:
    """The beats of bars in a metre."""
    return beat_grid(bar_lines_ms, (int(metre[0]), int(metre[1])), metre[2])


class Ready(list[Any]):
    """A column whose pieces are on the clock already."""


def to_rows(piece: Any) -> Any:
    """A note array as rows; anything else as it is."""
    if isinstance(piece, np.ndarray):
        names = piece.dtype.names
        return [dict(zip(names, row, strict=True)) for row in piece.tolist()] if names else piece.tolist()
    return piece


def to_array(piece: Any) -> Notes:
    """A note array as it is, or rows as one."""
    return piece if isinstance(piece, np.ndarray) and piece.dtype.names else to_notes(piece)


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
    in_beats: ClassVar[bool] = True
    """Whether it counts in beats; else times are taken as they are, of scores in real ms."""

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

    def compute(self, *, beats_ms: Any = None, metre: Any = None, **inputs: Any) -> Values:
        """The values of some pieces, or of those that were added. beats_ms, metre: as the module says."""
        columns = {name: inputs.pop(name) for name in self.columns if inputs.get(name) is not None}
        ready = self._on_the_clock(columns, beats_ms, metre) if columns else {}
        values: Values = super().compute(**ready, **inputs)
        return values

    def add_batch(self, *, beats_ms: Any = None, metre: Any = None, **columns: Any) -> None:
        """Add pieces: a list of each column."""
        if not all(isinstance(column, Ready) for column in columns.values()):
            columns = self._on_the_clock(
                {name: column for name, column in columns.items() if column is not None}, beats_ms, metre
            )
        # the package names these two; a metric without references has none
        super().add_batch(
            predictions=columns.pop("predictions", None), references=columns.pop("references", None), **columns
        )

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Add one piece: the row of each column, and its beats_ms and metre."""
        beats_ms, metre = columns.pop("beats_ms", None), columns.pop("metre", None)
        voices = {"predictions": prediction, "references": reference}
        given = {name: [value] for name, value in (voices | columns).items() if value is not None}
        self.add_batch(**given, beats_ms=None if beats_ms is None else [beats_ms], metre=metre)

    def _on_the_clock(self, columns: dict[str, Any], beats_ms: Any, metre: Any) -> dict[str, Ready]:
        """All columns with every time in clock-ms, and with those filled in that the notes' own scores tell."""
        pieces = {name: [*column] for name, column in columns.items()}
        count = len(next(iter(pieces.values())))
        beats, metres = (
            _of_each(beats_ms, count, "beats_ms", holds_for_all=_is_number),
            _of_each(metre, count, "metre", holds_for_all=_is_signature),
        )
        rows = []
        for number, (of_beats, of_metre) in enumerate(zip(beats, metres, strict=True)):
            row = {name: column[number] for name, column in pieces.items() if number < len(column)}
            rows.append(self._piece_on_the_clock(row, of_beats, of_metre, f"predictions, piece {number + 1}"))
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: Ready(row[name] for row in rows if name in row) for name in names}

    def _piece_on_the_clock(self, row: dict[str, Any], beats_ms: Any, metre: Any, name: str) -> dict[str, Any]:
        voices = [column for column in row if self.columns.get(column) is _NOTES]
        scores = {column: score_of(row[column], name=name) for column in voices if is_file_or_score(row[column])}
        arrays = {column: to_array(row[column]) for column in voices if column not in scores}
        if not self.in_beats:
            real = {column: pitched_notes(score) for column, score in scores.items()}
            return {column: to_rows(value) for column, value in {**row, **real, **arrays}.items()}
        clock = _clock_of(scores, arrays, row.get("bar_lines_ms"), beats_ms, metre, f"{type(self).__name__}, {name}")
        found = {
            column: beat_by_beat(pitched_notes(score), BeatClock.from_score(score), clock)
            for column, score in scores.items()
        }
        found |= {column: clock.notes_to_clock(notes) for column, notes in arrays.items()}
        ready = {column: to_rows(notes) for column, notes in found.items()}
        ready |= {column: _moved(value, clock) for column, value in row.items() if column not in ready}
        if "bar_lines_ms" in self.columns:
            ends = [float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0.0)) for notes in found.values()]
            ready.setdefault("bar_lines_ms", _bars_until(clock.bar_lines, max(ends, default=0.0)))
        if "metres" in self.columns:
            signature = metre or clock.time_signature
            ready["metres"] = [*map(float, signature), quarter_ms_of(clock)]
        return ready

    def _compute(self, **inputs: Any) -> Values:
        columns = [list(inputs.pop(name)) for name in self.columns]
        return mean_values(self.piece_values(*row, **inputs) for row in zip(*columns, strict=True))

    def piece_values(self, *row: Any, **options: Any) -> Values:
        """The values of one piece; `row` in the order of `columns`, `options` what else `compute` was given."""
        raise NotImplementedError


def _is_number(value: Any) -> bool:
    return not isinstance(value, Iterable)


def _is_signature(value: Any) -> bool:
    """Whether it is one time signature rather than several."""
    return len(value) == 2 and all(map(_is_number, value))


def _of_each(value: Any, count: int, name: str, *, holds_for_all: Callable[[Any], bool]) -> list[Any]:
    """A value for each piece: one for all, or a list with one of each."""
    if value is None or holds_for_all(value):
        return [value] * count
    each = [*value]
    if len(each) != count:
        raise PianalysisError(
            f"{name}: expected a value for all pieces or a list of one for each of {count}, found {len(each)}"
        )
    return each


def _clock_of(
    scores: Mapping[str, symusic.Score], arrays: Mapping[str, Notes], lines: Any, beats_ms: Any, metre: Any, name: str
) -> BeatClock:
    """The clock of a piece: its first score's, else of the beats that are given, else of the bar lines in their metre."""
    if scores:
        return BeatClock.from_score(next(iter(scores.values())))
    if beats_ms is not None:
        ends = [float((notes["onset_ms"] + notes["duration_ms"]).max(initial=0.0)) for notes in arrays.values()]
        return clock_of_beats(beats_ms, metre=metre or FOUR_FOUR, end_ms=max(ends, default=0.0))
    if lines is not None:
        return clock_of_bars(lines, metre=metre or FOUR_FOUR)
    raise PianalysisError(f"{name}: expected notes that say where their beats are, found an array alone; {HOW}")


def _bars_until(lines: Floats, end_ms: float) -> list[float]:
    """Bar lines, and as many more as it takes to cover all of a piece's voices, as far apart as the last two."""
    more = int(np.ceil((end_ms - lines[-1]) / (lines[-1] - lines[-2]) - 1e-6))
    return [*lines.tolist(), *(lines[-1] + (lines[-1] - lines[-2]) * np.arange(1, more + 1)).tolist()]


def _moved(value: Any, clock: BeatClock) -> Any:
    """Times, or rows of chords, on the clock."""
    if all(isinstance(item, Mapping) for item in value):
        times = ("onset_ms", "end_ms")
        return [{**item, **{name: float(clock.to_clock(item[name])) for name in times}} for item in value]
    return clock.to_clock(value).tolist()


class MelodyRecall(PieceMetric):
    """`recall.melody_recall`: {"melody_recall"}."""

    in_beats = False
    about = "The share of a melody's notes that stand in a piece: exact pitch, onset within 20 ms, one to one."
    inputs = "predictions: whole pieces; references: the melodies asked for, in real ms. tolerance_ms: 20."
    source = citations.MIR_EVAL

    def piece_values(self, piece: Rows, melody: Rows, *, tolerance_ms: float = 20.0) -> Values:
        return {"melody_recall": recall.melody_recall(to_notes(melody), to_notes(piece), tolerance_ms=tolerance_ms)}


class PitchConsonanceScore(PieceMetric):
    """`harmony.pitch_consonance_score`: {"pitch_consonance_score"}."""

    about = "PCS: the mean consonance, −1 to 1, of the melody with each accompaniment note that sounds with it."
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} step_ms: how often it is looked at, in clock-ms (125, a sixteenth)."
    source = citations.YEH

    def piece_values(self, below: Rows, melody: Rows, *, step_ms: float = SIXTEENTH_MS) -> Values:
        value = harmony.pitch_consonance_score(to_notes(melody), to_notes(below), step_ms=step_ms)
        return {"pitch_consonance_score": value}


class ClashRate(PieceMetric):
    """`harmony.clash_rate`: {"clash_rate"}."""

    in_beats = False
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
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _CHORDS, **_BARS}

    def piece_values(self, below: Rows, labels: Rows, lines: Sequence[float], metre: Metre) -> Values:
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
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, **_BARS}

    def piece_values(self, below: Rows, melody: Rows, lines: Sequence[float], metre: Metre) -> Values:
        notes, voice = to_notes(below), to_notes(melody)
        own, grid, key = own_chords(notes, lines, metre), grid_of(lines, metre), keys.find_key(voice)
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
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, **_BARS}

    def _compute(  # type: ignore[override]
        self, predictions: Any, references: Any, bar_lines_ms: Any, metres: Any
    ) -> Values:
        ours, theirs = (
            sum(
                progressions.chord_bigrams(own_chords(to_notes(rows), lines, of_metre))
                for rows, lines, of_metre in zip(column, bar_lines_ms, metres, strict=True)
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
        **_BARS,
    }

    def _compute(  # type: ignore[override]
        self,
        predictions: Any,
        references: Any,
        melodies: Any,
        bar_lines_ms: Any,
        metres: Any,
        seed: int = 0,
    ) -> Values:
        ours, theirs = (
            [
                excerpts.excerpt_features(
                    to_notes(melody), to_notes(rows), own_chords(to_notes(rows), lines, of_metre), lines
                )
                for rows, melody, lines, of_metre in zip(column, melodies, bar_lines_ms, metres, strict=True)
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
    inputs = f"predictions: pieces or accompaniments. beats_ms: where arrays' beats are. {_METRE}"
    source = citations.MUSPY
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "metres": _TIMES}

    def piece_values(self, rows: Rows, metre: Metre) -> Values:
        bar_ms = metre[0] * 4 / metre[1] * metre[2]
        return statistics.piece_statistics(to_notes(rows), bar_ms=bar_ms, step_ms=SIXTEENTH_MS, beat_ms=QUARTER_MS)


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
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} {_BAR_LINES}"
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "bar_lines_ms": _TIMES}

    def piece_values(self, below: Rows, melody: Rows, lines: Sequence[float]) -> Values:
        value = repetition.self_similarity(to_notes(melody), to_notes(below), bar_lines_ms=lines)
        return {"self_similarity": value}


class Playability(PieceMetric):
    """`playability.playability`: {"notes_left", "notes_right", "in_reach", "held_in_reach"}."""

    in_beats = False
    about = "After a simple split into two hands: the most keys each strikes at once; how often both are in reach."
    inputs = "predictions: pieces or accompaniments."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES}

    def piece_values(self, rows: Rows) -> Values:
        return asdict(playability.playability(to_notes(rows)))


class SeamContrast(PieceMetric):
    """`seams.seam_contrast`: {"pcs_near", "pcs_inside", "density_near", "density_inside"}."""

    about = "PCS, and notes a beat, within a beat of the joints of a piece's windows and elsewhere."
    inputs = f"{_ACCOMPANIMENTS} {_MELODIES} joints_ms: where each piece's windows are joined."
    columns: ClassVar[dict[str, Any]] = {"predictions": _NOTES, "references": _NOTES, "joints_ms": _TIMES}

    def piece_values(self, below: Rows, melody: Rows, joints: Sequence[float]) -> Values:
        return asdict(seams.seam_contrast(to_notes(melody), to_notes(below), joints, beat_ms=QUARTER_MS))
