"""The demo's named endpoints, as `gradio_client` and plain HTTP use them: files, streams, errors, places, cancelling."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import EXAMPLES

from pianalysis.music.midi import read_midi
from pianalysis.webui.server import has_mcp
from pianalysis.webui.uploads import tidy

pytest_plugins = ["demo_fixtures"]
LONG = "auld_lang_syne"


@pytest.fixture(scope="module")
def client(demo):
    gradio_client = pytest.importorskip("gradio_client")
    return gradio_client.Client(demo, verbose=False)


def melody_of(path):
    return sorted((n.time, n.duration, n.pitch, n.velocity) for n in read_midi(path).tracks[0].notes)


def test_a_file_comes_back_with_its_melody_and_an_accompaniment(client):
    from gradio_client import handle_file

    source = EXAMPLES / "greensleeves.mid"
    made = client.predict(file=handle_file(source), seed=7, max_bars=3, api_name="/arrange")
    assert Path(made).name == "greensleeves-7.mid"
    assert melody_of(made) == melody_of(source)
    assert len(read_midi(made).tracks[1].notes) > 0
    again = client.predict(melody="greensleeves", seed=7, max_bars=3, api_name="/arrange")
    assert Path(again).read_bytes() == Path(made).read_bytes()


def test_a_stream_and_the_file_of_what_it_wrote(client):
    job = client.submit(melody="C5/4 E5 G5 E5", settings={"density": "low"}, bpm=90, api_name="/stream")
    events = list(job)
    assert [event["event"] for event in events][:1] == ["start"]
    assert [row[2] for row in events[0]["melody"]] == [72, 76, 79, 76]
    done = job.outputs()[-1]
    assert done["event"] == "done"
    made = client.predict(piece=done["piece"], format="mp3", api_name="/export")
    sound, _ = soundfile.read(made)
    assert np.sqrt(np.mean(sound**2)) > 0.01


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"melody": ""}, "no melody yet"),
        ({"melody": "sakura", "style": "jazz"}, "'jazz'"),
        ({"melody": "sakura", "format": "exe"}, "'exe'"),
        ({"melody": "sakura", "track": 9}, "expected a track"),
        ({"melody": "sakura", "seed": -1}, "seed"),
        ({"melody": "sakura", "settings": {"swing": 1}}, "'swing'"),
    ],
)
def test_errors_are_sentences(client, arguments, says):
    with pytest.raises(Exception, match=says):
        client.predict(**arguments, api_name="/arrange")


def post(demo, path, body):
    request = urllib.request.Request(demo + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def listen(demo, session, messages):
    """Collect a session's messages until its work is over."""
    with urllib.request.urlopen(f"{demo}gradio_api/queue/data?session_hash={session}", timeout=120) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                messages.append(json.loads(line[6:]))


def test_who_waits_learns_the_place_and_cancelling_lets_the_next_one_in(demo):
    names = {
        item["api_name"]: item["id"] for item in json.load(urllib.request.urlopen(demo + "config"))["dependencies"]
    }
    messages, threads, events = {}, {}, {}
    for session in ("first", "second", "third"):
        tune = LONG if session == "first" else "sakura"
        settings = {"max_bars": 80 if session == "first" else 1}
        body = {"data": [tune, settings, 0, 0, "", 100, ""], "session_hash": session}
        events[session] = post(demo, "gradio_api/call/stream", body)["event_id"]
        messages[session] = []
        threads[session] = threading.Thread(target=listen, args=(demo, session, messages[session]))
        threads[session].start()
        first = "process_generating" if session == "first" else "estimation"
        wait(lambda said=messages[session], first=first: any(message["msg"] == first for message in said))
    ranks = {s: [m["rank"] for m in messages[s] if m["msg"] == "estimation"] for s in ("second", "third")}
    assert ranks["second"][0] == 0
    assert ranks["third"][0] == 1
    post(demo, "gradio_api/cancel", {"session_hash": "first", "fn_index": names["stream"], "event_id": events["first"]})
    for thread in threads.values():
        thread.join(timeout=60)
    assert not any(told(message) == "done" for message in messages["first"])
    assert all(any(told(message) == "done" for message in messages[session]) for session in ("second", "third"))


def told(message):
    """The event that a message brings, if any."""
    data = (message.get("output") or {}).get("data") or [{}]
    return data[0].get("event")


def wait(until, seconds=60):
    limit = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_piece_that_isnt_kept_and_a_sample_outside_the_folder(demo):
    for path in ("piece/nobody.mid", "piano/..%2F..%2Fmelody.safetensors", "piano/nothing.ogg"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(demo + path)
        assert error.value.code == 404
    with urllib.request.urlopen(demo + "piano/060-soft.mp3") as answer:  # for browsers without Ogg Vorbis
        assert answer.headers["Content-Type"] == "audio/mpeg"


def test_old_files_go_and_new_ones_stay(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "piece.mid").write_bytes(b"x")
    os.utime(tmp_path / "old" / "piece.mid", (0, 0))
    tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_arrange_is_an_mcp_tool(demo):
    if not has_mcp():  # asked here: that imports it
        pytest.skip("there is no MCP library that Gradio can use (it needs mcp 1)")
    arrange = next(tool for tool in mcp(demo, "tools/list")["tools"] if tool["name"].endswith("arrange"))
    assert "piano accompaniment" in arrange["description"]
    assert "temperature" in arrange["inputSchema"]["properties"]["settings"]["description"]
    asked = {"name": arrange["name"], "arguments": {"melody": "sakura", "max_bars": 1}}
    answer = json.dumps(mcp(demo, "tools/call", asked))
    assert "sakura-0.mid" in answer


def mcp(demo, method, params=None):
    """The result of one call over streamable HTTP."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    request = urllib.request.Request(demo + "gradio_api/mcp/", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])["result"]
