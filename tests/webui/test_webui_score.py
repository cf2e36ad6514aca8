"""The score on the page: looked at beside the roll, followed, used to choose bars, in another key, printed, saved, lost and found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from demo_page import PHONE, choose, finished, hush, shoot

pytest_plugins = ["demo_fixtures"]

DRAWN = """pianalysis.score.shown.startsWith(pianalysis.takes.current.piece) && pianalysis.score.view.drawn.bars.length > 0
  && pianalysis.score.view.drawn.bars.length === pianalysis.score.view.quarters.length"""


def look(page, title="Amazing Grace", bars=6, view="score"):
    choose(page, title, bars)
    page.click(f"#view-{view}")
    finished(page)
    page.wait_for_function(DRAWN)


def test_the_score_comes_when_the_piece_is_finished_and_not_before_it_is_looked_at(page):
    choose(page, "Amazing Grace", 6)
    finished(page)
    assert not [url for url in page.seen.requests if "musicxml" in url or "/vendor/" in url]
    page.click("#view-score")
    page.wait_for_function(DRAWN)
    assert page.locator("#roll-box").is_hidden()
    assert page.get_by_role("slider", name="Place in the score").is_visible()
    shoot(page, "score_on_the_page")


def test_the_cursor_follows_and_a_click_jumps(page):
    look(page, view="both")
    hush(page)
    for bar in (1, 4):
        page.evaluate("bar => pianalysis.player.seek(pianalysis.takes.current.bar_lines_ms[bar] + 20)", bar)
        page.wait_for_function(f"pianalysis.score.view.sheet.getAttribute('aria-valuenow') === '{bar + 1}'")
        inside = page.evaluate(
            """bar => {
              const { left, right } = document.querySelector(".score-cursor").getBoundingClientRect();
              const sheet = pianalysis.score.view.sheet.getBoundingClientRect().left;
              const box = pianalysis.score.view.drawn.bars[bar];
              return box.left - 1 <= (left + right) / 2 - sheet && (left + right) / 2 - sheet <= box.right;
            }""",
            bar,
        )
        assert inside
    page.evaluate("pianalysis.score.view.onSeek(pianalysis.takes.current.bar_lines_ms[2])")
    assert page.evaluate("Math.abs(pianalysis.player.position() - pianalysis.takes.current.bar_lines_ms[2]) < 50")


def test_bars_chosen_in_the_score_are_rewritten(page):
    look(page)
    before = page.evaluate("pianalysis.takes.current.piece")
    page.locator(".score-sheet").focus()
    hush(page)
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("pianalysis.roll.selection") == [0, 1]
    page.get_by_role("toolbar", name="Selected bars").get_by_role("button", name="Rewrite").click()
    page.wait_for_function("before => pianalysis.takes.current.piece !== before", arg=before)
    page.wait_for_function(DRAWN)
    assert len([url for url in page.seen.requests if ".musicxml" in url]) == 2


def test_the_key_that_is_heard_is_the_key_that_is_read(page):
    look(page)
    page.select_option("#transpose", "2")
    page.wait_for_function("pianalysis.score.shown.endsWith(' 2')")
    page.wait_for_function(DRAWN)
    assert [url for url in page.seen.requests if url.endswith(".musicxml?transpose=2")]


def test_a_picture_and_a_print_without_looking_at_it(page):
    choose(page, "Amazing Grace", 6)
    finished(page)
    page.click("#save")
    with page.expect_download() as waiting:
        page.locator('#formats [data-format="svg"]').click()
    picture = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert re.match(r"<svg [^>]*width=\"1000\"", picture)
    assert picture.count("vf-notehead") > 20
    page.evaluate(  # a frame's window has a print of its own
        """() => { const { get } = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, 'contentWindow');
        Object.defineProperty(HTMLIFrameElement.prototype, 'contentWindow', { configurable: true, get() {
          const inner = get.call(this); inner.print = () => { globalThis.printed = inner.document.title; }; return inner; } }); }"""
    )
    page.locator('#formats [data-format="pdf"]').click()
    page.wait_for_function("globalThis.printed")
    assert page.evaluate("printed") == page.evaluate("pianalysis.takes.current.title")


def test_the_server_lost_is_said_where_the_score_would_be(open_page):
    page = open_page()
    choose(page, "Amazing Grace", 4)
    finished(page)
    page.route("**/*.musicxml*", lambda route: route.abort())
    page.click("#view-score")
    page.locator("#score").get_by_text("The server doesn't answer").wait_for()
    page.unroute("**/*.musicxml*")
    page.click("#view-roll")
    page.click("#view-score")
    page.wait_for_function(DRAWN)
    page.seen.expected.append("ERR_FAILED")  # the request that was cut off


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_no_bar_is_wider_than_the_window(open_page, scheme):
    page = open_page(**PHONE, color_scheme=scheme)
    look(page)
    assert page.evaluate("Math.max(...pianalysis.score.view.drawn.bars.map(({ right }) => right)) <= innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"score_phone_{scheme}")
