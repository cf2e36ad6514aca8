"""The page in a real browser: notes grow, sound comes out, queues and keys work, nothing leaves this machine."""

from __future__ import annotations

import pytest
from demo_page import COUNT, begin_long, choose, few_bars, finished, shoot

pytest_plugins = ["demo_fixtures"]


def test_a_click_on_a_card_is_heard_while_it_is_written(page):
    choose(page, "Ode to Joy", bars=16)
    page.wait_for_function(f"{COUNT} > 0 && pianalysis.timing.done === null && pianalysis.roll.writing")
    early = page.evaluate(COUNT)
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
    begin_long(page)
    page.wait_for_function(f"{COUNT} > 0")
    page.click("#cancel")
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Stopped')")
    assert page.evaluate(COUNT) > 0
    page.click("#tab-examples")
    choose(page, "Sakura", bars=1)  # the worker is free again
    finished(page)


def test_who_waits_sees_the_place(page, open_page):
    begin_long(page)
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
