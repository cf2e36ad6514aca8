"""The colours of the page: readable by the Web Content Accessibility Guidelines' contrast (AA), light and dark."""

from __future__ import annotations

import re

import pytest

from pianalysis.output.picture import ACCOMPANIMENT_COLOUR, MELODY_COLOUR
from pianalysis.webui.server import STATIC

CSS = (STATIC / "style.css").read_text(encoding="utf-8")
TEXT, GRAPHIC = 4.5, 3.0
TEXTS = [
    *(("ink", back) for back in ("page", "surface", "raised", "roll")),
    *(("muted", back) for back in ("page", "surface", "raised", "roll")),
    ("accent", "surface"),
    ("on-accent", "accent"),
    ("page", "ink"),
    ("error", "error-back"),
    ("error", "surface"),
    ("melody-text", "surface"),
    ("accompaniment-text", "surface"),
    ("key-black", "key-white"),
]
GRAPHICS = [
    *((part, back) for part in ("melody", "accompaniment", "right", "left") for back in ("roll", "lane", "surface")),
    ("control", "surface"),
    ("control", "page"),
    ("ink", "roll"),
    ("accent", "page"),
]


def colours(scheme):
    """The variables of a scheme."""
    blocks = {
        "light": r":root \{(.*?)\}",
        "dark": r"prefers-color-scheme: dark\) \{ :root[^{]*\{(.*?)\}",
        "chosen dark": r':root\[data-theme="dark"\] \{(.*?)\}',
    }
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6});", re.search(blocks[scheme], CSS, re.DOTALL)[1]))
    return {"melody": MELODY_COLOUR, "accompaniment": ACCOMPANIMENT_COLOUR} | found if scheme == "light" else found


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_as_the_guidelines_compute_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_graphics_stand_out(scheme):
    values = colours(scheme)
    pairs = [(*pair, TEXT) for pair in TEXTS] + [(*pair, GRAPHIC) for pair in GRAPHICS]
    weak = {
        (a, b): round(contrast(values[a], values[b]), 2)
        for a, b, least in pairs
        if contrast(values[a], values[b]) < least
    }
    assert weak == {}


def test_dark_is_the_same_chosen_and_by_the_system():
    assert colours("dark") == colours("chosen dark")


def test_every_script_is_short_and_asks_nothing_of_the_world():
    for path in STATIC.glob("*.*s*"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, path
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text), path
