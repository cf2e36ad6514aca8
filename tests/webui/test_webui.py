"""What is under the page: notes as lists, melodies handed in, settings, fit, examples, and a studio's events."""

from __future__ import annotations

import base64
import json
import sys

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Options
from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import make_notes
from pianalysis.output.audio import SAMPLE_FOLDER
from pianalysis.webui.examples import load_examples
from pianalysis.webui.fit import Fit, measure_fit, share_kept
from pianalysis.webui.heard import MEDIA_TYPES
from pianalysis.webui.melodies import Asked, read_file, read_submission
from pianalysis.webui.settings import read_options, read_seed
from pianalysis.webui.studio import Studio, load_studio
from pianalysis.webui.wire import note_rows, notes_from_rows

NAMED = {path.stem: path for path in EXAMPLES.glob("*.mid")}
TENTHS = st.integers(0, 36_000).map(lambda tenth: tenth / 10)
LENGTHS = st.integers(1, 36_000).map(lambda tenth: tenth / 10)
NOTES = st.lists(st.tuples(TENTHS, LENGTHS, st.integers(0, 127), st.integers(1, 127)))


@given(NOTES)
def test_notes_come_back_from_lists_sorted_and_unchanged(rows):
    notes = notes_from_rows([list(row) for row in rows])
    assert sorted(map(tuple, notes.tolist())) == sorted(rows)
    assert (np.diff(notes["onset_ms"]) >= 0).all()
    assert notes_from_rows(json.loads(json.dumps(note_rows(notes)))).tolist() == notes.tolist()


@pytest.mark.parametrize(
    "rows",
    [
        *(
            None,
            "x",
            [[0]],
            [["a", 1, 60, 80]],
            [[0, 1, 128, 80]],
            [[0, 1, 60, 0]],
            [[0, 0, 60, 80]],
            [[-1, 5, 60, 80]],
        ),
        *([[float("nan"), 1, 60, 80]], [[0, 1e12, 60, 80]], [[0, 1, 60, 80]] * 5_001, [[0, 1, 10**30, 80]]),
    ],
)
def test_notes_of_strangers_are_refused_in_a_sentence(rows):
    with pytest.raises(PianalysisError, match="expected"):
        notes_from_rows(rows)


def data_url(data: bytes) -> str:
    return "data:audio/midi;base64," + base64.b64encode(data).decode()


def test_an_example_a_file_and_played_notes_give_the_same_melody():
    by_name = read_submission("sakura", NAMED)
    by_file = read_submission(data_url(NAMED["sakura"].read_bytes()), NAMED, Asked("my_tune.mid"))
    assert (by_name.title, by_file.title) == ("Sakura", "my tune")
    assert by_name.score.dumps_midi() == by_file.score.dumps_midi()
    played = json.dumps({"bpm": 120, "beats": 3, "notes": [[500, 250, 62, 90], [0, 500, 60, 80]]})
    score = read_submission(played, {}).score
    assert [(n.time, n.duration, n.pitch, n.velocity) for n in score.tracks[0].notes] == [
        (0, 480, 60, 80),
        (480, 240, 62, 90),
    ]
    assert (score.time_signatures[0].numerator, round(score.tempos[0].qpm)) == (3, 120)


def long_file() -> bytes:
    score = symusic.Score(480)
    score.tracks.append(symusic.Track("", 0, False))
    for quarter in (0, 120 * 11):
        score.tracks[0].notes.append(symusic.Note(480 * quarter, 480, 60, 80))
    return score.dumps_midi()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no melody yet"),
        (data_url(b"hello"), "isn't a melody that is read here"),
        (data_url(b""), "is empty"),
        ("data:audio/midi;base64,@@@", "damaged"),
        (data_url(long_file()), "lasts 11 minutes, and this page takes up to 10"),
        ('{"notes": []}', "haven't played a note"),
        ('{"bpm": 1, "notes": [[0, 1, 60, 80]]}', "20 to 300"),
        ("{", "expected the notes you played"),
        ("C4/4 Q9", "Q9"),
    ],
)
def test_what_cant_be_arranged_is_said_plainly(text, says):
    with pytest.raises(PianalysisError, match=says):
        read_submission(text, NAMED)


def test_a_bad_file_is_called_by_its_name():
    with pytest.raises(PianalysisError, match=r"“notes\.txt”: it isn't a melody that is read here"):
        read_file(b"hello", "notes.txt")


def test_settings_are_checked_and_empty_ones_keep_the_default():
    assert read_options({}) == Options()
    assert read_options({"temperature": "1.1", "top_k": 20, "max_bars": 0, "top_p": None}) == Options(
        temperature=1.1, top_k=20
    )
    for wrong in (
        {"tempo": 1},
        {"temperature": "hot"},
        {"temperature": -1},
        {"style": "jazz"},
        {"top_k": float("inf")},
    ):
        with pytest.raises(PianalysisError, match="expected"):
            read_options(wrong)
    assert read_seed("7") == 7
    for wrong in (-1, 2**32, "x", None):
        with pytest.raises(PianalysisError, match="seed"):
            read_seed(wrong)


def test_fit_in_words():
    below, within, above = (0.9 + factor * 0.05 for factor in (-1.1, 0.9, 1.1))
    assert "freer" in Fit(1.0, below, 2.0, 0.9, 0.05).verdict
    assert "as people do" in Fit(1.0, within, 2.0, 0.9, 0.05).verdict
    assert "stricter" in Fit(1.0, above, 2.0, 0.9, 0.05).verdict
    assert "nothing" in Fit(1.0, None, 0.0, 0.9, 0.05).verdict
    given_notes = make_notes([(0, 500, 60, 80), (500, 500, 62, 80)])
    moved = make_notes([(0, 500, 60, 80), (501, 500, 62, 80)])
    assert (share_kept(given_notes, given_notes), share_kept(given_notes, moved)) == (1.0, 0.5)


def test_fit_is_judged_by_people_of_the_same_style(tiny_arranger):
    pop, classical = (tiny_arranger(EXAMPLES / "sakura.mid", max_bars=2, style=style) for style in ("pop", "classical"))
    fits = [measure_fit(piece.melody, piece) for piece in (pop, classical)]
    assert [fit.melody_kept for fit in fits] == [1.0, 1.0]
    assert fits[0].human > fits[1].human  # as in ranking's file
    assert fits[0].chord_tones is None  # the tiny model plays no chords


def test_every_example_has_a_card():
    cards = load_examples(EXAMPLES)
    assert {card.name for card in cards} == set(NAMED)
    first = cards[0]
    assert (first.title, first.metre, first.length, first.origin) == (
        "Ode to Joy",
        "4/4",
        "0:32",
        "Ludwig van Beethoven",
    )
    assert all(3 < len(card.opening) < 100 for card in cards)


def test_a_studio_tells_of_a_piece_bar_by_bar_and_keeps_it(tiny_arranger):
    studio = Studio(tiny_arranger)
    events = list(studio.arrange(read_submission("sakura", NAMED), Options(max_bars=4), seed=3))
    assert [events[0]["event"], events[-1]["event"]] == ["start", "done"]
    parts = events[1:-1]
    assert {part["event"] for part in parts} == {"notes"}
    assert [part["bars_done"] for part in parts] == sorted(part["bars_done"] for part in parts)
    assert parts[-1]["bars_done"] == events[0]["bars"] == 4
    whole = tiny_arranger(NAMED["sakura"], seed=3, max_bars=4)
    assert events[-1]["notes"] == note_rows(whole.accompaniment)
    assert sorted(row for part in parts for row in part["notes"]) == sorted(events[-1]["notes"])
    assert events[-1]["fit"]["melody_kept"] == 1.0
    json.dumps(events)  # all of it can be sent
    for suffix in MEDIA_TYPES:
        called, data = studio.file(events[-1]["piece"], suffix)
        assert called == f"sakura-3.{suffix}"
        assert len(data) > 100
    assert read_midi(studio.file(events[-1]["piece"], "mid")[1]).tracks[0].name == "Melody"
    for name, suffix in (("nobody", "mid"), (events[-1]["piece"], "exe")):
        with pytest.raises(PianalysisError):
            studio.file(name, suffix)


def test_a_model_that_isnt_there_is_replaced_unless_it_was_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("PIANALYSIS_MODEL", "nobody/nothing")
    assert load_studio().model_name == "the bundled checkpoint"
    assert "the model nobody/nothing isn't in the cache" in capsys.readouterr().err
    with pytest.raises(PianalysisError, match="the model nobody/nothing isn't in the cache"):
        load_studio("nobody/nothing")


def test_the_demo_says_what_to_install_where_gradio_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["demo", "--no-browser"]) == 2
    assert "pip install 'pianalysis[space]'" in capsys.readouterr().err


def test_every_sample_that_the_index_names_is_there():
    rows = json.loads((SAMPLE_FOLDER / "index.json").read_text())
    assert all((SAMPLE_FOLDER / row["file"]).is_file() for row in rows)
