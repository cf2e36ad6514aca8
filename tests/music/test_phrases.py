from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music.notes import make_notes
from pianalysis.music.phrases import LIKENESS, MOVED, SLOT_MS, Return, echoes, likeness, returns

BAR = 2_000.0


def lines(bars):
    return np.arange(bars + 1) * BAR


def phrase(seed, bars=8, *, notes_a_bar=5):
    """Rows of a random phrase: (slot, pitch)."""
    rng = np.random.default_rng(seed)
    slots = [16 * bar + s for bar in range(bars) for s in sorted(rng.choice(16, notes_a_bar, replace=False))]
    return [(int(slot), int(pitch)) for slot, pitch in zip(slots, rng.integers(55, 80, len(slots)), strict=True)]


def melody(*parts):
    """Notes of (phrase, first bar, shift) parts."""
    return make_notes(
        ((slot + 16 * bar) * SLOT_MS, SLOT_MS, pitch + shift, 80) for rows, bar, shift in parts for slot, pitch in rows
    )


def found(notes, bars):
    return [(item.bar, item.earlier_bar, item.bars, item.shift) for item in returns(notes, lines(bars))]


def test_a_phrase_played_again_returns():
    assert found(melody((phrase(1), 0, 0), (phrase(2), 8, 0), (phrase(1), 16, 0)), 24) == [(16, 0, 8, 0)]


@pytest.mark.parametrize("shift", [-12, -5, 2, 7, 12])
def test_a_phrase_played_again_elsewhere_returns_moved(shift):
    notes = melody((phrase(1), 1, 0), (phrase(2), 9, 0), (phrase(1), 18, shift))
    assert found(notes, 26) == [(18, 1, 8, shift)]


def test_four_bars_return_too_and_the_first_of_two_is_named():
    notes = melody((phrase(1, 4), 0, 0), (phrase(1, 4), 4, 0), (phrase(2, 4), 8, 0), (phrase(1, 4), 12, 0))
    assert found(notes, 16) == [(4, 0, 4, 0), (12, 0, 4, 0)]


def test_a_varied_phrase_returns_and_a_phrase_too_much_varied_does_not():
    rows = phrase(1)
    few = [(slot, pitch + (3 if index % 5 == 0 else 0)) for index, (slot, pitch) in enumerate(rows)]
    many = [(slot, pitch + index % 7) for index, (slot, pitch) in enumerate(rows)]
    assert found(melody((rows, 0, 0), (few, 8, 0)), 16) == [(8, 0, 8, 0)]
    assert found(melody((rows, 0, 0), (many, 8, 0)), 16) == []


def test_played_early_or_late_it_still_returns():
    notes = melody((phrase(1), 0, 0), (phrase(1), 8, 0))
    rng = np.random.default_rng(0)
    notes["onset_ms"] = np.maximum(0, notes["onset_ms"] + rng.uniform(-40, 40, len(notes)))
    assert found(notes, 16) == [(8, 0, 8, 0)]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_new_does_not_return(seed):
    assert found(melody((phrase(seed, 32), 0, 0)), 32) == []


def test_silence_and_single_notes_are_no_phrases():
    assert returns(make_notes(), lines(32)) == []
    assert returns(make_notes(), lines(0)) == []
    assert found(melody(([(16 * bar, 60) for bar in range(32)], 0, 0)), 32) == []


def test_bars_of_another_length_are_another_phrase():
    rows = phrase(1)
    metres = np.concatenate([lines(8), 8 * BAR + np.arange(1, 9) * 1_500.0])
    assert returns(melody((rows, 0, 0), ([r for r in rows if r[0] < 90], 8, 0)), metres) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-4, 4)), min_size=2, max_size=8))
def test_what_is_found_is_alike_earlier_and_said_once(parts):
    notes = melody(*((phrase(seed, 4), 4 * place, shift) for place, (seed, shift) in enumerate(parts)))
    bars = 4 * len(parts)
    items = returns(notes, lines(bars))
    covered = [bar for item in items for bar in range(item.bar, item.bar + item.bars)]
    assert len(set(covered)) == len(covered)
    for item in items:
        assert item.earlier_bar + item.bars <= item.bar <= bars - item.bars
        own = likeness(notes, lines(bars), item.bar, item.earlier_bar, item.bars, item.shift)
        assert item.likeness == pytest.approx(own - MOVED * (item.shift != 0))
        assert item.likeness >= LIKENESS[item.bars]
    again = [place for place, (seed, _) in enumerate(parts) if seed in [s for s, _ in parts[:place]]]
    assert {4 * place for place in again} <= set(covered)


@given(st.integers(-5, 5), st.integers(0, 3))
def test_moved_as_a_whole_a_melody_returns_where_it_did(shift, late):
    parts = [(phrase(1), 0, 0), (phrase(2), 8, 0), (phrase(1), 16, 2)]
    moved = melody(*((rows, bar + late, step + shift) for rows, bar, step in parts))
    assert found(moved, 24 + late) == [(16 + late, late, 8, 2)]


def test_a_long_piece_is_looked_through_in_seconds():
    begin = time.process_time()
    returns(melody((phrase(0, 400), 0, 0)), lines(400))
    assert time.process_time() - begin < 10


def test_echoes_by_hand():
    """Bars 9 and 10 return 1 and 2, a tone up: one chord note of three is kept in the first, nothing sounds in the second."""
    item = Return(8, 0, 4, 2, 1.0)
    below = make_notes([(0, 500, 48, 80), (0, 500, 55, 80), (8 * BAR, 500, 62, 80), (8 * BAR + 500, 500, 57, 80)])
    assert echoes(below, lines(12), [item]).tolist() == [1 / 3]
    assert echoes(below, lines(12), []).tolist() == []
