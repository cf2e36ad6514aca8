"""Markdown tables of cards, reports and README: likelihoods, whole songs, searches, speeds.

In: what the scripts that measure write as JSON. Out: tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pianalysis.metrics.excerpts import FEATURES
from pianalysis.metrics.names import AREAS, BIGRAMS, HUMAN, METRICS, TWO_SAMPLE
from pianalysis.publishing.corpora_facts import title_of

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
"""The metrics of the table in docs/results.md; the cards and the report have all."""
SUMMARY: Final = (
    *("chord_root", "chord_tones", "melody_in_chord", "root_in_bass", "out_of_key", "clash_rate", "chord_changes"),
    *("notes_per_beat", "two_sample"),
)
"""The metrics of README's table."""
SETTINGS_SHOWN: Final = (
    *("distance", "pcs", "pcs_coupling", "clash_rate", "notes_per_beat", "human_density"),
    *("area_pitch", "area_duration", "area_inter_onset", "scale_consistency", "groove_consistency", "longest_gap_bars"),
)
NOTHING: Final = "–"
NO_DIFFERENCE: Final = frozenset({"melody_recall", BIGRAMS, TWO_SAMPLE, *AREAS.values()})
"""Metrics that are differences from something already, or that the human pieces have by nature."""
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
    "likelihood, chord tones, key and clashes (`pianalysis.arranging.ranking`). *Its own chords*: what a rule hears in the accompaniment "
    "(`pianalysis.harmony.recognise`); C7 and C are one chord. The key is that of the human piece; only songs that are "
    "there to their end have a final tonic. Chord-bigram divergence (Jensen–Shannon) is from the human pieces, in the human "
    "column that of one half of the songs from the other. The classifier two-sample test: can gradient boosting on "
    f"{len(FEATURES)} features of four-bar excerpts tell them from human ones, of songs that it hasn't seen? At 0.5 nobody can "
    "(`pianalysis.metrics.excerpts` lists the features); in the human column, every other four bars from the rest."
)

if TYPE_CHECKING:
    from pianalysis.publishing.records import RunRecord


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> str:
    """A Markdown table: columns after the first `left` are set to the right, as figures are.

    >>> print(markdown_table(("what", "how many"), [("notes", 3)]))
    | what | how many |
    |---|--:|
    | notes | 3 |
    """
    rule = "|".join("---" if place < left else "--:" for place in range(len(head)))
    return "\n".join([_line(head), f"|{rule}|", *map(_line, rows)])


def _line(cells: Iterable[object]) -> str:
    return "|" + "".join(f" {text} |" if (text := str(value)) else " |" for value in cells)


def search_table(runs: Sequence[dict[str, Any]]) -> str:
    """The runs of a search as a Markdown table, best first, each beside the run named base (or else the first)."""
    base = next((row["nats_per_note"] for row in runs if row["name"] == "base"), runs[0]["nats_per_note"])
    head = ("run", "learning rate", "batch", "steps", "million tokens", "nats per note", "against the base")
    return markdown_table(
        head,
        (
            (
                row["name"],
                f"{row['learning_rate']:.4g}",
                row["batch_size"],
                f"{row['steps']:,}",
                f"{row['tokens'] / 1e6:.2f}",
                f"{row['nats_per_note']:.3f}",
                f"{row['nats_per_note'] - base:+.3f}",
            )
            for row in sorted(runs, key=lambda row: float(row["nats_per_note"]))
        ),
    )


def speed_table(steps: Sequence[dict[str, Any]]) -> str:
    """Training steps beside a plain loop as a Markdown table: rows of `scripts/benchmark.py training`."""
    head = (
        "model",
        "batch",
        "length",
        "tokens/s",
        "of the plain loop",
        "ratio",
        "peak memory, MB",
        "of the plain loop",
    )
    return markdown_table(
        head,
        (
            (
                step["model"],
                step["batch_size"],
                f"{step['length']:,}",
                f"{step['ours_tokens_per_second']:,.0f}",
                f"{step['loop_tokens_per_second']:,.0f}",
                f"{step['ratio']:.2f}",
                f"{step['ours_peak_mb']:,.0f}",
                f"{step['loop_peak_mb']:,.0f}",
            )
            for step in steps
        ),
    )


def likelihood_table(figures: dict[str, Any]) -> str:
    """The likelihoods as a Markdown table; `figures` as `scripts/evaluate_model.py --json` writes them."""
    head = ("corpus, split", "windows", "notes", "this model", "unigram", "untrained", "this model, bits per second")
    return markdown_table(
        head,
        (
            (
                ", ".join((title_of(name.split("/")[0]), name.split("/")[1])),
                f"{row['model']['windows']:,}",
                f"{row['model']['notes']:,}",
                *(f"{row[kind]['nats_per_note']:.2f}" for kind in ("model", "unigram", "untrained")),
                f"{row['model']['bits_per_second']:.1f}",
            )
            for name, row in figures.items()
        ),
    )


def runs_table(records: Sequence[RunRecord]) -> str:
    """The runs that made a checkpoint, first to last."""
    head = ("run", "on", "optimizer, learning rate", "steps", "million tokens", "minutes", "best validation")
    return markdown_table(
        head,
        (
            (
                place,
                record.device,
                f"{record.options['optimizer']}, {record.options['learning_rate']}",
                f"{record.steps:,}",
                f"{record.tokens / 1e6:.1f}",
                f"{record.minutes:,.0f}",
                f"{record.best_nats_per_note:.3f}",
            )
            for place, record in enumerate(records, start=1)
        ),
        left=3,
    )


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
    rows = []
    for name in metrics:
        figures = {label: system.get(name) for label, system in systems.items()}
        if all(figure is None or figure["mean"] is None for figure in figures.values()):
            continue
        cells = (
            cell(figure, METRICS[name].digits, difference=label != HUMAN and name not in NO_DIFFERENCE)
            for label, figure in figures.items()
        )
        rows.append((METRICS[name].label, *cells))
    return markdown_table(("", *systems), rows)


def arrangement_tables(figures: Mapping[str, Mapping[str, Any]], metrics: Iterable[str] = METRICS) -> str:
    """All corpora whose rows have figures of whole songs, each with its table; nothing where none has."""
    shown, parts = tuple(metrics), []
    for place, row in figures.items():
        if ARRANGEMENTS in row:
            about = row[ARRANGEMENTS]
            corpus, split = place.split("/")
            head = f"**{title_of(corpus)}**, {sample(about, split)}:"
            parts += [head, systems_table(about["systems"], shown)]
    return "\n\n".join([*parts, LEGEND]) if parts else ""


def summary_table(figures: Mapping[str, Mapping[str, Any]], metrics: Iterable[str] = SUMMARY) -> str:
    """A row a metric, a column a corpus: the model that `figures` are of, and in brackets what people have."""
    shown = {place: row for place, row in figures.items() if ARRANGEMENTS in row}
    nats = ("nats per accompaniment note", *(f"{row['model']['nats_per_note']:.2f}" for row in shown.values()))
    rows = [nats] if all("model" in row for row in shown.values()) else []
    for name in metrics:
        cells = []
        for row in shown.values():
            systems, digits = row[ARRANGEMENTS]["systems"], METRICS[name].digits
            means = (systems[label].get(name, {}).get("mean") for label in (row["label"], HUMAN))
            cells.append("{} ({})".format(*(number(mean, digits) for mean in means)))
        rows.append((METRICS[name].label, *cells))
    return markdown_table(("", *(title_of(place.split("/")[0]) for place in shown)), rows)


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


def telling_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """What gives each system of a corpus away: the features by which excerpts are best told from human ones.

    >>> print(telling_table({"small": {"polyphony": 0.25}}).splitlines()[-1])
    | small | keys that sound at each sixteenth at which one does, mean: lower, 0.25 |
    """
    rows = []
    for label, areas in found.items():
        parts = (f"{FEATURES[name]}: {'higher' if area > 0.5 else 'lower'}, {area:.2f}" for name, area in areas.items())
        rows.append((label, "; ".join(parts)))
    head = ("system", "what tells its four bars from human ones best, and the AUC of that alone")
    return markdown_table(head, rows, left=2)


def settings_table(rows: Iterable[Mapping[str, Any]], human: Mapping[str, Any]) -> str:
    """One corpus: a row a sampling setting, the human values last; `rows` as `sampling_grid.grid_figures` gives them."""
    shown = [name for name in SETTINGS_SHOWN if name != "distance"]
    head = ("temperature", "top-p", "distance", *(METRICS[name].label for name in shown))
    filled: list[tuple[str, ...]] = []
    for row in rows:
        means = (number(row["metrics"][name]["mean"], METRICS[name].digits) for name in shown)
        filled.append((f"{row['temperature']:g}", f"{row['top_p']:g}", number(row["distance"], 2), *means))
    means = (number(human[name]["mean"], METRICS[name].digits) for name in shown)
    return markdown_table(head, [*filled, ("human", "", "", *means)], left=0)
