"""The archives' MIDI made anew from checkouts of the public repositories.

    python scripts/convert_scores.py polish humdrum-polish-scores --output polish_scores
    python scripts/convert_scores.py openhymnal openhymnal --output hymns
    python scripts/convert_scores.py songbooks christmas-carols --output carols

polish: pl-wnifc/humdrum-polish-scores, **kern, by verovio. openhymnal: mzealey/openhymnal, ABC, by abc2midi (abcMIDI). songbooks:
bbloomf/lilypond-songs and bbloomf/christmas-carols, by LilyPond (`pip install lilypond`, or a `lilypond` on the path).
OpenEWLD's .mxl files are read as they are. Tracks are named as the readers of `pianalysis.dataset.corpora` want them, and bar lines are
true: a pickup or an odd bar has a time signature of its own. A file that can't be converted is named, and the rest goes on.
"""

from __future__ import annotations

import argparse
import base64
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.music.metres import metre_of_bar
from pianalysis.music.midi import read_midi
from pianalysis.music.repeats import Bar, Ending, play_order

PARTS: Final = ("SOPRANO", "ALTO", "TENOR", "BASS")
SECONDS: Final = 120
VOICES: Final = re.compile(
    r"\*I\"?'?(vox|voice|sopr|alto|tenor|bass|cant|bariton|spiew|śpiew|glos|głos)", re.IGNORECASE
)
TITLES: Final = {".krn": r"^!!!OTL[^:]*: *(.+)$", ".abc": r"^T: *(.+)$", ".ly": r'^\s*title\s*=\s*"([^"]+)"'}
COMPOSERS: Final = {".krn": r"^!!!COM[^:]*: *(.+)$", ".abc": r"^C: *(.+)$", ".ly": r'^\s*composer\s*=\s*"([^"]+)"'}


@dataclass(frozen=True)
class Converted:
    """A score with the tracks named, and what folder of the archive it is in."""

    score: symusic.Score
    folder: str = ""


def convert_kern(path: Path) -> Converted:
    """A piece of the Heritage of Polish music: VOICE or SOLO over PIANO RH and PIANO LH, or these two alone."""
    toolkit = _verovio()
    text = path.read_text(encoding="utf-8", errors="replace")
    if not toolkit.loadData(text):
        raise PianalysisError(f"{path}: expected **kern, found what verovio can't read")
    score = read_midi(base64.b64decode(toolkit.renderToMIDI()), name=str(path))
    names, folder = ["PIANO RH", "PIANO LH"], "piano"
    if len(score.tracks) == 3:
        sung = "**text" in text or VOICES.search(text) is not None
        names, folder = [("VOICE" if sung else "SOLO"), *names], "songs" if sung else "instrumental"
    if len(score.tracks) != len(names):
        raise PianalysisError(
            f"{path}: expected a piano, alone or with one more staff, found {len(score.tracks)} staves"
        )
    for track, name in zip(score.tracks, names, strict=True):
        track.name = name
    moments = toolkit.renderToTimemap({"includeMeasures": True})
    lines = [Fraction(row["qstamp"]).limit_denominator(1_000) for row in moments if "measureOn" in row]
    return Converted(_with_bars(score, [*lines, Fraction(moments[-1]["qstamp"]).limit_denominator(1_000)]), folder)


@lru_cache(maxsize=1)
def _verovio() -> Any:
    try:
        import verovio
    except ImportError:
        raise PianalysisError("verovio reads **kern and isn't installed; pip install verovio") from None
    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def convert_abc(path: Path) -> Converted:
    """A hymn of the Open Hymnal Project in four voices, of which the first is the soprano."""
    program = shutil.which("abc2midi")
    if program is None:
        raise PianalysisError("abc2midi isn't on the path; install abcMIDI (apt install abcmidi)")
    score = _run([program, str(path.absolute()), "-NGUI", "-o", "out.mid"], path)  # without its chord names played
    for track in score.tracks:
        track.lyrics.clear()  # some stand before tick 1
    score = score.shift_time(-min((item.time for item in score.time_signatures), default=0))  # it begins at tick 1
    lengths = abc_bars(path.read_text(encoding="utf-8", errors="replace"))
    lines = [sum(lengths[:count], Fraction(0)) for count in range(len(lengths) + 1)]
    return Converted(_with_bars(_named(score, path), lines))


def convert_lilypond(path: Path) -> Converted:
    """A song or carol in four parts, engraved with LilyPond, which is asked for its MIDI alone."""
    score = _run([_lilypond(), "--loglevel=ERROR", "-dno-print-pages", "--output=out", str(path.absolute())], path)
    pickup = re.search(r"\\partial\s*(\d+)(\.?)(?:\*(\d+))?", path.read_text(encoding="utf-8", errors="replace"))
    lines = [Fraction(0)]
    if pickup:
        lines.append(Fraction(4, int(pickup[1])) * (Fraction(3, 2) if pickup[2] else 1) * int(pickup[3] or 1))
    return Converted(_with_bars(_named(score, path), lines))


def _lilypond() -> str:
    if (program := shutil.which("lilypond")) is not None:
        return program
    if find_spec("lilypond") is None:
        raise PianalysisError("LilyPond isn't there; pip install lilypond, or put it on the path")
    import lilypond

    return str(lilypond.executable())


def _run(command: Sequence[str], path: Path) -> symusic.Score:
    """The first MIDI file that a program writes into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise PianalysisError(f"{path}: no end after {SECONDS} s") from None
        written = sorted(item for item in Path(folder).iterdir() if item.suffix in (".mid", ".midi"))
        if not written:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise PianalysisError(f"{path}: expected MIDI, found none ({said[-1] if said else 'and not a word'})")
        return read_midi(written[0].read_bytes(), name=str(path))


def _named(score: symusic.Score, path: Path) -> symusic.Score:
    """The four parts of a score by what their tracks are called, or else in their order; others are left out."""
    tracks = [track for track in score.tracks if len(track.notes)]
    chosen = [next((t for t in tracks if t.name.strip().upper().startswith(name[:5])), None) for name in PARTS]
    if any(track is None for track in chosen):
        if len(tracks) != len(PARTS):
            raise PianalysisError(f"{path}: expected soprano, alto, tenor and bass, found {[t.name for t in tracks]}")
        chosen = list(tracks)
    copies = [track.copy() for track in chosen if track is not None]
    score.tracks.clear()
    for track, name in zip(copies, PARTS, strict=True):
        track.name = name
        score.tracks.append(track)
    return score


def _with_bars(score: symusic.Score, lines: Sequence[Fraction]) -> symusic.Score:
    """The score with a time signature wherever a bar isn't as long as its metre; after the last line bars are full."""
    stated = {item.time: (item.numerator, item.denominator) for item in score.time_signatures}
    if 0 not in stated:
        stated[0] = (4, 4)
    ticks = [round(line * score.tpq) for line in lines]
    score.time_signatures.clear()
    current = None
    for index, tick in enumerate(ticks):
        metre = stated[max(time for time in stated if time <= tick)]
        length = lines[index + 1] - lines[index] if index + 1 < len(lines) else None
        if length == 0 or (length is None and index and tick >= score.end()):
            continue
        now = metre if length in (None, Fraction(4 * metre[0], metre[1])) else metre_of_bar(length, metre[1])
        if now != current:
            score.time_signatures.append(symusic.TimeSignature(tick, *now))
            current = now
    return score


ABC_IGNORED: Final = re.compile(r'"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|%.*$', re.MULTILINE)
"""Chord names, signs, grace notes, fields within a line, comments."""
ABC_TOKEN: Final = re.compile(
    r"\((?P<tuplet>[2-9])"
    r"|(?P<bar>\[?:*\|[|\]:]*|::)\s*\[?(?P<ending>[1-4])?"
    r"|(?P<key>\[[^\]|]+\]|[_^=]*[A-Ga-g][,']*|[xz])(?P<number>\d*)(?P<slashes>/*)(?P<under>\d*)"
)
TUPLETS: Final = {2: Fraction(3, 2), 3: Fraction(2, 3), 4: Fraction(3, 4), 6: Fraction(1, 3), 8: Fraction(3, 8)}


def abc_bars(text: str) -> list[Fraction]:
    r"""The lengths in quarters of the bars of a tune's first voice, as they are played.

    >>> [str(length) for length in abc_bars("M:3/4\nL:1/4\nK:G\nG | c2 B | (3ccc c/c/ |]")]
    ['1', '3', '3']
    """
    lengths: list[Fraction] = []
    bars: list[Bar] = []
    endings: list[tuple[int, int]] = []
    now, forward, tuplet, left = Fraction(0), False, Fraction(1), 0
    for token in ABC_TOKEN.finditer(_first_voice(text) + "|"):
        if token["tuplet"]:
            left = int(token["tuplet"])
            tuplet = TUPLETS.get(left, Fraction(2, left))
        elif token["key"]:
            under = int(token["under"] or 2) if len(token["slashes"]) == 1 else 2 ** len(token["slashes"])
            length = Fraction(int(token["number"] or 1), under if token["slashes"] else 1)
            now += length * (tuplet if left else 1)
            left = max(0, left - 1)
        else:
            sign = token["bar"]
            back = sign.lstrip("[").startswith(":")
            if now:
                lengths.append(now * _abc_unit(text))
                bars.append(Bar(forward=forward, times=2 if back else 0))
                now, forward = Fraction(0), False
            forward |= sign.endswith(":")
            if token["ending"]:
                endings.append((len(bars), int(token["ending"])))
    spans = []
    for place, (start, number) in enumerate(endings):
        stop = endings[place + 1][0] if place + 1 < len(endings) else len(bars)
        spans.append(Ending(start, _end_of(bars, start, stop), (number,)))
    return [lengths[number] for number in play_order(bars, [span for span in spans if span.first < len(bars)])]


def _end_of(bars: Sequence[Bar], start: int, stop: int) -> int:
    """The last bar of an ending: that of the repeat sign, or the first one."""
    return next((at for at in range(start, min(stop, len(bars))) if bars[at].times), start)


def _first_voice(text: str) -> str:
    """The music of the first voice: lines begin with `[V: name]`, or stand under `V: name`, or there is but one voice."""
    body = re.split(r"^K:.*$", text, maxsplit=1, flags=re.MULTILINE)[-1]
    first, current, lines = None, "", []
    for line in body.splitlines():
        if named := re.match(r"\[?V: *([^\s\]]+)", line):
            current = named[1]
            if not line.startswith("["):
                continue
        if re.match(r"[A-Za-z]:", line):
            continue
        music = ABC_IGNORED.sub("", line)
        first = current if first is None and music.strip() else first
        if current == first:
            lines.append(music)
    return "\n".join(lines)


def _abc_unit(text: str) -> Fraction:
    """The unit of length in quarters: `L:`, or an eighth, or in metres under 3/4 a sixteenth."""
    if unit := re.search(r"^L: *(\d+)/(\d+)", text, re.MULTILINE):
        return Fraction(4 * int(unit[1]), int(unit[2]))
    metre = re.search(r"^M: *(\d+)/(\d+)", text, re.MULTILINE)
    return Fraction(1, 4) if metre and Fraction(int(metre[1]), int(metre[2])) < Fraction(3, 4) else Fraction(1, 2)


CORPORA: Final[dict[str, tuple[str, str, Callable[[Path], Converted]]]] = {
    "polish": (".krn", "po-", convert_kern),
    "openhymnal": (".abc", "oh-", convert_abc),
    "songbooks": (".ly", "", convert_lilypond),
}
"""What a corpus's files end in, what its pieces' ids begin with, and what reads one."""


def convert(corpus: str, checkout: Path, output: Path) -> Iterator[tuple[Path, str]]:
    """Write a corpus's MIDI files and its metadata.tsv into a folder; yields each file and its id, or why there is none."""
    suffix, prefix, read = CORPORA[corpus]
    rows = ["id\ttitle\tcomposer\tsource"]
    for path in sorted(checkout.rglob(f"*{suffix}")):
        name = prefix or "".join(word[0] for word in checkout.name.split("-")[:2]) + "-"
        piece_id = name + re.sub(r"\W+", "_", path.stem, flags=re.ASCII)
        try:
            converted = read(path)
            target = output / converted.folder / f"{piece_id}.mid"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, converted.score.dumps_midi())
        except PianalysisError as error:
            yield path, f"left out: {error}"
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found = [re.search(table[suffix], text, re.MULTILINE) for table in (TITLES, COMPOSERS)]
        about = [" ".join(match[1].split()) if match else "" for match in found]
        rows.append("\t".join([piece_id, *about, path.relative_to(checkout).as_posix()]))
        yield path, piece_id
    write_atomically(output / "metadata.tsv", ("\n".join(rows) + "\n").encode())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("checkout", type=Path, help="a folder with the repository's files")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    if not args.checkout.is_dir():
        parser.error(f"{args.checkout}: expected a checkout of the repository, found no folder")
    args.output.mkdir(parents=True, exist_ok=True)
    done = left_out = 0
    for path, what in convert(args.corpus, args.checkout, args.output):
        left_out += what.startswith("left out")
        done += not what.startswith("left out")
        if what.startswith("left out"):
            print(f"{path}: {what}", file=sys.stderr)
    print(f"{done} converted, {left_out} left out: {args.output}")
    return 0 if done else 2


if __name__ == "__main__":
    sys.exit(main())
