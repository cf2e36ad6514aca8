"""The page in a real browser: melodies go in, pieces are changed, files come out."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import soundfile
from conftest import EXAMPLES
from demo_page import choose, few_bars, finished, shoot
from PIL import Image

from pianalysis.music.midi import read_midi
from pianalysis.webui.settings import NUMBERS
from pianalysis.webui.studio import MEDIA_TYPES

pytest_plugins = ["demo_fixtures"]
OPENS = {
    "mid": lambda data: len(read_midi(data).tracks) == 2,
    "wav": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "mp3": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "png": lambda data: Image.open(io.BytesIO(data)).size[0] > 1000,
    "musicxml": lambda data: b"score-partwise" in data,
}


def test_every_format_can_be_saved_and_opened(page):
    choose(page, "Minuet in G", bars=4)
    finished(page)
    for suffix in MEDIA_TYPES:
        with page.expect_download() as saving:
            page.click(f"#downloads [data-format={suffix}]")
        path = Path(saving.value.path())
        assert saving.value.suggested_filename == f"minuet_in_g-0.{suffix}"
        assert OPENS[suffix](path.read_bytes())


def test_a_good_file_is_arranged_and_a_bad_one_explained(page):
    few_bars(page, 2)
    page.click("#tab-file")
    bad = {"name": "poem.txt", "mimeType": "text/plain", "buffer": b"hello"}
    page.set_input_files("#file", bad)
    page.wait_for_selector("#panel-file .error:visible")
    assert "“poem.txt” isn't a MIDI file" in page.inner_text("#panel-file .error")
    shoot(page, "bad_file")
    page.set_input_files("#file", EXAMPLES / "greensleeves.mid")
    finished(page)
    assert page.inner_text("#piece-title") == "greensleeves"
    assert page.locator("#panel-file .error").is_hidden()


def test_takes_stand_side_by_side_and_a_link_brings_one_back(page, open_page, demo):
    choose(page, "Sakura", bars=3)
    finished(page)
    first = page.evaluate("pianalysis.takes.current.notes")
    page.click("#again")
    page.wait_for_function("pianalysis.takes.all.length === 2")
    assert page.evaluate("pianalysis.takes.current.seed") == 1
    second = page.evaluate("pianalysis.takes.current.notes")
    assert first != second
    page.click("#takes button >> nth=0")
    assert page.evaluate("pianalysis.player.parts.accompaniment.notes") == first
    page.click("#takes button >> nth=1")
    page.click("#share")
    link = page.input_value("#link")
    assert re.search(r"example=sakura", link)
    other = open_page(link.removeprefix(demo))
    finished(other)
    assert other.evaluate("pianalysis.takes.current.notes") == second


def test_selected_bars_are_rewritten_and_nothing_else(page, open_page, demo):
    choose(page, "Sakura", bars=6)
    finished(page)
    before = page.evaluate("pianalysis.takes.current.notes")
    page.fill("#from-bar", "3")
    page.fill("#to-bar", "4")
    page.locator("#to-bar").press("Enter")
    page.click("#rewrite")
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    start, stop = page.evaluate("pianalysis.roll.selectionMs()")
    after = page.evaluate("pianalysis.takes.current.notes")

    def outside(rows):
        return [row for row in rows if not start - 20 <= row[0] < stop - 20]

    assert outside(after) == outside(before)
    assert after != before
    shoot(page, "rewritten")
    page.click("#share")
    other = open_page(page.input_value("#link").removeprefix(demo))
    other.wait_for_function("pianalysis.takes.current?.edits.length === 1")
    assert other.evaluate("pianalysis.takes.current.notes") == after


def test_only_the_settings_that_the_arranger_knows_are_shown(page):
    for name in ("dynamics", "lowest", "harmony"):
        assert page.locator(f"[data-needs={name}]").is_hidden() != (name in NUMBERS) or name == "harmony"
    assert page.locator("#rewrite").is_visible()


@pytest.mark.skipif("lowest" not in NUMBERS, reason="this arranger has no register")
def test_the_register_keeps_the_accompaniment_up(page):
    page.get_by_text("High", exact=True).click()
    page.locator("#dynamics").fill("-0.5")
    choose(page, "Sakura", bars=4)
    finished(page)
    assert min(row[2] for row in page.evaluate("pianalysis.takes.current.notes")) >= 43
    assert page.evaluate("pianalysis.takes.current.settings.dynamics") == -0.5


def test_what_is_played_on_the_computers_keys_is_arranged(page):
    page.click("#tab-play")
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
    melody = page.evaluate("pianalysis.takes.current.melody")
    assert [row[2] for row in melody] == [60, 64, 67, 72]
    assert all(abs(row[0] / 75 - round(row[0] / 75)) < 0.02 for row in melody)  # on quarters of a beat


def test_typed_notes_are_arranged_and_a_slip_is_shown(page):
    page.click("#tab-type")
    few_bars(page, 2)
    page.fill("#typed", "C4/4 H4/4")
    page.click("#typed-arrange")
    page.wait_for_selector("#panel-type .error:visible")
    says = page.inner_text("#panel-type .error")
    assert says.startswith("The typed notes, word 2")
    assert "H4/4" in says
    page.fill("#typed", "X:1\nM:3/4\nL:1/4\nK:G\nG A B|c2 d|")
    page.click("#typed-arrange")
    finished(page)
    assert [row[2] for row in page.evaluate("pianalysis.takes.current.melody")] == [67, 69, 71, 72, 74]


def test_a_surprise_has_a_melody_of_its_own(page):
    few_bars(page, 2)
    page.click("#cards .surprise")
    finished(page)
    assert page.evaluate("pianalysis.takes.current.melody.length") > 0
    assert "invented" in page.inner_text("#remarks")
