"""What a first visitor stumbled over, and doesn't any more. Most of it with a server that is played: no music is waited for."""

from __future__ import annotations

import pytest
from demo_page import (
    PHONE,
    choose,
    done,
    few_bars,
    finished,
    hush,
    listen,
    open_tab,
    play_server,
    select,
    set_settings,
    started,
    take,
    whole,
    written,
)

pytest_plugins = ["demo_fixtures"]
CARD = "Ode to Joy"


@pytest.fixture
def written_page(page):
    """A page with a piece of eight bars from a played server; `page.asked` is what it asks for."""
    page.asked = play_server(page, *whole())
    choose(page, CARD)
    finished(page, takes=1)
    return page


def another(page, **more):
    """Another take."""
    page.click("#again")
    page.wait_for_function("!pianalysis.writer.busy")


def test_a_melody_that_begins_late_begins_to_sound_at_once(page):
    late = [[17_800 + 500 * beat, 480, 72, 80] for beat in range(8)]
    events = [started(12, melody=late), *({**written(bar, 12), "notes": [], "hands": ""} for bar in range(11))]
    play_server(page, *events, done(12, late, notes=[], hands=""))
    page.evaluate(  # what is so when it begins: later the roll follows
        """() => { const { player, roll } = pianalysis, play = player.play; player.play = async function () { await play.call(player);
        globalThis.begun ??= [player.position(), roll.xOf(17800), roll.view.width, player.context.currentTime]; }; }"""
    )
    listen(page, *late)
    page.evaluate(
        "() => { globalThis.heard = setInterval(() => { if (loudest > 0.01) globalThis.heardAt ??= pianalysis.player.context.currentTime; }, 20); }"
    )
    choose(page, CARD)
    page.wait_for_function("globalThis.begun && globalThis.heardAt")
    position, x, width, began = page.evaluate("begun")
    assert position >= 17_700
    assert 0 < x < width
    assert page.evaluate("heardAt") - began < 5


def test_bars_are_rewritten_with_the_settings_as_they_stand(written_page):
    page = written_page
    page.locator("input[name=density][value=high]").check(force=True)
    page.asked = play_server(page, done(seed=5))
    select(page, 2, 3)
    page.click("#rewrite")
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    name, data = page.asked[-1]
    assert (name, data[1:4], data[5]) == ("rewrite", [2, 3, {"density": "high"}], "")
    assert page.locator("input[name=density]:checked").input_value() == "high"
    page.click("#undo")
    assert take(page, "edits") == []


def test_simpler_and_busier_ask_for_fewer_and_more_notes(written_page):
    page = written_page
    select(page, 1, 1)
    for button, density in (("#simpler", "low"), ("#busier", "high")):
        page.asked = play_server(page, done())
        page.click(button)
        page.wait_for_function("!pianalysis.writer.busy")
        assert page.asked[-1][1][3] == {"density": density}


def test_a_changed_setting_has_the_button_that_applies_it_beside_it(written_page):
    page = written_page
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.locator("#write-these").is_hidden()
    page.locator("input[name=style][value=pop]").check(force=True)
    button = page.locator("#write-these")
    box, field = button.bounding_box(), page.locator("[data-name=style]").bounding_box()
    assert abs(box["y"] - field["y"] - field["height"]) < 12
    assert box["y"] + box["height"] < 800
    button.click()
    page.wait_for_function("pianalysis.takes.all.length === 2")
    assert page.asked[-1][1][1]["style"] == "pop"
    assert page.asked[-1][1][2] == page.asked[-2][1][2] == 0  # the same seed: what is heard is the setting's
    assert button.is_hidden()


def test_another_example_and_back_and_a_reload_lose_no_take(written_page):
    page = written_page
    another(page)
    name = page.inner_text("#melody-name")
    play_server(page, *whole(title="Another"))
    choose(page, "Sakura")
    page.wait_for_function("pianalysis.takes.current?.title === 'Another'")
    page.go_back()
    page.wait_for_function("pianalysis.takes.all.length === 2")
    assert page.inner_text("#melody-name") == name
    page.unroute_all()
    page.reload()
    page.wait_for_function("globalThis.pianalysis?.takes.all.length === 2")
    assert len(take(page)) == 32
    assert page.evaluate("pianalysis.stage.shown.id") == take(page, "id")
    assert page.locator("#sources").is_hidden()
    page.click("#melody-menu")
    page.wait_for_selector("#lately li")
    assert page.locator("#lately strong").first.inner_text() == "Another"


def test_a_double_click_makes_one_take(written_page):
    page, calls = written_page, []
    page.route("**/gradio_api/call/*", lambda call: calls.append(call))  # answered when both clicks are over
    page.dblclick("#again")
    for _ in range(1_000):  # what is asked for is known a little before it is held here
        if calls:
            break
        page.wait_for_timeout(20)
    assert len(calls) == 1
    for call in calls:
        call.fallback()
    page.wait_for_function("!pianalysis.writer.busy")
    assert page.evaluate("pianalysis.takes.all.length") == 2
    assert [data[2] for _, data in page.asked] == [0, 1]


def test_a_ninth_take_says_whose_place_it_takes_and_stars_stay(written_page):
    page = written_page
    page.get_by_role("button", name="Keep take 1").click()
    for _ in range(8):
        another(page)
    numbers = page.evaluate("pianalysis.takes.all.map((take) => take.number)")
    assert numbers == [1, 3, 4, 5, 6, 7, 8, 9]
    assert "Take 2 gave way; Undo brings it back." in page.inner_text("#status")
    page.click("#undo")
    assert page.evaluate("pianalysis.takes.all.map((take) => take.number)") == [1, 2, 3, 4, 5, 6, 7, 8]
    page.get_by_role("button", name="Remove take 3").click()
    assert page.locator("#takes li").count() == 7
    page.click("#undo")
    assert page.locator("#takes li").count() == 8


def luminance(colour):
    channels = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
    return sum(share * value**2.2 for share, value in zip((0.21, 0.72, 0.07), channels, strict=True))


def test_stop_is_seen_while_recording_and_space_and_leaving_are_safe(written_page):
    page = written_page
    open_tab(page, "play")
    page.click("#record")
    assert page.evaluate("pianalysis.player.state") == "stopped"
    page.hover("#record")
    page.wait_for_function(  # its colour changes by and by
        "document.getElementById('record').textContent === '■ Stop' && !document.getElementById('record').getAnimations().length"
    )
    colours = page.evaluate(
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.getElementById('record')))"
    )
    assert abs(luminance(colours[0]) - luminance(colours[1])) > 0.4
    page.keyboard.press("Space")
    assert page.evaluate("pianalysis.player.state") == "stopped"
    page.click("#tab-examples")
    page.click("#tab-play")
    assert page.inner_text("#record") == "● Record"


def test_listening_to_a_recording_leaves_the_piece_as_it_is(written_page):
    page = written_page
    open_tab(page, "play")
    page.fill("#rec-bpm", "200")
    page.click("#record")
    page.wait_for_function("document.getElementById('rec-status').textContent.startsWith('Recording')")
    page.keyboard.press("a", delay=120)
    page.click("#record")
    listen(page, [0, 120, 60, 84])
    page.click("#rec-listen")
    page.wait_for_function("loudest > 0.005")
    assert page.inner_text("#melody-name") == "Tune"
    assert page.evaluate("pianalysis.stage.shown.piece") == "played"  # what Save saves
    page.keyboard.press("Escape")
    page.wait_for_function("pianalysis.audition.voices.length === 0")


def test_an_empty_box_composes_nothing_and_letters_are_notes(page):
    page.asked = play_server(page, *whole())
    open_tab(page, "type")
    page.click("#typed-arrange")
    assert page.inner_text("#panel-type .error").startswith("Type a melody first")
    assert page.asked == []
    page.fill("#typed", "c d e f | g a")
    assert page.inner_text("#typed-heard") == "6 notes in 2 bars."
    page.click("#typed-arrange")
    finished(page)
    assert page.asked[0][1][0] == "C4 D4 E4 F4 | G4 A4"


def test_a_loop_lasts_as_long_as_its_bars_and_held_notes_ring_on(page):
    held = done(notes=[[0, 3_900, 48, 70], [1_500, 2_400, 55, 70]], hands="LL")
    play_server(page, started(), written(0), held)
    choose(page, CARD)
    finished(page)
    select(page, 1, 1)
    page.evaluate(
        "pianalysis.live.amend({ ...pianalysis.live.session, heard: { rate: 2, transpose: 0, melody: 1, accompaniment: 1 } })"
    )
    page.click("#bubble-loop")
    page.wait_for_function("pianalysis.player.passes.length >= 3")
    first, second, third = page.evaluate("pianalysis.player.passes.slice(-3)")
    assert second - first == pytest.approx(1, abs=1e-6)
    assert third - second == pytest.approx(1, abs=1e-6)
    assert (
        page.evaluate("[...pianalysis.player.voices.keys()].filter((name) => name === 'accompaniment 55').length") == 1
    )


def test_few_words_are_announced_and_focus_stays(page):
    page.evaluate(
        """() => { globalThis.spoken = [];
        for (const place of document.querySelectorAll('[role=status], [role=alert], [aria-live=polite]'))
          new MutationObserver(() => spoken.push(place.textContent)).observe(place, { childList: true, characterData: true, subtree: true }); }"""
    )
    play_server(page, *whole())
    choose(page, CARD)
    finished(page, takes=1)
    said = [text for text in page.evaluate("spoken") if text.strip()]
    assert said == ["Writing Tune.", "Ready: take 1, 8 bars."]
    another(page)
    page.locator("#takes .choose").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.classList.contains('choose')")
    page.locator("#takes .star").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_the_balance_survives_a_new_piece_and_is_shown_so(written_page):
    page = written_page
    page.click("#only-piano")
    another(page)
    assert page.evaluate("[pianalysis.roll.gains.melody, pianalysis.live.session.heard.melody]") == [0, 0]
    assert page.locator("#only-piano").get_attribute("aria-pressed") == "true"


def test_what_cant_be_read_leaves_the_piece_and_its_name(written_page):
    page = written_page
    page.click("#share")
    page.wait_for_selector("#link:visible")
    page.keyboard.press("Escape")
    play_server(page, end=("The tune has no notes.", "no_melody"))
    open_tab(page, "type")
    page.fill("#typed", "X:1\nK:C\nz4|")
    page.click("#typed-arrange")
    page.wait_for_selector("#panel-type .error:visible")
    assert page.inner_text("#panel-type .error") == "The tune has no notes."
    assert page.inner_text("#melody-name") == "Tune"
    assert len(take(page)) == 32


def test_a_melody_too_long_for_a_link_is_given_as_a_file_that_comes_back(written_page):
    page = written_page
    page.evaluate(
        """() => { const { live } = pianalysis; let text = ''; let seed = 1;
        for (let at = 0; at < 30000; at += 1) { seed = (seed * 48271) % 2147483647; text += String.fromCharCode(97 + (seed % 26)); }
        live.amend({ ...live.session, melody: { ...live.session.melody, source: text } }); }"""
    )
    page.click("#share")
    page.wait_for_selector("#share-file:visible")
    assert page.locator("#link").is_hidden()
    with page.expect_download() as saving:
        page.click("#share-file")
    page.keyboard.press("Escape")
    asked = play_server(page, *whole())
    before = page.evaluate("pianalysis.live.session.id")
    open_tab(page, "file")
    page.set_input_files("#file", {"name": "piece.json", "mimeType": "", "buffer": saving.value.path().read_bytes()})
    page.wait_for_function("before => pianalysis.live.session.id !== before", arg=before)
    finished(page, takes=1)
    assert len(asked[0][1][0]) == 30_000


def test_words_that_a_newcomer_knows(written_page):
    text = written_page.inner_text("body")
    for word in ("Consonance", "A/B", "Melody kept", "1 bars", "velocity="):
        assert word not in text
    written_page.click("#details summary")
    assert "Notes that belong to their chord" in written_page.inner_text("#figures")


def test_one_bar_is_one_bar(page):
    play_server(page, *whole(1))
    choose(page, CARD)
    finished(page)
    assert page.inner_text("#status").startswith("1 bar, 2 seconds")


def test_what_streams_is_what_stays(page):
    page.evaluate(
        "() => { const { told } = pianalysis.writer; const grow = told.onGrow; told.onGrow = (draft) => { globalThis.last = draft; grow(draft); }; }"
    )
    choose(page, "Minuet in G", bars=6)
    finished(page)
    assert page.evaluate("[last.notes, last.hands]") == [take(page), take(page, "hands")]


def test_on_a_phone_keys_fit_a_finger_and_a_long_press_selects(open_page):
    page = open_page(**PHONE)
    play_server(page, *whole())
    few_bars(page, 4)
    page.locator("#cards button").first.tap()
    finished(page)
    page.locator("#melody-menu").tap()
    page.locator("#tab-play").tap()
    widths = page.evaluate(
        "[...document.querySelectorAll('.piano .black')].map((key) => key.getBoundingClientRect().width)"
    )
    assert min(widths) >= 24
    left = "document.getElementById('piano-scroll').scrollLeft"
    page.locator("#octave-up").tap()
    page.wait_for_function(f"{left} > 200")
    page.locator("#melody-menu").tap()
    hush(page)
    page.evaluate("() => { pianalysis.roll.scroller.scrollLeft = 0; }")
    page.wait_for_function("pianalysis.roll.view.scroll === 0")
    page.evaluate(
        """async () => { const canvas = document.querySelector('#roll canvas'); const box = canvas.getBoundingClientRect();
        const at = (type) => canvas.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 9, pointerType: 'touch', button: 0, clientX: box.left + 80, clientY: box.top + 80 }));
        at('pointerdown'); await new Promise((go) => setTimeout(go, 600)); at('pointerup'); }"""
    )
    assert page.evaluate("pianalysis.roll.selection") == [0, 0]
    assert page.locator("#bubble").is_visible()
    assert page.locator("#rewrite").is_enabled()


def test_settings_come_as_a_sheet_on_a_phone(open_page):
    page = open_page(**PHONE)
    asked = play_server(page, *whole())
    set_settings(page, max_bars="")
    page.locator("#cards button").first.tap()
    finished(page)
    assert page.locator("#settings").is_hidden()
    page.locator("#open-settings").tap()
    page.get_by_text("Many", exact=True).tap()
    page.locator("#write-these").tap()
    page.wait_for_function("pianalysis.takes.all.length === 2")
    assert page.locator("#settings").is_hidden()
    assert asked[-1][1][1]["density"] == "high"
    page.locator("#open-mix").tap()
    assert page.locator("#balance").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#balance").is_hidden()
