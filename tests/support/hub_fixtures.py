"""A local Hub for a test: started on a free port with an empty folder, with a log, and with faults on demand.

A test module says `pytest_plugins = ["hub_fixtures"]`, importing nothing from here, and takes the fixture `hub`. Clients in another process get
`hub.env`; huggingface_hub reads its environment when it's imported, so a test that calls it in its own process takes
the fixture `hub_client` too.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from hub_place import constants_at
from local_hub import TOKEN, LocalHub
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send


@dataclass
class Seen:
    """A request that came in; `status` is None until it's answered, and stays so when the connection was cut."""

    request: str
    token: str
    status: int | None = None


@dataclass
class Fault:
    """What goes wrong with the next requests whose "METHOD /path" the pattern finds."""

    kind: str
    pattern: str
    times: int
    number: float = 0
    action: Callable[[], object] = bool


class HubServer:
    """A running local Hub: its address, what was asked of it, and what shall go wrong."""

    def __init__(self, folder: Path) -> None:
        self.hub = LocalHub(folder / "hub")
        self.home = folder / "hf_home"
        self.requests: list[Seen] = []
        self.faults: list[Fault] = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self, log_level="error", lifespan="off", ws="none"))
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)
        self.thread.start()
        self.wait(lambda: self.server.started)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a client in another process, with a cache of its own."""
        mine = {"HF_ENDPOINT": self.endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(self.home), "HF_HUB_OFFLINE": "0"}
        quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return os.environ | mine | quiet | {"OMP_NUM_THREADS": "1"}

    def run(self, code: str, *args: str, **env: str) -> str:
        """Run Python code in a process of its own, in an empty folder, and give back what it printed."""
        place = self.home.parent / "elsewhere"
        place.mkdir(exist_ok=True)
        command, env = [sys.executable, "-c", code, *args], self.env | env
        done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fail(self, pattern: str = "", *, status: int = 503, times: int = 1) -> None:
        """Answer the next matching requests with an error, in HTML as gateways do."""
        self.faults.append(Fault("fail", pattern, times, status))

    def drop(self, pattern: str, *, after_bytes: int = 0, times: int = 1) -> None:
        """Cut the connection of the next matching requests when so many bytes of their body have come."""
        self.faults.append(Fault("drop", pattern, times, after_bytes))

    def lose_answer(self, pattern: str, *, times: int = 1) -> None:
        """Do what the next matching requests ask for, then cut the connection instead of answering."""
        self.faults.append(Fault("lose", pattern, times))

    def hold(self, pattern: str, *, seconds: float, times: int = 1) -> None:
        """Let the next matching requests wait before they are served."""
        self.faults.append(Fault("hold", pattern, times, seconds))

    def meanwhile(self, pattern: str, action: Callable[[], object]) -> None:
        """Do something just before the next matching request is served."""
        self.faults.append(Fault("meanwhile", pattern, 1, action=action))

    def commit_file(self, kind: str, repo_id: str, path: str, data: bytes) -> None:
        """A commit by somebody else, of one small file."""
        repo = self.hub.repos[kind, repo_id]
        tree = repo.commits[repo.branches["main"]].tree
        repo.commit("main", tree | {path: self.hub.put_blob(data)}, "by somebody else")

    def seen(self, pattern: str) -> list[Seen]:
        """The requests so far whose "METHOD /path" the pattern finds."""
        return [seen for seen in list(self.requests) if re.search(pattern, seen.request)]

    def history(self, kind: str, repo_id: str) -> list[str]:
        """The titles of the commits on a repository's main branch, oldest first."""
        repo = self.hub.repos[kind, repo_id]
        titles, at = [], repo.branches.get("main")
        while at:
            titles.append(repo.commits[at].title)
            at = repo.commits[at].parent
        return titles[::-1]

    def files(self, kind: str, repo_id: str) -> dict[str, bytes]:
        """The files of a repository's main branch and their contents, but for the Hub's own .gitattributes."""
        repo = self.hub.repos[kind, repo_id]
        tree = repo.commits[repo.branches["main"]].tree
        return {
            path: (self.hub.lfs / file.sha256 if file.sha256 else self.hub.blobs / file.oid).read_bytes()
            for path, file in tree.items()
            if path != ".gitattributes"
        }

    @staticmethod
    def wait(until: Callable[[], object], seconds: float = 30) -> None:
        """Wait until something is true."""
        limit = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < limit, "waited in vain"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server, whatever it's doing."""
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(timeout=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
        seen = Seen(f"{scope['method']} {scope['raw_path'].decode()}", authorization.removeprefix("Bearer "))
        self.requests.append(seen)
        fault = self._take_fault(seen.request)

        async def answer(message: Message) -> None:
            seen.status = message.get("status", seen.status)
            await send(message)

        async def keep(message: Message) -> None:
            pass

        if fault.kind == "fail":
            await Response("<html>out of order</html>", int(fault.number))(scope, receive, answer)
        elif fault.kind == "drop":
            await read_bytes(receive, int(fault.number))
            await self._cut(scope, receive)
        elif fault.kind == "lose":
            await self.hub(scope, receive, keep)
            await self._cut(scope, receive)
        else:
            await asyncio.sleep(fault.number)
            fault.action()
            await self.hub(scope, receive, answer)

    def _take_fault(self, request: str) -> Fault:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.pattern, request):
                fault.times -= 1
                return fault
        return Fault("none", "", 0)

    async def _cut(self, scope: Scope, receive: Receive) -> None:
        for connection in list(self.server.server_state.connections):
            transport = connection.transport
            if transport.get_extra_info("peername") == tuple(scope["client"]):
                transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def read_bytes(receive: Receive, count: int) -> None:
    """Read at least so many bytes of a request's body, or all of it."""
    while count > 0:
        message = await receive()
        count -= len(message.get("body", b""))
        if not message.get("more_body"):
            return


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A local Hub of this test's own."""
    server = HubServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def hub_client(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The same, and huggingface_hub in this process talks to it."""
    from huggingface_hub import close_session, constants

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name, value in constants_at(hub.endpoint, hub.home).items():
        monkeypatch.setattr(constants, name, value)
    yield hub
    close_session()
