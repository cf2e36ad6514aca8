"""The score in a real browser: the cursor at the right note, bars chosen by mouse, finger and keyboard, pictures and print."""

from __future__ import annotations

import re

import pytest
from demo_page import shoot
from strategies import add_track, simple_score

from pianalysis.output.musicxml import to_musicxml

pytest_plugins = ["demo_fixtures", "part_fixtures"]

SCRIPT = """
import { ScoreView } from "/score.js";
const part = document.getElementById("part");
part.style.cssText = "height: 560px; overflow: auto; position: relative; background: var(--roll)";
const said = (globalThis.said = { sought: [], selected: [] });
globalThis.view = new ScoreView(part, { onSeek: (ms) => said.sought.push(ms), onSelect: (bars) => said.selected.push(bars) });
"""
FOLLOWED = """times => {
  for (const block of document.querySelectorAll(".score-block")) block.style.contentVisibility = "visible";
  const heads = [...document.querySelectorAll(".vf-stavenote.melody .vf-notehead")];
  const box = (element) => { const { left, right, top, bottom } = element.getBoundingClientRect(); return { left, right, top, bottom }; };
  return [heads.length, times.map(([index, ms]) => {
    view.setPlayhead(ms);
    return [index, ms, box(heads[index]), box(document.querySelector(".score-cursor"))];
  })];
}"""
PART = {"light": {}, "dark": {"color_scheme": "dark"}, "contrast": {"forced_colors": "active"}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


class Piece:
    """A melody of quarters and eighths over held chords, from `first` (in quarters) on, and its times at 120 a minute."""

    def __init__(self, bars, metre=(4, 4), first=0.0, stretch=1.0):
        self.bar = metre[0] * 4 / metre[1]
        lengths = [1, 0.5, 0.5, 1] if self.bar != 3 or metre[1] == 4 else [0.5, 1, 0.5, 0.5, 0.5]
        self.onsets, at, turn = [], first, 0
        while at < bars * self.bar - 1e-9:
            length = min(lengths[turn % len(lengths)], self.bar - at % self.bar)
            self.onsets.append((at, length, 64 + (turn * 5) % 12))
            at, turn = at + length, turn + 1
        score = simple_score(self.onsets, metre=metre)
        add_track(score, [(bar * self.bar, self.bar, pitch) for bar in range(1, bars) for pitch in (43, 60)])
        self.xml = to_musicxml(score, title="Made up").decode()
        self.lines, ms = [0.0], 0.0
        for bar in range(bars):  # a performance, whose bars aren't equally long
            ms += self.bar * 500 * (stretch if bar % 2 else 1)
            self.lines.append(ms)

    def ms(self, quarters):
        bar, rest = divmod(quarters + 1e-9, self.bar)
        from_, to = self.lines[int(bar)], self.lines[int(bar) + 1]
        return from_ + (to - from_) * rest / self.bar


@pytest.fixture
def opened(open_part):
    def show(piece, **options):
        page = open_part(SCRIPT, **options)
        page.wait_for_function("globalThis.view")
        assert page.evaluate("([xml, lines]) => view.load(xml, lines)", [piece.xml, piece.lines])
        return page

    return show


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("four", Piece(8)),
        ("three with an upbeat", Piece(10, (3, 4), first=2)),
        ("six with an upbeat", Piece(12, (6, 8), first=2.5, stretch=1.3)),
        ("a silent bar, then an upbeat", Piece(9, (4, 4), first=7)),
        ("long, in several blocks", Piece(70, (4, 4), first=0.5, stretch=0.8)),
    ],
)
def test_the_cursor_stands_at_the_note_that_sounds(opened, name, piece):
    page = opened(piece)
    times = [
        (index, piece.ms(onset + share * length))
        for index, (onset, length, _) in enumerate(piece.onsets)
        for share in (0, 0.6)
    ]
    heads, places = page.evaluate(FOLLOWED, times)
    assert heads == len(piece.onsets)
    off = [
        (index, ms)
        for index, ms, head, cursor in places
        if not (head["left"] - 1 <= (cursor["left"] + cursor["right"]) / 2 <= head["right"] + 1)
        or not (cursor["top"] <= head["top"] + 12 and head["bottom"] - 12 <= cursor["bottom"])
    ]
    assert off == []
    if name.startswith("long"):
        assert page.locator(".score-block").count() > 2


def test_a_bar_is_numbered_as_the_page_counts(opened):
    piece = Piece(8)
    piece.lines = [0.0, *(ms + 2000 for ms in piece.lines)]  # a silent bar that the score leaves out
    page = opened(piece)
    assert page.evaluate("view.drawn.bars.map(({ bar }) => bar)") == [*range(1, 9)]
    numbers = page.locator(".score-block text").all_text_contents()
    assert {"2", "3"} & set(numbers)
    assert page.get_by_role("slider", name="Place in the score").get_attribute("aria-valuemax") == "9"


def middle(page, bar):
    """The middle of a bar, in the window."""
    return page.evaluate(
        """bar => {
          const { left, top } = view.sheet.getBoundingClientRect();
          const box = view.drawn.bars.find((one) => one.bar === bar);
          return [left + (box.left + box.right) / 2, top + (box.top + box.bottom) / 2];
        }""",
        bar,
    )


def test_a_click_jumps_to_the_note_and_a_drag_chooses_bars(opened):
    piece = Piece(8)
    page = opened(piece)
    page.mouse.click(*middle(page, 1))
    (ms,) = page.evaluate("said.sought")
    assert piece.lines[1] < ms < piece.lines[2]
    assert any(abs(ms - piece.ms(onset)) < 1 for onset, _, _ in piece.onsets)
    page.mouse.move(*middle(page, 2))
    page.mouse.down()
    page.mouse.move(*middle(page, 0), steps=4)
    page.mouse.up()
    assert page.evaluate("said.selected.at(-1)") == [0, 2]
    assert page.locator(".score-selection").count() >= 1
    page.mouse.click(*middle(page, 4))
    assert page.evaluate("said.selected.at(-1)") is None
    assert page.evaluate("said.sought.length") == 2


def test_all_of_it_by_the_keyboard(opened):
    piece = Piece(8)
    page = opened(piece)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === view.sheet")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("said.sought.at(-1)") == piece.lines[1]
    page.evaluate("ms => view.setPlayhead(ms)", piece.lines[1])
    assert page.evaluate("view.sheet.getAttribute('aria-valuetext')") == "bar 2 of 8"
    for _ in range(2):
        page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("said.selected.at(-1)") == [1, 2]
    page.keyboard.press("Escape")
    assert page.evaluate("said.selected.at(-1)") is None
    page.keyboard.press("End")
    assert page.evaluate("said.sought.at(-1)") == piece.lines[7]


def test_a_finger_scrolls_taps_and_holds(opened):
    piece = Piece(8)
    page = opened(piece, **PHONE)
    page.touchscreen.tap(*middle(page, 1))
    assert piece.lines[1] < page.evaluate("said.sought.at(-1)") < piece.lines[2]
    x, y = middle(page, 0)
    press = """([type, x, y]) => view.sheet.dispatchEvent(new PointerEvent(type,
      { bubbles: true, pointerType: "touch", pointerId: 7, clientX: x, clientY: y }))"""
    page.evaluate(press, ["pointerdown", x, y])
    page.wait_for_function("said.selected.length === 1")
    page.evaluate(press, ["pointermove", *middle(page, 1)])
    page.evaluate(press, ["pointerup", *middle(page, 1)])
    assert page.evaluate("said.selected.at(-1)") == [0, 1]
    assert page.evaluate("said.sought.length") == 1


@pytest.mark.parametrize("name", PART)
def test_its_colours_are_the_page_s(opened, name):
    page = opened(Piece(6, (3, 4), first=2), **PART[name])
    page.evaluate("() => { view.setPlayhead(3000); view.setSelection([2, 3]); }")
    colours = page.evaluate("""() => {
      const read = (name, what) => getComputedStyle(document.querySelector(name))[what];
      return [read(".vf-stavenote.melody .vf-notehead path", "fill"), read(".vf-stavenote.left .vf-notehead path", "fill"),
        read(".score-block .vf-stem path", "stroke"), read("#part", "backgroundColor")];
    }""")
    assert len(set(colours)) == 4
    shoot(page, f"score_{name}")


def test_it_is_drawn_again_for_another_width_and_when_it_is_first_seen(opened):
    piece = Piece(12)
    page = opened(piece)
    wide = page.evaluate("view.systems")
    page.set_viewport_size({"width": 420, "height": 800})
    page.wait_for_function(f"view.systems > {wide} && view.drawn.bars.length === 12")
    page.evaluate("() => { view.clear(); document.getElementById('part').style.display = 'none'; }")
    assert page.evaluate("([xml, lines]) => view.load(xml, lines)", [piece.xml, piece.lines]) is False
    page.evaluate("() => { document.getElementById('part').style.display = 'block'; }")
    page.wait_for_function("view.drawn.bars.length === 12")


def test_a_newer_piece_wins(opened):
    long, short = Piece(60), Piece(4)
    page = opened(short)
    first, second = page.evaluate(
        "([a, b, c, d]) => Promise.all([view.load(a, b), view.load(c, d)])",
        [long.xml, long.lines, short.xml, short.lines],
    )
    assert (first, second) == (False, True)
    assert page.evaluate("view.drawn.bars.length") == 4


def test_what_is_no_score_is_said(opened):
    page = opened(Piece(4))
    assert page.evaluate("() => view.load('<p>', [0, 1])") is False
    assert page.get_by_role("status").inner_text() == "The score can't be read."
    assert page.locator(".score-block").count() == 0


def test_the_library_is_asked_for_only_when_a_score_is_and_again_after_a_failure(open_part):
    page = open_part(SCRIPT)
    page.wait_for_function("globalThis.view")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    assert not page.evaluate("'opensheetmusicdisplay' in globalThis")
    page.route("**/vendor/*", lambda route: route.abort())
    piece = Piece(4)
    assert page.evaluate("([xml, lines]) => view.load(xml, lines)", [piece.xml, piece.lines]) is False
    assert "could not be loaded" in page.get_by_role("status").inner_text()
    page.unroute("**/vendor/*")
    assert page.evaluate("([xml, lines]) => view.load(xml, lines)", [piece.xml, piece.lines])
    assert len([url for url in asked if "/vendor/" in url]) == 2
    page.seen.expected.append("ERR_FAILED")  # the one that was cut off


def test_a_picture_holds_all_of_it_and_print_has_pages(opened):
    page = opened(Piece(70))
    picture = page.evaluate("view.svg()")
    assert picture.startswith("<svg xmlns=")
    assert picture.count("<svg") == 1 + page.locator(".score-block").count()
    drawn = page.evaluate(
        """text => {
          const picture = new DOMParser().parseFromString(text, "image/svg+xml");
          return [picture.querySelector("parsererror") === null, picture.querySelectorAll(".vf-notehead").length > 300];
        }""",
        picture,
    )
    assert drawn == [True, True]
    page.evaluate("() => { Window.prototype.print = function () { globalThis.top.printed = true; }; }")
    page.evaluate("() => view.print('My piece')")
    pages = page.frame_locator("iframe.score-print").locator("#pages > svg, #pages > div")
    assert pages.count() >= 2
    assert re.search("My piece", page.frame_locator("iframe.score-print").locator("#pages").inner_html())
