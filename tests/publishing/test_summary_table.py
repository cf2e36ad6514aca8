from __future__ import annotations

from pianalysis.publishing.tables import summary_table


def test_a_row_a_metric_and_what_people_have_in_brackets():
    ours, people = {"chord_root": {"mean": 0.5}, "out_of_key": {"mean": None}}, {"chord_root": {"mean": 0.906}}
    row = {
        "label": "mine",
        "model": {"nats_per_note": 3.456},
        "arrangements": {"systems": {"human": people, "mine": ours, "other": {"chord_root": {"mean": 0.1}}}},
    }
    figures = {"pop909/test": row, "hymns/test": {"label": "mine"}}  # of the second no songs were arranged
    assert summary_table(figures, ["chord_root", "out_of_key"]).splitlines() == [
        "| | POP909 |",
        "|---|--:|",
        "| nats per accompaniment note | 3.46 |",
        "| root agreement, the song's chords | 0.50 (0.91) |",
        "| notes out of key | – (–) |",
    ]
