"""Tunes in ABC as songs: what is trained on and measured beside the corpora."""

from __future__ import annotations

import pytest

from pianalysis.errors import PianalysisError

WALTZ = "X:1\nT:A waltz\nM:3/4\nL:1/4\nK:G\nD|G2B|B2A|G2E|D2D|G2B|B2A|d3|d2B|]\n"
SHORT = "X:2\nT:Few notes\nM:4/4\nL:1/4\nK:C\nCDEF|G4|]\n"


def test_tunes_are_songs_with_their_bars_each_once(script, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "one.abc").write_text(f"{WALTZ}\n{SHORT}\n{WALTZ}")
    (song,) = script("tune_songs").tune_songs([tmp_path / "book"])
    assert song.corpus == "book"
    assert song.clock.time_signature == (3, 4)
    assert song.melody["pitch"][:3].tolist() == [62, 67, 71]
    assert len(song.accompaniment) == 0
    # the upbeat is the first bar's last quarter, whether its bar is a whole one or not
    lines = song.clock.bar_lines / song.quarter_ms
    assert song.melody["onset_ms"][1] / song.quarter_ms in lines.tolist()
    assert set((lines[2:] - lines[1:-1]).round(6).tolist()) == {3.0}


def test_a_folder_without_tunes_is_named(script, tmp_path):
    with pytest.raises(PianalysisError, match="expected tunes in ABC"):
        list(script("tune_songs").tune_songs([tmp_path]))
