"""Three pictures of the demo for the README: writing (light), the score with a chord's alternatives (dark), on a phone.

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
DESKTOP = {"viewport": {"width": 1360, "height": 940}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "space" / "images", metavar="DIR")
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="FILE")
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        address = serve(block=False)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=args.chromium, args=FLAGS)
            for name, options, scene in (
                ("demo_writing", DESKTOP, writing),
                ("demo_score", DESKTOP | {"color_scheme": "dark"}, score),
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


def score(page: Any) -> None:
    """Two takes; the roll and the score, and what else one of the chords might be."""
    page.get_by_role("button", name="Silent Night").click()
    page.wait_for_function("pianalysis.takes.all.length === 1")
    page.click("#again")
    page.wait_for_function("pianalysis.takes.all.length === 2 && !pianalysis.writer.busy")
    if page.evaluate("pianalysis.player.state") != "stopped":
        page.click("#play")
    page.click("#view-both")
    page.wait_for_selector("#score svg")
    page.evaluate("pianalysis.roll.setSelection(null); pianalysis.player.seek(9000)")
    page.locator(".chord").nth(2).click()
    page.wait_for_selector(".chord-picker .alternative")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)  # the score is drawn some bars at a time


def on_a_phone(page: Any) -> None:
    page.get_by_role("button", name="Greensleeves").tap()
    page.wait_for_function("pianalysis.timing.done && pianalysis.player.position() > 5000")


if __name__ == "__main__":
    raise SystemExit(main())
