"""What tests do with the demo's page: choose a melody, wait for the piece, keep a picture."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import symusic

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


def begin_long(page):
    """Nine minutes of a melody that never returns: more than is written while a test looks."""
    generator, score = np.random.default_rng(0), symusic.Score(480)
    score.tracks.append(symusic.Track("Melody", 0, False))
    for beat, pitch in enumerate(generator.integers(60, 84, 1_080).tolist()):
        score.tracks[0].notes.append(symusic.Note(480 * beat, 480, pitch, 96))
    few_bars(page, "")
    page.click("#tab-file")
    page.set_input_files("#file", {"name": "long.mid", "mimeType": "audio/midi", "buffer": score.dumps_midi()})
