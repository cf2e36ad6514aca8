"""What tests do with the demo's page: choose a melody, wait for the piece, keep a picture."""

from __future__ import annotations

import os
from pathlib import Path

SHOTS = os.environ.get("PIANALYSIS_SCREENSHOTS")  # a folder in which pictures of each state are kept
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
