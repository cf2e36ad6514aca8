"""What strangers might try on the page's server, each as they would try it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from conftest import EXAMPLES
from jobs import add, crash, gobble, mistake, refuse, sleep
from loops import run_alone

from pianalysis.errors import PianalysisError
from pianalysis.webui import gate, limits, uploads
from pianalysis.webui.clients import client_of, is_behind_proxy
from pianalysis.webui.gate import CLIENT, Gate
from pianalysis.webui.heard import Heard
from pianalysis.webui.kept import Kept, Shelf
from pianalysis.webui.melodies import Submission, read_file
from pianalysis.webui.refusals import RefusedError, code_of
from pianalysis.webui.renders import MOST_OF_ONE, MOST_WAITING, Renders
from pianalysis.webui.turns import Listener, Turns
from pianalysis.webui.uploads import PageFolder, read_upload, tidy
from pianalysis.webui.workshop import Workshop

pytest_plugins = ["demo_fixtures"]


# --- 1. files that were never uploaded ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of uploads, with a file in it; beside it another one."""
    inside = tmp_path / "uploads"
    (inside / "hash").mkdir(parents=True)
    (inside / "hash" / "tune.mid").write_bytes(b"MThd uploaded")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    monkeypatch.setenv(uploads.FOLDER_VARIABLE, str(inside))
    return inside


def test_an_uploaded_file_is_read_and_called_as_its_owner_called_it(folder):
    path = str(folder / "hash" / "tune.mid")
    assert read_upload({"path": path, "orig_name": "My tune.mid"}) == ("My tune.mid", b"MThd uploaded")
    assert read_upload({"path": path, "orig_name": "../../etc/passwd"})[0] == "passwd"


def attacks(folder):
    """Paths that are no uploads."""
    outside = folder.parent / "secret.txt"
    (folder / "hash" / "link.mid").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "hash" / "fifo.mid")
    return {
        "passwd": "/etc/passwd",
        "relative": str(folder / "hash" / ".." / ".." / "secret.txt"),
        "outside": str(outside),
        "link": str(folder / "hash" / "link.mid"),
        "link to a folder": str(folder / "linked" / "secret.txt"),
        "zeros": "/dev/zero",
        "pipe": str(folder / "hash" / "fifo.mid"),
        "folder": str(folder / "hash"),
        "the folder itself": str(folder),
        "nothing": str(folder / "hash" / "nothing.mid"),
        "long": "/" + "a" * 100_000,
        "null": f"{folder}/hash/tune.mid\0.txt",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_no_path_but_that_of_an_uploaded_file_is_opened(folder):
    for path in attacks(folder).values():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # a pipe would wait for ever
            coming = pool.submit(read_upload, {"path": path})
            with pytest.raises(RefusedError) as error:
                coming.result(timeout=5)
        assert error.value.code == "not_readable"
        assert "secret" not in str(error.value)
        assert str(folder) not in str(error.value)


def test_a_link_that_is_put_in_a_files_place_is_not_followed(folder, monkeypatch):
    path = folder / "hash" / "tune.mid"
    resolve = Path.resolve

    def swapped(self, strict=False):
        found = resolve(self, strict=strict)
        if self == path and path.is_file() and not path.is_symlink():  # the attacker is quicker
            path.unlink()
            path.symlink_to(folder.parent / "secret.txt")
        return found

    monkeypatch.setattr(Path, "resolve", swapped)
    with pytest.raises(RefusedError):
        read_upload({"path": str(path)})


def test_of_a_large_file_no_more_is_read_than_may_be(folder):
    large = folder / "hash" / "large.mid"
    with large.open("wb") as file:  # 1.5 GB, without taking them
        file.truncate(1_500_000_000)
    name, data = read_upload({"path": str(large)})
    assert len(data) == limits.FILE_BYTES + 1
    with pytest.raises(RefusedError) as error:
        read_file(data, name)
    assert error.value.code == "too_large"


def post(demo, path, body, headers=None):
    request = urllib.request.Request(
        demo + path, json.dumps(body).encode(), {"Content-Type": "application/json"} | (headers or {})
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def outcome(demo, name, data):
    """What an endpoint says over plain HTTP."""
    event = post(demo, f"gradio_api/call/{name}", {"data": data})["event_id"]
    with urllib.request.urlopen(f"{demo}gradio_api/call/{name}/{event}", timeout=120) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("path", ["/etc/passwd", "/dev/zero", "http://127.0.0.1:9/x.mid", "https://example.com/x.mid"])
def test_a_posted_path_is_refused(demo, path, meta):
    said = outcome(demo, "arrange", [{"path": path} | meta, "", 0, "auto", "mid", {"max_bars": 1}, 0, 0, "mid", ""])
    assert "event: error" in said
    assert "root:" not in said


# --- 2. sound files that hold everything up ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tiny_arranger):
    shelf = Shelf()
    piece = tiny_arranger(EXAMPLES / "sakura.mid", max_bars=2)
    shelf.name = shelf.keep(Kept(piece, piece.melody, "Sakura"))
    return shelf


def slow(*_):
    time.sleep(0.5)
    return "piece.mp3", b"sound"


def test_midi_never_waits_for_sound(shelf, monkeypatch):
    renders = Renders(shelf)
    monkeypatch.setattr(renders.workshop, "call", lambda *_, **__: slow())
    try:
        waiting = [renders.file(shelf.name, "mp3", Heard(transpose=place)) for place in range(12)]
        began = time.perf_counter()
        for suffix in ("mid", "musicxml"):
            name, data = renders.file(shelf.name, suffix).result(timeout=0)
            assert (name, len(data) > 100) == (f"sakura-0.{suffix}", True)
        assert time.perf_counter() - began < 2
        assert not waiting[-1].done()
    finally:
        renders.end()


def test_the_same_sound_is_rendered_once_and_one_client_waits_for_few(shelf, monkeypatch):
    renders, made, goes_on = Renders(shelf), [], threading.Event()

    def call(*arguments, **_):
        made.append(arguments)
        goes_on.wait(60)
        return "piece.mp3", b"sound"

    monkeypatch.setattr(renders.workshop, "call", call)
    try:
        same = [renders.file(shelf.name, "mp3", client="one") for _ in range(44)]
        goes_on.set()
        assert {future.result(timeout=5) for future in same} == {("piece.mp3", b"sound")}
        assert len(made) == 1
        assert renders.file(shelf.name, "mp3", client="one").done()  # and is kept
        goes_on.clear()
        for place in range(1, 1 + MOST_OF_ONE):
            renders.file(shelf.name, "mp3", Heard(transpose=place), client="one")
        with pytest.raises(RefusedError) as error:
            renders.file(shelf.name, "mp3", Heard(transpose=20), client="one")
        assert error.value.code == "busy"
        for client in range(MOST_WAITING - MOST_OF_ONE):
            renders.file(shelf.name, "mp3", Heard(rate=1.01 + client / 100), client=str(client))
        with pytest.raises(RefusedError, match="Too many sound files"):
            renders.file(shelf.name, "mp3", Heard(rate=0.5), client="one more")
    finally:
        goes_on.set()
        renders.end()


def test_many_sounds_at_once_leave_the_page_and_midi_quick(demo):
    pieces = [json_of(outcome(demo, "stream", ["sakura", {"max_bars": 4}, seed, 0, "", 100, ""])) for seed in range(2)]
    addresses = [f"{demo}piece/{piece}.mp3?transpose={place}" for place in range(10) for piece in pieces]
    assert len({*addresses}) == 5 * MOST_OF_ONE

    def status(address):
        try:
            with urllib.request.urlopen(address, timeout=300) as answer:
                return answer.status, len(answer.read())
        except urllib.error.HTTPError as error:
            said.append(json.load(error)["code"])
            return error.code, 0

    said = []
    with concurrent.futures.ThreadPoolExecutor(len(addresses)) as pool:
        coming = [pool.submit(status, address) for address in addresses]
        time.sleep(0.5)
        waited = []
        for piece in pieces:
            began = time.perf_counter()
            with urllib.request.urlopen(f"{demo}piece/{piece}.mid", timeout=30) as answer:
                assert answer.read()[:4] == b"MThd"
            waited.append(time.perf_counter() - began)
        found = [future.result() for future in coming]
    assert max(waited) < 5  # it was 12 s for each
    assert {code for code, _ in found} == {200, 429}
    assert {*said} == {"busy"}
    assert sum(code == 200 for code, _ in found) >= MOST_OF_ONE


def json_of(stream):
    """The id of the piece that a stream of events ends with."""
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: [")]
    return next(event[0]["piece"] for event in reversed(events) if event[0].get("event") == "done")


# --- 3. files that end the program that reads them, or take all its time or memory ---------------------------------------


@pytest.fixture(scope="module")
def workshop():
    workshop = Workshop(1, waiting=2)
    yield workshop
    workshop.end()


@pytest.mark.parametrize(("work", "code"), [(crash, "not_readable"), (sleep, "timeout"), (gobble, "too_large")])
def test_work_that_ends_its_process_or_takes_too_much_is_an_error_and_the_next_goes_on(workshop, work, code):
    assert workshop.call(add, 1, 2, limit_s=60) == 3
    with pytest.raises(RefusedError) as error:
        workshop.call(work, limit_s=5)
    assert error.value.code == code
    assert workshop.call(add, 2, 2, limit_s=60) == 4


def test_errors_come_back_with_their_code_and_mistakes_without_their_inside(workshop):
    with pytest.raises(RefusedError, match="ten hours") as error:
        workshop.call(refuse, "ten hours", limit_s=60)
    assert error.value.code == "too_long"
    with pytest.raises(RefusedError) as error:
        workshop.call(mistake, limit_s=60)
    assert error.value.code == "server"
    assert "secret" not in str(error.value)


def test_no_more_may_wait_than_there_is_room_for(workshop):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        coming = [pool.submit(workshop.call, time.sleep, 1, limit_s=60) for _ in range(8)]
        refused = [future.exception() for future in coming if future.exception() is not None]
    assert len(refused) == 5  # one at work, two wait
    assert {error.code for error in refused} == {"busy"}


@pytest.mark.parametrize(
    "abc",
    [
        "X:1\nK:C\n" + "[" * 50_000,
        "X:1\nK:C\n" + "|: C :|" * 10_000,
        "X:1\nM:0/0\nL:1/0\nK:C\nC",
        "X:1\nL:1/999999999\nK:C\nC99999999999999999999",
        "X:1\nP:" + "(A" * 500 + ")9" * 500 + "\nK:C\nP:A\nC",
        "X:1\nK:C\n" + "(9" * 30_000 + "C",
        "X:1\nK:C\n\0\0\0\xff" + "~" * 90_000,
    ],
)
def test_hostile_abc_is_read_or_refused_in_time(abc):
    began = time.perf_counter()
    said = ""
    try:
        read_file(abc.encode("latin-1"), "tune.abc")
    except PianalysisError as error:
        said = str(error)
    assert len(said) < 500
    assert time.perf_counter() - began < 20


# --- 4. large requests ---------------------------------------------------------------------------------------------------


def connect(demo):
    return http.client.HTTPConnection(urlsplit(demo).netloc, timeout=60)


def test_a_body_that_is_said_to_be_large_is_refused_before_it_comes(demo):
    connection = connect(demo)
    connection.putrequest("POST", "/gradio_api/call/stream")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(200 * 2**20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.load(answer)["code"] == "too_large"


def test_a_body_that_doesnt_say_how_large_it_is_is_refused_when_it_is_too_large(demo):
    connection, part = connect(demo), b"[" * 2**20
    connection.putrequest("POST", "/gradio_api/call/stream")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    sent = 0
    try:
        while sent < 200:
            connection.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            sent += 1
    except OSError:
        pass  # the server has hung up
    assert sent < 200
    answer = connection.getresponse()
    assert answer.status == 413


async def asked(app, scope=None, parts=(b"{}",), **options):
    """A gate's answer: its status and what it says."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/gradio_api/call/stream",
        "headers": [],
        "client": ("9.9.9.9", 1),
    } | (scope or {})
    messages, sent = (
        [
            {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
            for place, part in enumerate(parts)
        ],
        [],
    )

    async def receive():
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    await Gate(app, **options)(scope, receive, send) if not isinstance(app, Gate) else await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def answers(scope, receive, send):
    """An app that reads what comes, and says how much it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def test_what_comes_in_parts_arrives_whole_and_deep_ones_not_at_all():
    assert run_alone(asked(answers, parts=[b"a" * 1_000] * 3)) == (200, b"3000")
    large = [b"a" * 2**20] * (limits.BODY_BYTES // 2**20 + 1)
    assert run_alone(asked(answers, parts=large))[0] == 413
    assert run_alone(asked(answers, {"headers": [(b"content-length", b"-5")]}))[0] == 413


def test_who_sends_a_byte_now_and_then_is_sent_away(monkeypatch):
    monkeypatch.setattr(gate, "BODY_S", 0.2)

    async def slowly():
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/gradio_api/upload",
            "headers": [],
            "client": ("9.9.9.9", 1),
        }
        sent = []

        async def receive():
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": b"a", "more_body": True}

        async def send(message):
            sent.append(message)

        await Gate(answers)(scope, receive, send)
        return sent[0]["status"]

    assert run_alone(slowly()) == 503


def test_all_bodies_together_are_bounded(monkeypatch):
    monkeypatch.setattr(gate, "IN_FLIGHT_BYTES", 5_000)

    async def together():
        async def waits(scope, receive, send):
            await asyncio.sleep(0.2)
            await answers(scope, receive, send)

        door = Gate(waits)
        return await asyncio.gather(*(asked(door, parts=[b"a" * 2_000]) for _ in range(4)))

    statuses = [status for status, _ in run_alone(together())]
    assert sorted(statuses) == [200, 200, 429, 429]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/component_server",
        "/gradio_api/run/arrange",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/deep_link",
        "/docs",
        "/login",
        "/monitoring",
        "/gradio_api/run-history/records",
    ],
)
def test_what_nobody_needs_isnt_there(demo, path):
    for method in ("GET", "POST"):
        connection = connect(demo)
        connection.request(method, path, "{}" if method == "POST" else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["code"]) == (404, "forgotten")


# --- 5. other people's files ---------------------------------------------------------------------------------------------


def test_the_folder_is_the_pages_own_and_only_it_is_tidied(tmp_path, monkeypatch):
    other = tmp_path / "gradio" / "another_program"
    other.mkdir(parents=True)
    (other / "old.wav").write_bytes(b"x")
    os.utime(other / "old.wav", (0, 0))
    monkeypatch.setenv(uploads.FOLDER_VARIABLE, str(tmp_path / "gradio"))
    monkeypatch.setattr(uploads, "EVERY_S", 0.05)
    page = PageFolder()
    page.start()
    mine = page.path / "hash"
    mine.mkdir()
    (mine / "old.mid").write_bytes(b"x")
    (mine / "link.mid").symlink_to(other / "old.wav")
    (mine / "new.mid").write_bytes(b"x")
    os.utime(mine / "old.mid", (0, 0))
    os.utime(mine / "link.mid", (0, 0), follow_symlinks=False)
    limit = time.monotonic() + 10
    while (mine / "old.mid").exists() or os.path.lexists(mine / "link.mid"):
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert (mine / "new.mid").exists()
    assert page.path.parent == (tmp_path / "gradio").resolve()
    page.end()
    assert not page.path.exists()
    assert (other / "old.wav").exists()


def test_of_too_many_bytes_the_oldest_go(tmp_path):
    for age, name in enumerate(("new", "old", "oldest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(b"x" * 1_000)
        os.utime(tmp_path / name / "a", (time.time() - age, time.time() - age))
    assert tidy(tmp_path, most_bytes=1_500) == 1_000
    assert [path.name for path in tmp_path.glob("*/a")] == ["a"]
    assert (tmp_path / "new" / "a").exists()


# --- 6. one client that takes all places ---------------------------------------------------------------------------------


def scope_of(peer, forwarded=""):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded.split(";") if value]
    return {"client": (peer, 1), "headers": headers}


def test_a_client_is_who_the_last_proxy_says_not_who_it_says_itself():
    ask = scope_of("10.0.0.1", "6.6.6.6, 8.8.8.8, 10.0.0.7")
    assert client_of(ask, behind_proxy=True) == "8.8.8.8"
    assert client_of(scope_of("10.0.0.1", "6.6.6.6;8.8.8.8"), behind_proxy=True) == "8.8.8.8"
    assert client_of(ask, behind_proxy=False) == "10.0.0.1"
    assert client_of(scope_of("10.0.0.1", "8.8.8.8, nonsense"), behind_proxy=True) == "10.0.0.1"
    one, other = (client_of(scope_of(f"2001:4860:1:2::{place}"), behind_proxy=False) for place in (1, 2))
    assert one == other  # a household has many addresses
    assert client_of(scope_of("::ffff:8.8.8.8"), behind_proxy=False) == "8.8.8.8"
    assert client_of({"headers": []}, behind_proxy=False) == "?"
    assert is_behind_proxy({"SPACE_ID": "org/name"})
    assert not is_behind_proxy({"SPACE_ID": "org/name", "PIANALYSIS_BEHIND_PROXY": "0"})
    assert not is_behind_proxy({})


def test_one_client_has_few_places_and_others_theirs(monkeypatch):
    monkeypatch.setattr(gate, "PLACES", 2)
    events = []

    async def queue(scope, receive, send):
        await answers(scope, receive, send)
        if "/call/" not in scope["path"]:
            return
        events.append(SimpleNamespace(request=SimpleNamespace(scope=scope)))

    async def all_of_it():
        door = Gate(queue, events=lambda: events, behind_proxy=True)
        one = [{"headers": [(b"x-forwarded-for", f"{fake}.1.1.1, 8.8.8.8".encode())]} for fake in range(11, 15)]
        first = [(await asked(door, scope))[0] for scope in one]
        other = (await asked(door, {"headers": [(b"x-forwarded-for", b"8.8.4.4")]}))[0]
        reading = (await asked(door, one[0] | {"path": "/gradio_api/cancel"}))[0]
        events.pop(0)
        return first, other, reading, (await asked(door, one[0]))[0]

    assert run_alone(all_of_it()) == ([200, 200, 429, 429], 200, 200, 200)
    assert [event.request.scope[CLIENT] for event in events] == ["8.8.8.8", "8.8.4.4", "8.8.8.8"]


def test_who_asks_for_more_at_once_than_there_are_places_for_is_told_so(demo):
    def join(place):
        body = {"data": ["auld_lang_syne", {"verses": 3}, 0, 0, "", 100, ""], "session_hash": f"greedy{place}"}
        try:
            return post(demo, "gradio_api/call/stream", body)["event_id"], place
        except urllib.error.HTTPError as error:
            refused.append((error.code, json.load(error)))
            return None, place

    refused = []
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        events = list(pool.map(join, range(20)))
    assert {(code, said["code"], said["detail"] == said["error"]) for code, said in refused} == {(429, "busy", True)}
    assert sum(event is not None for event, _ in events) == gate.PLACES
    names = {
        item["api_name"]: item["id"] for item in json.load(urllib.request.urlopen(demo + "config"))["dependencies"]
    }
    for event, place in events:
        if event:
            body = {"session_hash": f"greedy{place}", "fn_index": names["stream"], "event_id": event}
            post(demo, "gradio_api/cancel", body)
    limit = time.monotonic() + 60
    while True:  # and has places again
        try:
            outcome(demo, "stream", ["sakura", {"max_bars": 1}, 0, 0, "", 100, ""])
            break
        except urllib.error.HTTPError:
            assert time.monotonic() < limit
            time.sleep(0.5)


# --- 7. memory -------------------------------------------------------------------------------------------------------------


def test_pieces_are_kept_by_their_bytes(tiny_arranger):
    piece = tiny_arranger(EXAMPLES / "sakura.mid", max_bars=2)
    kept = Kept(piece, piece.melody, "Sakura")
    size = Shelf()
    size.keep(kept)
    shelf = Shelf(most_bytes=3 * size.total_bytes + 50)
    names = [shelf.keep(kept) for _ in range(3)]
    shelf.piece(names[0])  # asked for, it is the newest
    names.append(shelf.keep(kept))
    assert (len(shelf), shelf.total_bytes <= shelf.most_bytes) == (3, True)
    with pytest.raises(RefusedError) as error:
        shelf.piece(names[1])
    assert error.value.code == "forgotten"
    found = shelf.piece(names[0])
    assert found.piece.accompaniment.tolist() == piece.accompaniment.tolist()
    assert found.piece.score.dumps_midi() == piece.score.dumps_midi()
    small = Shelf(most_bytes=1)
    assert small.piece(small.keep(kept)).title == "Sakura"  # the newest is kept


def long_midi(**changes):
    import symusic

    score = symusic.Score(480)
    if "mspq" in changes:
        score.tempos.append(symusic.Tempo(0, mspq=changes["mspq"]))
    if "metre" in changes:
        score.time_signatures.append(symusic.TimeSignature(0, *changes["metre"]))
    score.tracks.append(symusic.Track("", 0, False))
    for quarter in (0, changes["quarters"]):
        score.tracks[0].notes.append(symusic.Note(480 * quarter, 480, 60, 80))
    return score.dumps_midi()


@pytest.mark.parametrize(
    "changes",
    [{"quarters": 1_300}, {"quarters": 400_000, "mspq": 1_000}, {"quarters": 1_100, "metre": (1, 16)}],
)
def test_small_files_of_long_music_are_refused_before_they_are_worked_on(changes):
    with pytest.raises(RefusedError) as error:
        read_file(long_midi(**changes), "long.mid")
    assert error.value.code == "too_long"


def test_verses_of_a_long_melody_are_too_long(tiny_arranger, monkeypatch):
    from pianalysis.arranging.options import Options
    from pianalysis.music.reading import read_with_remarks
    from pianalysis.webui.studio import Studio

    monkeypatch.setattr(limits, "MINUTES", 0.0)
    studio = Studio(tiny_arranger)
    wanted = Submission(read_with_remarks(EXAMPLES / "sakura.mid"), "Sakura", "example")
    with pytest.raises(RefusedError, match="would last") as error:
        next(studio.arrange(wanted, Options(verses=8)))
    assert error.value.code == "too_long"


# --- time and turns ----------------------------------------------------------------------------------------------------------


def test_newcomers_come_first_then_whoever_has_least_music_left():
    turns, order = Turns(1), []
    rich, poor, new = Listener(turns), Listener(turns), Listener(turns)
    rich.heard(60.0)
    poor.heard(2.0)
    inside = threading.Event()

    def take(listener, name):
        with listener.turn():
            order.append(name)

    with Listener(turns).turn():  # somebody is at work, and these queue up
        threads = []
        for listener, name in ((rich, "rich"), (poor, "poor"), (new, "new")):
            threads.append(threading.Thread(target=take, args=(listener, name)))
            threads[-1].start()
            inside.wait(0.1)
    for thread in threads:
        thread.join(5)
    assert order == ["new", "poor", "rich"]


def test_who_has_a_long_turn_steps_aside_for_newcomers():
    turns, order, joined = Turns(1), [], threading.Event()
    long, new = Listener(turns, listens=False), Listener(turns)

    def begin():
        joined.set()
        with new.turn():
            order.append("new")

    with long.turn():
        order.append("long")
        thread = threading.Thread(target=begin)
        thread.start()
        joined.wait(5)
        time.sleep(0.1)
        long.step_aside()
        order.append("long again")
    thread.join(5)
    assert order == ["long", "new", "long again"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_work_at_once_than_there_are_turns(at_once):
    turns, inside, most = Turns(at_once), [], []

    def work(place):
        with turns.turn((0, place)):
            inside.append(place)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(place)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(40)))
    assert max(most) <= at_once
    assert len(most) == 40


def test_an_error_gives_its_turn_back_and_too_much_work_is_refused():
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn((0, 0.0)):
        raise ZeroDivisionError
    listener = Listener(turns, work_s=0.01)
    with listener.turn():
        sum(range(2_000_000))
    with pytest.raises(RefusedError) as error, listener.turn():
        pass
    assert error.value.code == "timeout"
    assert code_of(error.value) == "timeout"
