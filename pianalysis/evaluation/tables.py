"""The figures of an evaluation as Markdown: for the report, README and the cards.

In: what `scripts/evaluate_model.py --json` writes. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pianalysis.card_tables import CORPORA
from pianalysis.evaluation.measures import AREAS, BIGRAMS, METRICS, TWO_SAMPLE
from pianalysis.evaluation.summary import HUMAN
from pianalysis.metrics.excerpts import FEATURES

ARRANGEMENTS: Final = "arrangements"
"""Where a corpus's row in the JSON has the figures of whole songs."""
SETTINGS: Final = "settings"
TELLING: Final = "telling"
"""Where they have what gives each system away."""
SHORT: Final = (
    *("melody_recall", "chord_tones", "own_chord_tones", "chord_root", "root_in_bass", "out_of_key", "melody_in_chord"),
    *("chord_changes", "distinct_chords", "falling_fifths", "bigram_divergence", "two_sample", "pcs", "pcs_coupling"),
    *("clash_rate", "area_pitch", "area_duration", "area_inter_onset", "notes_per_beat", "longest_gap_bars"),
    *("end_after_melody_s", "in_reach", "longest_copy"),
)
"""The metrics of README's table; the cards and the report have all."""
SETTINGS_SHOWN: Final = (
    *("distance", "pcs", "pcs_coupling", "clash_rate", "notes_per_beat", "human_density"),
    *("area_pitch", "area_duration", "area_inter_onset", "scale_consistency", "groove_consistency", "longest_gap_bars"),
)
NOTHING: Final = "–"
NO_DIFFERENCE: Final = frozenset({"melody_recall", BIGRAMS, TWO_SAMPLE, *AREAS.values()})
"""Metrics that are differences from something already, or that the human pieces have by nature."""


def number(value: float | None, digits: int, *, sign: bool = False) -> str:
    """A figure with so many digits; a dash for what isn't known; no minus before zero.

    >>> number(-0.001, 2), number(0.25, 1, sign=True), number(None, 2)
    ('0.00', '+0.2', '–')
    """
    if value is None:
        return NOTHING
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text.replace("-", "") if sign is False and float(text) == 0 else text.replace("-", "−")


def cell(figure: Mapping[str, Any] | None, digits: int, *, difference: bool) -> str:
    """A mean with its interval, and, if asked for, its difference from the human value.

    >>> cell({"mean": 0.5, "low": 0.4, "high": 0.6, "minus_human": {"mean": -0.1}}, 1, difference=True)
    '0.5 [0.4, 0.6] (−0.1)'
    """
    if figure is None or figure["mean"] is None:
        return NOTHING
    mean, low, high = (number(figure[name], digits) for name in ("mean", "low", "high"))
    minus = figure.get("minus_human", {}).get("mean") if difference else None
    return f"{mean} [{low}, {high}]" + (f" ({number(minus, digits, sign=True)})" if minus is not None else "")


def systems_table(systems: Mapping[str, Mapping[str, Any]], metrics: Iterable[str] = METRICS) -> str:
    """One corpus: a row a metric, a column a system, the human accompaniment first."""
    lines = [f"| | {' | '.join(systems)} |", f"|---|{'--:|' * len(systems)}"]
    for name in metrics:
        figures = {label: system.get(name) for label, system in systems.items()}
        if all(figure is None or figure["mean"] is None for figure in figures.values()):
            continue
        cells = (
            cell(figure, METRICS[name].digits, difference=label != HUMAN and name not in NO_DIFFERENCE)
            for label, figure in figures.items()
        )
        lines.append(f"| {METRICS[name].label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def arrangement_tables(figures: Mapping[str, Mapping[str, Any]], metrics: Iterable[str] = METRICS) -> str:
    """All corpora whose rows have figures of whole songs, each with its table; nothing where none has."""
    shown, parts = tuple(metrics), []
    for place, row in figures.items():
        if ARRANGEMENTS in row:
            about = row[ARRANGEMENTS]
            corpus, split = place.split("/")
            head = f"**{CORPORA.get(corpus, corpus)}**, {sample(about, split)}:"
            parts += [head, systems_table(about["systems"], shown)]
    return "\n\n".join([*parts, LEGEND]) if parts else ""


def sample(about: Mapping[str, Any], split: str) -> str:
    """What was arranged, in words."""
    span = "all of each" if about["seconds"] is None else f"the first {about['seconds']:g} s of each"
    takes = f", {about['takes']} takes" if about["takes"] > 1 else ""
    settings = f"temperature {about['temperature']:g}, top-k {about['top_k']}, top-p {about['top_p']:g}"
    settings += f", density {about['density']} for every song" if "density" in about else ""
    settings += f", style {about['style']}" if "style" in about else ""
    sources = [CHORD_SOURCES.get(source, source) for source in about.get("chord_sources", ())]
    settings += f"; the songs' chords: {' and '.join(sources)}" if sources else ""
    return f"{about['songs']} {split} songs, {span} from the bar in which its melody begins{takes}, {settings}"


CHORD_SOURCES: Final = {
    "label": "labels that come with the corpus",
    "written": "as written in the score",
    "rule": "read by rule off the human piece, which agrees with them by nature",
}


LEGEND: Final = (
    "Means over songs with 95 % bootstrap intervals, in brackets the mean difference from the human accompaniment of "
    "the same song. Everything is measured on the beat clock. *Other song's*: a human accompaniment written for another "
    "melody. *Block chords*: of the melody's key, the diatonic triad that fits each half bar best. An overlapping area "
    "is that of all songs' notes with the human ones; in the human column, that of one half of the songs with the other. "
    "Human density: notes per beat within the human 10th to 90th percentile. *Alone*: the model without the arranger's "
    "clearance and structure. *Before*: the checkpoint that came before, as it was arranged with then. *People's chords*: with the song's own chords given, which nobody knows who has a melody "
    "alone: it tells how closely the model keeps to a chart. *Best of*: the take that is nearest to human pieces in "
    "likelihood, chord tones, key and clashes (`pianalysis.ranking`). *Its own chords*: what a rule hears in the accompaniment "
    "(`pianalysis.harmony.recognise`); C7 and C are one chord. The key is that of the human piece; only songs that are "
    "there to their end have a final tonic. Chord-bigram divergence (Jensen–Shannon) is from the human pieces, in the human "
    "column that of one half of the songs from the other. The classifier two-sample test: can gradient boosting on "
    f"{len(FEATURES)} features of four-bar excerpts tell them from human ones, of songs that it hasn't seen? At 0.5 nobody can "
    "(`pianalysis.metrics.excerpts` lists the features); in the human column, every other four bars from the rest."
)


def telling_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """What gives each system of a corpus away: the features by which excerpts are best told from human ones.

    >>> print(telling_table({"small": {"polyphony": 0.25}}).splitlines()[-1])
    | small | keys that sound at each sixteenth at which one does, mean: lower, 0.25 |
    """
    lines = ["| system | what tells its four bars from human ones best, and the AUC of that alone |", "|---|---|"]
    for label, areas in found.items():
        parts = (f"{FEATURES[name]}: {'higher' if area > 0.5 else 'lower'}, {area:.2f}" for name, area in areas.items())
        lines.append(f"| {label} | {'; '.join(parts)} |")
    return "\n".join(lines)


def settings_table(rows: Iterable[Mapping[str, Any]], human: Mapping[str, Any]) -> str:
    """One corpus: a row a sampling setting, the human values last; `rows` as `settings.grid_figures` gives them."""
    shown = [name for name in SETTINGS_SHOWN if name != "distance"]
    heads = ["temperature", "top-p", "distance", *(METRICS[name].label for name in shown)]
    lines = [f"| {' | '.join(heads)} |", f"|{'--:|' * len(heads)}"]
    for row in rows:
        means = (number(row["metrics"][name]["mean"], METRICS[name].digits) for name in shown)
        start = f"| {row['temperature']:g} | {row['top_p']:g} | {number(row['distance'], 2)}"
        lines.append(f"{start} | {' | '.join(means)} |")
    means = (number(human[name]["mean"], METRICS[name].digits) for name in shown)
    lines.append(f"| human | | | {' | '.join(means)} |")
    return "\n".join(lines)
