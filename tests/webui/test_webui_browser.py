"""The page in a real browser: notes grow, sound comes out, queues and keys work, nothing leaves this machine."""

from __future__ import annotations

import pytest
from demo_page import COUNT, PHONE, STATUS, begin_long, choose, few_bars, finished, hush, listen, shoot, take

pytest_plugins = ["demo_fixtures"]
SOUNDS = "pianalysis.player.loudness() > 0.01"
SILENT = "pianalysis.player.loudness() < 1e-3"


def test_a_click_on_a_card_is_heard_while_it_is_written(page):
    # what is seen while it is written is kept by the page itself: a busy machine may not look in time
    page.evaluate(
        f"""() => {{ const {{ roll }} = pianalysis, grow = roll.grow; globalThis.early = [];
        roll.grow = (...told) => {{ grow.apply(roll, told); early.push([{COUNT}, roll.writing]); }}; }}"""
    )
    choose(page, "Ode to Joy", bars=16)
    page.wait_for_function(f"{SOUNDS} && pianalysis.player.state === 'playing'")  # and not waiting for more
    shoot(page, "writing")
    streamed = page.evaluate_handle("pianalysis.stage.shown")
    finished(page)
    early = page.evaluate("early")
    assert len(early) > 3
    assert all(writing for _, writing in early)
    assert page.evaluate(COUNT) > early[1][0]  # what was there before the second bars came
    assert page.evaluate("pianalysis.timing.firstNotes < pianalysis.timing.done")
    assert "16 bars" in page.inner_text("#status")
    assert page.evaluate("pianalysis.player.position()") > 0
    assert page.evaluate("pianalysis.timing.firstSound - pianalysis.timing.asked") < 10_000
    assert streamed.evaluate("take => take.title") == "Ode to Joy"
    shoot(page, "finished", full_page=True)
    page.click("#play")
    page.wait_for_function(f"pianalysis.player.state === 'stopped' && {SILENT}")


def test_balance_seeking_looping_tempo_and_key(page):
    listen(page)
    choose(page, "Sakura")
    finished(page)
    page.wait_for_function("loudest > 0.01")
    page.click("#only-melody")
    assert page.evaluate("[pianalysis.live.session.heard.melody, pianalysis.live.session.heard.accompaniment]") == [
        1,
        0,
    ]
    assert page.evaluate("pianalysis.roll.gains.left") == 0
    page.click("#only-melody")
    assert page.input_value("#balance") == "0"
    box = page.locator("#roll").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate("pianalysis.player.position()") > 5_000
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 100, steps=5)
    page.mouse.up()
    first, last = page.evaluate("pianalysis.roll.selection")
    fields = [page.get_by_label(name, exact=True).input_value() for name in ("First bar", "Last bar")]
    assert fields == [str(first + 1), str(last + 1)]
    page.click("#bubble-loop")
    start, stop = page.evaluate("pianalysis.player.loop")
    assert [start, stop] == page.evaluate("pianalysis.roll.selectionMs()")
    assert start <= page.evaluate("pianalysis.player.position()") <= stop
    page.locator("#rate").fill("150")
    assert page.evaluate("pianalysis.player.rate") == 1.5
    page.select_option("#transpose", "-5")
    assert page.evaluate("[pianalysis.player.transpose, pianalysis.roll.transpose]") == [-5, -5]
    page.wait_for_function(SOUNDS)
    page.click("#as-written")
    assert page.evaluate("[pianalysis.player.transpose, pianalysis.player.rate]") == [0, 1]


def test_by_keyboard_alone(page):
    few_bars(page, 3)
    page.locator("#cards button").first.focus()
    page.keyboard.press("Enter")
    finished(page)
    hush(page)
    page.locator("#roll").focus()
    for state in ("playing", "stopped"):
        page.keyboard.press("Space")
        page.wait_for_function(f"pianalysis.player.state === '{state}'")
    page.evaluate("pianalysis.player.seek(0)")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("pianalysis.player.position()") == page.evaluate("pianalysis.roll.bars[1]")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("pianalysis.roll.selection") == [1, 1]
    page.keyboard.press("Enter")  # into the bubble
    assert page.evaluate("document.activeElement.id") == "bubble-loop"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Rewrite
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    page.keyboard.press("Control+z")
    assert take(page, "edits") == []
    page.keyboard.press("Control+Shift+z")
    assert len(take(page, "edits")) == 1
    page.locator("#roll").focus()
    page.keyboard.press("Escape")
    assert page.evaluate("pianalysis.roll.selection") is None
    page.locator("#melody-menu").focus()
    page.keyboard.press("Enter")
    page.locator("#tab-examples").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-file").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#sources").is_hidden()
    assert page.evaluate("document.activeElement.id") == "melody-menu"


def test_stopping_leaves_what_was_written(page):
    begin_long(page)
    page.wait_for_function("pianalysis.stage.shown?.bars_done > 3")
    page.click("#cancel")
    page.wait_for_function(f"{STATUS}.includes('here to listen to')")
    assert page.evaluate(COUNT) > 0
    assert page.evaluate("pianalysis.player.endMs === pianalysis.player.writtenMs")  # nothing is waited for
    choose(page, "Sakura", bars=1)  # the worker is free again
    finished(page)


def test_who_waits_sees_the_place(page, open_page):
    begin_long(page)
    page.wait_for_function(f"{COUNT} > 0")
    others = [open_page(), open_page()]
    says = "words => document.getElementById('asking-status').textContent.startsWith(words)"
    for other, words in zip(others, ("You are next", "One piece is before yours"), strict=True):
        choose(other, "Sakura", bars=1)
        other.wait_for_function(says, arg=words)
    page.click("#cancel")
    for other in others:
        finished(other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(open_page, scheme):
    page = open_page(**PHONE, color_scheme=scheme)
    few_bars(page, 2)
    page.locator("#cards button").first.tap()
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = """[...document.querySelectorAll('button, select, input[type=number]')].filter((e) => e.offsetParent && !e.closest('.chord-lane'))
        .map((e) => [e.id || e.textContent, e.getBoundingClientRect()]).filter(([, r]) => r.height < 32 || r.width < 32)"""
    assert page.evaluate(small) == []
    shoot(page, f"phone_{scheme}", full_page=True)
    page.locator("#melody-menu").tap()
    page.locator("#tab-type").tap()
    page.fill("#typed", "nothing")
    page.locator("#typed-arrange").tap()
    page.wait_for_selector("#panel-type .error:visible")
    box = page.locator("#panel-type .error").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == {"light": "rgb(246, 243, 236)", "dark": "rgb(19, 21, 25)"}[scheme]
