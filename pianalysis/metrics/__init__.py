"""How good is a model, how good is a piece: plain numbers, by the field's names.

Pure functions on note arrays (`pianalysis.notes`), NaN where a value isn't defined. Times are clock-ms, where a beat is
500 (`BeatClock.notes_to_clock`), unless a function says otherwise. As `evaluate.Metric`s: `pianalysis.metrics.hub_metrics`.
"""

from pianalysis.metrics.harmony import CONSONANCE, pitch_consonance_score
from pianalysis.metrics.likelihood import FLAT_NATS, Likelihood, count_notes, model_likelihood, unigram_likelihood

__all__ = [
    "CONSONANCE",
    "FLAT_NATS",
    "Likelihood",
    "count_notes",
    "model_likelihood",
    "pitch_consonance_score",
    "unigram_likelihood",
]
