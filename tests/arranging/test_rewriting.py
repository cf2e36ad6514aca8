"""Rewritten bars are new, and all others are as they were, to the tick."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arrangement, Options
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi, ticks_to_ms

NAMES = ["ode_to_joy", "greensleeves", "sakura"]
FREE = Options(temperature=1.0, top_k=0, top_p=1.0)


@pytest.fixture(scope="module")
def pieces(tiny_arranger):
    return [tiny_arranger(EXAMPLES / f"{name}.mid", seed=1, options=FREE) for name in NAMES]


def rows(piece, first=None, last=None, *, inside=True):
    """The accompaniment in ticks; of bars first … last, or of all but those."""
    notes = sorted((n.time, n.duration, n.pitch, n.velocity) for n in piece.score.tracks[1].notes)
    if first is None:
        return notes
    source = piece.source
    edges = source.clock.bar_lines[[first - 1, last]] - 10  # clock-ms, for rounding
    onsets = source.clock.to_clock(ticks_to_ms(piece.score, [row[0] for row in notes]))
    return [row for row, onset in zip(notes, onsets, strict=True) if (edges[0] <= onset < edges[1]) == inside]


def wait_before(piece, bar):
    """How long, in ticks, nothing is struck around a bar's line: from the last onset before it to the first from it on."""
    before, after = rows(piece, 1, bar - 1), rows(piece, bar, 16)
    return after[0][0] - before[-1][0]


def is_playable(piece):
    """No key is struck while it sounds."""
    ends = {}
    for onset, length, pitch, _ in rows(piece):
        assert length > 0
        assert onset >= ends.get(pitch, 0)
        ends[pitch] = onset + length
    return True


@given(st.data(), st.integers(2, 7), st.booleans())  # with the pieces' own seed the first bars are written as they were
@settings(max_examples=25)
def test_only_those_bars_are_rewritten(tiny_arranger, pieces, data, seed, from_midi):
    piece = pieces[data.draw(st.integers(0, 2))]
    if from_midi:
        piece = Arrangement.read(read_midi(piece.score.dumps_midi()))
    source = piece.source
    first = data.draw(st.integers(source.first_bar + 1, source.last_bar))
    last = data.draw(st.integers(first, min(source.last_bar, first + 6)))
    new = tiny_arranger.regenerate(piece, (first, last), seed=seed, options=FREE)
    again = tiny_arranger.regenerate(piece, (first, last), seed=seed, options=FREE)
    assert rows(new, first, last, inside=False) == rows(piece, first, last, inside=False)
    if last - first > 2:  # no rest is so long
        assert rows(new, first, last) not in ([], rows(piece, first, last))
    assert new.score.dumps_midi() == again.score.dumps_midi()
    assert is_playable(new)
    assert new.seed == seed


def test_read_from_midi_the_same_is_written(tiny_arranger, pieces):
    for piece in pieces:
        read = Arrangement.read(read_midi(piece.score.dumps_midi()))
        assert rows(read) == rows(piece)
        whole, from_file = (tiny_arranger.regenerate(item, (5, 8), seed=2, options=FREE) for item in (piece, read))
        assert whole.score.dumps_midi() == from_file.score.dumps_midi()


def test_what_is_before_is_history_and_the_melody_after_is_seen(tiny_arranger, pieces, monkeypatch):
    seen = []
    original = tiny_arranger.engine.continue_prompts
    monkeypatch.setattr(
        tiny_arranger.engine, "continue_prompts", lambda jobs, *more: seen.extend(jobs) or original(jobs, *more)
    )
    tiny_arranger.regenerate(pieces[0], (9, 10))
    (job,) = seen
    from pianalysis.tokens.tokenizer import decode
    from pianalysis.tokens.vocab import EOS

    window = decode([*job.prompt, EOS])
    assert (job.state.limits.first_ms, job.state.limits.length_ms) == (8_000, 12_000)
    assert window.melody["onset_ms"].max() > 14_000
    assert len(window.accompaniment) == len(rows(pieces[0], 5, 8))


def test_joins_with_the_bundled_model(small_arranger):
    """Bars written anew have no more gap before them, and no more notes, than others."""
    piece = small_arranger(EXAMPLES / "ode_to_joy.mid", seed=0)
    new = [small_arranger.regenerate(piece, (5, 8), seed=seed) for seed in range(3)]
    assert len({tuple(rows(item, 5, 8)) for item in new}) == 3
    waits = [wait_before(item, 5) for item in new]
    assert np.mean(waits) <= max(wait_before(piece, bar) for bar in range(2, 17))
    counts = [len(rows(item, 5, 8)) for item in new]
    assert len(rows(piece, 5, 8)) / 2 < np.mean(counts) < len(rows(piece, 5, 8)) * 2


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_piece_goes_on_after_it_was_cancelled(tiny_arranger, steps):
    stream = tiny_arranger.stream(EXAMPLES / "ode_to_joy.mid", options=FREE)
    for _ in range(steps):
        next(stream)
    stream.cancel()
    part, done = stream.piece, stream.bars_done
    whole = tiny_arranger.continue_from(part, done + 1, seed=3)
    assert whole.bars == 16
    assert done == 0 or rows(whole, 1, done) == rows(part)
    assert rows(whole, 15, 16)
    assert whole.remarks == ()


def test_cancelled_while_rewriting_the_rest_stays(tiny_arranger, pieces):
    piece = pieces[0]
    stream = tiny_arranger.stream_regenerated(piece, (3, 12), options=FREE)
    done = [next(stream).bars_done for _ in range(3)][-1]
    stream.cancel()
    assert stream.bars == 10
    assert rows(stream.piece, 3, 2 + done, inside=False) == rows(piece, 3, 2 + done, inside=False)
    assert stream.piece.remarks == (f"stopped after {done} of 10 bars",)


@pytest.mark.parametrize("bars", [(0, 2), (3, 2), (9, 17), (-1, -1)])
def test_bars_that_are_not_there_are_refused(tiny_arranger, pieces, bars):
    with pytest.raises(PianalysisError, match="expected bars between 1 and 16"):
        tiny_arranger.regenerate(pieces[0], bars)


def test_a_file_with_more_tracks_is_no_piece(pieces):
    score = read_midi(pieces[0].score.dumps_midi())
    score.tracks.append(score.tracks[1])
    with pytest.raises(PianalysisError, match="found 3 tracks"):
        Arrangement.read(score)
