"""Whole songs arranged, measured, and compared with what people wrote.

In: a dataset's split and models, or folders of MIDI. Out: figures with intervals, a report, and the metrics as `evaluate.Metric`s; the
extra `evaluation`.

bootstrap: how sure is a mean over songs: percentile bootstrap intervals (Efron & Tibshirani 1993).
chord_files: the chords that somebody gives for a song, in a file of any kind.
citations: what the metrics' definitions were published in, in BibTeX.
folders: folders of music, matched by the names of their files.
hub_metrics: the metrics as `evaluate.Metric`s: predictions and references in, a dictionary of numbers out.
judged_songs: what one song of a judgement is: its melody, its chords, and the accompaniments under it, on one clock.
judgement_report: the report of a judgement: a Markdown file with its table, and pictures.
judging: any system's music judged by the whole yardstick, beside references where there are some.
likelihoods: the likelihood of a split's windows under models, beside a unigram and an untrained model.
matching: the melody of a song found in an arrangement of it: what is left is the accompaniment.
piece_metrics: what is measured of a piece, and how.
plots: pictures of an evaluation: distributions, metrics with intervals, piano rolls side by side, sampling settings.
references: what an arrangement is compared with: another song's accompaniment, and block chords by rule.
report: the report of an evaluation: a Markdown file with its tables, and its plots.
run: an evaluation from beginning to end, resumable: likelihoods, arrangements beside references, figures.
sampling_grid: sampling settings: how each metric moves with temperature and top-p, and which setting comes nearest to
    the human pieces.
songs: the songs that are arranged: excerpts of a dataset's pieces on the beat clock, and their MIDI.
summary: values a song to means with intervals, beside the human ones.
takes: arrangements of songs by models, made once and kept: a MIDI file and a JSON file each.
training_set: the accompaniments of the training set on their clocks, read fast, and their index of copies.
"""

from pianalysis.evaluation.judging import Judgement, judge

__all__ = ["Judgement", "judge"]
