"""Where the melody returns, the accompaniment does; streamed or whole, alone or beside others."""

from __future__ import annotations

import numpy as np
import pytest
import symusic

from pianalysis.arranging.arranger import LONGEST_REST_MS, Options
from pianalysis.arranging.charting import bar_chords, moved
from pianalysis.arranging.structure import Earlier, earlier_bars
from pianalysis.music.notes import make_notes
from pianalysis.music.phrases import echoes, returns

FREE = Options(temperature=1.0, top_k=0, top_p=1.0)
BAR = 2_000.0


def tune(*parts):
    """A score in 4/4 at 120 bpm of four-bar phrases, each of its own, and where and how high they are."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120))
    track = symusic.Track("Melody", 0, False)
    for place, (seed, shift) in enumerate(parts):
        rng = np.random.default_rng(seed)
        for beat, pitch in enumerate(rng.choice([60, 62, 64, 65, 67, 69, 71, 72], 16).tolist()):
            track.notes.append(symusic.Note((16 * place + beat) * 480, 480, pitch + shift, 80))
    score.tracks.append(track)
    return score


SONG = tune((1, 0), (2, 0), (1, 0), (3, 0), (2, 2))


def mean_echo(piece):
    source = piece.source
    found = returns(source.voice, source.clock.bar_lines)
    assert sum(item.bars for item in found) == 8
    below = source.clock.notes_to_clock(piece.accompaniment)
    return echoes(below, source.clock.bar_lines, found).mean()


def has_its_chords_back(piece):
    chords = bar_chords(piece.chart, piece.source)
    return all(
        chords[bar] == moved(chords[earlier.bar], earlier.shift) for bar, earlier in piece.source.earlier_bars.items()
    )


def test_bars_are_found_moved_or_not():
    piece = make_notes((500.0 * note.time / 480, 500, note.pitch, 80) for note in SONG.tracks[0].notes)
    assert earlier_bars(piece, np.arange(21) * BAR) == {
        **{8 + step: Earlier(step, 0) for step in range(4)},
        **{16 + step: Earlier(4 + step, 2) for step in range(4)},
    }


def test_a_bar_that_is_new_in_a_phrase_that_returns_is_new():
    score = tune((1, 0), (2, 0), (1, 0))
    for note in score.tracks[0].notes:
        if 10 * 1920 <= note.time < 11 * 1920:
            note.pitch += 5 if note.time % 960 else 3
    notes = make_notes((500.0 * note.time / 480, 500, note.pitch, 80) for note in score.tracks[0].notes)
    assert sorted(earlier_bars(notes, np.arange(13) * BAR)) == [8, 9, 11]


@pytest.mark.parametrize("style", ["pop", "classical", "hymn"])
def test_what_returns_is_played_again(small_arranger, style):
    piece = small_arranger(SONG, seed=0, style=style)
    assert mean_echo(piece) > 0.8
    assert has_its_chords_back(piece)


@pytest.mark.parametrize(("style", "most"), [("pop", 0.4), ("classical", 0.5)])
def test_without_structure_it_is_not(small_arranger, style, most):
    """Not in hymns: four parts on every note of the melody leave little else to play below one that returns."""
    pieces = small_arranger.takes(SONG, seeds=range(2), style=style, structure=False)
    assert np.mean([mean_echo(piece) for piece in pieces]) < most
    assert not any(has_its_chords_back(piece) for piece in pieces)


@pytest.mark.parametrize("seed", range(3))
def test_streamed_or_beside_others_it_is_the_same(tiny_arranger, seed):
    stream = tiny_arranger.stream(SONG, seed=seed, options=FREE)
    done = [fresh.bars_done for fresh in stream]
    whole = tiny_arranger(SONG, seed=seed, options=FREE)
    takes = tiny_arranger.takes(SONG, seeds=[7, seed], options=FREE)
    assert stream.piece.score.dumps_midi() == whole.score.dumps_midi() == takes[1].score.dumps_midi()
    assert max(np.diff([0, *done])) <= 3
    onsets = whole.source.clock.to_clock(whole.accompaniment["onset_ms"])
    assert np.diff(onsets).max() <= LONGEST_REST_MS + 200


def test_not_under_another_density_nor_off_the_keys(tiny_arranger):
    other = tiny_arranger(SONG, options=FREE, density="low,9-12:high,17-20:high")
    assert mean_echo(other) < 0.5
    narrow = tiny_arranger(SONG, options=FREE, lowest=60, highest=72)
    assert narrow.accompaniment["pitch"].max() <= 72


def test_rewritten_bars_are_new_and_a_piece_gone_on_with_has_its_structure(tiny_arranger):
    piece = tiny_arranger(SONG, options=FREE)
    assert mean_echo(piece) > 0.8
    assert mean_echo(tiny_arranger.regenerate(piece, (9, 20), seed=1)) < 0.5
    assert mean_echo(tiny_arranger.continue_from(piece, 9, seed=1)) > 0.7
