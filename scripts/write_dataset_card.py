"""The dataset's card from a finished build, with what `scripts/benchmark.py dataset --json` measured.

    python scripts/write_dataset_card.py --dataset data/pianalysis --benchmark benchmark.json --output dataset_card.md

`--output data/pianalysis/README.md` puts the benchmark's figures into the card that is published with the dataset.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pianalysis.dataset.card import NO_REPO, PLOTS_FILE, dataset_card, scale_section
from pianalysis.dataset.report import BuildReport
from pianalysis.dataset.rows import REPORT_FILE
from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="a finished build")
    parser.add_argument("--benchmark", type=Path, metavar="FILE", help="JSON of scripts/benchmark.py dataset")
    parser.add_argument("--repo-id", default=NO_REPO, metavar="ORG/NAME")
    parser.add_argument("--output", type=Path, default=Path("dataset_card.md"), metavar="FILE")
    args = parser.parse_args(argv)
    try:
        report = BuildReport.from_dict(read_json(args.dataset / REPORT_FILE))
        scale = scale_section(read_json(args.benchmark)) if args.benchmark else ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(
            f"expected a finished build and a benchmark of this version ({type(error).__name__}: {error})",
            file=sys.stderr,
        )
        return 2
    plots = PLOTS_FILE if (args.output.parent / PLOTS_FILE).exists() else ""  # an image that isn't there is no figure
    card = dataset_card(report, args.dataset, repo_id=args.repo_id, scale=scale, plots=plots)
    write_atomically(args.output, card.encode())
    print(f"written: {args.output}")
    return 0


def read_json(path: Path) -> dict:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise PianalysisError(f"{path}: expected a JSON object, found {type(data).__name__}")
    return data


if __name__ == "__main__":
    raise SystemExit(main())
