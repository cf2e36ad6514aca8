"""Three pictures of the demo for the README: writing (light), four takes (dark), on a phone.

    python scripts/make_screenshots.py                 # into space/images

Needs chromium, and the extras `space` and `test`. Starts the demo by itself.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from pianalysis.webui.server import serve

ROOT = Path(__file__).parents[1]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOST_BYTES = 300_000
DESKTOP = {"viewport": {"width": 1360, "height": 1010}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "space" / "images", metavar="DIR")
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="FILE")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        address = serve(block=False)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=args.chromium, args=FLAGS)
            for name, options, scene in (
                ("demo_writing", DESKTOP, writing),
                ("demo_takes", DESKTOP | {"color_scheme": "dark"}, takes),
                ("demo_phone", PHONE, on_a_phone),
            ):
                shoot(browser.new_page(**options), address, scene, args.output / f"{name}.png")
            browser.close()
    return 0


def shoot(page: Any, address: str, scene: Callable[[Any], None], path: Path) -> None:
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_function("globalThis.pianalysis")
    scene(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"expected at most {MOST_BYTES:,} bytes")


def writing(page: Any) -> None:
    """A third of the way through, while it plays."""
    page.get_by_role("button", name="Minuet in G").click()
    page.wait_for_function("pianalysis.roll.writtenMs > 15000 && pianalysis.player.position() > 1500")


def takes(page: Any) -> None:
    """Four takes, bars selected in the last, its fit below."""
    page.get_by_role("button", name="Ode to Joy").click()
    page.wait_for_function("pianalysis.takes.all.length === 1")
    for number in (2, 3, 4):
        page.click("#again")
        page.wait_for_function(f"pianalysis.takes.all.length === {number}")
    page.evaluate("pianalysis.roll.setSelection([8, 11]); pianalysis.player.seek(17000)")
    page.wait_for_function("pianalysis.player.position() > 18200")
    page.evaluate("document.getElementById('stage').scrollIntoView()")
    page.wait_for_timeout(200)


def on_a_phone(page: Any) -> None:
    page.locator("#cards button").nth(3).tap()
    page.wait_for_function("pianalysis.timing.done && pianalysis.player.position() > 5000")


if __name__ == "__main__":
    raise SystemExit(main())
