"""How good is a model? Likelihood, and arrangements of whole songs beside human ones and other references.

    python scripts/evaluate_model.py --dataset data/pianalysis --model runs/small/best --json figures.json --report evaluation
    python scripts/evaluate_model.py --dataset data/pianalysis --model runs/small/best --model runs/canonical/best \
        --full --settings --json figures.json --report evaluation
    python scripts/evaluate_model.py --dataset data/pianalysis --songs 0 --split validation test --json likelihood.json

Every song is asked for with the arranger's defaults: nothing of its corpus and nothing of the human accompaniment is handed
on. With `--given` each model is also shown with the songs' own chords. Whole
songs need scikit-learn (`pip install 'pianalysis[evaluation]'`) for the classifier two-sample test; likelihood doesn't.

An interrupted run, started again, goes on: what is finished is kept in the report's folder. The JSON is what
scripts/update_readme.py and scripts/bundle_checkpoint.py read.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from pianalysis.arranging.arranger import Options
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.report import write_report
from pianalysis.evaluation.run import NO_SONG_LIMIT, EvaluationOptions, evaluate
from pianalysis.files import write_atomically
from pianalysis.processes import default_processes
from pianalysis.publishing.tables import arrangement_tables, likelihood_table
from pianalysis.tokens import vocab


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument(
        "--model", action="append", metavar="DIR_OR_ID", help="may be given again; default: the bundled checkpoint"
    )
    parser.add_argument(
        "--split",
        nargs="+",
        default=["test"],
        choices=("validation", "test"),
        help="likelihood is taken of each, songs are arranged of the last (default: test)",
    )
    parser.add_argument("--full", action="store_true", help="every song of the split, to its end")
    parser.add_argument("--songs", type=int, default=40, metavar="N", help="songs a corpus; 0: likelihood only")
    parser.add_argument("--seconds", type=float, default=90.0, metavar="S", help="of each song, in whole bars")
    parser.add_argument("--takes", type=int, default=1, metavar="N", help="arrangements of each song, averaged")
    parser.add_argument(
        "--best", action="store_true", help="also the best of the takes, chosen as `arrange --best` does"
    )
    parser.add_argument("--given", action="store_true", help="also with the songs' own chords given")
    parser.add_argument("--style", choices=[vocab.AUTO, *vocab.STYLES], default=vocab.AUTO)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, help="default: the first model's")
    parser.add_argument("--top-p", type=float, help="default: the first model's")
    parser.add_argument("--alone", action="store_true", help="the model without the arranger's clearance and structure")
    parser.add_argument("--settings", action="store_true", help="also compare sampling temperatures and top-p")
    parser.add_argument(
        "--settings-songs", type=int, default=8, metavar="N", help="songs a corpus that these are compared on"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="likelihood of at most so many windows a corpus, evenly spaced"
    )
    parser.add_argument("--preset", default="small", help="the untrained model's size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument("--report", type=Path, default=Path("evaluation"), metavar="DIR", help="tables, plots, MIDI")
    parser.add_argument("--num-proc", type=int, default=default_processes(), metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each process")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        asked = EvaluationOptions(
            dataset=args.dataset,
            models=tuple(args.model or [""]),
            splits=tuple(args.split),
            songs=NO_SONG_LIMIT if args.full else args.songs,
            seconds=float("inf") if args.full else args.seconds,
            takes=args.takes,
            best=args.best,
            given=args.given,
            seed=args.seed,
            options=options_of(args),
            settings=args.settings,
            settings_songs=args.settings_songs,
            preset=args.preset,
            limit=args.limit,
            num_proc=args.num_proc,
            threads=args.threads,
        )
        evaluation = evaluate(asked, args.report, progress)
        command = shlex.join(["python", "scripts/evaluate_model.py", *(sys.argv[1:] if argv is None else argv)])
        report = write_report(evaluation, args.report, command)
        if args.json:
            write_atomically(args.json, (json.dumps(evaluation.figures, indent=1) + "\n").encode())
    except KeyboardInterrupt:
        print("evaluate_model.py: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except (PianalysisError, OSError) as error:
        print(f"evaluate_model.py: {error}", file=sys.stderr)
        return 2
    print(likelihood_table(evaluation.figures), arrangement_tables(evaluation.figures), f"{report}", sep="\n\n")
    return 0


def options_of(args: argparse.Namespace) -> Options:
    asked = Options(style=args.style, temperature=args.temperature, top_p=args.top_p)
    return replace(asked, clear=0.0, structure=False) if args.alone else asked


def progress(what: str, total: float, unit: str) -> AbstractContextManager[Any]:
    """A bar with the time that remains."""
    return tqdm(total=total, desc=what, unit=f" {unit}", smoothing=0.05)


if __name__ == "__main__":
    raise SystemExit(main())
