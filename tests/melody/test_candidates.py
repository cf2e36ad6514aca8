from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import add_track, scores, simple_score

from pianalysis.melody.candidates import SLICES, candidates
from pianalysis.melody.find import find_melody
from pianalysis.melody.names import NameSays
from pianalysis.melody.track_features import FEATURES, doubled_share, highest_sounding
from pianalysis.melody.track_scores import bundled_weights, score_tracks
from pianalysis.music.notes import make_notes

TUNE = [(n, 1, 60 + n % 5) for n in range(12)]


@settings(max_examples=30)
@given(scores(names=("", "Melody", "Piano", "Bass")))
def test_all_tracks_with_notes_are_listed_once_and_the_first_is_what_is_taken(score):
    found = candidates(score)
    assert sorted(item.number for item in found) == [n for n, track in enumerate(score.tracks, 1) if len(track.notes)]
    assert sum(item.probability for item in found) == pytest.approx(1)
    assert [item.probability for item in found] == sorted((item.probability for item in found), reverse=True)
    assert found[0].melody.notes.tolist() == find_melody(score).notes.tolist()
    for item in found:
        chosen = find_melody(score, track=item.number)
        assert item.melody.notes.tolist() == chosen.notes.tolist()
        assert 0 <= item.share <= 1
        assert len(item.picture()) == len(item.contour) == SLICES
        heights = item.contour[~np.isnan(item.contour)]
        assert ((heights >= item.lowest - 1e-9) & (heights <= item.highest + 1e-9)).all()


def test_a_contour_by_hand():
    score = simple_score([(0, 2, 60), (2, 2, 67), (4, 2, 64)], name="Melody")
    add_track(score, [(n, 1, 48) for n in range(12)], name="Bass")
    first = candidates(score, slices=6)[0]
    assert (first.number, first.name, first.kind, first.program) == (1, "Melody", "one voice", 0)
    assert first.contour.tolist()[:3] == pytest.approx([60, 67, 64])
    assert np.isnan(first.contour[3:]).all()
    assert first.picture() == "▁█▅···"
    assert (first.lowest, first.highest) == (60, 67)
    assert first.share == pytest.approx(3 / 6)


def low_solo(program, other):
    """A melody in the tenor, below broken chords on two tracks that are others' ."""
    score = simple_score([(n, 1, 48 + (0, 2, 4, 5, 7, 5, 4, 2)[n % 8]) for n in range(32)], name="")
    score.tracks[0].program = program
    add_track(score, [(n / 2, 0.5, 67 + (0, 4, 7, 4)[n % 4]) for n in range(64)])
    add_track(score, [(2 * n, 2, 60 + pitch) for n in range(16) for pitch in (0, 4, 7)])
    for track in score.tracks[1:]:
        track.program = other
    return {item.number: item.probability for item in score_tracks(score)}


def test_the_one_that_sings_among_keyboards_is_the_soloist():
    cello, piano, violin = 42, 0, 40
    assert low_solo(cello, piano)[1] > 0.5 > low_solo(piano, piano)[1]
    assert low_solo(cello, violin)[1] == pytest.approx(low_solo(piano, violin)[1])


def test_a_noise_is_no_melody():
    score = simple_score(TUNE, name="")
    add_track(score, [(n, 1, 50 + n % 3) for n in range(12)])
    before = score_tracks(score)[0].number
    score.tracks[0].program = 122  # the seashore
    assert before == 1
    assert score_tracks(score)[0].number == 2


def test_drums_alone_give_no_candidates():
    score = simple_score([])
    add_track(score, TUNE, is_drum=True)
    assert candidates(score) == []


def test_words_that_are_sung_tell_the_voice():
    import symusic

    score = simple_score([(n / 2, 0.5, 72 + n % 5) for n in range(24)], name="")
    add_track(score, TUNE, name="Anna")
    before = {item.number: item.probability for item in score_tracks(score)}
    score.tracks.append(symusic.Track("Anna", 0, False))  # as symusic reads a track with lyrics
    score.tracks[2].lyrics.append(symusic.TextMeta(0, "la"))
    assert {item.number: item.probability for item in score_tracks(score)}[2] > before[2]


SONG = [(n, 1, 60 + (0, 2, 4, 5, 7, 5, 4, 2)[n % 8]) for n in range(4, 68)]
CHORDS = [(4 * n, 4, 48 + pitch) for n in range(18) for pitch in (0, 4, 7)]
RIFFS = [(8 * n + k / 2, 0.5, 76 + 3 * (k % 3) - low) for n in range(9) for k in range(5) for low in (0, 4)]


def song(*names_and_programs):
    """A line, the same an octave higher, chords and a guitar's riffs, by names and programmes of the first two."""
    (name, program), (above, its_program) = names_and_programs
    score = simple_score(RIFFS, name="Rock Organ, Rock Org., Rock Organ")
    add_track(score, CHORDS, name="Piano, Piano, Piano")
    add_track(score, SONG, name=name)
    add_track(score, [(beat, length, pitch + 12) for beat, length, pitch in SONG], name=above)
    for track, its in zip(score.tracks, (18, 0, program, its_program), strict=True):
        track.program = its
    return score


def test_a_sung_line_with_programmes_names_is_found_as_without_names():
    bare = [item.probability for item in score_tracks(song(("", 52), ("", 96)))]
    for names in [
        ("Alto, Alto, Lead 1 Aahs ", "Effect Synthesizer "),
        ("Choir Aahs", "FX 1 (rain)"),
        ("Tenor, T., Synth Voice", "Synth Effects"),
    ]:
        scored = score_tracks(song((names[0], 52), (names[1], 96)))
        assert scored[0].number in (3, 4)
        assert [item.probability for item in scored] == pytest.approx(bare)


@pytest.mark.parametrize("typed", ["Choir", "Backing Vocals", "Pad", "Bass", "Aahs"])
def test_what_people_type_still_speaks_against_a_line(typed):
    number = {item.number: item.probability for item in score_tracks(song((typed, 52), ("", 96)))}
    assert number[3] < 0.01


def below(name, other, *, octave=0, program=52):
    """What the name says of a line, beside another a third and some octaves higher."""
    score = simple_score(SONG, name=name)
    add_track(score, [(beat, length, pitch + 4 + 12 * octave) for beat, length, pitch in SONG], name=other)
    score.tracks[0].program, score.tracks[1].program = 52, program
    return next(item.says for item in score_tracks(score) if item.number == 1)


def test_a_low_voice_is_below_another_only_where_one_is_above():
    assert below("Alto", "Soprano") == NameSays.LOW  # by name
    assert below("Tenor", "Alto", program=0) == NameSays.LOW  # by both names and pitch
    assert below("Alto", "Tenor", octave=-1, program=0) == NameSays.NOTHING
    assert below("Tenor", "") == NameSays.LOW  # by what it is: one voice on the same programme
    assert below("Tenor", "Flute", program=73) == NameSays.NOTHING
    assert below("Left Hand", "Flute", program=73) == NameSays.LOW


def test_a_tenor_with_a_piano_has_the_melody():
    score = simple_score([(beat, length, pitch - 12) for beat, length, pitch in SONG], name="Tenor")
    add_track(score, [(n / 2, 0.5, 60 + (0, 4, 7, 4)[n % 4]) for n in range(144)] + CHORDS, name="Piano")
    best = score_tracks(score)[0]
    assert (best.number, best.says) == (1, NameSays.NOTHING)


def test_a_line_that_another_doubles_is_not_below_it():
    score = simple_score(SONG, name="Alto")
    add_track(score, [(beat, length, pitch + 12) for beat, length, pitch in SONG])
    assert score_tracks(score)[0].says == NameSays.NOTHING == score_tracks(score)[1].says
    doubled = doubled_share(*(item.part.line for item in score_tracks(score)))
    assert doubled == 1


def test_every_feature_has_a_finite_weight():
    weights = bundled_weights()
    assert weights.shape == (len(FEATURES),)
    assert np.isfinite(weights).all()
    assert (weights != 0).all()


def test_what_sounds_highest_by_hand():
    notes = make_notes([(0, 1000, 60, 80), (0, 400, 67, 80)])
    assert highest_sounding(notes, np.array([0.0, 390.0, 500.0, 2000.0])).tolist() == [67, 60, 60, -1]
