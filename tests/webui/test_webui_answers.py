"""What the endpoints say of melodies and pieces: intake, chords, streamed notes, files as they are heard, settings, errors."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arrangement, Options
from pianalysis.errors import MidiReadError, MissingPackageError, NoMelodyError, PianalysisError
from pianalysis.hearing.sound import RecordingError
from pianalysis.music.midi import read_midi
from pianalysis.music.reading import read_with_remarks
from pianalysis.output.musicxml import to_musicxml
from pianalysis.webui import limits
from pianalysis.webui.heard import HIGHEST_KEY, LOWEST_KEY, Heard, as_heard, make_file
from pianalysis.webui.intake import take_in
from pianalysis.webui.kept import Kept
from pianalysis.webui.melodies import Asked, Submission, as_data_url, read_submission
from pianalysis.webui.refusals import RefusedError, code_of, for_people
from pianalysis.webui.settings import changed_options, choices, ranges, read_options, switches
from pianalysis.webui.studio import Studio
from pianalysis.webui.telling import hands_of

NAMED = {path.stem: path for path in EXAMPLES.glob("*.mid")}
WALTZ = 'X:1\nT:A waltz\nM:3/4\nL:1/4\nQ:1/4=90\nK:G\n"D7"D|"G"G2B|"D7"A2F|"G"G3|"Em"B2G|"D7"F2A|"G"G2|'


def told(events):
    """The notes that a stream's events add up to."""
    folded = {}
    for event in events:
        if event["event"] == "notes":
            assert len(event["hands"]) == len(event["notes"])
            folded.update(((row[0], row[2]), row) for row in event["notes"])
    return sorted(folded.values())


def submission(name="sakura"):
    return read_submission(name, NAMED)


# --- streams -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sakura", "greensleeves", "auld_lang_syne"])
def test_what_is_streamed_is_the_piece_note_for_note(tiny_arranger, name):
    studio = Studio(tiny_arranger)
    for seed in range(6):  # each style with and without the pedal
        style = ("pop", "classical")[seed % 2]
        *events, done = studio.arrange(
            submission(name), Options(max_bars=8, style=style, pedal=seed % 3 == 0), seed=seed
        )
        assert told(events) == sorted(done["notes"])
        assert len(done["hands"]) == len(done["notes"])


@pytest.mark.parametrize(
    "asked",
    [
        {"intro": 2},
        {"verses": 2},
        {"ending": "ritardando"},
        {"style": "hymn"},
        {"left_hand": "waltz"},
        {"difficulty": "easy"},
    ],
    ids=str,
)
def test_so_it_is_with_a_form_of_its_own(small_arranger, asked):
    text = "C4/4 E4 G4 | A4/2 F4/4 | E4/4 D4 B3 | C4/2."
    wanted = read_submission(text, {})
    start, *events, done = Studio(small_arranger).arrange(wanted, read_options(asked), seed=1)
    assert told(events) == sorted(done["notes"])
    assert (start["melody"], start["bar_lines_ms"]) == (done["melody"], done["bar_lines_ms"])
    assert start["chords"] == done["chords"]
    assert start["bars"] == done["bars"] == len(done["bar_lines_ms"]) - 1
    again = list(Studio(small_arranger).arrange(wanted, read_options(asked), seed=1, chords=done["chart"]))[-1]
    assert again["chart"] == done["chart"]
    assert {chord["probability"] for chord in again["chords"]} == {None}


def test_the_style_that_was_found_is_found_once_and_the_piece_is_the_same(small_arranger, monkeypatch):
    studio, found = Studio(small_arranger), []
    style = small_arranger._style

    def counted(*arguments):
        found.append(arguments)
        return style(*arguments)

    monkeypatch.setattr(small_arranger, "_style", counted)
    first, second = (list(studio.arrange(submission(), Options(max_bars=2), seed=4))[-1] for _ in range(2))
    assert len(found) == 1
    assert (first["notes"], first["style"]) == (second["notes"], second["style"])
    list(studio.arrange(submission(), Options(max_bars=2, density="high"), seed=4))
    assert len(found) == 2  # other options may have another


# --- chords ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio(small_arranger):
    return Studio(small_arranger)


@pytest.fixture(scope="module")
def done(studio):
    return list(studio.arrange(submission("ode_to_joy"), Options(max_bars=4), seed=2))[-1]


def test_chords_follow_each_other_and_are_likely_or_not(studio, done):
    chords = done["chords"]
    assert chords[0]["start_ms"] == done["bar_lines_ms"][0]
    assert chords[-1]["end_ms"] == done["bar_lines_ms"][-1]
    assert [chord["end_ms"] for chord in chords[:-1]] == [chord["start_ms"] for chord in chords[1:]]
    for chord in chords:
        assert 0 < chord["probability"] <= 1
        assert done["bar_lines_ms"][chord["bar"] - 1] <= chord["start_ms"] < done["bar_lines_ms"][chord["bar"]]
    assert studio.chords(done["piece"]) == {
        "piece": done["piece"],
        "chords": chords,
        "chart": done["chart"],
        "chart_bar": 1,
    }


def test_alternatives_are_others_the_likeliest_first(studio, done):
    for chord in done["chords"]:
        found = studio.alternatives(done["piece"], chord["bar"], chord["beat"])
        assert found["chord"] == chord
        odds = [item["probability"] for item in found["alternatives"]]
        assert odds == sorted(odds, reverse=True)
        assert sum(odds) + chord["probability"] <= 1.001
        assert chord["symbol"].partition("/")[0] not in [
            item["symbol"].partition("/")[0] for item in found["alternatives"]
        ]
        assert len(odds) <= 8
    inside = studio.alternatives(done["piece"], 1, 2)["chord"]
    assert inside["start_ms"] <= done["bar_lines_ms"][1] / 4 < inside["end_ms"]


@pytest.mark.parametrize(("bar", "beat"), [(0, 1), (5, 1), (1, 0), (1, 5), (-1, 1)])
def test_a_beat_that_isnt_there_is_said_so(studio, done, bar, beat):
    with pytest.raises(PianalysisError, match="expected a b"):
        studio.alternatives(done["piece"], bar, beat)


def test_bars_are_rewritten_to_other_chords_and_all_else_stays(studio, done):
    again = studio.rewrite(done["piece"], (2, 3), {"left_hand": "alberti", "intro": 4}, seed=8, chords="Am | F G")
    lines = done["bar_lines_ms"]

    def outside(rows):
        return [row for row in rows if not lines[1] - 1 <= row[0] < lines[3] - 1]

    assert outside(again["notes"]) == outside(done["notes"])
    assert again["notes"] != done["notes"]
    bars = again["chart"].replace("\n", " | ").split(" | ")
    assert bars[1:3] == ["Am", "F G"]
    given = {chord["bar"] for chord in again["chords"] if chord["probability"] is None}
    assert given == {2, 3}
    assert again["piece"] != done["piece"]
    assert studio.chords(done["piece"])["chart"] == done["chart"]  # the old one is there, too
    with pytest.raises(PianalysisError, match="expected bars between 1 and 4"):
        studio.rewrite(done["piece"], (4, 5), {}, seed=8)
    with pytest.raises(PianalysisError, match="bar 2"):
        studio.rewrite(done["piece"], (2, 2), {}, seed=8, chords="Am | G")


# --- intake ------------------------------------------------------------------------------------------------------------


def test_a_melody_is_understood_before_anything_is_written():
    found = take_in(read_submission(WALTZ, {}), Options())
    assert (found["title"], found["kind"], found["tunes"], found["tracks"][0]["chosen"]) == ("A waltz", "abc", 1, True)
    assert (found["key"], found["time_signature"], found["bpm"]) == ({"fifths": 1, "name": "G major"}, "3/4", 90.0)
    assert found["pickup"] == 1.0
    assert found["bars"] == 7
    assert [row[2] for row in found["melody_notes"]][:3] == [62, 67, 71]
    assert found["chords"].replace("\n", " | ").split(" | ")[1:4] == ["G", "D7", "G"]
    json.dumps(found)
    other = take_in(read_submission(WALTZ, {}), read_options({"time_signature": "6/8", "pickup": "0.5", "key": "D"}))
    assert (other["time_signature"], other["pickup"], other["key"]["name"]) == ("6/8", 0.5, "D major")


def test_all_tracks_are_listed_and_one_is_chosen():
    score = symusic.Score(480)
    for name, pitches, program in (("Piano", (48, 52, 55), 0), ("Voice", (72, 74, 76), 52)):
        score.tracks.append(symusic.Track(name, program, False))
        for place in range(24):
            notes = pitches if name == "Piano" else (pitches[place % 3],)
            for pitch in notes:
                score.tracks[-1].notes.append(symusic.Note(480 * (place + 8), 480, pitch, 80))
    score.tracks.append(symusic.Track("Drums", 0, True))
    score.tracks[-1].notes.append(symusic.Note(0, 480, 38, 80))
    wanted = read_submission(as_data_url(score.dumps_midi()), {}, Asked("two.mid"))
    found = take_in(wanted, Options())
    assert [(track["name"], track["chosen"]) for track in found["tracks"]] == [("Voice", True), ("Piano", False)]
    assert found["tracks"][0]["opening"][0][0] == 0.0  # from its first note, after two bars of rest
    assert found["track"] == 0
    assert sum(track["likelihood"] for track in found["tracks"]) == pytest.approx(1, abs=0.01)
    chosen = take_in(wanted, Options(), track=1)
    assert [track["name"] for track in chosen["tracks"] if track["chosen"]] == ["Piano"]
    assert "as you chose" in chosen["how_found"]
    with pytest.raises(PianalysisError, match="expected a track from 1 to 3"):
        take_in(wanted, Options(), track=7)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sakura", "example"),
        ("c d e | f g a |", "notes"),
        (json.dumps({"bpm": 100, "notes": [[0, 500, 60, 80], [600, 500, 62, 80]]}), "played"),
        (WALTZ, "abc"),
        (as_data_url(WALTZ.encode()), "abc"),
        (as_data_url(NAMED["sakura"].read_bytes(), midi=True), "midi"),
        (as_data_url(to_musicxml(read_midi(NAMED["sakura"]))), "musicxml"),
    ],
)
def test_every_kind_of_melody_is_taken_in(text, kind):
    wanted = read_submission(text, NAMED)
    assert wanted.kind == kind
    assert len(take_in(wanted, Options())["melody_notes"]) > 1


def test_bar_lines_that_are_typed_are_kept():
    found = take_in(read_submission("G4/4 | C5 E5 G5 | G4 B4 D5 | C5/2.", {}), Options())
    assert (found["time_signature"], found["pickup"], found["bars"]) == ("3/4", 1.0, 4)


def test_a_recording_is_heard_once():
    pytest.importorskip("librosa", reason="recordings need the extra `audio`")
    import io

    import soundfile

    rate = 22_050
    times = np.arange(int(0.6 * rate)) / rate
    tones = [
        np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * times) * np.hanning(len(times))
        for pitch in (60, 64, 67, 72)
    ]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(tones).astype(np.float32) * 0.5, rate, format="WAV")
    wanted = read_submission(as_data_url(file.getvalue()), {}, Asked("hum.wav"))
    assert wanted.kind == "recording"
    melody = as_data_url(bytes(wanted.score.dumps_midi()), midi=True)
    heard = take_in(wanted, Options(), melody=melody)
    assert [row[2] for row in heard["melody_notes"]] == [60, 64, 67, 72]
    assert take_in(read_submission(melody, {}), Options())["melody_notes"] == heard["melody_notes"]


# --- as heard ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(small_arranger):
    piece = small_arranger(read_with_remarks(WALTZ.encode()), options=Options(style="classical", pedal=True), seed=1)
    return Kept(piece, piece.melody, "A waltz")


HEARD = st.builds(
    Heard, st.integers(-12, 12), st.floats(0.5, 2.0), st.sampled_from(["both", "melody", "accompaniment"])
)


@settings(max_examples=25, deadline=None)
@given(HEARD)
def test_a_file_is_as_the_piece_is_heard(kept, heard):
    score = read_midi(make_file(kept, "mid", heard)[1])
    found = {track.name.lower(): track for track in score.tracks}  # of a part that isn't heard there is no track
    for track in kept.piece.score.tracks:
        name, there = track.name.lower(), [*found.get(track.name.lower(), symusic.Track("", 0, False)).notes]
        moved = [(note.time, note.duration, note.pitch + heard.transpose, note.velocity) for note in track.notes]
        before = moved if heard.parts in ("both", name) else []
        after = [(note.time, note.duration, note.pitch, note.velocity) for note in there]
        on_keys = sorted(note for note in before if LOWEST_KEY <= note[2] <= HIGHEST_KEY)
        back = sorted(note for note in after if note not in on_keys)  # by octaves from beyond the piano's keys
        assert sorted(note for note in after if note in on_keys) == on_keys
        assert {(time, pitch % 12) for time, _, pitch, _ in before} == {
            (time, pitch % 12) for time, _, pitch, _ in after
        }
        assert all(LOWEST_KEY <= pitch <= HIGHEST_KEY for _, _, pitch, _ in back)
        assert len(back) <= len(before) - len(on_keys)
    assert score.tempos[0].qpm == pytest.approx(90 * heard.rate, rel=1e-4)
    chords = [mark.text for mark in score.markers][1:]
    assert len(chords) == len([mark.text for mark in read_midi(make_file(kept, "mid")[1]).markers][1:])
    assert b"score-partwise" in make_file(kept, "musicxml", heard)[1]


def test_what_leaves_the_piano_comes_back_by_octaves_once():
    from pianalysis.webui.heard import _transpose

    track = symusic.Track("", 0, False)
    track.notes.extend([symusic.Note(0, 480, 24, 80), symusic.Note(0, 480, 36, 80), symusic.Note(480, 480, 24, 80)])
    _transpose(track, -12)
    assert [(note.time, note.pitch) for note in track.notes] == [(0, 24), (480, 24)]


def test_what_isnt_changed_is_the_very_file(kept, tmp_path):
    assert make_file(kept, "mid") == ("a_waltz-1.mid", kept.piece.save(tmp_path / "a.mid").read_bytes())
    again = Arrangement.read(make_file(kept, "mid", Heard(transpose=2))[1])
    assert again.chart.text() == kept.piece.chart.transposed(2).text()


def test_the_metronome_clicks_each_beat_louder_where_a_bar_begins(kept):
    played = as_heard(kept.piece, Heard(metronome=True, rate=2.0))
    assert len(played.beats_ms) == 7 * 3
    assert np.allclose(np.diff(played.beats_ms), 60_000 / 180)
    assert played.downbeats.sum() == kept.piece.bars
    score = read_midi(make_file(kept, "mid", Heard(metronome=True))[1])
    clicks = next(track for track in score.tracks if track.is_drum)
    assert len(clicks.notes) == len(played.beats_ms)
    assert {note.pitch for note in clicks.notes} == {76, 77}


def test_a_part_that_is_turned_down_isnt_heard(kept):
    import io

    import soundfile

    def sound(**asked):
        data = make_file(kept, "wav", Heard(rate=2.0, **asked))[1]
        return soundfile.read(io.BytesIO(data))[0]

    silent = sound(accompaniment_gain=0.0)
    alone = sound(parts="melody")
    assert np.abs(silent[: len(alone)] - alone).max() < 0.01
    assert np.abs(sound(melody_gain=0.3)[: len(alone)] - alone).max() > 0.05
    assert len(alone) < 0.6 * len(soundfile.read(io.BytesIO(make_file(kept, "wav")[1]))[0])


@pytest.mark.parametrize(
    "wrong",
    [{"transpose": 25}, {"rate": 0.0}, {"rate": float("nan")}, {"parts": "left"}, {"melody_gain": 2.0}],
)
def test_what_cant_be_heard_is_refused(wrong):
    with pytest.raises(PianalysisError, match="expected"):
        Heard(**wrong)


def test_hands_are_told_by_height_or_by_a_border():
    from pianalysis.music.notes import make_notes

    notes = make_notes((0, 500, pitch, 80) for pitch in (36, 48, 64, 67, 72))
    assert hands_of(notes) == "LLRRR"
    assert hands_of(notes, border=65) == "LLLRR"


# --- settings and errors ---------------------------------------------------------------------------------------------------


def test_choices_begin_with_what_is_chosen_where_nobody_chooses():
    defaults = Options()
    for name, words in choices().items():
        assert words[0] == getattr(defaults, name)
        assert len({*words}) == len(words)
        for word in words:
            if word != "hymn":
                read_options({name: word})
    for name, row in ranges().items():
        for end in (row["low"], row["high"]):
            if name not in ("lowest", "highest"):
                read_options({name: end})
        assert row["default"] is None or row["low"] <= row["default"] <= row["high"]
    assert switches() == {"structure": True, "ignore_chords": False, "pedal": False, "keep_metre": False}
    assert limits.for_page()["file_bytes"] == 8 * 2**20


@pytest.mark.parametrize(("value", "means"), [(True, True), ("false", False), (1, True), (0.0, False), ("on", True)])
def test_switches_are_read_as_people_and_programs_write_them(value, means):
    assert read_options({"pedal": value}).pedal is means
    with pytest.raises(PianalysisError, match="true or false"):
        read_options({"pedal": "perhaps"})


def test_some_bars_keep_the_pieces_form_and_what_isnt_said():
    own = Options(style="classical", intro=2, ending="plain", temperature=1.2, left_hand="waltz")
    sent = {"style": "auto", "intro": 4, "ending": "ritardando", "density": "high", "max_bars": 3, "key": "G"}
    assert changed_options(own, sent) == Options(
        style="classical", intro=2, ending="plain", temperature=1.2, left_hand="waltz", density="high"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PianalysisError("expected a style"), "bad_setting"),
        (NoMelodyError("only drums"), "no_melody"),
        (MidiReadError("a.mid: the file holds no notes; give one"), "no_melody"),
        (MidiReadError("a.mid: 99 minutes are too long; files up to 90"), "too_long"),
        (MidiReadError("a.mid: 9.0 MB is too large; MIDI files up to 8 MB are read"), "too_large"),
        (MidiReadError("a.mid: the MIDI file is damaged"), "not_readable"),
        (RecordingError("a.wav: expected a recording of at most 10 minutes"), "too_long"),
        (RecordingError("a.wav: expected a melody, found silence"), "no_melody"),
        (MissingPackageError("install"), "server"),
        (RefusedError("later", "busy"), "busy"),
        (ZeroDivisionError(), "server"),
    ],
)
def test_every_error_has_a_code(error, code):
    assert code_of(error) == code


def test_a_damaged_file_is_said_to_be_so_in_plain_words():
    data = NAMED["sakura"].read_bytes()
    broken = data[:60] + b"\xff" * 40 + data[100:]
    with pytest.raises(RefusedError) as error:
        read_submission("data:audio/midi;base64," + base64.b64encode(broken).decode(), {}, Asked("Corrupt.mid"))
    assert error.value.code == "not_readable"
    assert str(error.value) == "“Corrupt.mid”: the MIDI file is damaged or cut off; export it again"


@pytest.mark.parametrize("name", ["ode_to_joy", "sakura"])
def test_no_remark_speaks_of_the_command_line(name):
    for options in ({"max_bars": 2}, {"time_signature": "3/4"}, {"verses": 2}):
        found = take_in(Submission(read_with_remarks(NAMED[name]), "", "midi"), read_options(options))
        assert not [remark for remark in found["remarks"] if "--" in remark]
    assert for_people("tune 1 of 3, “A”; --tune N chooses another") == "tune 1 of 3, “A”"


@pytest.mark.parametrize("before", ["> ", "", "```abc\n"])
def test_a_tune_pasted_from_a_mail_or_an_answer_is_abc(before):
    mark = before if before == "> " else ""
    text = ("" if mark else before) + "".join(f"{mark}{line}\n" for line in ("X:1", "T:Tune", "L:1/4", "K:C", "CDEF|"))
    found = read_submission(text, {})
    assert [note.pitch for note in found.read.score.tracks[0].notes] == [60, 62, 64, 65]
