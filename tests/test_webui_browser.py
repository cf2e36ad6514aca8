"""The page in a real browser: notes grow, sound comes out, files go in and come out, nothing leaves this machine."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
import soundfile
from conftest import EXAMPLES
from PIL import Image

from pianalysis.notes import read_midi
from pianalysis.webui.settings import NUMBERS
from pianalysis.webui.studio import CAN_REWRITE, MEDIA_TYPES

pytest_plugins = ["demo_fixtures"]
SHOTS = os.environ.get("PIANALYSIS_SCREENSHOTS")  # a folder in which pictures of each state are kept
OPENS = {
    "mid": lambda data: len(read_midi(data).tracks) == 2,
    "wav": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "mp3": lambda data: soundfile.info(io.BytesIO(data)).duration > 5,
    "png": lambda data: Image.open(io.BytesIO(data)).size[0] > 1000,
    "musicxml": lambda data: b"score-partwise" in data,
}
COUNT = "pianalysis.player.parts.accompaniment.notes.length"


def shoot(page, name, **options):
    if SHOTS:
        page.screenshot(path=Path(SHOTS, f"{name}.png"), **options)


def finished(page):
    page.wait_for_function("pianalysis.timing.done")


def few_bars(page, bars):
    page.evaluate("bars => document.getElementById('max_bars').value = bars", bars)


def choose(page, title, bars=6):
    few_bars(page, bars)
    page.get_by_role("button", name=title).click()


def test_a_click_on_a_card_is_heard_while_it_is_written(page):
    choose(page, "Ode to Joy", bars=16)
    page.wait_for_function(f"{COUNT} > 0")
    early = page.evaluate(COUNT)
    assert page.evaluate("pianalysis.timing.done === null && pianalysis.roll.writing")
    page.wait_for_function("pianalysis.player.loudness() > 0.01")
    assert page.evaluate("pianalysis.player.state") == "playing"
    shoot(page, "writing")
    finished(page)
    assert page.evaluate(COUNT) > early
    assert "16 bars" in page.inner_text("#status")
    assert "100 %" in page.inner_text("#fit")
    assert page.evaluate("pianalysis.player.position()") > 0
    shoot(page, "finished", full_page=True)
    page.click("#play")
    page.wait_for_function("pianalysis.player.state === 'stopped' && pianalysis.player.loudness() < 1e-3")


def test_parts_seeking_looping_and_tempo(page):
    choose(page, "Sakura")
    finished(page)
    page.wait_for_function("pianalysis.player.loudness() > 0.01")
    page.click("#hear-melody")
    page.click("#hear-accompaniment")
    page.wait_for_function("pianalysis.player.loudness() < 1e-3")
    page.click("#compare")  # the whole piece
    page.wait_for_function("pianalysis.player.loudness() > 0.01 && !pianalysis.player.parts.melody.muted")
    page.click("#compare")  # the melody alone
    page.wait_for_function("pianalysis.player.loudness() > 0.01 && pianalysis.player.parts.accompaniment.muted")
    page.locator("#roll").scroll_into_view_if_needed()
    box = page.locator("#roll").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate("pianalysis.player.position()") > 5_000
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 100, steps=5)
    page.mouse.up()
    first, last = page.evaluate("pianalysis.roll.selection")
    assert (page.input_value("#from-bar"), page.input_value("#to-bar")) == (str(first + 1), str(last + 1))
    page.click("#loop")
    start, stop = page.evaluate("pianalysis.player.loop")
    assert [start, stop] == page.evaluate("pianalysis.roll.selectionMs()")
    assert start <= page.evaluate("pianalysis.player.position()") <= stop
    page.locator("#rate").fill("150")
    before = page.evaluate(
        "[pianalysis.player.context.currentTime, pianalysis.player.anchor.ms, pianalysis.player.rate]"
    )
    assert before[2] == 1.5
    page.locator("#transpose").fill("-5")
    assert page.inner_text("#transpose-shown") == "−5"
    page.wait_for_function("pianalysis.player.loudness() > 0.01")


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


@pytest.mark.skipif(not CAN_REWRITE, reason="this arranger can't rewrite bars")
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
    assert page.locator("#rewrite").is_visible() == CAN_REWRITE


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


def test_by_keyboard_alone(page):
    few_bars(page, 4)
    page.locator("#cards button").first.focus()
    page.keyboard.press("Enter")
    finished(page)
    page.locator("#roll").focus()
    page.keyboard.press("Space")
    page.wait_for_function("pianalysis.player.state === 'stopped'")
    page.evaluate("pianalysis.player.seek(0)")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("pianalysis.player.position()") == page.evaluate("pianalysis.roll.bars[1]")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("pianalysis.roll.selection") == [1, 1]
    page.keyboard.press("Escape")
    assert page.evaluate("pianalysis.roll.selection") is None
    page.locator("#tab-examples").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-file").is_visible()


def test_stopping_leaves_what_was_written(page):
    choose(page, "Auld Lang Syne", bars=80)
    page.wait_for_function(f"{COUNT} > 0")
    page.click("#cancel")
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Stopped')")
    assert page.evaluate(COUNT) > 0
    choose(page, "Sakura", bars=1)  # the worker is free again
    finished(page)


def test_who_waits_sees_the_place(page, open_page):
    choose(page, "Auld Lang Syne", bars=80)
    page.wait_for_function(f"{COUNT} > 0")
    others = [open_page(), open_page()]
    for other in others:
        choose(other, "Sakura", bars=1)
    says = "words => document.getElementById('status').textContent.startsWith(words)"
    others[0].wait_for_function(says, arg="You are next")
    others[1].wait_for_function(says, arg="One piece is before yours")
    page.click("#cancel")
    for other in others:
        finished(other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(open_page, scheme):
    size = {"width": 390, "height": 844}
    page = open_page(viewport=size, is_mobile=True, has_touch=True, color_scheme=scheme)
    few_bars(page, 2)
    page.locator("#cards button").first.tap()
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = """[...document.querySelectorAll('button, select, input[type=number]')].filter((e) => e.offsetParent)
        .map((e) => [e.id || e.textContent, e.getBoundingClientRect()]).filter(([, r]) => r.height < 32 || r.width < 32)"""
    assert page.evaluate(small) == []
    shoot(page, f"phone_{scheme}", full_page=True)
    page.locator("#tab-type").tap()
    page.fill("#typed", "nothing")
    page.locator("#typed-arrange").tap()
    page.wait_for_selector("#panel-type .error:visible")
    page.wait_for_timeout(800)  # the page had begun to move to the roll
    box = page.locator("#panel-type .error").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == {"light": "rgb(246, 243, 236)", "dark": "rgb(19, 21, 25)"}[scheme]
