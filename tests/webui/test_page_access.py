"""The page for everybody: names for screen readers, high contrast, less motion, lying phones."""

from __future__ import annotations

import pytest
from demo_page import LYING, PHONE, choose, finished, open_tab, play_server, select, whole

pytest_plugins = ["demo_fixtures"]
NAMED = {
    "button",
    "slider",
    "combobox",
    "checkbox",
    "radio",
    "textbox",
    "spinbutton",
    "tab",
    "link",
    "meter",
    "progressbar",
}


def nameless(page):
    """Controls of the accessibility tree that have no name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in nodes if not node["ignored"] and node.get("role", {}).get("value") in NAMED]
    assert len(shown) > 5
    return [node["role"]["value"] for node in shown if not node.get("name", {}).get("value", "").strip()]


def with_piece(page):
    play_server(page, *whole())
    choose(page, "Ode to Joy")
    finished(page)
    return page


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_every_control_has_a_name(open_page, options):
    page = open_page(**options)
    assert nameless(page) == []
    for tab in ("file", "hum", "play", "type"):
        open_tab(page, tab)
        assert nameless(page) == [], tab
    open_tab(page, "examples")
    with_piece(page)
    select(page, 1, 2)
    page.click("#save")
    page.evaluate("() => { for (const more of document.querySelectorAll('details')) more.open = true; }")
    assert nameless(page) == []
    if options:
        page.keyboard.press("Escape")
        for sheet in ("mix", "settings"):
            page.click(f"#open-{sheet}")
            assert nameless(page) == [], sheet


def test_what_is_chosen_is_seen_in_high_contrast(open_page):
    page = with_piece(open_page(forced_colors="active"))
    page.click("#melody-menu")
    # a background changes by and by
    differ = """([one, other]) => { const [a, b] = [one, other].map((name) => getComputedStyle(document.querySelector(name)));
        return document.getAnimations().length === 0 && a.backgroundColor !== b.backgroundColor; }"""
    for chosen, other in (
        ("#view-roll", "#view-score"),
        (".tabs [aria-selected=true]", ".tabs [aria-selected=false]"),
        ("[name=style]:checked + span", "[name=style]:not(:checked) + span"),
    ):
        page.wait_for_function(differ, arg=[chosen, other])


def test_nothing_moves_for_those_who_asked_for_less_motion(open_page):
    page = with_piece(open_page(reduced_motion="reduce"))
    assert page.evaluate("pianalysis.roll.calm")
    page.locator("input[name=style][value=pop]").check(force=True)
    assert page.evaluate("getComputedStyle(document.getElementById('write-these')).animationName") == "none"
    durations = page.evaluate(
        "[...document.querySelectorAll('button')].map((button) => getComputedStyle(button).transitionProperty)"
    )
    assert set(durations) <= {"none"} or page.evaluate("document.getAnimations().length") == 0


def test_a_lying_phone_shows_roll_and_play_at_once(open_page):
    page = with_piece(open_page(**LYING))
    assert page.evaluate("document.documentElement.scrollWidth") == 844
    for part, least in (("#play", 40), ("#roll", 120)):
        box = page.locator(part).bounding_box()
        assert box["height"] >= least
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 390, part
    transport, roll = (page.locator(part).bounding_box() for part in ("#transport", "#roll"))
    assert roll["y"] + roll["height"] <= transport["y"] + 1
    assert page.evaluate("document.elementFromPoint(30, 370).closest('#play') !== null")


@pytest.mark.parametrize("size", [(1440, 900), (1280, 800), (1024, 700)])
def test_the_transport_is_always_in_sight(open_page, size):
    page = with_piece(open_page(viewport={"width": size[0], "height": size[1]}))
    for place in ("0", "document.body.scrollHeight"):
        page.evaluate(f"scrollTo(0, {place})")
        box = page.locator("#play").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_only_one_place_is_gone_through_by_tab(open_page):
    """From the top by Tab: every stop is seen, none twice, and Escape leads out of the menu."""
    page = with_piece(open_page())
    page.locator(".skip").focus()
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "(({ id, textContent, offsetParent }) => [id || textContent, offsetParent !== null || id === 'roll'])(document.activeElement)"
        )
        if stop[0] in [name for name, _ in stops] and len(stops) > 10:
            break
        stops.append(stop)
    names = [name for name, _ in stops]
    assert all(seen for name, seen in stops if name not in ("", "skip"))
    order = [
        name for name in names if name in ("melody-menu", "undo", "share", "save", "roll", "play", "balance", "again")
    ]
    assert order == [
        name for name in ("melody-menu", "undo", "share", "save", "roll", "play", "balance", "again") if name in order
    ]
    assert {"roll", "play", "balance"} <= set(names)
