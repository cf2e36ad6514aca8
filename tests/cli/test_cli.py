from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import symusic
from conftest import EXAMPLES

from pianalysis.arranging.arranger import Arrangement
from pianalysis.cli.main import main
from pianalysis.model.gpt2 import make_model, save_model
from pianalysis.music.midi import MAX_FILE_BYTES, read_midi
from pianalysis.tokens import vocab

ODE = str(EXAMPLES / "ode_to_joy.mid")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    save_model(make_model("tiny"), folder)
    return str(folder)


@pytest.fixture
def run(tiny_checkpoint, capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder with the tiny model; gives (exit code, output, error)."""
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        model = (
            ["--model", tiny_checkpoint]
            if argv[0] in ("arrange", "compose", "regenerate") and "--model" not in argv
            else []
        )
        code = main([*argv, *model])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def midi(path, notes, *, name="", drum=False):
    score = symusic.Score(480)
    score.tracks.append(symusic.Track(name, 0, drum))
    for note in notes:
        score.tracks[0].notes.append(symusic.Note(*note))
    path.write_bytes(score.dumps_midi())


def bad_files(folder):
    """A file of each kind that can't be arranged, and the words its error must have."""
    (folder / "text.mid").write_text("hello")
    (folder / "empty.mid").write_bytes(b"")
    (folder / "cut.mid").write_bytes((EXAMPLES / "ode_to_joy.mid").read_bytes()[:60])
    (folder / "huge.mid").write_bytes(b"MThd" + bytes(MAX_FILE_BYTES))
    midi(folder / "silent.mid", [])
    midi(folder / "drums.mid", [(0, 10, 36, 90)], drum=True)
    midi(folder / "hours.mid", [(0, 480, 60, 80), (480 * 2 * 60 * 120, 480, 60, 80)])
    midi(folder / "crowd.mid", [(tick, 1, 60, 80) for tick in range(0, 200_002, 2)])
    return {
        "text": "expected a MIDI file",
        "empty": "an empty file",
        "cut": "cut off",
        "huge": "too large",
        "silent": "no notes",
        "drums": "only drums",
        "hours": "120 minutes are too long",
        "crowd": "notes are too many",
        "missing": "no such file",
    }


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "huge", "silent", "drums", "hours", "crowd", "missing"])
def test_a_bad_file_gives_one_sentence_and_leaves_nothing(run, tmp_path, kind):
    says = bad_files(tmp_path)[kind]
    before = sorted(tmp_path.iterdir())
    code, out, err = run("arrange", f"{kind}.mid", "-o", "out.mid")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert f"{kind}.mid" in err
    assert says in err
    assert sorted(tmp_path.iterdir()) == before


def test_in_a_batch_the_rest_goes_on(run, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"no")
    code, out, err = run("arrange", "bad.mid", ODE, "-o", "out", "--max-bars", "2")
    assert code == 2
    assert "bad.mid" in err
    assert "ode_to_joy.mid" in out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ode_to_joy.mid"]


def test_arrange_writes_what_was_asked_for(run, tmp_path):
    code, out, err = run("arrange", ODE, "-o", "full.mid", "--wav", "--png", "--max-bars", "4", "--seed", "3")
    assert (code, err) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"full.mid", "full.wav", "full.png"}
    for said in ("full.mid, full.wav, full.png", "by its name", "first 4 bars", "4 bars, 62 melody", "seed 3"):
        assert said in out
    assert len(read_midi(tmp_path / "full.mid").tracks) == 2


def test_the_best_of_several_takes_is_one_file_and_says_which(run, tmp_path):
    code, out, _ = run("arrange", ODE, "-o", "full.mid", "--max-bars", "2", "--takes", "3", "--best")
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["full.mid"]
    assert "for 3 takes" in out
    (seed,) = re.findall(r"seed (\d), the best of 3", out)
    run("arrange", ODE, "-o", "again.mid", "--max-bars", "2", "--seed", seed)
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "full.mid").read_bytes()


def test_takes_have_seeds_of_their_own(run, tmp_path):
    code, out, _ = run("arrange", ODE, "-o", "full.mid", "--max-bars", "2", "--takes", "3", "--temperature", "1.5")
    files = sorted(tmp_path.iterdir())
    assert code == 0
    assert [path.name for path in files] == ["full-1.mid", "full-2.mid", "full-3.mid"]
    assert len({path.read_bytes() for path in files}) == 3
    assert "seed 2" in out
    run("arrange", ODE, "-o", "third.mid", "--max-bars", "2", "--seed", "2", "--temperature", "1.5")
    assert (tmp_path / "third.mid").read_bytes() == files[2].read_bytes()


def test_scores_to_read_are_written(run, tmp_path):
    code, out, _ = run("arrange", ODE, "-o", "full.mid", "--musicxml", "--max-bars", "2")
    assert (code, "full.mid, full.musicxml" in out) == (0, True)
    run("arrange", ODE, "-o", "only.musicxml", "--musicxml", "--max-bars", "2")
    assert (tmp_path / "only.musicxml").read_text().replace("Only", "Full") == (tmp_path / "full.musicxml").read_text()
    run("compose", "-o", "new.xml", "--bars", "2", "--takes", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("full.mid", "full.musicxml", "new-1.xml", "new-2.xml", "only.musicxml"),
    ]


def test_typed_melodies(run, tmp_path):
    abc = "X:1\nM:3/4\nL:1/4\nK:G\nG2A|B2c|"
    (tmp_path / "tune.abc").write_text(abc)
    for argv in (
        ["tune.abc"],
        ["--abc", abc],
        ["--notes", "G4/2 A4/4 B4/2 C5/4", "--time-signature", "3/4", "--bpm", "120"],
    ):
        code, out, err = run("arrange", *argv, "-o", "full.mid")
        assert (code, err) == (0, "")
        assert "2 bars, 4 melody" in out
        written = read_midi(tmp_path / "full.mid")
        notes = [(n.time / written.tpq, n.duration / written.tpq, n.pitch) for n in written.tracks[0].notes]
        assert notes == [(0, 2, 67), (2, 1, 69), (3, 2, 71), (5, 1, 72)]
        assert [(t.numerator, t.denominator) for t in written.time_signatures] == [(3, 4)]


def test_a_tune_of_a_book(run, tmp_path):
    (tmp_path / "book.txt").write_text(
        "X:1\nT:First\nM:4/4\nL:1/4\nK:G\nGABc|d4|]\n\nX:2\nM:3/4\nL:1/4\nK:D\nDFA|d3|]\n"
    )
    code, out, _ = run("arrange", "book.txt", "-o", "full.mid")
    assert (code, "note: tune 1 of 2, “First”; --tune N chooses another" in out) == (0, True)
    code, out, _ = run("arrange", "book.txt", "--tune", "2", "-o", "full.mid")
    assert (code, "note: tune 2 of 2\n" in out) == (0, True)
    assert [note.pitch for note in read_midi(tmp_path / "full.mid").tracks[0].notes] == [62, 66, 69, 74]
    code, _, err = run("arrange", "book.txt", "--tune", "3", "-o", "no.mid")
    assert (code, "expected a tune from 1 to 2, found 3" in err) == (2, True)
    assert run("arrange", ODE, "--tune", "1", "-o", "no.mid")[0] == 2
    assert not (tmp_path / "no.mid").exists()
    assert run("chords", "book.txt", "--tune", "2")[1].startswith("#")


def test_regenerate_changes_the_bars_asked_for(run, tmp_path):
    run("arrange", ODE, "-o", "full.mid")
    tail = {}
    for argv in (["--bars", "9-12"], ["--from", "9"], ["--bars", "9-12", "--takes", "2"]):
        code, out, err = run("regenerate", "full.mid", *argv, "--seed", "5", "-o", "new.mid")
        assert (code, err) == (0, "")
        assert "16 bars, 62 melody" in out
        bar = 4 * read_midi("full.mid").tpq
        for name in ("full", "new", "new-1"):
            if (tmp_path / f"{name}.mid").exists():
                notes = [(n.time // bar, n.time, n.pitch) for n in read_midi(f"{name}.mid").tracks[1].notes]
                tail[name] = [[n for n in notes if n[0] < 8], [n for n in notes if 8 <= n[0] < 12]]
        assert tail["full"][0] == tail["new"][0]
        assert tail["full"][1] != tail["new"][1]
    assert (tmp_path / "new-1.mid").exists()


def test_controls_reach_the_arranger(run, tmp_path):
    asked = ["--density", "low", "--density", "2:high", "--lowest", "C3", "--highest", "72", "--dynamics", "-1"]
    code, _, err = run("arrange", ODE, "-o", "full.mid", *asked)
    assert (code, err) == (0, "")
    pitches = [note.pitch for note in read_midi("full.mid").tracks[1].notes]
    assert 48 <= min(pitches) <= max(pitches) <= 72


@pytest.fixture(scope="session")
def playing_chords(tmp_path_factory):
    """A model that plays chords, as the bundled one does."""
    model = make_model("tiny")
    model.config.plays_chords = model.config.normalises_key = True
    save_model(model, folder := tmp_path_factory.mktemp("chords"))
    return str(folder)


def test_the_chart_is_printed_and_in_the_file(run, tmp_path, playing_chords):
    code, out, _ = run("arrange", ODE, "-o", "full.mid", "--chart", "--model", playing_chords)
    chart = Arrangement.read(tmp_path / "full.mid").chart.text()
    assert (code, out.endswith(f"{chart}\n")) == (0, True)
    assert "no chart" in run("arrange", ODE, "-o", "full.mid", "--chart")[1]


def test_chords_of_a_melody_and_of_a_piece(run, tmp_path, playing_chords):
    code, out, _ = run("chords", ODE)
    assert (code, out.splitlines()[0]) == (
        0,
        "# found for the melody (the track “MELODY”, by its name), in the style hymn",
    )
    assert out.splitlines()[1].startswith("C ")
    _, drawn, _ = run("chords", ODE, "--seed", "2", "--style", "hymn")
    assert drawn != out
    _, text, _ = run("chords", ODE, "--json", "--alternatives", "2")
    told = json.loads(text)
    assert told["text"] == out.partition("\n")[2].rstrip()
    assert (told["chords"][0]["bar"], told["chords"][0]["beat"], told["chords"][0]["harte"]) == (1, 1, "C:maj")
    for chord in told["chords"]:
        first, second = (other["probability"] for other in chord["alternatives"])
        assert 1 >= first >= second >= 0
        assert first + second <= 1.0001
    run("arrange", ODE, "-o", "full.mid", "--model", playing_chords)
    assert "# heard in all notes" in run("chords", "full.mid")[1]
    assert "# those that the file states" in run("chords", "full.mid", "--track", "1")[1]
    found = run("chords", "full.mid", "--track", "1", "--ignore-chords")[1]
    assert found.startswith("# found for the melody (track 1")
    code, _, err = run("chords", "full.mid", "--alternatives", "2")
    assert (code, "--track chooses a melody" in err) == (2, True)


LEAD_SHEET = 'X:1\nM:4/4\nL:1/4\nK:C\n"C"CEGc|"F"AFAc|"G7"BGdB|"C"c4|]\n'


def test_chords_are_given_found_and_changed(run, tmp_path, playing_chords):
    def chart(*argv):
        code, out, err = run(*argv, "--chart", "--model", playing_chords)
        assert (code, err) == (0, "")
        return out.splitlines()[-1]

    (tmp_path / "sheet.abc").write_text(LEAD_SHEET)
    (tmp_path / "chords.txt").write_text("Am | F\nDm | G7\n")
    assert chart("arrange", "sheet.abc", "-o", "a.mid", "--musicxml") == "C | F | G7 | C"
    assert chart("arrange", "a.musicxml", "-o", "b.mid") == "C | F | G7 | C"
    assert chart("arrange", "sheet.abc", "-o", "c.mid", "--ignore-chords", "--harmony", "rich") != "C | F | G7 | C"
    assert chart("arrange", "sheet.abc", "-o", "d.mid", "--chords", "chords.txt") == "Am | F | Dm | G7"
    assert chart("arrange", "sheet.abc", "-o", "e.mid", "--chords", "C | ? | ? | G7").startswith("C | ")
    assert chart("regenerate", "a.mid", "--bars", "2-3", "--chords", "Am | D7", "-o", "f.mid") == "C | Am | D7 | C"
    assert chart("regenerate", "a.mid", "--from", "3", "--chords", "Dm | E", "-o", "g.mid") == "C | F | Dm | E"
    bar = 4 * read_midi("a.mid").tpq
    before, after = (
        {(n.time, n.duration, n.pitch) for n in read_midi(name).tracks[1].notes} for name in ("a.mid", "f.mid")
    )
    assert {time // bar for time, *_ in before ^ after} == {1, 2}


def test_chords_that_a_file_states_are_shown(run, tmp_path):
    (tmp_path / "sheet.abc").write_text(LEAD_SHEET)
    assert run("chords", "sheet.abc")[1] == "# those that the file states\nC | F | G7 | C\n"
    assert "found for the melody" in run("chords", "sheet.abc", "--ignore-chords", "--harmony", "simple")[1]
    code, _, err = run("chords", "sheet.abc", "--alternatives", "2")
    assert (code, "--ignore-chords has them found" in err) == (2, True)


@pytest.mark.parametrize(
    ("chords", "says"),
    [
        ("C | F", "found 2: nothing is written for bar 3"),
        ("C|" * 18, "bar 17 (C) is past the end"),
        ("C | Hm |" + "C |" * 14, "bar 2: 'Hm' is no chord"),
        ("no-such-file.txt", "no-such-file.txt"),
    ],
)
def test_chords_that_do_not_fit_are_explained(run, tmp_path, playing_chords, chords, says):
    code, _, err = run("arrange", ODE, "-o", "x.mid", "--chords", chords, "--model", playing_chords)
    assert (code, err.count("\n"), says in err) == (2, 1, True)
    assert not list(tmp_path.iterdir())


def test_compose(run, tmp_path):
    code, out, _ = run("compose", "-o", "new.mid", "--bars", "4", "--takes", "2")
    assert code == 0
    assert "melody: composed" in out
    assert {path.name for path in tmp_path.iterdir()} == {"new-1.mid", "new-2.mid"}


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["arrange", ODE, "-o", "x.mid", "--takes", "0"], "at least 1 take"),
        (["arrange", ODE, "-o", "x.mid", "--best"], "--takes 2 or more"),
        (["arrange", ODE, "-o", "x.mid", "--temperature", "0"], "temperature"),
        (["arrange", ODE, "-o", "x.mid", "--max-bars", "0"], "at least 1 bar"),
        (["arrange", ODE, "-o", "x.mid", "--track", "9"], "track from 1 to 1"),
        (["arrange", ODE, "-o", "x.mp4"], ".mid"),
        (["arrange", "-o", "x.mid"], "melody files, or one melody typed"),
        (["arrange", ODE, "--abc", "X:1\nK:C\nC", "-o", "x.mid"], "melody files, or one melody typed"),
        (["arrange", "--notes", "C4", "--abc", "K:C\nC", "-o", "x.mid"], "both --abc and --notes"),
        (["arrange", "--notes", "C4 H4", "-o", "x.mid"], "found 'H4'"),
        (["arrange", "--notes", "C4", "--time-signature", "3", "-o", "x.mid"], "such as 4/4, 3/4 or 6/8"),
        (["arrange", "none.abc", "-o", "x.mid"], "none.abc"),
        (["arrange", ODE, "-o", "nowhere/x.mid"], "make it first"),
        (["arrange", ODE, ODE, "-o", "folder"], "same file name"),
        (["arrange", ODE, EXAMPLES / "sakura.mid", "-o", "x.mid"], "folder for 2"),
        (["arrange", ODE, "-o", "x.mid", "--model", "not-there"], "not-there"),
        (["compose", "-o", "x.mid", "--bars", "0"], "bars"),
        (["arrange", ODE, "-o", "x.mid", "--density", "9-16"], "such as 9-16:high"),
        (["arrange", ODE, "-o", "x.mid", "--lowest", "H2"], "found 'H2'"),
        (["arrange", ODE, "-o", "x.mid", "--lowest", "C4", "--highest", "C4"], "at least an octave"),
        (["arrange", ODE, "-o", "x.mid", "--dynamics", "2"], "dynamics"),
        (["regenerate", ODE, "-o", "x.mid", "--bars", "9-"], "such as 9-16"),
        (["regenerate", ODE, "-o", "x.mid", "--bars", "9-17"], "between 1 and 16"),
        (["regenerate", "none.mid", "-o", "x.mid", "--from", "2"], "no such file"),
        (["tokens", "not-there.mid"], "no such file"),
        (["chords", "not-there.mid"], "no such file"),
        (["chords", ODE, "--alternatives", "-1"], "from 0 to 120, found -1"),
    ],
)
def test_bad_usage_is_explained(run, tmp_path, argv, says):
    code, _, err = run(*map(str, argv))
    assert code == 2
    assert err.count("\n") == 1
    assert says in err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_tokens_and_events_are_printed_with_their_ids(run):
    code, out, _ = run("tokens", ODE)
    assert code == 0
    assert "# bars 1–8: " in out
    assert "# bars 9–16: " in out
    assert "TIME_0:109 NOTE_ON:10 PITCH_76:76 DURATION_500:768" in out
    _, out, _ = run("tokens", ODE, "--events")
    assert "TIME_500:129 NOTE_OFF:11 PITCH_76:76" in out


def test_vocab_prints_the_table(run):
    code, out, _ = run("vocab")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [row[1] for row in rows] == list(vocab.TOKENS)
    assert [int(row[0]) for row in rows] == list(range(801))


@pytest.mark.parametrize(
    "command", [["--help"], ["arrange", "--help"], ["compose", "--help"], ["chords", "--help"], ["tokens", "--help"]]
)
def test_help_needs_no_heavy_imports(command):
    code = (
        "import sys; from pianalysis.cli.main import main\n"
        f"try: main({command})\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'matplotlib', 'soundfile'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: pianalysis" in done.stdout
