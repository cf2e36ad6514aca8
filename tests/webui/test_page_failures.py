"""When things go wrong: the server is lost, slow, full or has forgotten; files are bad."""

from __future__ import annotations

import json

import pytest
from demo_page import STATUS, choose, few_bars, finished, give_file, play_server, select, started, take, whole, written

pytest_plugins = ["demo_fixtures"]
CARD = "Ode to Joy"


def allow_errors(page):
    """The browser's own word in the console about an answer that isn't 200 is expected here, whenever it comes."""
    page.seen.expected.append("Failed to load resource")


def test_a_server_lost_while_writing_leaves_what_is_written(page):
    play_server(page, started(16), *(written(bar, 16) for bar in range(8)))
    choose(page, CARD)
    page.wait_for_selector("#stage-error:visible")
    assert page.inner_text("#status") == "8 bars of 16 are here to listen to."
    assert "lost" in page.inner_text("#stage-error")
    assert page.evaluate("[pianalysis.player.endMs, pianalysis.player.writtenMs]") == [16_000, 16_000]
    page.evaluate("async () => { await pianalysis.player.play(); pianalysis.player.seek(15_700); }")
    page.wait_for_function("pianalysis.player.state === 'stopped'")  # it ends, it doesn't wait
    play_server(page, *whole(16))
    page.click("#retry")
    finished(page, takes=1)
    assert page.locator("#stage-error").is_hidden()
    assert page.locator("#retry").is_hidden()


def test_lost_before_the_first_note_nothing_is_shown_as_written(page):
    play_server(page, started())
    choose(page, CARD)
    page.wait_for_selector("#stage-error:visible")
    assert page.inner_text("#status") == "Nothing was written."
    assert page.evaluate("pianalysis.takes.all.length") == 0


def test_an_error_in_the_middle_is_a_sentence(page):
    play_server(page, started(), written(0), end=("This took too long.", "timeout"))
    choose(page, CARD)
    page.wait_for_selector("#stage-error:visible")
    assert page.inner_text("#stage-error") == "This took too long."
    assert page.inner_text("#status") == "1 bar of 8 is here to listen to."


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (503, {}, "Too many people are waiting just now."),
        (429, {"error": "You have three pieces in work already.", "code": "busy"}, "three pieces"),
        (413, {}, "too large"),
        (500, {}, "The server answered with error 500."),
    ],
)
def test_a_server_that_refuses(page, status, body, says):
    answer = {"status": status, "content_type": "application/json", "body": json.dumps(body)}
    page.route("**/gradio_api/call/stream", lambda route: route.fulfill(**answer))
    choose(page, CARD)
    page.wait_for_selector("#panel-examples .error:visible, #examples-error:visible")
    assert says in page.inner_text("#sources")
    assert page.evaluate("document.body.dataset.state") == "welcome"
    allow_errors(page)


def test_no_server_at_all(page):
    page.route("**/gradio_api/call/stream", lambda route: route.abort())
    choose(page, CARD)
    page.wait_for_selector("#examples-error:visible")
    assert page.inner_text("#examples-error").startswith("The server doesn't answer.")
    allow_errors(page)


def test_who_waits_may_leave(page):
    message = {"msg": "estimation", "rank": 2, "queue_size": 4, "rank_eta": 12.4}
    hold = f"data: {json.dumps(message)}\n\n"
    page.route(
        "**/gradio_api/call/*",
        lambda route: route.fulfill(status=200, content_type="application/json", body='{"event_id": "1"}'),
    )
    page.evaluate(  # a stream that stays open, which a routed answer can't
        """text => { globalThis.EventSource = class { constructor() { setTimeout(() => this.onmessage({ data: text }), 50); } close() {} }; }""",
        hold.removeprefix("data: ").strip(),
    )
    page.route("**/gradio_api/cancel", lambda route: route.fulfill(status=200, body="{}"))
    choose(page, CARD)
    page.wait_for_function(
        "document.getElementById('asking-status').textContent === '2 pieces are before yours, about 12 s…'"
    )
    page.click("#asking-cancel")
    page.wait_for_selector("#asking", state="hidden")
    assert page.locator("#examples-error").is_hidden()


def test_a_piece_that_the_server_has_forgotten_is_written_again(page):
    choose(page, "Sakura", bars=2)
    finished(page)
    before = take(page)
    forget = """() => { const { live } = pianalysis; const [take] = live.session.takes;
        live.amend({ ...live.session, takes: [{ ...take, piece: 'forgotten0000000' }] }); }"""
    page.evaluate(forget)
    select(page, 2, 2)
    page.click("#rewrite")
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    bar = page.evaluate("pianalysis.roll.bars[1]")
    assert [row for row in take(page) if row[0] < bar - 20] == [row for row in before if row[0] < bar - 20]
    edited = take(page)
    page.evaluate(forget)
    page.click("#save")
    with page.expect_download() as saving:
        page.click("[data-format=mid]")
    assert saving.value.suggested_filename.endswith(".mid")
    assert take(page) == edited
    allow_errors(page)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.mid", b"", "empty"),
        ("broken.mid", b"MThd\x00\x00\x00\x06\x00\x01\xff", "broken.mid"),
        ("big.mid", b"MThd" + bytes(9 * 2**20), "too large"),
    ],
)
def test_bad_files_are_called_by_their_names(page, name, data, says):
    give_file(page, (name, data))
    page.wait_for_selector("#panel-file .error:visible")
    assert says in page.inner_text("#panel-file .error")
    assert page.locator("#intake").is_hidden()
    assert page.locator("#sources").is_visible()


def test_a_broken_link_shows_the_welcome(open_page):
    page = open_page("#p=AAAA")
    assert page.evaluate("document.body.dataset.state") == "welcome"
    assert page.locator("#cards").is_visible()


def test_where_nothing_may_be_kept_the_page_still_works(open_page):
    page = open_page()
    page.evaluate("() => { pianalysis.live.store.database = Promise.resolve(null); }")
    play_server(page, *whole())
    few_bars(page, 2)
    choose(page, CARD)
    finished(page, takes=1)
    assert page.evaluate(STATUS).startswith("8 bars")
