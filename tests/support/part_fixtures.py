"""A part of the page by itself in a real browser: the static files and a page with a script, and nothing of the demo behind them.

A test module says `pytest_plugins = ["demo_fixtures", "part_fixtures"]` and takes `open_part`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from demo_fixtures import Desk, watched

from pianalysis.webui.server import STATIC

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Part</title>
<style>:root { --melody-light: #d55e00; --accompaniment-light: #0072b2; }</style>
<link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/parts.css"><link rel="icon" href="data:,">
<body><main style="display: block"><div id="part"></div></main><script type="module">%s</script>"""


WINDOW = {"width": 900, "height": 700}


class Files(SimpleHTTPRequestHandler):
    """The static files; `/part/N` is a page with the script of that number."""

    scripts: tuple[str, ...] = ()
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def do_GET(self) -> None:
        if not self.path.startswith("/part/"):
            return super().do_GET()
        body = (PAGE % Files.scripts[int(self.path.rpartition("/")[2])]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def part_server() -> Iterator[str]:
    """The address of a server of the static files, on this machine alone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"  # a secure context: the microphone may be asked for
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def part_desk(browser: Any, part_server: str) -> Iterator[Desk]:
    """The context of the first page in each test, unless it asks for another."""
    kept = Desk(browser, f"{part_server}/", WINDOW)
    yield kept
    kept.context.close()


@pytest.fixture
def open_part(browser: Any, part_server: str, part_desk: Desk) -> Iterator[Callable[..., Any]]:
    """Opens pages that run a module's script; no error may be left in their console, and nothing else be asked for."""
    pages = []

    def opened(script: str, *, context: Any = None, **options: Any) -> Any:
        if context:
            page = context.new_page()
        elif part_desk.free and not options:
            page = part_desk.page()
        else:
            page = browser.new_page(**({"viewport": WINDOW} | options))
        watched(page)
        Files.scripts += (script,)
        page.goto(f"{part_server}/part/{len(Files.scripts) - 1}")
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
        assert page.seen.faults == []
        assert [url for url in page.seen.requests if not url.startswith((part_server, "data:", "blob:"))] == []
