"""How soon the demo is heard: seconds from a click to the first notes, the first sound and the finished piece.

    python scripts/measure_demo.py                     # three examples one by one, then four users at once

Needs chromium, and the extras `space` and `test`. Starts the demo in a process of its own, warm, and looks at it with a
browser on the same machine, which takes its share of it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from typing import Any

from load_space import settle, wait  # its neighbour in scripts/
from playwright.sync_api import sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
EXAMPLES = ("Ode to Joy", "Minuet in G", "Auld Lang Syne")
AT_ONCE = (*EXAMPLES, "Greensleeves")
TIMES = "['firstNotes', 'firstSound', 'done'].map((name) => (pianalysis.timing[name] - pianalysis.timing.asked) / 1000)"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="FILE")
    args = parser.parse_args(argv)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"GRADIO_TEMP_DIR": folder}
        command = [sys.executable, "-m", "pianalysis", "demo", "--no-browser", "--port", str(port)]
        demo = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(address, demo)
            settle(demo.pid)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=args.chromium, args=FLAGS)
                ask(opened(browser, address), "Sakura")  # the first piece of all warms up
                print("| | first notes, s | first sound, s | finished, s |\n|---|--:|--:|--:|")
                for title in EXAMPLES:
                    page = opened(browser, address)
                    show(title, ask(page, title))
                    weigh(page)
                    page.close()
                pages = [opened(browser, address) for _ in AT_ONCE]
                for page, title in zip(pages, AT_ONCE, strict=True):
                    page.get_by_role("button", name=title).click()
                for page, title in zip(pages, AT_ONCE, strict=True):
                    show(f"{title}, one of four at once", times(page))
                browser.close()
        finally:
            demo.terminate()
            demo.wait()
    return 0


def opened(browser: Any, address: str) -> Any:
    page = browser.new_page()
    page.set_default_timeout(300_000)
    page.goto(address)
    page.wait_for_function("globalThis.pianalysis")
    return page


def ask(page: Any, title: str) -> list[float]:
    page.get_by_role("button", name=title).click()
    return times(page)


def times(page: Any) -> list[float]:
    page.wait_for_function("pianalysis.timing.done && pianalysis.timing.firstSound")
    found: list[float] = page.evaluate(TIMES)
    return found


def show(title: str, seconds: list[float]) -> None:
    print(f"| {title} | {' | '.join(f'{value:.2f}' for value in seconds)} |", flush=True)


def weigh(page: Any) -> None:
    """What the page has loaded, its samples included."""
    count, size = page.evaluate(
        "(() => { const all = performance.getEntriesByType('resource');"
        " return [all.length + 1, all.reduce((sum, entry) => sum + entry.transferSize, 0)]; })()"
    )
    print(f"|   … {count} requests, {size / 1e6:.2f} MB | | | |", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
