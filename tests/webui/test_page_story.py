"""The whole story, from a recording to a link that brings the piece back."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from demo_page import few_bars, finished, give_file, select, shoot, take

from pianalysis.music.midi import read_midi

pytest_plugins = ["demo_fixtures"]
RATE = 22_050
TUNE = (60, 62, 64, 65, 67, 69, 67, 65, 64, 62, 60, 62, 64, 64, 62, 60)
"""Half a second each: four bars at 120 bpm."""


def hummed():
    """The tune as somebody hums it: tones with a soft beginning, a few overtones."""
    seconds = np.arange(RATE // 2) / RATE
    shape = np.minimum(1, np.minimum(seconds, 0.5 - seconds) * 25)
    tones = []
    for pitch in TUNE:
        phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * seconds
        tones.append(shape * (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)))
    file = io.BytesIO()
    soundfile.write(file, (np.concatenate(tones) * 0.3).astype(np.float32), RATE, format="WAV")
    return file.getvalue()


def outside(page, rows, first, last):
    """The notes that don't begin in these bars."""
    lines = page.evaluate("pianalysis.roll.bars")
    return [row for row in rows if not lines[first - 1] - 20 <= row[0] < lines[last] - 20]


def test_from_a_hummed_tune_to_a_link_that_brings_the_piece_back(page, open_page, demo):
    # a recording is heard, and what was found is shown before anything is written
    few_bars(page, 4)
    give_file(page, ("my tune.wav", hummed()))
    page.wait_for_selector("#intake-write:enabled")
    assert page.locator(".track").count() == 1
    shoot(page, "story_intake")
    page.fill("#intake-name", "My tune")
    page.click("#intake-write")
    finished(page, takes=1)
    assert [row[2] for row in take(page, "melody")] == list(TUNE)
    assert page.inner_text("#melody-name") == "My tune"

    # one chord is changed
    chord = page.evaluate("pianalysis.takes.current.chords[0]")
    page.locator(".chord").first.click()
    page.wait_for_selector(".chord-picker .alternative")
    shoot(page, "story_chord")
    other = "Am7" if chord["symbol"] != "Am7" else "C"
    page.fill(".chord-picker input[type=text]", other)
    page.click(".chord-picker .main")
    page.wait_for_function("pianalysis.takes.current.edits.length === 1")
    assert page.evaluate("pianalysis.takes.current.chords[0].symbol") == other
    with_chord = take(page)

    # two bars get an Alberti bass; it is undone, and done again
    select(page, 3, 4)
    page.select_option("#bubble-figure", "alberti")
    page.wait_for_function("pianalysis.takes.current.edits.length === 2")
    alberti = take(page)
    assert alberti != with_chord
    assert outside(page, alberti, 3, 4) == outside(page, with_chord, 3, 4)
    page.click("#undo")
    assert take(page) == with_chord
    page.click("#redo")
    assert take(page) == alberti
    page.click("#deselect")

    # the score is read, with a cursor that goes along
    page.click("#view-both")
    page.wait_for_selector("#score svg")
    assert page.locator("#roll").is_visible()
    shoot(page, "story_score")

    # it is saved as it is heard
    page.select_option("#transpose", "2")
    page.click("#save")
    with page.expect_download() as saving:
        page.click("[data-format=mid]")
    tracks = read_midi(saving.value.path()).tracks
    assert sorted(note.pitch for note in tracks[0].notes) == sorted(pitch + 2 for pitch in TUNE)
    assert len(tracks[1].notes) == len(alberti)
    page.keyboard.press("Escape")

    # and a link brings all of it back, on another machine
    page.click("#share")
    page.wait_for_selector("#link:visible")
    again = open_page(page.input_value("#link").removeprefix(demo))
    again.wait_for_function("pianalysis.takes.current?.edits.length === 2")
    assert take(again) == alberti
    assert again.evaluate("pianalysis.player.transpose") == 2
    assert again.inner_text("#melody-name") == "My tune"
