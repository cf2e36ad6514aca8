"""A part of the page by itself in a real browser, without a server: the static files are handed to the browser as it asks.

A test module says `pytest_plugins = ["demo_fixtures", "part_fixtures"]` and takes `open_part`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from pianalysis.webui.server import STATIC

ORIGIN = "http://localhost"  # a secure context: the microphone may be asked for
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Part</title>
<link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/parts.css"><link rel="icon" href="data:,">
<body><main style="display: block"><div id="part"></div></main><script type="module">%s</script>"""


def answer(route: Any, script: str) -> None:
    """Hand the browser the page or a static file; nothing else is there."""
    path = urlsplit(route.request.url).path.lstrip("/")
    file = STATIC / path
    if not path:
        route.fulfill(body=PAGE % script, content_type="text/html")
    elif route.request.url.startswith(ORIGIN) and file.is_file():
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(path)[0]
        route.fulfill(body=file.read_bytes(), content_type=kind)
    else:
        route.fulfill(status=404)


@pytest.fixture
def open_part(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages that run a module's script; no error may be left in their console."""
    pages = []

    def opened(script: str, *, within: Any = browser, **options: Any) -> Any:
        page = within.new_page(**({"viewport": {"width": 900, "height": 700}} | options))
        page.set_default_timeout(15_000)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))
        page.route("**/*", lambda route: answer(route, script))
        page.goto(f"{ORIGIN}/")
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
        assert page.faults == []
