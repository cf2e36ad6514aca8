"""The chords' lane and dialog in a real browser: by mouse, finger and keyboard, and as a screen reader has them."""

from __future__ import annotations

import json

import pytest
from demo_page import shoot

pytest_plugins = ["demo_fixtures", "part_fixtures"]

SYMBOLS = ("C", "Am7", "F/C", "G7", "Em", "Bbmaj7", "D7b9", "N.C.")
CHORDS = [
    {"start_ms": 1000 * at, "end_ms": 1000 * at + 1000, "bar": at // 2 + 1, "beat": at % 2 * 2 + 1, "symbol": SYMBOLS[at % 8]}
    | {"probability": None if at == 1 else 0.62}
    for at in range(40)
]  # fmt: skip
SCRIPT = """
import { ChordLane } from "/chordlane.js";
import { ChordPicker } from "/chordpicker.js";
const part = document.getElementById("part");
const said = (globalThis.said = { heard: [], rewritten: [], opened: [], panned: 0 });
const chords = %s;
let from = 0;
const show = () => lane.setView({ xOf: (ms) => 34 + (ms - from) * 0.08, left: 34, right: part.clientWidth });
const lane = new ChordLane(part, {
  onReveal: (ms) => { from = Math.max(ms - 2000, 0); show(); },
  onPan: (pixels) => { said.panned += pixels; from = Math.max(from + pixels / 0.08, 0); show(); },
  onOpen: (index, anchor) => {
    said.opened.push(index);
    lane.setOpen(index);
    picker.open({ chord: chords[index], anchor, alternatives: globalThis.found(index) });
  },
});
globalThis.found = async () => [{ symbol: "F", probability: 0.21 }, { symbol: "Dm7", probability: 0.08 }, { symbol: "C#dim7", probability: 0.004 }];
globalThis.rewrite = async () => {};
const picker = new ChordPicker({
  onHear: (symbol) => said.heard.push(symbol),
  onRewrite: (choice) => { said.rewritten.push([choice.symbol, ...choice.bars]); return globalThis.rewrite(); },
  onClose: () => lane.setOpen(-1),
});
lane.setChords(chords);
show();
lane.setPlayhead(2500);
Object.assign(globalThis, { lane, picker, ready: true });
""" % json.dumps(CHORDS)  # noqa: UP031


@pytest.fixture
def chords(open_part):
    def opened(**options):
        page = open_part(SCRIPT, **options)
        page.wait_for_function("globalThis.ready")
        return page

    return opened


def button(page, name):
    return page.get_by_role("button", name=name)


def test_only_what_is_seen_is_there_and_has_a_name(chords):
    page = chords()
    assert page.locator(".chord").count() == 11
    assert button(page, "A minor 7, bar 1, beat 3, given").count() == 1
    assert page.locator(".chord.sounds").all_inner_texts() == ["F/C"]
    shoot(page, "chord_lane")


def test_one_stop_for_tab_and_arrows_within(chords):
    page = chords()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "C"
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        page.keyboard.press(key)
    assert page.evaluate("[document.activeElement.dataset.index, document.activeElement.tabIndex]") == ["39", 0]
    assert page.locator('.chord[tabindex="0"]').count() == 1
    box = page.locator(":focus").bounding_box()
    assert 0 <= box["x"] < 900
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.index") == "0"


def test_a_chord_is_heard_chosen_and_written(chords):
    page = chords()
    button(page, "C, bar 1, beat 1").click()
    dialog = page.get_by_role("dialog", name="C · bar 1, beat 1")
    assert page.locator('.chord[aria-expanded="true"]').count() == 1
    rewrite = dialog.get_by_role("button", name="Rewrite")
    assert rewrite.is_disabled()
    dialog.get_by_text("Dm7", exact=True).click()
    assert page.evaluate("said.heard") == ["Dm7"]
    dialog.get_by_text("Dm7", exact=True).click()
    assert page.evaluate("said.heard") == ["Dm7", "Dm7"]
    shoot(page, "chord_picker")
    rewrite.click()
    dialog.wait_for(state="hidden")
    assert page.evaluate("said.rewritten") == [["Dm7", 1, 1]]
    page.wait_for_function(  # `close` is told of later
        """document.activeElement.dataset.index === '0' && !document.querySelector('.chord[aria-expanded="true"]')"""
    )


def test_all_of_it_by_the_keyboard(chords):
    page = chords()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.type === 'radio'")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("said.heard") == ["F"]
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.dataset.index === '1' && !picker.opening")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.type === 'radio'")
    page.keyboard.press("Tab")
    page.keyboard.type("Gm7b5/Db")
    page.keyboard.press("Enter")
    assert page.evaluate("said.heard.at(-1)") == "Gm7b5/Db"
    page.wait_for_selector(".chord-picker .main:enabled")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.matches('.chord-picker .main')")
    page.keyboard.press("Enter")
    page.wait_for_function("!picker.dialog.open")
    assert page.evaluate("said.rewritten") == [["Gm7b5/Db", 1, 1]]


def test_what_is_no_chord_is_said_and_not_written(chords):
    page = chords()
    button(page, "C, bar 1, beat 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Another chord").fill("Cfoo")
    assert "no chord that is understood" in dialog.get_by_role("alert").inner_text()
    assert dialog.get_by_role("button", name="Rewrite").is_disabled()
    assert dialog.get_by_role("button", name="Hear it").is_disabled()
    dialog.get_by_label("Another chord").fill("C7")
    assert dialog.get_by_role("alert").count() == 0
    assert dialog.get_by_role("button", name="Rewrite bar 1 with C7").is_enabled()


def test_the_server_lost_and_found_again(chords):
    page = chords()
    page.evaluate("() => { globalThis.found = async () => { throw new Error('The server does not answer.'); }; }")
    button(page, "C, bar 1, beat 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("The server does not answer.").wait_for()
    page.evaluate("() => { globalThis.rewrite = async () => { throw new Error('The piece is forgotten.'); }; }")
    dialog.get_by_label("Another chord").fill("C7")
    dialog.get_by_role("button", name="Rewrite").click()
    dialog.get_by_role("alert").get_by_text("The piece is forgotten.").wait_for()
    page.evaluate("() => { globalThis.rewrite = async () => {}; }")
    dialog.get_by_role("button", name="Rewrite").click()
    dialog.wait_for(state="hidden")


def test_one_rewrite_at_a_time(chords):
    page = chords()
    page.evaluate("() => { globalThis.rewrite = () => new Promise((done) => { globalThis.finish = done; }); }")
    button(page, "C, bar 1, beat 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Dm7", exact=True).click()
    dialog.get_by_role("button", name="Rewrite").click()
    assert dialog.get_by_role("button", name="Rewriting").is_disabled()
    page.evaluate("picker.submit()")
    assert page.evaluate("said.rewritten.length") == 1
    page.evaluate("finish()")
    dialog.wait_for(state="hidden")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
def test_a_sheet_on_a_phone_and_a_lane_that_is_pushed(chords, width, height):
    page = chords(viewport={"width": width, "height": height}, is_mobile=True, has_touch=True, color_scheme="dark")
    button(page, "A minor 7, bar 1").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Dm7", exact=True).wait_for()
    shoot(page, f"chord_sheet_{width}")
    box = dialog.bounding_box()
    assert box["x"] == 0
    assert box["width"] == width
    assert box["y"] + box["height"] == height
    assert dialog.get_by_role("button", name="Rewrite").bounding_box()["height"] >= 40
    page.touchscreen.tap(width / 2, 10)  # what lies behind
    dialog.wait_for(state="hidden")
    page.evaluate("""() => {
      const at = (type, x) => lane.element.firstChild.dispatchEvent(
        new PointerEvent(type, { bubbles: true, pointerType: "touch", pointerId: 1, clientX: x }));
      lane.element.setPointerCapture = () => {};
      at("pointerdown", 200); at("pointermove", 120); at("pointerup", 120);
    }""")
    assert page.evaluate("said.panned") == 80


def test_high_contrast_tells_the_sounding_chord_apart(chords):
    page = chords(forced_colors="active")
    read = "name => getComputedStyle(document.querySelector(name)).backgroundColor"
    assert page.evaluate(read, ".chord.sounds") != page.evaluate(read, ".chord:not(.sounds)")
    shoot(page, "chord_contrast")


def test_chords_of_a_new_piece_replace_the_old_and_focus_stays(chords):
    page = chords()
    button(page, "F over C, bar 2").focus()
    page.evaluate("lane.setChords([{ start_ms: 0, end_ms: 9000, bar: 1, beat: 1, symbol: 'Ab', probability: 0.5 }])")
    assert page.locator(".chord").all_inner_texts() == ["Ab"]
    assert page.evaluate("document.activeElement.textContent") == "Ab"
    page.evaluate("lane.setChords([])")
    assert page.locator(".chord").count() == 0
