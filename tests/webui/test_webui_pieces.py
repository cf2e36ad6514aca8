"""The page in a real browser: melodies go in, pieces are changed, files come out."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import EXAMPLES
from demo_page import (
    choose,
    few_bars,
    finished,
    give_file,
    hush,
    listen,
    midi,
    open_tab,
    select,
    set_settings,
    shoot,
    take,
)
from PIL import Image

from pianalysis.music.midi import read_midi
from pianalysis.webui.heard import MEDIA_TYPES

pytest_plugins = ["demo_fixtures"]
OPENS = {
    "mid": lambda data: len(read_midi(data).tracks) == 2,
    "wav": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "mp3": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "png": lambda data: Image.open(io.BytesIO(data)).size[0] > 1000,
    "musicxml": lambda data: b"score-partwise" in data,
}


def save(page, suffix):
    """Save the piece; gives the file's name and bytes."""
    if page.locator("#save-panel").is_hidden():
        page.click("#save")
    with page.expect_download() as saving:
        page.click(f"#formats [data-format={suffix}]")
    return saving.value.suggested_filename, Path(saving.value.path()).read_bytes()


def test_every_format_can_be_saved_and_opened(page):
    choose(page, "Minuet in G", bars=3)
    finished(page)
    for suffix in MEDIA_TYPES:
        name, data = save(page, suffix)
        assert name == f"minuet_in_g-0.{suffix}"
        assert OPENS[suffix](data)
        assert page.evaluate("document.activeElement.dataset.format") == suffix  # focus stays


def test_it_is_saved_as_it_is_heard(page):
    choose(page, "Sakura", bars=2)
    finished(page)
    plain = read_midi(save(page, "mid")[1])
    page.keyboard.press("Escape")
    page.select_option("#transpose", "3")
    page.locator("#rate").fill("80")
    page.click("#only-melody")
    page.click("#save")
    assert page.inner_text("#save-as").startswith("As you hear it: in F minor, at 58 bpm, the melody alone")
    heard = read_midi(save(page, "mid")[1])
    pitches = [sorted(note.pitch for note in score.tracks[0].notes) for score in (plain, heard)]
    assert [pitch + 3 for pitch in pitches[0]] == pitches[1]
    assert heard.tempos[0].qpm == pytest.approx(plain.tempos[0].qpm * 0.8, rel=1e-3)
    assert len(heard.tracks) == 1


def test_a_good_file_is_looked_at_and_written_and_a_bad_one_explained(page):
    few_bars(page, 2)
    give_file(page, ("poem.xyz", b"\x00\x01hello"))
    page.wait_for_selector("#panel-file .error:visible")
    assert "poem.xyz" in page.inner_text("#panel-file .error")
    shoot(page, "bad_file")
    give_file(page, EXAMPLES / "greensleeves.mid")
    page.wait_for_selector("#intake-write:enabled")
    assert page.locator("#panel-file .error").is_hidden()
    assert (page.input_value("#intake-name"), page.input_value("#intake-metre")) == ("greensleeves", "6/8")
    shoot(page, "intake")
    page.fill("#intake-name", "My sleeves")
    page.fill("#intake-bpm", "100")
    page.click("#intake-write")
    finished(page)
    assert page.inner_text("#melody-name") == "My sleeves"
    assert take(page, "given") == {"bpm": 100}
    assert take(page, "bpm") == pytest.approx(100, abs=0.5)


def test_a_track_is_heard_and_chosen_before_anything_is_written(page):
    few_bars(page, 2)
    low = midi([(beat, 1, 40) for beat in range(16)], tracks=("Bass",))
    score = read_midi(low)
    score.tracks.append(read_midi(midi([(beat, 1, 72 + beat % 7) for beat in range(16)], tracks=("Tune",))).tracks[0])
    give_file(page, ("two.mid", score.dumps_midi()))
    page.wait_for_selector("#intake-write:enabled")
    names = page.locator(".track strong").all_inner_texts()
    assert sorted(names) == ["Bass", "Tune"]
    assert page.locator(".track.chosen strong").inner_text() == "Tune"
    listen(page, [0, 500, 40, 90])
    page.get_by_role("button", name="Hear Bass").click()
    page.wait_for_function("loudest > 0.005")
    page.get_by_role("button", name="Hear Bass").click()
    page.locator(".track", has_text="Bass").locator("input").check()
    page.wait_for_function("document.querySelector('.track.chosen strong')?.textContent === 'Bass'")
    page.fill("#intake-metre", "3/4")
    page.locator("#intake-metre").press("Tab")
    page.wait_for_function("document.getElementById('intake-found').textContent.startsWith('6 bars')")
    page.click("#intake-write")
    finished(page)
    assert {row[2] for row in take(page, "melody")} == {40}
    assert take(page, "time_signature") == "3/4"


def test_takes_stand_on_one_axis_and_a_link_brings_one_back(page, open_page, demo):
    choose(page, "Sakura", bars=3)
    finished(page)
    first = take(page)
    page.click("#again")
    finished(page, takes=2)
    assert take(page, "seed") == 1
    second = take(page)
    assert first != second
    hush(page)
    page.evaluate("pianalysis.player.seek(3000)")
    page.keyboard.press("1")
    assert page.evaluate("pianalysis.player.parts.accompaniment.notes") == first
    assert page.evaluate("pianalysis.player.position()") == pytest.approx(3_000, abs=30)
    page.click("#takes .choose >> nth=1")
    page.click("#share")
    page.wait_for_selector("#link:visible")
    link = page.input_value("#link")
    assert len(link) < 200
    other = open_page(link.removeprefix(demo))
    finished(other)
    assert take(other) == second


def test_selected_bars_are_rewritten_and_nothing_else(page, open_page, demo):
    choose(page, "Sakura", bars=5)
    finished(page)
    before = take(page)
    select(page, 3, 4)
    page.select_option("#bubble-figure", "alberti")
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    start, stop = page.evaluate("pianalysis.roll.selectionMs()")
    after = take(page)

    def outside(rows):
        return [row for row in rows if not start - 20 <= row[0] < stop - 20]

    assert outside(after) == outside(before)
    assert after != before
    shoot(page, "rewritten")
    page.click("#bubble-undo")
    assert take(page) == before
    page.click("#redo")
    assert take(page) == after
    page.click("#share")
    page.wait_for_selector("#link:visible")
    other = open_page(page.input_value("#link").removeprefix(demo))
    other.wait_for_function("pianalysis.takes.current?.edits.length === 1")
    assert take(other) == after


def test_the_register_keeps_the_accompaniment_up(page):
    set_settings(page, lowest=43, dynamics=-0.5)
    choose(page, "Sakura", bars=3)
    finished(page)
    assert min(row[2] for row in take(page)) >= 43
    assert page.locator("input[name=register]:checked").input_value() == "43-108"
    assert page.inner_text("#dynamics-shown") == "" or page.input_value("#dynamics") == "-0.5"


def test_what_is_played_on_the_computers_keys_is_arranged(page):
    open_tab(page, "play")
    page.fill("#rec-bpm", "200")
    few_bars(page, 2)
    page.click("#record")
    page.wait_for_function("document.getElementById('rec-status').textContent.startsWith('Recording')")
    for key in "adgk":
        page.keyboard.down(key)
        page.wait_for_timeout(180)
        page.keyboard.up(key)
        page.wait_for_timeout(60)
    page.click("#record")
    assert page.inner_text("#rec-status") == "4 notes recorded."
    shoot(page, "played")
    page.click("#rec-arrange")
    finished(page)
    melody = take(page, "melody")
    assert [row[2] for row in melody] == [60, 64, 67, 72]
    assert all(abs(row[0] / 75 - round(row[0] / 75)) < 0.02 for row in melody)  # on quarters of a beat


def test_typed_notes_are_arranged_and_a_slip_is_shown(page):
    few_bars(page, 2)
    open_tab(page, "type")
    page.fill("#typed", "C4/4 x4/4")
    page.click("#typed-arrange")
    page.wait_for_selector("#panel-type .error:visible")
    assert page.inner_text("#panel-type .error").startswith("“x4/4”, the 2nd word, isn't a note")
    page.fill("#typed", "X:1\nM:3/4\nL:1/4\nK:G\nG A B|c2 d|")
    page.click("#typed-arrange")
    finished(page)
    assert [row[2] for row in take(page, "melody")] == [67, 69, 71, 72, 74]


def test_every_surprise_is_another_and_its_takes_keep_its_melody(page, open_page, demo):
    few_bars(page, 2)
    page.click("#cards .surprise")
    finished(page)
    melody = take(page, "melody")
    assert melody
    page.click("#share")
    page.wait_for_selector("#link:visible")
    other = open_page(page.input_value("#link").removeprefix(demo))
    finished(other)
    assert take(other, "melody") == melody
    page.keyboard.press("Escape")
    page.click("#again")
    finished(page, takes=2)
    pitches = [row[2] for row in melody]
    assert [row[2] for row in take(page, "melody")] == pitches
    page.click("#melody-menu")
    page.click("#cards .surprise")
    page.wait_for_function("pianalysis.takes.all.length < 2")  # the takes of the melody before go with it
    finished(page, takes=1)
    assert [row[2] for row in take(page, "melody")] != pitches


def test_a_recording_is_heard_once_and_then_written(page):
    few_bars(page, 2)
    rate, pitches = 22_050, (60, 62, 64, 65, 67, 65, 64, 62)
    seconds = np.arange(int(0.5 * rate)) / rate
    tones = [
        np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * seconds) * np.hanning(len(seconds)) for pitch in pitches
    ]
    sound = io.BytesIO()
    soundfile.write(sound, np.concatenate(tones).astype(np.float32) * 0.5, rate, format="WAV")
    give_file(page, ("hummed.wav", sound.getvalue()))
    page.wait_for_selector("#intake-write:enabled")
    page.click("#intake-write")
    finished(page)
    assert re.match("data:audio/midi", page.evaluate("pianalysis.live.session.melody.source"))
    assert [row[2] for row in take(page, "melody")] == list(pitches)
