from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import add_track, note_arrays, scores, simple_score

from pianalysis.errors import NoMelodyError, PianalysisError
from pianalysis.melody.find import find_melody
from pianalysis.melody.voices import line_of_track, skyline, voice_share
from pianalysis.music.keys import fold_to_keyboard
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import SAME_ONSET_MS, make_notes, monophonic, sort_notes

CHORDS = [(2 * n, 2, pitch) for n in range(6) for pitch in (48, 52, 55)]
TUNE = [(n, 1, 60 + n % 5) for n in range(12)]


def rows(notes):
    return [(note.time, note.duration, note.pitch, note.velocity) for note in notes]


@given(scores(names=("", "Melody", "Piano")))
def test_a_melody_is_some_of_the_files_own_notes_unchanged(score):
    melody = find_melody(score)
    remaining = [row for track in score.tracks for row in rows(track.notes)]
    for row in rows(melody.score_notes):
        remaining.remove(row)
    assert len(melody.notes) == len(melody.score_notes) > 0
    assert sorted(note.pitch for note in melody.score_notes) == sorted(melody.notes["pitch"].tolist())
    everything = track_notes(score, score.tracks).tolist()
    assert all(note in everything for note in melody.notes.tolist())


@given(note_arrays())
def test_one_voice_never_overlaps_itself(notes):
    voice = monophonic(notes)
    assert (np.diff(voice["onset_ms"]) >= SAME_ONSET_MS).all()
    assert (voice["duration_ms"][:-1] <= np.diff(voice["onset_ms"])).all()


@given(note_arrays())
def test_one_voice_is_of_the_notes_given_and_stays_as_it_is(notes):
    voice = monophonic(notes)
    lengths = {}
    for onset, length, pitch, _ in notes.tolist():
        lengths[onset, pitch] = max(length, lengths.get((onset, pitch), 0))
    for onset, length, pitch, _ in voice.tolist():
        assert length <= lengths[onset, pitch]
    assert (len(voice) > 0) == (len(notes) > 0)
    np.testing.assert_array_equal(monophonic(voice), voice)


@given(note_arrays())
def test_one_voice_is_left_alone(notes):
    voice = monophonic(notes)
    assert voice_share(voice) == 1
    np.testing.assert_array_equal(skyline(voice), voice)


GRID_ROWS = st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(40, 60))


@given(st.lists(GRID_ROWS, max_size=40))
def test_the_skyline_is_the_top_of_each_onset_with_nothing_higher_held(places):
    notes = sort_notes(make_notes((100.0 * onset, 100.0 * length, pitch, 80) for onset, length, pitch in places))
    line = []
    for onset in np.unique(notes["onset_ms"]).tolist():
        top = notes[notes["onset_ms"] == onset].tolist()[-1]
        if not any(pitch >= top[2] and start + length > onset for start, length, pitch, _ in line):
            line.append(top)
    assert [row[:1] + row[2:3] for row in skyline(notes).tolist()] == [row[:1] + row[2:3] for row in line]


@pytest.mark.parametrize(
    ("given_rows", "kept"),
    [
        ([(0, 500, 60), (0, 500, 64), (500, 500, 62)], [(0, 64), (500, 62)]),
        ([(0, 500, 60), (20, 480, 64), (29, 471, 67)], [(29, 67)]),  # a chord rolled upwards
        ([(0, 500, 67), (20, 480, 64)], [(0, 67)]),  # and downwards
        ([(0, 20, 67), (0, 500, 60)], [(0, 67)]),  # a short note on top of a chord is its top note
        ([(0, 1000, 72), (500, 400, 60), (1000, 500, 60)], [(0, 72), (1000, 60)]),
        ([(0, 1000, 72), (980, 400, 60)], [(0, 72), (980, 60)]),  # legato, a little early
        ([(0, 5000, 60), *((500 * n, 400, 60 + n) for n in range(1, 7)), (4000, 500, 50)], "all but the last"),
    ],
)
def test_skylines_by_hand(given_rows, kept):
    line = skyline(make_notes((*row, 80) for row in given_rows))
    if kept == "all but the last":
        kept = [(onset, pitch) for onset, _, pitch in given_rows[:-1]]
    assert [(row[0], row[2]) for row in line.tolist()] == kept


@pytest.mark.parametrize(
    "name", ["MELODY", "melodia", "Vocals", "Voice ", "Lead Synth", "soprano", "Solo Violin", "THEME", "主旋律"]
)
def test_a_labelled_track_is_the_melody(name):
    score = simple_score(CHORDS, name="PIANO")
    add_track(score, [(0, 1, 40), (1, 1, 41), (2, 1, 44)], name=name)
    melody = find_melody(score)
    assert rows(melody.score_notes) == rows(score.tracks[1].notes)
    assert melody.how == f"track 2 of 2 “{name.strip()}”, by its name"


def test_of_two_labelled_tracks_the_one_with_more_notes_is_taken():
    score = simple_score(TUNE[:3], name="Lead")
    add_track(score, TUNE, name="Vocal")
    add_track(score, CHORDS * 2, name="Lead drums", is_drum=True)
    assert "“Vocal”" in find_melody(score).how


def test_without_a_label_a_track_of_one_voice_is_the_melody():
    score = simple_score(CHORDS, name="Piano")
    add_track(score, TUNE, name="Flute")
    add_track(score, [(onset, length, pitch - 24) for onset, length, pitch in TUNE], name="Bass")
    add_track(score, [(0, 1, 100)], name="Triangle")  # too few notes to be a melody beside these
    melody = find_melody(score)
    assert rows(melody.score_notes) == rows(score.tracks[1].notes)
    assert melody.how == "track 2 of 4 “Flute”, which is one voice"


def test_without_either_the_likeliest_line_of_all_tracks_is_taken_and_said_so():
    tune = [(n, 1, (76, 76, 77, 79, 79, 77, 76, 74, 72, 72, 74, 76, 76, 74, 74, 72)[n % 16]) for n in range(64)]
    broken = [(n / 2, 0.5, (48, 55, 52, 55)[n % 4]) for n in range(128)]
    melody = find_melody(simple_score([*tune, *broken], name="Piano"))
    taken = {(note.time, note.pitch) for note in melody.score_notes}
    assert taken <= {(480 * n, pitch) for n, _, pitch in tune}
    assert len(taken) >= 0.9 * len(tune)
    assert "the likeliest line of a polyphonic file, by melody extraction" in melody.how
    assert "left out" in melody.how


def test_where_next_to_no_melody_is_heard_the_top_line_is_taken_and_said_so(monkeypatch):
    score = simple_score([*((onset, 1, pitch + 12) for onset, _, pitch in TUNE), *CHORDS], name="Piano")
    monkeypatch.setattr("pianalysis.melody.find.find_line", lambda notes: np.arange(len(notes)) == 3)
    melody = find_melody(score)
    assert melody.notes.tolist() == skyline(track_notes(score, score.tracks)).tolist()
    assert "the top line of a polyphonic file, in which melody extraction found next to none" in melody.how


def pitches(melody):
    return [note.pitch for note in melody.score_notes]


def high(rows, octaves=1):
    return [(onset, length, pitch + 12 * octaves) for onset, length, pitch in rows]


@pytest.mark.parametrize("lure", ["Lead Guitar", "Solo", "Voice 2", "Backing Vocals", "Vocal Pads", "Harmony"])
@pytest.mark.parametrize("name", ["Melody", "Vocals", "ボーカル", "Gesang"])
def test_melody_and_vocal_come_before_lead_solo_and_voice_however_busy(name, lure):
    score = simple_score([(n / 4, 0.25, 76 + n % 9) for n in range(64)], name=lure)
    add_track(score, TUNE, name=name)
    assert pitches(find_melody(score)) == [pitch for _, _, pitch in TUNE]


def test_backing_is_no_melody_even_beside_a_track_without_a_name():
    score = simple_score(high(TUNE), name="Backing Vocals")
    add_track(score, TUNE, name="")
    assert pitches(find_melody(score)) == [pitch for _, _, pitch in TUNE]


def test_a_labelled_track_of_two_voices_is_its_top_line():
    score = simple_score(sorted(TUNE + high(TUNE)), name=":soprano")
    add_track(score, high(TUNE, -1), name=":tenor")
    melody = find_melody(score)
    assert pitches(melody) == [pitch for _, _, pitch in high(TUNE)]
    assert melody.how == "track 1 of 2 “:soprano”, by its name; its top line; its other notes are left out"


def test_a_title_on_both_hands_is_no_melody_track():
    tune = [(n, 1, (76, 76, 77, 79, 79, 77, 76, 74, 72, 72, 74, 76, 76, 74, 74, 72)[n % 16]) for n in range(64)]
    broken = [(n / 2, 0.5, (43, 55, 52, 55)[n % 4]) for n in range(128)]
    melody = find_melody(simple_score([*tune, *broken], name="A Winter Melody"))
    assert set(pitches(melody)) <= {pitch for _, _, pitch in tune}
    assert len(melody.notes) >= 0.9 * len(tune)


@pytest.mark.parametrize("names", [("Right Hand", "Left Hand"), ("", ""), ("Piano", "Piano"), ("右手", "左手")])
def test_of_two_hands_the_right_hands_top_line(names):
    score = simple_score([(n / 2, 0.5, (48, 55, 60, 55)[n % 4]) for n in range(24)], name=names[1])
    add_track(score, sorted([*high(TUNE), *((onset, 1, pitch + 9) for onset, _, pitch in TUNE[::4])]), name=names[0])
    assert pitches(find_melody(score)) == [pitch for _, _, pitch in high(TUNE)]


@pytest.mark.parametrize("program", [32, 47])
def test_a_bass_or_timpani_of_many_notes_is_no_melody(program):
    score = simple_score([*CHORDS, *((onset + 1, 1, pitch) for onset, _, pitch in CHORDS)], name="")
    add_track(score, [(n / 4, 0.25, 33 + n % 5) for n in range(48)])
    score.tracks[1].program = program
    add_track(score, high(TUNE))
    score.tracks[2].program = 75
    assert pitches(find_melody(score)) == [pitch for _, _, pitch in high(TUNE)]


def test_a_short_vocal_comes_before_long_broken_chords():
    score = simple_score([(n / 2, 0.5, (48, 55, 60, 64, 60, 55)[n % 6]) for n in range(240)], name="")
    add_track(
        score,
        [(40 + onset, length, pitch + 7) for onset, length, pitch in TUNE + [(12 + n, 1, 65 - n) for n in range(6)]],
    )
    assert len(find_melody(score).notes) == 18


def test_a_descending_legato_line_loses_nothing_by_a_few_thirds():
    line = make_notes((500 * n, 560, 84 - n, 80) for n in range(20))
    thirds = make_notes((500 * n, 560, 81 - n, 80) for n in (3, 9))
    top = line_of_track(np.concatenate([line, thirds]))
    assert top.tolist() == line.tolist()


@given(scores(names=("", "Voice", "Piano")))
def test_the_line_of_a_track_is_of_its_notes_and_never_two_at_once(score):
    notes = track_notes(score, score.tracks[:1])
    line = line_of_track(notes)
    assert 0 < len(line) <= len(notes)
    assert all(row in notes.tolist() for row in line.tolist())
    if voice_share(notes) < 0.95:
        assert (np.diff(line["onset_ms"]) > 0).all()


def test_of_two_tracks_in_unison_one_is_taken():
    score = simple_score([*CHORDS, *((onset, 1, pitch + 12) for onset, _, pitch in TUNE)], name="Piano 1")
    add_track(score, [*CHORDS, *((onset, 0.5, pitch + 12) for onset, _, pitch in TUNE)], name="Piano 2")
    assert pitches(find_melody(score)) == [pitch + 12 for _, _, pitch in TUNE]


def test_only_drums_are_no_melody():
    score = simple_score([])
    add_track(score, TUNE, name="Melody", is_drum=True)
    with pytest.raises(NoMelodyError, match=r"beat\.mid: expected a melody, found only drums"):
        find_melody(score, name="beat.mid")


def test_any_track_can_be_chosen_by_its_number():
    score = simple_score(TUNE, name="Melody")
    add_track(score, CHORDS, name="Piano")
    assert [note.pitch for note in find_melody(score, track=2).score_notes] == [55] * 6  # of chords the top line
    melody = find_melody(score, track=1)
    assert rows(melody.score_notes) == rows(score.tracks[0].notes)
    assert melody.how == "track 1 “Melody”, as you chose"


@pytest.mark.parametrize(
    ("number", "says"),
    [(0, "from 1 to 2, found 0"), (3, "from 1 to 2, found 3"), (-1, "found -1"), (2, "track 2 “Empty” holds no notes")],
)
def test_track_numbers_that_are_no_melody_are_refused(number, says):
    score = simple_score(TUNE)
    add_track(score, [], name="Empty")
    with pytest.raises(PianalysisError, match=rf"song\.mid: .*{says}"):
        find_melody(score, track=number, name="song.mid")


def test_voice_share_by_hand():
    legato = make_notes([(0, 520, 60, 80), (500, 520, 62, 80), (1000, 500, 64, 80)])
    chord = make_notes([(0, 500, 60, 80), (0, 500, 64, 80), (500, 500, 62, 80)])
    assert (voice_share(legato), voice_share(chord), voice_share(make_notes())) == (1.0, 0.5, 1.0)
    assert voice_share(make_notes([(0, 500, 60, 80), (200, 500, 64, 80)])) == 0.0


@given(note_arrays())
def test_folding_moves_by_octaves_onto_the_keyboard_and_nothing_else(notes):
    folded = fold_to_keyboard(notes)
    moved = folded["pitch"] - notes["pitch"]
    assert ((folded["pitch"] >= 21) & (folded["pitch"] <= 108)).all()
    assert (moved % 12 == 0).all()
    assert (moved[(notes["pitch"] >= 21) & (notes["pitch"] <= 108)] == 0).all()
    assert np.abs(moved).max(initial=0) <= 24


def test_pitches_off_the_keyboard_by_hand():
    folded = fold_to_keyboard(make_notes((0, 1, pitch, 80) for pitch in (0, 9, 20, 21, 108, 109, 127)))
    assert folded["pitch"].tolist() == [24, 21, 32, 21, 108, 97, 103]


def test_a_named_melody_whose_notes_sound_on_is_one_voice():
    """As with a pedal held: no note begins with another, but each lasts into those after it."""
    held = [(onset, 4, pitch) for onset, _, pitch in TUNE]
    for name, kept in (("Melody", len(TUNE)), ("", None), ("Piano", None)):
        melody = find_melody(simple_score(held, name=name))
        assert (len(melody.score_notes) == len(TUNE)) == (kept is not None)
    together = [(onset, 1, pitch + below) for onset, _, pitch in TUNE for below in (0, -4)]
    assert len(find_melody(simple_score(together, name="Melody")).score_notes) <= len(TUNE)
