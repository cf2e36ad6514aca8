"""Systems side by side on the same test songs, as `pianalysis evaluate` judges them: docs/leaderboard.md.

    python scripts/make_leaderboard.py --dataset data/pianalysis --songs 10 --model small --write
    python scripts/make_leaderboard.py --dataset data/pianalysis --songs 40 --model canonical --model small \
        --folder board --system theirs=their_output/ --write
    python scripts/make_leaderboard.py --songs 0 --published AccoMontage melodies/ arrangements/ people/

With `--folder` the melodies lie in melodies/, named for whoever wants to arrange them with another system, whose output `--system` takes:
MIDI files of the same names. `--published` is for outputs that somebody else made of other songs: a name, a folder of melodies (which
may be that of the arrangements, where they hold their melody), one of arrangements, and if there are any one of people's pieces; they
have a table of their own. Tables of the file that a run doesn't make stay as they are. An interrupted run with `--folder` goes on:
what is arranged isn't arranged again.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from pianalysis.arranging.arranger import Options
from pianalysis.errors import PianalysisError
from pianalysis.evaluation import Judgement, judge
from pianalysis.evaluation.folders import Folder
from pianalysis.evaluation.judging import names_of
from pianalysis.evaluation.likelihoods import spaced
from pianalysis.evaluation.run import name_models, read_songs, references
from pianalysis.evaluation.songs import BY_RULE, Song
from pianalysis.evaluation.takes import Take, make_takes
from pianalysis.files import write_atomically
from pianalysis.metrics.names import HUMAN, METRICS, TWO_SAMPLE
from pianalysis.model.weights import read_weights
from pianalysis.music.midi import write_midi
from pianalysis.processes import default_processes, workers
from pianalysis.publishing.corpora_facts import title_of
from pianalysis.publishing.tables import cell, markdown_table

ROOT = Path(__file__).parents[1]
BOARD: Final = ROOT / "docs" / "leaderboard.md"
PEOPLE: Final = "people"
SHOWN: Final = {
    TWO_SAMPLE: "told from people, AUC",
    "chord_tones": "chord tones",
    "chord_root": "root agreement",
    "root_in_bass": "root in the bass",
    "melody_in_chord": "melody in its chords",
    "out_of_key": "out of key",
    "clash_rate": "clashes",
    "pcs_coupling": "PCS coupling",
    "notes_per_beat": "notes a beat",
    "area_pitch": "area, pitch",
    "area_inter_onset": "area, rhythm",
    "melody_recall": "melody recall",
}
HEAD: Final = """# Leaderboard

Accompaniments for the same melodies by several systems, judged by `pianalysis evaluate`: of each figure the mean over songs and its
95 % bootstrap interval. The order is that of the first column, in which 0.5 is best: whether a classifier tells a system's four bars
from people's, of songs it hasn't seen; in people's own row it tells their four bars from each other. What the columns are, and what they
don't tell, is in [metrics.md](metrics.md). With few songs that column is rough: people's own row, which would be 0.5 of very many, shows how
rough. *Other song's*: what people wrote for another melody. *Block chords*: of the melody's key, the diatonic triad that fits each half
bar best."""


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    args = build_parser().parse_args(words)
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            parts = boards(args, args.folder or Path(temporary))
        parts += [published(*item) for item in args.published]
        command = shlex.join(["python", "scripts/make_leaderboard.py", *(word for word in words if word != "--write")])
        text = with_sections(BOARD.read_text(encoding="utf-8") if BOARD.exists() else "", parts, f"{command} --write")
    except (PianalysisError, OSError) as error:
        print(f"make_leaderboard.py: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(parts))
    if args.write:
        write_atomically(BOARD, text.encode())
    return 0


def with_sections(board: str, parts: Sequence[str], command: str) -> str:
    """The leaderboard with these sections, each with the command that made it; what else it has stays."""
    sections = {
        part.split("\n", 1)[0]: part.rstrip("\n") for part in re.split(r"^(?=## )", board, flags=re.MULTILINE)[1:]
    }
    sections |= {part.split("\n", 1)[0]: f"{part}\n\nMade by `{command}`." for part in parts}
    return "\n\n".join([HEAD, *sections.values()]) + "\n"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", metavar="DIR_OR_ID", help="whose test songs are arranged")
    parser.add_argument("--corpus", action="append", help="may be given again; default: all that the dataset has")
    parser.add_argument("--songs", type=int, default=40, metavar="N", help="of each corpus; 0: none")
    parser.add_argument("--seconds", type=float, default=90.0, metavar="S", help="of each song, in whole bars")
    parser.add_argument("--model", action="append", default=[], metavar="DIR_OR_ID", help="of ours; may be given again")
    parser.add_argument(
        "--system", action="append", default=[], metavar="NAME=DIR", help="another's MIDI, named as the melodies are"
    )
    parser.add_argument(
        "--published",
        action="append",
        default=[],
        nargs="+",
        metavar="WORD",
        help="NAME MELODIES ARRANGEMENTS [PEOPLE]",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where MIDI files are kept; default: nowhere")
    parser.add_argument("--write", action="store_true", help=f"write {BOARD.relative_to(ROOT)}")
    parser.add_argument("--num-proc", type=int, default=default_processes(), metavar="N")
    return parser


def boards(args: argparse.Namespace, folder: Path) -> list[str]:
    """A table for each corpus of the dataset."""
    if not args.songs:
        return []
    if not args.dataset:
        raise PianalysisError("expected --dataset, whose songs are arranged, found none; --songs 0 asks for none")
    parts = []
    for corpus, everything in read_songs(args.dataset, "test", args.seconds).items():
        if args.corpus is None or corpus in args.corpus:
            songs = spaced(everything, args.songs)
            parts.append(board(args, songs, everything, folder / corpus))
    return parts


def board(args: argparse.Namespace, songs: Sequence[Song], everything: Sequence[Song], folder: Path) -> str:
    """The songs' files written, arranged and judged."""
    write_songs(songs, folder)
    systems: dict[str, Folder] = {}
    for label, pieces in references(songs, everything).items():
        systems[label] = write_pieces(songs, [takes[0].accompaniment for takes in pieces], folder / of_folder(label))
    people = systems.pop(HUMAN)
    systems |= arranged(args, songs, folder) | dict(names_of(args.system).items())  # type: ignore[arg-type]
    charts = folder / "chords" if any((folder / "chords").iterdir()) else None
    judgement = judge(folder / "melodies", systems, references=people, chords=charts)
    for remark in judgement.remarks:
        print(f"# {remark}", file=sys.stderr)
    seconds = "to their end" if args.seconds == float("inf") else f"the first {args.seconds:g} s of each"
    head = f"{len(judgement.songs)} of the {len(everything)} test songs, evenly spaced, {seconds} from the melody's first bar"
    return f"## {title_of(songs[0].corpus)}\n\n{head}; {judgement.about().split('; ')[1]}\n\n{table(judgement)}"


def of_folder(label: str) -> str:
    return PEOPLE if label == HUMAN else label.replace("'", "")


def write_songs(songs: Sequence[Song], folder: Path) -> None:
    """The melodies, and the chords that people wrote or labelled."""
    for name in ("melodies", "chords"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for song in songs:
        write_midi(folder / "melodies" / f"{song.name}.mid", song.score())
        if song.chords and song.chord_source != BY_RULE:
            rows = ((*(song.clock.to_real([start, end]) / 1_000), label) for start, end, label in song.chords)
            lines = [f"{start:.6f} {end:.6f} {label}" for start, end, label in rows]
            write_atomically(folder / "chords" / f"{song.name}.lab", ("\n".join(lines) + "\n").encode())


def write_pieces(songs: Sequence[Song], accompaniments: Sequence[Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for song, accompaniment in zip(songs, accompaniments, strict=True):
        write_midi(folder / f"{song.name}.mid", song.score(accompaniment))
    return folder


def arranged(args: argparse.Namespace, songs: Sequence[Song], folder: Path) -> dict[str, Folder]:
    """Our models' arrangements, of one seed, with the arranger's defaults."""
    systems: dict[str, Folder] = {}
    with workers(args.num_proc, 1) as run:
        for model in name_models(args.model) if args.model else []:
            options = Options().resolved(read_weights(model.source or None).sampling)
            takes = make_takes([Take(model, song, 0, options) for song in songs], folder / "takes", run=run)
            pieces = [take.accompaniment for take in takes]
            systems[f"ours, {model.label}"] = write_pieces(songs, pieces, folder / of_folder(model.label))
    return systems


def published(*words: str) -> str:
    """Outputs that somebody published, of their own songs."""
    if not 3 <= len(words) <= 4:
        raise PianalysisError(f"expected --published NAME MELODIES ARRANGEMENTS [PEOPLE], found {shlex.join(words)}")
    name, melodies, arrangements, *people = words
    judgement = judge(melodies, {name: arrangements}, references=people[0] if people else None)
    return f"## {name}, as published\n\n{judgement.about()}\n\n{table(judgement)}"


def table(judgement: Judgement) -> str:
    """A row a system, people first, then by how far the classifier is from guessing; a column a metric that somebody has."""
    systems = judgement.systems
    names = sorted(systems, key=lambda name: (name != HUMAN, far_from_guessing(systems[name])))
    shown = [metric for metric in SHOWN if any(known(systems[name].get(metric)) for name in names)]
    rows = (
        (
            PEOPLE if name == HUMAN else name,
            *(cell(systems[name].get(metric), METRICS[metric].digits, difference=False) for metric in shown),
        )
        for name in names
    )
    reasons = [f"Left out: {reason}." for reason in dict.fromkeys(judgement.figures["left_out"].values())]
    return "\n\n".join([markdown_table(("", *(SHOWN[metric] for metric in shown)), rows), *reasons])


def known(figure: Mapping[str, Any] | None) -> bool:
    return figure is not None and figure["mean"] is not None


def far_from_guessing(figures: Mapping[str, Any]) -> float:
    area = figures.get(TWO_SAMPLE)
    return abs(area["mean"] - 0.5) if known(area) else 1.0


if __name__ == "__main__":
    raise SystemExit(main())
