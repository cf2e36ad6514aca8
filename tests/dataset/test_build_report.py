"""What a build counts: by hand, and against the plain way of counting it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from corpus import make_pop909, song

from pianalysis.dataset.building import BuildOptions, build_dataset
from pianalysis.dataset.corpora import Piece, read_single
from pianalysis.dataset.piece_chords import piece_chart
from pianalysis.dataset.report import ERROR_STEP_MS, BuildReport, PartReport
from pianalysis.dataset.rows import DROP_REASONS, REPORT_FILE, dropped_windows, load_windows, piece_windows
from pianalysis.dataset.sources import CorpusSource
from pianalysis.music.clock import BeatClock
from pianalysis.music.notes import make_notes
from pianalysis.tokens.tokenizer import encode
from pianalysis.tokens.windows import DENSITY_CUTS

BEFORE, AFTER, DENSE = DROP_REASONS


@pytest.fixture
def source(tmp_path):
    return CorpusSource("pop909", *make_pop909(tmp_path / "corpus"))


def test_the_report_counts_what_was_made(source, tmp_path):
    report = build_dataset(BuildOptions((source,), versions=True), tmp_path / "out")
    assert (report.lost, report.added, report.off_keyboard) == (0, 0, 0)
    assert report.pieces == {"pop909/train": 6, "pop909/validation": 1, "pop909/test": 1}
    assert report.windows["pop909/test"] == len(load_windows(tmp_path / "out", "test"))
    assert sum(report.dynamics.values()) == report.accompaniment_notes == 8 * 40
    assert [name.rsplit("/", 1)[1] for name, _ in report.problems] == ["001-v2.mid", "002-v2.mid", "005-v2.mid"]
    assert max(report.onset_errors) == 0  # all of it lies on the grid
    assert report.figures()["tokens an accompaniment note"] == pytest.approx(3.5 + 3 / 40, abs=0.02)
    saved = json.loads((tmp_path / "out" / REPORT_FILE).read_text())
    assert BuildReport.from_dict(saved).figures() == report.figures()


def test_reports_merge_whatever_the_parts():
    one, two = PartReport(notes=3, problems=[("a", "b")]), PartReport(notes=4)
    one.dynamics.update({"MF": 2})
    two.dynamics.update({"MF": 1, "P": 5})
    merged = BuildReport(problems=[("first", "x")])
    merged.add(one)
    merged.add(two)
    assert (merged.notes, merged.dynamics, merged.problems) == (7, {"MF": 3, "P": 5}, [("first", "x"), ("a", "b")])


def piece_of(melody, accompaniment, bars):
    """A piece in 4/4 at 120 bpm, so that clock and real time are the same."""
    beats = np.arange(4 * bars + 1) * 500.0
    clock = BeatClock.from_beats(beats, np.arange(len(beats)) % 4 == 0)
    return Piece("p", 0, "folder", "pop", "", "", "", make_notes(melody), make_notes(accompaniment), clock)


def test_windows_without_the_melody_and_bars_too_dense_are_counted():
    melody = [(bar * 2_000, 500, 72, 80) for bar in range(20, 40)]
    crowd = [
        (28 * 2_000 + step * 25, 25, pitch, 80) for step in range(80) for pitch in range(30, 50)
    ]  # one bar, 1,600 notes
    for every_bar, before, after in ((False, 2, 1), (True, 13, 13)):  # of 53 bars: the clock adds one
        piece = piece_of(melody, crowd, 52)
        kept = list(piece_windows(piece, every_bar=every_bar))
        dropped = dropped_windows(piece.clock.bar_lines, kept, every_bar=every_bar)
        starts = [window.start_bar for window in kept]
        assert dropped[DENSE] == 1
        assert 28 not in starts
        bars = len(piece.clock.bar_lines) - 1
        if every_bar:
            assert len(starts) + dropped.total() == bars
        assert (dropped[BEFORE], dropped[AFTER]) == (before, after)


def test_round_trip_errors_by_hand():
    # 10 ms late of the grid, 5 ms early, on it; lengths 3 ms too long, exact, and 20 ms from 1,125 and more from 1,000
    melody = [(10, 503, 72, 80), (995, 500, 74, 80), (2_000, 1_105, 76, 80)]
    below = [
        (0, 500, 48, 80),
        (4, 300, 48, 80),
        (0, 500, 10, 80),
    ]  # one key twice on one step, and one off the keyboard
    piece = piece_of(melody, below, 2)
    report = PartReport(split="train")
    windows = list(piece_windows(piece))
    assert report.add_piece(piece, windows, piece_chart(piece), every_bar=False)
    report.add_windows(piece, windows, [encode(window.notes) for window in windows])
    count = lambda *errors: Counter(round(error / ERROR_STEP_MS) for error in errors)  # noqa: E731
    assert report.onset_errors == count(10, 5, 0, 0)
    assert report.duration_errors == count(3, 0, 20, 0)
    assert (report.merged, report.off_keyboard, report.lost, report.added) == (1, 1, 0, 0)


def test_a_piece_without_windows_is_left_out_with_its_reason():
    report = PartReport(split="train")
    (piece,) = read_single(song(1, bars=2), "short.mid")
    assert not report.add_piece(piece, [], piece_chart(piece), every_bar=False)
    assert report.problems == [("short.mid", "no window of it holds a melody; left out")]
    assert not report.pieces


def test_chords_are_counted_by_hand():
    """C for a bar and a half, no chord for half a bar, then to the end what no label says: of 80 beats 6 have a chord."""
    piece = piece_of([(0, 500, 72, 80)], [(0, 500, 48, 80)], 20)
    labels = ((0.0, 3_000.0, "C:maj"), (3_000.0, 4_000.0, "N"))
    piece = replace(piece, chords=labels, chord_source="label")
    report = PartReport(split="train")
    charted = piece_chart(piece)
    assert report.add_piece(piece, list(piece_windows(piece, charted)), charted, every_bar=False)
    assert report.chord_sources == {"folder/label": 1}
    assert (report.chord_beats["folder"], report.chord_changes["folder"]) == (6, 1)
    assert report.beats["folder"] == 4 * report.bars["folder"] == 4 * (len(piece.clock.bar_lines) - 1)


def test_a_lead_sheet_has_no_density_and_is_counted_apart():
    piece = piece_of([(beat * 500, 500, 72, 80) for beat in range(64)], [], 16)
    piece = replace(piece, chords=((0.0, 32_000.0, "C:maj"),), chord_source="written", lead_sheet=True)
    report = PartReport(split="train")
    charted = piece_chart(piece)
    windows = list(piece_windows(piece, charted))
    assert report.add_piece(piece, windows, charted, every_bar=False)
    report.add_windows(piece, windows, [encode(window.notes) for window in windows])
    assert report.lead_sheets == report.windows == {"folder/train": 2}
    assert (report.densities, report.per_beat, report.accompaniment_tokens) == (Counter(), Counter(), 0)
    assert report.lost == report.added == 0


def test_density_terciles_by_hand():
    report = BuildReport()
    report.per_beat.update({100: 2, 250: 2, 400: 2})
    assert report.density_terciles() == (1.0, 2.5)


def test_the_density_cuts_are_the_terciles_of_the_build_on_the_card():
    text = (ROOT / "dataset_card.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"density terciles of training windows, notes a beat \| ([\d.]+), ([\d.]+) \|", text)
    assert [float(value) for value in found] == pytest.approx(DENSITY_CUTS, abs=0.05)
