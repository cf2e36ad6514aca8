"""The example melodies: what is in the repository, what the script writes, and what each has to show."""

from __future__ import annotations

import doctest
import importlib.util
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import symusic
from conftest import EXAMPLES, ROOT


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_examples", ROOT / "scripts" / "make_examples.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("scripts/make_examples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


script = load_script()
TUNES = {tune.file: tune for tune in script.TUNES}
FOUR_FOUR = Fraction(4)

# Degrees of the final note above the tonic, and pitch classes above the tonic outside the key signature.
FINALS = {"sakura": 7}
ACCIDENTALS = {"greensleeves": {9, 11}, "minuet_in_g": {6}}


def read(name: str) -> Any:
    return symusic.Score.from_midi((EXAMPLES / f"{name}.mid").read_bytes())


def test_the_script_writes_the_files_in_the_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--output", str(tmp_path / "new" / "folder")]) == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {path.name: path.read_bytes() for path in EXAMPLES.iterdir()}
    assert set(written) == {f"{name}.mid" for name in TUNES} | {"README.md"}
    assert len(capsys.readouterr().out.splitlines()) == len(TUNES) + 1


def test_the_readme_has_a_row_for_each_tune() -> None:
    rows = [line for line in (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines() if ".mid" in line]
    assert len(rows) == len(TUNES)
    for row, tune in zip(rows, TUNES.values(), strict=True):
        assert f"[{tune.file}.mid]" in row
        assert tune.title in row
        assert row.count("|") == 10


@pytest.mark.parametrize("name", TUNES)
def test_each_file_is_one_melody_on_one_track(name: str) -> None:
    score, tune = read(name), TUNES[name]
    (track,) = score.tracks
    assert (track.name, track.program, track.is_drum) == ("MELODY", 0, False)
    assert score.tpq == 480
    assert [(m.time, m.numerator, m.denominator) for m in score.time_signatures] == [(0, *tune.metre)]
    assert [round(tempo.qpm, 2) for tempo in score.tempos] == [tune.bpm]
    assert [(k.time, k.key, k.tonality) for k in score.key_signatures] == [(0, tune.sharps, int(tune.minor))]
    assert [marker.text for marker in score.markers] == [tune.title]


@pytest.mark.parametrize("name", TUNES)
def test_notes_follow_one_another_in_a_singing_register(name: str) -> None:
    notes = read(name).tracks[0].notes
    assert all(one.start < two.start and one.end <= two.start for one, two in pairwise(notes))
    assert all(note.duration > 0 and 60 <= note.pitch <= 86 and 40 <= note.velocity <= 110 for note in notes)
    assert len({note.velocity for note in notes}) > 4


@pytest.mark.parametrize("name", TUNES)
def test_what_is_read_back_is_what_is_spelt(name: str) -> None:
    def rows(notes: Any) -> list[tuple[int, int, int, int]]:
        return [(note.time, note.duration, note.pitch, note.velocity) for note in notes]

    spelt, bars = script.play(TUNES[name])
    assert rows(read(name).tracks[0].notes) == rows(spelt)
    bar_ticks = int(TUNES[name].bar * 480)
    assert (bars - 1) * bar_ticks < spelt[-1].end <= bars * bar_ticks


@pytest.mark.parametrize("name", TUNES)
def test_tunes_keep_to_their_key_and_end_on_its_tonic(name: str) -> None:
    tune = TUNES[name]
    tonic = (tune.sharps * 7 + (9 if tune.minor else 0)) % 12
    scale = {0, 2, 3, 5, 7, 8, 10} if tune.minor else {0, 2, 4, 5, 7, 9, 11}
    degrees = [(note.pitch - tonic) % 12 for note in read(name).tracks[0].notes]
    assert set(degrees) - scale == ACCIDENTALS.get(name, set())
    assert degrees[-1] == FINALS.get(name, 0)


def test_the_collection_shows_what_it_has_to() -> None:
    assert len(TUNES) >= 10
    assert {tune.metre for tune in TUNES.values()} >= {(2, 4), (3, 4), (4, 4), (6, 8)}
    assert any(tune.bpm == 180 for tune in TUNES.values())
    assert any(tune.minor for tune in TUNES.values())
    assert any(script.facts_of(tune).seconds >= 180 for tune in TUNES.values())
    # A pickup: the first note on the last beats of a full first bar.
    pickups = {name: script.play(tune)[0][0].start for name, tune in TUNES.items()}
    assert pickups["amazing_grace"] == 2 * 480
    assert sum(start > 0 for start in pickups.values()) >= 3


def test_ode_to_joy_by_hand() -> None:
    notes = read("ode_to_joy").tracks[0].notes
    assert [note.pitch for note in notes[:15]] == [76, 76, 77, 79, 79, 77, 76, 74, 72, 72, 74, 76, 76, 74, 74]
    assert [note.duration for note in notes[12:15]] == [720, 240, 960]
    early = next(note for note in notes if note.start == (11 * 4 + 3) * 480)  # the tie into the thirteenth bar
    assert (early.pitch, early.duration) == (76, 960)
    assert script.facts_of(TUNES["ode_to_joy"]).bars == 16


def test_three_notes_of_a_triplet_fill_a_quarter() -> None:
    notes, end = script.read_notes("A4/1/3 B4/1/3 C5/1/3 R/3 |", FOUR_FOUR)
    assert [note.onset for note in notes] == [0, Fraction(1, 3), Fraction(2, 3)]
    assert end == 4


@pytest.mark.parametrize(
    ("text", "bar", "reason"),
    [
        ("C4/4 | D4/2 E4 | F4/4 |", 2, "expected 4 quarter notes, found 3"),
        ("C4/4 | D4/4 | E4/5 | F4/4 |", 3, "expected 4 quarter notes, found 5"),
        ("C4/4 | D4/4 E4", 2, "found more"),
        ("C4/4 | | D4/4 |", 2, "found 0"),
        ("C4/4 | H4/4 |", 2, "'H4/4'"),
        ("C4/4 | D4/x |", 2, "'D4/x'"),
        ("C4/4 | D4/1/0 |", 2, "'D4/1/0'"),
        ("C4/4 | D4/0 |", 2, "no length"),
        ("C4/4 | D4/1/7 E4/27/7 |", 2, "no whole number of ticks"),
        ("C4/4 | R/4~ |", 2, "'R/4~'"),
        ("C4/4~ | D4/4 |", 2, "another pitch"),
        ("C4/4 | D4/4~", 2, "tied to nothing"),
    ],
)
def test_errors_name_the_bar(text: str, bar: int, reason: str) -> None:
    with pytest.raises(script.NotationError, match=rf"^bar {bar}: ") as caught:
        script.read_notes(text, FOUR_FOUR)
    assert reason in str(caught.value)


def test_bars_are_counted_through_a_tune() -> None:
    tune = replace(TUNES["ode_to_joy"], notation="a: C4/4 | D4/2\nb: E4/2 | F4/3 |", form="a@70 b@70")
    with pytest.raises(script.NotationError, match=r"^bar 3: "):
        script.play(tune)
    with pytest.raises(script.NotationError, match=r"^bar 2: the tune ends"):
        script.play(replace(tune, form="a@70"))


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(script)
    assert result.attempted > 0
    assert result.failed == 0
