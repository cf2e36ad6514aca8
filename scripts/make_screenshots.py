"""Three pictures of the demo for the README: writing (light), roll and score with a chord's alternatives (dark), on a phone.

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
                ("demo_score", DESKTOP | {"color_scheme": "dark"}, reading),
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


def reading(page: Any) -> None:
    """Two takes, roll and score side by side, a chord's alternatives open."""
    page.get_by_role("button", name="Ode to Joy").click()
    page.wait_for_function("pianalysis.takes.all.length === 1")
    page.click("#again")
    page.wait_for_function("pianalysis.takes.all.length === 2 && !pianalysis.writer.busy")
    page.evaluate(
        "() => { pianalysis.player.pause(); pianalysis.player.seek(4500); pianalysis.roll.scroller.scrollLeft = 0; }"
    )
    page.click("#view-both")
    page.wait_for_selector("#score svg")
    page.wait_for_timeout(1_500)
    page.locator("#chord-lane .chord").nth(2).click()
    page.wait_for_selector(".chord-picker .alternative")
    page.wait_for_timeout(300)


def on_a_phone(page: Any) -> None:
    page.locator("#cards button").nth(3).tap()
    page.wait_for_function("pianalysis.timing.done && pianalysis.player.position() > 5000")


if __name__ == "__main__":
    raise SystemExit(main())
