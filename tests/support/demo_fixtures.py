"""The demo, running in a process of its own as users start it, and a browser to look at it with.

A test module says `pytest_plugins = ["demo_fixtures"]`, importing nothing from here, and takes `demo` (its address),
`page` (playwright's) or `open_page`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"]
DESKTOP = {"width": 1280, "height": 860}
START_S = 300
TIMEOUT_MS = 120_000  # of whatever a page is waited for: on a busy machine it comes late
# Without a graphics card the processor paints every picture: sixty in a second were most of what these tests cost.
SLOW_SCREEN = """{ const whenPainted = requestAnimationFrame.bind(globalThis);
globalThis.requestAnimationFrame = (draw) => setTimeout(() => whenPainted(draw), 80); }"""


def start_demo(folder: Path, app: str = "app.py", **env: str) -> tuple[subprocess.Popen[bytes], str]:
    """Run an app file in a folder on a free port; gives the process and the address, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | env
    log = (folder / "demo.log").open("wb") if os.access(folder, os.W_OK) else subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, app], cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    limit = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return process, address
        except OSError:
            said = (folder / "demo.log").read_text(errors="replace")
            assert process.poll() is None, said
            assert time.monotonic() < limit, said
            time.sleep(0.2)


def stop_demo(process: subprocess.Popen[bytes]) -> None:
    """End it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with the bundled small model, which writes one piece at a time.

    PIANALYSIS_DEMO: the address of one that runs already, while its page is worked on.
    """
    if running := os.environ.get("PIANALYSIS_DEMO"):
        yield running
        return
    if find_spec("gradio") is None:  # it isn't imported here: that takes three seconds
        pytest.skip("the demo needs the extra `space`")
    folder = tmp_path_factory.mktemp("demo")
    settings = {"PIANALYSIS_WORKERS": "1", "PIANALYSIS_MODEL": "small"}  # the faster one: many pieces are waited for
    process, address = start_demo(
        folder, str(ROOT / "space" / "app.py"), GRADIO_TEMP_DIR=str(folder / "files"), **settings
    )
    yield address
    stop_demo(process)


@dataclass
class Seen:
    """What a page did: addresses asked for, and errors in its console; `expected`: words of those that a test brings about."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """The errors that nobody expects."""
        return [error for error in self.errors if not any(words in error for words in self.expected)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by playwright."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Desk:
    """One browser context, used test after test, which forgets in between what pages keep: a new one costs a second of
    processor time, for a process of its own, and reads every file again."""

    def __init__(self, browser: Any, address: str, viewport: dict[str, int]) -> None:
        self.context = browser.new_context(viewport=viewport)
        anchor = self.context.new_page()  # its process stays, and pages of its address share it
        anchor.goto(address + "robots.txt")
        self.origin = "/".join(address.split("/")[:3])
        self.session = self.context.new_cdp_session(anchor)

    def page(self) -> Any:
        """A page that finds nothing of those before it; they are closed, except `anchor`."""
        self.session.send("Storage.clearDataForOrigin", {"origin": self.origin, "storageTypes": "all"})
        self.context.clear_cookies()
        return self.context.new_page()

    @property
    def free(self) -> bool:
        """Whether no test's page is open."""
        return len(self.context.pages) == 1


@pytest.fixture(scope="session")
def desk(browser: Any, demo: str) -> Iterator[Desk]:
    """The context of the demo's first page in each test, unless it asks for another kind of screen."""
    kept = Desk(browser, demo, DESKTOP)
    yield kept
    kept.context.close()


def watched(page: Any) -> Any:
    """A page on which what it does is kept: `page.seen` is a `Seen`."""
    page.set_default_timeout(TIMEOUT_MS)
    page.add_init_script(SLOW_SCREEN)
    page.seen = Seen()
    page.on("request", lambda request: page.seen.requests.append(request.url))
    page.on("pageerror", lambda error: page.seen.errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.seen.errors.append(said.text))
    return page


def loaded(page: Any, address: str) -> Any:
    """The demo's page at an address, once it can be used."""
    page.goto(address)
    page.wait_for_function("globalThis.pianalysis")
    return page


@pytest.fixture
def open_page(browser: Any, demo: str, desk: Desk) -> Iterator[Callable[..., Any]]:
    """Opens pages (`path` is what follows the address) on which nothing may go wrong, and nothing leave this machine.

    Those of one test keep nothing in common, as those of two people.
    """
    pages = []

    def opened(path: str = "", **options: Any) -> Any:
        new = desk.page() if desk.free and not options else browser.new_page(**({"viewport": DESKTOP} | options))
        pages.append(loaded(watched(new), demo + path))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()
        assert page.seen.faults == []
        assert [url for url in page.seen.requests if not url.startswith((demo, "data:", "blob:"))] == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A desktop page."""
    return open_page()


@pytest.fixture(scope="session")
def start() -> Callable[..., tuple[subprocess.Popen[bytes], str]]:
    """`start_demo`, for a demo of the test's own."""
    return start_demo
