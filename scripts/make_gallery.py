"""The gallery: twelve public-domain tunes, each arranged with a figure of the left hand, as score, chart, MIDI and sound.

    python scripts/make_gallery.py                     # into docs/gallery
    python scripts/make_gallery.py --only greensleeves

Needs chromium, and the extra `test` (verovio draws the scores). README's first screen shows the tune that `SHOWN` names.
"""

from __future__ import annotations

import argparse
import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import verovio
from PIL import Image
from playwright.sync_api import sync_playwright
from tqdm import tqdm
from update_readme import between

from pianalysis import Arrangement, Arranger
from pianalysis.output.audio import SAMPLE_RATE_HZ, synthesize
from pianalysis.output.musicxml import to_musicxml

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = ROOT / "space" / "examples"
FLAGS: Final = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGE: Final = {"scale": 40, "pageWidth": 2100, "pageHeight": 1500, "adjustPageHeight": True, "breaks": "auto"}
"""How a score is set: millimetres/10 of a page before scaling, in verovio's terms."""
FIRST_LINE: Final = {"breaks": "none", "adjustPageWidth": True}
SHOWN_BARS: Final = 5
"""README shows so many bars, one line."""
MOST_BARS: Final = 36
"""Auld Lang Syne has five verses."""
SOUND_S: Final = 20.0
FADE_S: Final = 2.0
"""How much of a piece is to be heard: enough to judge it by, little enough for a repository."""


@dataclass(frozen=True)
class Entry:
    """A tune of the examples and what is asked for it, as on the command line."""

    tune: str
    title: str
    figure: str
    style: str = "pop"
    seed: int = 0
    pedal: bool = True

    @property
    def command(self) -> str:
        """What writes the same piece."""
        others = (" --pedal" if self.pedal else "") + (f" --seed {self.seed}" if self.seed else "")
        return (
            f"pianalysis arrange space/examples/{self.tune}.mid -o {self.tune}.mid --style {self.style} "
            f"--left-hand {self.figure} --max-bars {MOST_BARS}{others}"
        )


ENTRIES: Final = (
    Entry("amazing_grace", "Amazing Grace", "ballad"),
    Entry("greensleeves", "Greensleeves", "arpeggio", "classical"),
    Entry("silent_night", "Silent Night", "broken", "classical"),
    Entry("lieber_augustin", "O du lieber Augustin", "waltz", "classical"),
    Entry("minuet_in_g", "Minuet in G", "block", "classical", pedal=False),
    Entry("ah_vous_dirai_je", "Ah! vous dirai-je, maman", "alberti", "classical"),
    Entry("auld_lang_syne", "Auld Lang Syne", "stride", pedal=False),
    Entry("irish_washerwoman", "The Irish Washerwoman", "root-fifth", pedal=False),
    Entry("new_world_largo", "Largo from the New World Symphony", "octaves"),
    Entry("ode_to_joy", "Ode to Joy", "boogie", pedal=False),
    Entry("korobeiniki", "Korobeiniki", "habanera"),
    Entry("sakura", "Sakura Sakura", "pedal", "classical"),
)
SHOWN: Final = "greensleeves"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "gallery", metavar="DIR")
    parser.add_argument("--only", choices=[entry.tune for entry in ENTRIES], action="append", help="these tunes only")
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="FILE")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", metavar="FILE")
    args = parser.parse_args(argv)
    entries = [entry for entry in ENTRIES if not args.only or entry.tune in args.only]
    args.output.mkdir(parents=True, exist_ok=True)
    arranger, charts = Arranger.from_pretrained(), {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=args.chromium, args=FLAGS)
        page = browser.new_page(device_scale_factor=1.5)
        for entry in tqdm(entries):
            piece = arranger(
                EXAMPLES / f"{entry.tune}.mid",
                style=entry.style,
                left_hand=entry.figure,
                seed=entry.seed,
                pedal=entry.pedal,
                max_bars=MOST_BARS,
            )
            charts[entry.tune] = piece.chart.text() if piece.chart else ""
            write_entry(piece, entry, args.output, page)
        browser.close()
    if len(entries) == len(ENTRIES):
        (args.output / "README.md").write_text(gallery_page(charts), encoding="utf-8")
        shown = between(args.readme.read_text(encoding="utf-8"), "shown", shown_in_readme(charts[SHOWN]))
        args.readme.write_text(shown, encoding="utf-8")
    return 0


def write_entry(piece: Arrangement, entry: Entry, folder: Path, page: Any) -> None:
    """The files of one tune: MIDI, score, sound; of the one that README shows its melody and first line too."""
    piece.save(folder / f"{entry.tune}.mid")
    score = to_musicxml(piece.score, title=entry.title, chords=piece.chords, border=piece.border)
    draw(score, folder / f"{entry.tune}.png", page)
    save_sound(piece, folder / f"{entry.tune}.ogg")
    if entry.tune == SHOWN:
        draw(score, folder / f"{entry.tune}_line.png", page, FIRST_LINE, measures=f"start-{SHOWN_BARS}")


def draw(score: bytes, path: Path, page: Any, options: dict[str, Any] | None = None, measures: str = "") -> None:
    """The first page of a score as a picture. measures: only these, as verovio's ranges are written."""
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(PAGE | {"header": "none", "footer": "none"} | (options or {}))
    if not toolkit.loadData(score.decode()):
        raise ValueError(f"expected a score that verovio reads, for {path.name}")
    if measures:
        toolkit.select({"measureRange": measures})
        toolkit.redoLayout()
    page.set_content(f"<body style='margin:0;background:white'>{toolkit.renderToSVG(1)}</body>")
    shot = page.locator("svg").first.screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("L").quantize(16, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)


def save_sound(piece: Arrangement, path: Path) -> None:
    """The beginning of a piece as it sounds, faded out."""
    notes = piece.sounding
    sound = synthesize(notes[notes["onset_ms"] < SOUND_S * 1000])[: int(SOUND_S * SAMPLE_RATE_HZ)]
    fade = min(int(FADE_S * SAMPLE_RATE_HZ), len(sound))
    sound[len(sound) - fade :] *= np.linspace(1, 0, fade, dtype=sound.dtype).reshape(-1, *[1] * (sound.ndim - 1))
    soundfile.write(path, sound, SAMPLE_RATE_HZ, format="OGG", subtype="VORBIS", compression_level=0.8)


def gallery_page(charts: dict[str, str]) -> str:
    """docs/gallery/README.md."""
    parts = [
        "# Gallery\n\nTwelve tunes in the public domain (`space/examples`), each with another figure of the left hand. The melody is as "
        "given; chords are the harmoniser's, all else is the model's. Written by `python scripts/make_gallery.py`; nothing "
        "was chosen among takes, seed 0.\n"
    ]
    for entry in ENTRIES:
        links = f"[MIDI]({entry.tune}.mid) · [sound, the first {SOUND_S:.0f} s]({entry.tune}.ogg)"
        parts.append(
            f"## {entry.title}: {entry.figure}\n\n{links}\n\n```sh\n{entry.command}\n```\n\n"
            f"![the score's first page]({entry.tune}.png)\n\n```text\n{charts[entry.tune]}\n```\n"
        )
    return "\n".join(parts)


def shown_in_readme(chart: str) -> str:
    """What README's first screen has: a melody, its chart, the score's first line, the sound."""
    entry = next(entry for entry in ENTRIES if entry.tune == SHOWN)
    raw = "https://github.com/pianalysis/pianalysis/raw/main"
    first = "\n".join(chart.splitlines()[:2])
    return (
        f"\n**{entry.title}**, in: [the melody]({raw}/space/examples/{SHOWN}.mid). Out, by `pianalysis arrange {SHOWN}.mid -o "
        f"full.mid --style {entry.style} --left-hand {entry.figure} --pedal`: its chords,\n\n```text\n{first}\n```\n\nthe score,\n\n"
        f"![the score's first line]({raw}/docs/gallery/{SHOWN}_line.png)\n\nand [the sound]({raw}/docs/gallery/{SHOWN}.ogg). "
        f"[Eleven more tunes](https://github.com/pianalysis/pianalysis/blob/main/docs/gallery/README.md), each with another "
        "figure of the left hand.\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
