"""How good is a model, how good is a piece: plain numbers, by the field's names.

Pure functions on note arrays (`pianalysis.music.notes`), NaN where a value isn't defined. Times are clock-ms, where a beat is
500 (`BeatClock.notes_to_clock`), unless a function says otherwise. As `evaluate.Metric`s: `pianalysis.evaluation.hub_metrics`.
"""
