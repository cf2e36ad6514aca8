"""What tests do with the demo's page: choose a melody, wait for the piece, keep a picture, play a server that fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import symusic

SHOTS = os.environ.get("PIANALYSIS_SCREENSHOTS")  # a folder in which pictures of each state are kept
COUNT = "pianalysis.player.parts.accompaniment.notes.length"
STATUS = "document.getElementById('status').textContent"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LYING = {"viewport": {"width": 844, "height": 390}, "is_mobile": True, "has_touch": True}


def shoot(page, name, **options):
    if SHOTS:
        page.screenshot(path=Path(SHOTS, f"{name}.png"), **options)


def finished(page, takes=None):
    """Wait for the piece, or for so many takes."""
    page.wait_for_function("pianalysis.timing.done && !pianalysis.writer.busy")
    if takes:
        page.wait_for_function(f"pianalysis.takes.all.length === {takes}")


def hush(page):
    """Nothing plays, nor begins to play by itself later: a piece that is written begins when its first sounds are there."""
    page.evaluate("pianalysis.stage.hush()")


def listen(page, *notes):
    """From now on `loudest` on the page is how loud it was at its loudest: who looks now and then may look between two notes.

    notes: [onset, length, pitch, velocity] rows whose sounds are fetched first; what isn't there in time isn't heard.
    """
    page.evaluate("notes => pianalysis.sampler.need(notes)", [list(note) for note in notes])
    page.evaluate(
        """() => { clearInterval(globalThis.listening); globalThis.loudest = 0;
        globalThis.listening = setInterval(() => { loudest = Math.max(loudest, pianalysis.player.loudness()); }, 20); }"""
    )


def set_settings(page, **settings):
    """As if they had been chosen, without a step to undo."""
    page.evaluate(
        """given => { const { live } = pianalysis;
        live.amend({ ...live.session, settings: { ...live.session.settings, ...given } }); }""",
        settings,
    )


def few_bars(page, bars):
    set_settings(page, max_bars=bars)


def choose(page, title, bars=4):
    few_bars(page, bars)
    if page.locator("#sources").is_hidden():
        page.click("#melody-menu")
        page.click("#tab-examples")
    page.locator("#cards").get_by_role("button", name=title).click()


def open_tab(page, name):
    if page.locator("#sources").is_hidden():
        page.click("#melody-menu")
    page.click(f"#tab-{name}")


def give_file(page, file):
    """A file's path, or its name and bytes; waits until it is looked at."""
    open_tab(page, "file")
    given = file if isinstance(file, Path) else {"name": file[0], "mimeType": "", "buffer": file[1]}
    page.set_input_files("#file", given)


def select(page, first, last):
    """Bars, from 1."""
    page.evaluate("bars => pianalysis.roll.setSelection(bars)", [first - 1, last - 1])


def take(page, what="notes"):
    """Something of the current take."""
    return page.evaluate(f"pianalysis.takes.current.{what}")


def begin_long(page):
    """Nine minutes of a melody that never returns: more than is written while a test looks."""
    generator, score = np.random.default_rng(0), symusic.Score(480)
    score.tracks.append(symusic.Track("Melody", 0, False))
    for beat, pitch in enumerate(generator.integers(60, 84, 1_080).tolist()):
        score.tracks[0].notes.append(symusic.Note(480 * beat, 480, pitch, 96))
    few_bars(page, "")
    give_file(page, ("long.mid", score.dumps_midi()))
    page.click("#intake-write:enabled")


def midi(notes, *, bpm=120, tracks=("Melody",)):
    """A file of (beat, beats, pitch) notes, the same on every track."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, bpm))
    for name in tracks:
        score.tracks.append(symusic.Track(name, 0, False))
        for beat, beats, pitch in notes:
            score.tracks[-1].notes.append(symusic.Note(round(480 * beat), round(480 * beats), pitch, 90))
    return score.dumps_midi()


def started(bars=8, **more):
    """An event `start` as the server sends it: a bar is two seconds."""
    melody = [[500 * beat, 480, 72 + beat % 5, 80] for beat in range(4 * bars)]
    lines = [2_000 * bar for bar in range(bars + 1)]
    told = {"title": "Tune", "melody": melody, "bar_lines_ms": lines, "bars": bars, "how_found": "given", "remarks": []}
    told |= {"tracks": [], "seed": 0, "key": {"fifths": 0, "name": "C major"}, "time_signature": "4/4", "bpm": 120.0}
    return {"event": "start", "chords": []} | told | more


def written(bar, bars=8):
    """An event `notes`: one bar."""
    rows = [[2_000 * bar + 500 * beat, 480, 48 + beat, 70] for beat in range(4)]
    return {"event": "notes", "notes": rows, "hands": "LLRR", "bars_done": bar + 1, "bars": bars}


def done(bars=8, melody=None, **more):
    """An event `done` as the server sends it."""
    told = {key: value for key, value in started(bars).items() if key not in ("tracks", "how_found")}
    rows = [row for bar in range(bars) for row in written(bar, bars)["notes"]]
    told |= {
        "event": "done",
        "piece": "played",
        "notes": rows,
        "hands": "LLRR" * bars,
        "seconds": 2.0 * bars,
        "style": "pop",
    }
    told |= {"chart": "C", "chart_bar": 1, "pedal": [], "written_in_s": 1.0, "melody": melody or told["melody"]}
    fit = {"melody_kept": 1.0, "chord_tones": 0.8, "notes_per_second": 2.0, "human": 0.8, "spread": 0.1}
    return told | {"fit": fit | {"verdict": "keeps to its chords as people do"}} | more


def whole(bars=8, melody=None, **more):
    """All events of a piece."""
    given = {} if melody is None else {"melody": melody}
    return [started(bars, **given, **more), *(written(bar, bars) for bar in range(bars)), done(bars, melody, **more)]


def play_server(page, *events, end="lost"):
    """Answer the page's calls with events; after them the connection is lost, unless they end with `done`, or the call fails
    with a (sentence, code). What the page asks for is kept: a list of (endpoint, data)."""
    asked = []
    messages = [{"msg": "process_starts"}]
    messages += [{"msg": "process_generating", "success": True, "output": {"data": [event]}} for event in events]
    if events and events[-1]["event"] == "done":
        messages[-1]["msg"] = "process_completed"
    elif end != "lost":
        output = {"error": end[0], "title": end[1]}
        messages.append({"msg": "process_completed", "success": False, "output": output})
    body = "".join(f"data: {json.dumps(message)}\n\n" for message in messages)

    def answer(route):
        asked.append((route.request.url.rsplit("/", 1)[1], route.request.post_data_json["data"]))
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"event_id": "1"}))

    page.unroute_all()
    page.route("**/gradio_api/call/*", answer)
    page.route(
        "**/gradio_api/queue/data*",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body=body),
    )
    return asked


def real_server(page):
    """No more playing."""
    page.unroute_all()
