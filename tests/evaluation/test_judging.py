"""Anybody's arrangements judged: laws of the judge, how pieces are read, and the command line from end to end."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import blocks, folders, means, score_of, song_of
from strategies import scores

from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.evaluation import judge
from pianalysis.evaluation.folders import MELODIES, read_folders
from pianalysis.evaluation.judging import OURS_ALONE
from pianalysis.evaluation.matching import best_fit, melody_in, moved
from pianalysis.metrics.names import AREAS, BIGRAMS, HUMAN, METRICS, TWO_SAMPLE
from pianalysis.music.notes import make_notes

OF_KEYS = ("in_reach", "notes_a_hand")
"""Hands are parted by where on the keyboard they are."""
OF_SETS = {*AREAS.values(), BIGRAMS, TWO_SAMPLE}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("pianalysis.evaluation.bootstrap.RESAMPLES", 20)


def songs(count=4, **how):
    """Melodies, a system's pieces and people's, by name."""
    voices = {f"song{number}": song_of(number) for number in range(count)}
    return (
        {name: score_of(melody, **how) for name, (melody, _) in voices.items()},
        {name: score_of([*melody, *blocks(melody)], **how) for name, (melody, _) in voices.items()},
        {name: score_of(melody, below, **how) for name, (melody, below) in voices.items()},
    )


# --- laws


def test_references_judged_against_themselves_have_the_same_figures():
    melodies, _, people = songs()
    systems = judge(melodies, {"again": people}, references=people).systems
    again, human = means(systems["again"]), means(systems[HUMAN])
    assert again.keys() == human.keys() == METRICS.keys() - {*OURS_ALONE, TWO_SAMPLE}
    for name in again.keys() - OF_SETS:
        assert again[name] == pytest.approx(human[name], nan_ok=True), name
        assert systems["again"][name]["minus_human"]["mean"] in (0, None), name
    assert again["melody_recall"] == again["area_pitch"] == again["area_inter_onset"] == 1
    assert again[BIGRAMS] == 0


def test_the_order_of_files_changes_nothing():
    melodies, out, people = songs()
    turned = [dict(reversed(some.items())) for some in (melodies, out, people)]
    expected = judge(melodies, {"out": out}, references=people).figures
    assert judge(turned[0], {"out": turned[1]}, references=turned[2]).figures == expected


@settings(max_examples=4)
@given(st.integers(-9, 9))
def test_all_of_it_in_another_key_has_the_same_figures(up):
    expected, moved_up = (
        judge(melodies, {"out": out}, references=people).systems
        for melodies, out, people in (songs(2), songs(2, up=up))
    )
    for system, figures in expected.items():
        found, wanted = means(moved_up[system]), means(figures)
        for name in wanted.keys() - set(OF_KEYS):
            assert found[name] == pytest.approx(wanted[name], abs=1e-5, nan_ok=True), name


@pytest.mark.parametrize("how", [{"tpq": 96}, {"tpq": 960}, {"bpm": 90}])
def test_neither_ticks_nor_tempo_changes_a_figure(how):
    melodies, out, _ = songs(2)
    other = songs(2, **how)
    expected, found = judge(melodies, {"out": out}).systems["out"], judge(other[0], {"out": other[1]}).systems["out"]
    found, wanted = means(found), means(expected)
    for name in wanted.keys() - {"end_after_melody_s"}:  # the last is in seconds
        assert found[name] == pytest.approx(wanted[name], abs=1e-3, nan_ok=True), name


# --- how a piece is read


def judged(*arrangements, **options):
    """The figures of the first song's arrangement, and the remarks."""
    melody, _ = song_of(0)
    judgement = judge({"a": score_of(melody, bpm=80)}, {"out": {"a": arrangements[0]}}, **options)
    return means(judgement.systems["out"]), judgement.remarks


MELODY, BELOW = song_of(0)
AS_IT_IS = score_of(MELODY, BELOW, bpm=80)


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (score_of(BELOW, MELODY, bpm=80), ""),
        (score_of([*MELODY, *BELOW], bpm=80, tpq=96), ""),
        (score_of(MELODY, BELOW, bpm=120), "agrees beat by beat"),
        (score_of(MELODY, BELOW, bpm=None, metre=None), "agrees beat by beat"),
        (score_of(MELODY, BELOW, bpm=80, later=8), "8.00 quarters later"),
        (score_of(MELODY, BELOW, bpm=133, later=3), "3.00 quarters later"),
    ],
)
def test_the_same_music_is_judged_alike_however_it_is_written(piece, said):
    (figures, remarks), (expected, _) = judged(piece), judged(AS_IT_IS)
    assert figures == pytest.approx(expected, nan_ok=True)
    assert figures["melody_recall"] == 1
    assert any(said in remark for remark in remarks) if said else remarks == ()


def test_an_accompaniment_alone_and_one_without_the_melody_are_said():
    figures, remarks = judged(score_of(BELOW, bpm=80))
    expected, _ = judged(AS_IT_IS)
    assert figures["melody_recall"] < 0.1
    assert figures["notes_per_beat"] == expected["notes_per_beat"]
    assert "notes in it, found 0; all of it counts as accompaniment" in remarks[0]
    drums = score_of(MELODY, BELOW, bpm=80)
    drums.tracks[1].is_drum = True
    assert judged(drums)[0]["notes_per_beat"] == 0


def test_a_melody_in_another_key_is_said_and_not_moved():
    figures, remarks = judged(score_of(MELODY, BELOW, bpm=80, up=-2))
    assert figures["melody_recall"] < 0.5
    assert "all is there 2 semitones lower" in remarks[0]


def test_a_tempo_that_is_a_little_other_is_read_by_beats():
    """By real time all is within half a sixteenth still, and nothing is where it was."""
    figures, remarks = judged(score_of(MELODY, BELOW, bpm=80.15))
    assert figures == pytest.approx(judged(AS_IT_IS)[0], nan_ok=True)
    assert "agrees beat by beat" in remarks[0]


@pytest.mark.parametrize("unit", ["tick", "quarter", "second"])
def test_a_score_in_any_unit_is_judged_alike(unit):
    assert judged(AS_IT_IS.to(unit))[0] == pytest.approx(judged(AS_IT_IS)[0], nan_ok=True)


def test_a_part_that_doubles_the_melody_is_accompaniment():
    doubled = score_of([*MELODY, *BELOW], MELODY, bpm=80)
    assert judged(doubled)[0]["notes_per_beat"] == pytest.approx(judged(AS_IT_IS)[0]["notes_per_beat"] + 1)


@pytest.mark.parametrize("track", [2, "piano"])
def test_a_track_that_is_given_is_the_melody(track):
    piece = score_of(BELOW, MELODY, bpm=80, names=("Lead", "Piano"))
    figures, _ = judged(piece, melody_track=track)
    assert figures == pytest.approx(judged(AS_IT_IS)[0], nan_ok=True)
    with pytest.raises(PianalysisError, match="a melody track from 1 to 2, found 3"):
        judged(piece, melody_track=3)
    with pytest.raises(PianalysisError, match="one track called Flute, found 0 among Lead, Piano"):
        judged(piece, melody_track="Flute")


def test_the_references_clock_counts_where_the_melody_has_none():
    """A melody played into a file without tempo: real time is right, beats aren't."""
    real = [(start * 120 / 80, length * 120 / 80, pitch) for start, length, pitch in MELODY]
    bare = {"a": score_of(real, bpm=None, metre=None)}
    with_reference = judge(bare, {"out": {"a": AS_IT_IS}}, references={"a": AS_IT_IS})
    assert means(with_reference.systems["out"])["notes_per_beat"] == judged(AS_IT_IS)[0]["notes_per_beat"]
    assert with_reference.remarks == ()
    assert any("neither tempo nor metre" in remark for remark in judge(bare, {"out": {"a": AS_IT_IS}}).remarks)


NOTES = st.lists(
    st.tuples(st.integers(0, 60).map(lambda n: 250.0 * n), st.just(250.0), st.integers(60, 64), st.just(80)), min_size=1
)


@given(NOTES, NOTES)
def test_what_is_found_of_a_melody_is_one_note_for_each_of_its_notes(melody, piece):
    melody, piece = make_notes(melody), make_notes(piece)
    both = np.concatenate([piece, melody])
    found = melody_in(melody, both, np.zeros(len(both), int))
    assert found.sum() == len(melody)
    assert sorted(both[found]["pitch"]) == sorted(melody["pitch"])
    alone = melody_in(melody, piece, np.zeros(len(piece), int))
    assert alone.sum() <= min(len(melody), len(piece))


@given(st.integers(-40, 40).map(lambda n: 250.0 * n))
def test_a_shift_is_found_and_undone(shift):
    generator = np.random.default_rng(3)
    tune = make_notes((500.0 * n, 500, int(pitch), 80) for n, pitch in enumerate(generator.integers(60, 73, 40)))
    fit = best_fit({"real": tune}, {"real": moved(tune, shift)})
    assert fit.recall == 1
    assert fit.shift_ms == pytest.approx(-shift)


# --- chords


@pytest.mark.parametrize(
    ("suffix", "text"),
    [(".txt", "C | F | G | C | C | F | G | C"), (".lab", "\n".join(f"{3 * n} {3 * n + 3} {'CFGC'[n % 4]}:maj" for n in range(8)))],
)  # fmt: skip
def test_chords_are_read_from_texts(tmp_path, suffix, text):
    (tmp_path / f"a{suffix}").write_text(text)
    figures, remarks = judged(AS_IT_IS, chords=tmp_path)
    assert remarks == ()
    assert figures["chord_tones"] == figures["chord_root"] == figures["root_in_bass"] == 1


def test_a_chart_that_does_not_fit_is_said_and_the_song_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("C | F")
    with pytest.raises(PianalysisError, match=r"a\.txt: .*bars"):
        judged(AS_IT_IS, chords=tmp_path)


def test_where_chords_come_from_is_said():
    melodies, out, people = songs(2)
    assert "recognised in the references" in judge(melodies, {"out": out}, references=people).about()
    alone = judge(melodies, {"out": out})
    assert "given nowhere" in alone.about()
    assert alone.systems["out"]["chord_tones"]["mean"] is None
    assert alone.systems["out"]["own_chord_tones"]["mean"] == 1
    assert {"chord_tones", "area_pitch", TWO_SAMPLE} <= alone.figures["left_out"].keys()


# --- sets of songs


def test_the_classifier_is_asked_of_enough_songs():
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'pianalysis[evaluation]'")
    melodies, out, people = songs(12)
    judgement = judge(melodies, {"out": out, "again": people}, references=people)
    assert judgement.systems["out"][TWO_SAMPLE]["mean"] > 0.9
    assert judgement.systems["again"][TWO_SAMPLE]["mean"] == 0.5
    assert judgement.figures["left_out"] == {}


@pytest.mark.parametrize("missing", ["sklearn", "datasets", "transformers", "evaluate"])
def test_a_fresh_install_judges(missing, tmp_path):
    folders(tmp_path, songs=1)
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pianalysis.cli.main import main\n"
        f"sys.exit(main(['evaluate', '--melodies', {str(tmp_path / 'melodies')!r}, '--arrangements', {str(tmp_path / 'out')!r}]))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


# --- the command line


def test_a_folder_is_judged_from_the_command_line(tmp_path, capsys):
    root = folders(tmp_path)
    (root / "out" / "stray.mid").write_bytes((root / "out" / "song0.mid").read_bytes())
    (root / "out" / "song3.mid").write_bytes(b"no MIDI")
    (root / "out" / "._song0.mid").write_bytes(b"a Mac's")
    (root / "people" / "song1.MID").write_bytes((root / "people" / "song1.mid").read_bytes())
    (root / "people" / "song1.mid").unlink()
    argv = ["evaluate", "--melodies", str(root / "melodies"), "--arrangements", f"blocks={root / 'out'}"]
    argv += ["--references", str(root / "people"), "--json", str(root / "f.json"), "--report", str(root / "report")]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert "stray: no file of that name among the melodies; left out" in said.err
    assert "song3.mid: expected a MIDI file" in said.err
    assert "3 songs; the songs' chords: recognised in the references" in said.out
    figures = json.loads((root / "f.json").read_text())
    assert (figures["songs"], [*figures["systems"]]) == (3, [HUMAN, "blocks"])
    assert figures["systems"]["blocks"]["notes_per_beat"]["mean"] == 0.75
    assert figures["by_song"]["blocks"]["song1"]["melody_recall"] == 1
    report = (root / "report" / "report.md").read_text()
    assert "song3.mid" in report
    assert all((root / "report" / f"{name}.png").exists() for name in ("metrics", "distributions", "rolls"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--arrangements": "none"}, "expected a folder of arrangements, found nothing"),
        ({"--arrangements": "empty"}, "expected arrangements (.mid, .midi, .kar, .rmi), found none in it"),
        ({"--references": "other"}, "expected files of one name in all folders"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(tmp_path, capsys, change, said):
    root = folders(tmp_path, songs=1)
    (root / "empty").mkdir()
    (root / "other").mkdir()
    score_of(MELODY).dump_midi(root / "other" / "another.mid")
    asked = {"--melodies": "melodies", "--arrangements": "out", **change, "--json": "f.json"}
    argv = [word for option, folder in asked.items() for word in (option, str(root / folder))]
    assert main(["evaluate", *argv]) == 2
    assert said in capsys.readouterr().err
    assert not (root / "f.json").exists()


def test_an_array_alone_is_refused():
    with pytest.raises(PianalysisError, match="score_of_notes"):
        judge({"a": make_notes([(0, 500, 60, 80)])}, {"out": {"a": AS_IT_IS}})


def test_a_name_that_is_there_twice_is_refused_and_one_in_two_kinds_is_the_first(tmp_path):
    score = score_of(MELODY)
    for name in ("a.mid", "deep/b.MID"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        score.dump_midi(tmp_path / name)
    (tmp_path / "a.abc").write_text("X:1")
    wanted = {"here": (tmp_path, "melodies", MELODIES)}
    found = read_folders(wanted)["here"]
    assert {name: path.name for name, path in found.items()} == {"a": "a.mid", "b": "b.MID"}
    score.dump_midi(tmp_path / "deep" / "b.midi")
    with pytest.raises(PianalysisError, match="one file of melodies for each name"):
        read_folders(wanted)


def test_files_of_one_name_belong_together_by_the_folders_they_lie_in(tmp_path):
    """As others publish their outputs: 001/seg_0_8.mid, 001/seg_8_16.mid, 002/seg_0_8.mid."""
    for folder in ("melodies", "out", "people"):
        for song in ("001", "002"):
            path = tmp_path / folder / song / "seg_0_8.mid"
            path.parent.mkdir(parents=True)
            score_of(MELODY).dump_midi(path)
    (tmp_path / "out" / "002" / "seg_8_16.mid").write_bytes((tmp_path / "out/002/seg_0_8.mid").read_bytes())
    judgement = judge(tmp_path / "melodies", tmp_path / "out", references=tmp_path / "people")
    assert [song.piece_id for song in judgement.songs] == ["001/seg_0_8", "002/seg_0_8"]
    assert any("002/seg_8_16" in remark for remark in judgement.remarks)


def test_a_few_notes_that_are_met_at_some_shift_by_chance_move_nothing():
    """An introduction in a lead sheet: the top of a chord a bar, under which the piano plays broken chords and no melody."""
    chords = [(4.0 * bar, 4.0, pitch) for bar, pitch in enumerate((67, 69, 67, 67, 69, 67, 69, 67))]
    broken = [(step / 2, 0.5, (48, 55, 60, 67, 64, 69, 60, 55)[step % 8]) for step in range(64)]
    judgement = judge({"a": score_of(chords)}, {"out": {"a": score_of(broken)}})
    assert not any("moved back" in remark for remark in judgement.remarks), judgement.remarks


def test_of_many_remarks_some_are_printed_and_all_are_in_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pianalysis.cli.evaluate.REMARKS", 1)
    for name in ("a", "b", "c"):
        for folder, notes in (("melodies", MELODY), ("out", blocks(MELODY))):
            (tmp_path / folder).mkdir(exist_ok=True)
            score_of(notes).dump_midi(tmp_path / folder / f"{name}.mid")
    where = ["--melodies", tmp_path / "melodies", "--arrangements", tmp_path / "out", "--json", tmp_path / "f.json"]
    assert main(["evaluate", *map(str, where)]) == 0
    said = capsys.readouterr().err.splitlines()
    remarks = json.loads((tmp_path / "f.json").read_text())["remarks"]
    assert len(remarks) > 1
    assert said[0] == f"# {remarks[0]}"
    assert said[1] == f"# and {len(remarks) - 1} more remarks (--json has them all)"


@settings(max_examples=25)
@given(scores(max_tracks=2), scores(), scores(), st.booleans())
def test_whatever_is_in_the_files_is_judged_or_refused_in_a_sentence(melody, piece, reference, beside):
    """Any tempi, metres and notes; nothing crashes, and all of it can be written."""
    given_references = {"references": {"a": reference}} if beside else {}
    try:
        judgement = judge({"a": melody}, {"out": {"a": piece}}, **given_references)
    except PianalysisError:  # only drums, say
        return
    json.dumps(judgement.figures, allow_nan=False)
    assert "1 song;" in judgement.table()
