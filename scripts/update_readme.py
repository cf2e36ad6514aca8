"""Fill the figures, tokens and picture of README and docs/ from the bundled checkpoint, and the cards' figures of whole songs.

    python scripts/update_readme.py --likelihood figures.json --former former.json --generation generation.json \
        --harmony harmony.json --metre metre.json

`--likelihood` is the file of scripts/evaluate_model.py, `--generation` that of `scripts/benchmark.py generation`, `--harmony`
that of `scripts/evaluate_harmony.py`, `--metre` that of `scripts/evaluate_metre.py`. What the first has of whole songs goes into
the cards too, beside those of `--former`, the same file as it was for the checkpoint before, or of `--alone`, that of
`scripts/evaluate_model.py --alone`. Without one of them its figures stay as they are.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import write_metrics_doc  # its neighbours in scripts/
from benchmark_generation import generation_table
from evaluate_harmony import Reliability, Row, charts_of_tunes, table_of_reliability, table_of_rows
from evaluate_metre import table as metre_table

from pianalysis import Arranger
from pianalysis.arranging.arranger import Arrangement
from pianalysis.arranging.charting import held_chords
from pianalysis.metrics.names import METRICS
from pianalysis.model.gpt2 import BUNDLED
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi
from pianalysis.publishing.tables import ARRANGEMENTS, SHORT, arrangement_tables, likelihood_table, summary_table
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import voice_start
from pianalysis.tokens.tokenizer import encode
from pianalysis.tokens.windows import make_window

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "space" / "examples" / "ode_to_joy.mid"
RESULTS, HARMONY, HOW = (ROOT / "docs" / f"{name}.md" for name in ("results", "harmony", "how-it-works"))
CARDS = (ROOT / "model_card.md", Path(BUNDLED) / "README.md")
MELODY_TOKENS, CHORDS, ACCOMPANIMENT_TOKENS = 19, 3, 24
LEGEND = (
    "*Root*, *maj/min*: the share of beats, from the melody's first note to its last, with the song's own chord, which is POP909's "
    "label, OpenEWLD's symbol, and elsewhere what `recognise` hears in the whole score. *Cadences*: the last chord of a phrase and "
    "the one before it. *Melody in chord*: on strong beats. *Bigrams' divergence*: how unlike the song's own chords follow each "
    "other, in bits (Jensen–Shannon). *People*: what is heard in their accompaniments alone."
)
CALIBRATION = (
    "How often the likeliest root of a beat is the right one in POP909, by how likely the harmoniser calls it (the script prints "
    "the other corpora's too):"
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--likelihood", type=Path, metavar="FILE")
    parser.add_argument("--alone", type=Path, metavar="FILE", help="of the same songs, by the model alone")
    parser.add_argument("--former", type=Path, metavar="FILE", help="of the same songs, by the checkpoint before")
    parser.add_argument("--generation", type=Path, metavar="FILE", help="the speeds")
    parser.add_argument("--metre", type=Path, metavar="FILE", help="where the bass is struck")
    parser.add_argument("--harmony", type=Path, metavar="FILE", help="chords found for melodies")
    args = parser.parse_args(argv)
    piece = Arranger.from_pretrained()(EXAMPLE, seed=0, style="pop")
    images = ROOT / "space" / "images"
    images.mkdir(exist_ok=True)
    piece.save_png(images / "ode_to_joy.png", title="Ode to Joy, arranged")
    if args.likelihood:
        figures = json.loads(args.likelihood.read_text(encoding="utf-8"))
        for name, file in (("alone", args.alone), ("before", args.former)):
            if file:
                add_beside(figures, json.loads(file.read_text(encoding="utf-8")), name)
        fill(ROOT / "README.md", "summary", summary_table(figures))
        rewrite(RESULTS, lambda text: with_likelihood(with_evaluation(text, figures, SHORT), figures))
        for card in CARDS:
            rewrite(card, lambda text: with_evaluation(text, figures))
        write_metrics_doc.main(["--write"])
    if args.harmony:
        fill(HARMONY, "harmony", harmony_tables(json.loads(args.harmony.read_text(encoding="utf-8"))))
        fill(HARMONY, "tunes", f"```\n{charts_of_tunes()}\n```")
    if args.metre:
        fill(RESULTS, "metre", metre_table(json.loads(args.metre.read_text(encoding="utf-8"))))
    if args.generation:
        speeds = json.loads(args.generation.read_text(encoding="utf-8"))["generation"]
        fill(RESULTS, "generation", generation_table(speeds))
    fill(HOW, "tokens", f"```\n{first_tokens(piece)}\n```")
    return 0


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def fill(path: Path, name: str, content: str) -> None:
    """Replace what stands between a file's two comments of a name."""
    rewrite(path, lambda text: between(text, name, content))


def with_likelihood(text: str, figures: dict[str, Any]) -> str:
    note = "Nats per accompaniment note (`scripts/evaluate_model.py`; the human pieces themselves, unseen in training):"
    return between(text, "likelihood", f"{note}\n\n{likelihood_table(figures)}")


def harmony_tables(found: dict[str, Any]) -> str:
    rows, sure = (
        [Row(**row) for row in found["rows"]],
        [Reliability(**row) for row in found["reliability"] if row["corpus"] == "pop909"],
    )
    return f"{table_of_rows(rows)}\n\n{LEGEND}\n\n{CALIBRATION}\n\n{table_of_reliability(sure)}"


def add_beside(figures: dict[str, Any], others: dict[str, Any], name: str) -> None:
    """Add to the systems of each corpus, in place, another model's of a name. Raises ValueError for other songs."""
    for place, row in others.items():
        if ARRANGEMENTS in row:
            mine, theirs = figures[place][ARRANGEMENTS], row[ARRANGEMENTS]
            if any(mine[name] != theirs[name] for name in ("songs", "seconds", "takes", "seed")):
                raise ValueError(f"{place}: expected figures of the same songs")
            mine["systems"][f"{row['label']} {name}"] = theirs["systems"][row["label"]]


def with_evaluation(text: str, figures: dict[str, Any], metrics: Iterable[str] = METRICS) -> str:
    """The text with the tables of whole songs between its comments; unchanged where the figures have none."""
    tables = arrangement_tables(figures, metrics)
    return between(text, "evaluation", tables) if tables else text


def between(text: str, name: str, content: str) -> str:
    """The text with everything between the two comments of a name replaced."""
    pattern = re.compile(f"(<!-- {name} -->).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"expected the comments <!-- {name} --> and <!-- /{name} --> in the file, found none")
    return pattern.sub(lambda match: f"{match[1]}\n{content}\n{match[2]}", text)


def first_tokens(piece: Arrangement) -> str:
    """The beginnings of the melody, its chords and the accompaniment, as tokens, a line a time."""
    clock = BeatClock.from_score(read_midi(EXAMPLE))
    melody, below = clock.notes_to_clock(piece.melody), clock.notes_to_clock(piece.accompaniment)
    chords = held_chords(piece.chart) if piece.chart else None
    ids = encode(make_window(melody, below, clock.bar_lines, 0, piece.style, chords).notes)
    first, last = ids.index(vocab.SEP), voice_start(ids)
    lines = [words(ids[:3]), *lines_of(ids[3:MELODY_TOKENS]), "…", words([vocab.SEP])]
    lines += [*chord_lines(ids[first + 1 : last - 1])[:CHORDS], "…", words([vocab.SEP])]
    return "\n".join([*lines, *lines_of(ids[last : last + ACCOMPANIMENT_TOKENS]), "…", words([vocab.EOS])])


def chord_lines(ids: list[int]) -> list[str]:
    """A line for each chord."""
    starts = [index for index, token in enumerate(ids) if token in vocab.TIME_IDS] + [len(ids)]
    return ["  " + words(ids[start:stop]) for start, stop in pairwise(starts)]


def words(ids: list[int]) -> str:
    return " ".join(vocab.TOKENS[token] for token in ids)


def lines_of(ids: list[int]) -> list[str]:
    """A line for each TIME; the last, which may be cut off, is left out if it is."""
    starts = [index for index, token in enumerate(ids) if token in vocab.TIME_IDS] + [len(ids)]
    parts = [ids[start:stop] for start, stop in pairwise(starts)]
    return ["  " + words(part) for part in parts if len(part) % 3 == 1 and len(part) > 1]


if __name__ == "__main__":
    raise SystemExit(main())
