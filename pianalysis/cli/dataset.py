"""The commands of the dataset: ``pianalysis prepare | validate``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.publishing.corpora_facts import OPTIONS

if TYPE_CHECKING:
    from pianalysis.dataset.sources import CorpusSource


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis prepare`."""
    parser.add_argument("--corpus", action="append", required=True, choices=OPTIONS)
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="PATH",
        help="folder or archive, one a --corpus; '-' downloads POP909",
    )
    parser.add_argument(
        "--splits",
        action="append",
        default=[],
        metavar="FILE",
        help="split file, one a --corpus; '-' for none (folder)",
    )
    parser.add_argument(
        "--style", choices=["pop", "classical", "hymn"], default="pop", help="what a folder's music is like"
    )
    parser.add_argument("--output", type=Path, default=Path("data/pianalysis"), metavar="DIR")
    parser.add_argument("--every-bar", action="store_true", help="a training window starts at every bar")
    parser.add_argument("--versions", action="store_true", help="POP909's alternative versions too, in training only")
    parser.add_argument("--num-proc", type=int, default=1, metavar="N", help="processes; the result is the same bytes")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N pieces of each corpus and split")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="the build's report here too: JSON, and plots beside it"
    )
    parser.add_argument("--push-to-hub", metavar="ORG/NAME", help="publish, if the dataset is valid")
    parser.add_argument("--private", action="store_true", help="as a private repository")
    parser.set_defaults(run=prepare)


def add_validate(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis validate`."""
    parser.add_argument("source", metavar="PATH_OR_HUB_ID", help="a dataset of ours, or a seed-style JSON file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report as JSON ('-': to the output)")
    parser.add_argument(
        "--export-json", type=Path, metavar="FILE", help="write the seed's layout from a dataset of ours"
    )
    parser.set_defaults(run=validate)


def prepare(args: argparse.Namespace) -> int:
    """Build the dataset from corpora: notes and tokenized windows as parquet, a report and a card."""
    from tqdm import tqdm

    from pianalysis.dataset.building import BuildOptions, build_dataset
    from pianalysis.dataset.card import NO_REPO, PLOTS_FILE
    from pianalysis.dataset.rows import REPORT_FILE
    from pianalysis.dataset.splitting import split_in_words

    if (args.limit is not None and args.limit < 1) or args.num_proc < 1:
        raise PianalysisError("expected --limit and --num-proc of at least 1")
    if args.report and not args.report.absolute().parent.is_dir():
        raise PianalysisError(f"--report {args.report}: expected a file in a folder that exists; make the folder first")
    if args.push_to_hub:
        from pianalysis.publishing.hub import check_access

        check_access(args.push_to_hub, repo_type="dataset", private=args.private)  # before the work, not after it
    options = BuildOptions(_sources(args), args.every_bar, args.versions, args.limit)
    with tqdm(desc="prepare", unit="part", disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = build_dataset(
            options, args.output, num_proc=args.num_proc, progress=show, repo_id=args.push_to_hub or NO_REPO
        )
    for name, value in report.figures().items():
        print(f"{name}: {value}")
    for name, other in report.twice:
        print(f"left out: {name!r} stands already as {other}", file=sys.stderr)
    for name, reason in report.problems:
        print(f"problem: {name!r}: {reason}", file=sys.stderr)
    if split := split_in_words(args.output):
        print(f"split: {split}")
    print(f"written: {args.output}")
    if args.report:
        for name, path in ((REPORT_FILE, args.report), (PLOTS_FILE, args.report.with_suffix(".png"))):
            write_atomically(path, (args.output / name).read_bytes())
    return _publish(args) if args.push_to_hub else 0


def _sources(args: argparse.Namespace) -> tuple[CorpusSource, ...]:
    from pianalysis.dataset.download import pop909_archive
    from pianalysis.dataset.sources import CorpusSource

    if args.corpus == ["pop909"] and not args.root:
        args.root = ["-"]
    if len(args.root) != len(args.corpus):
        raise PianalysisError(
            f"expected one --root for each --corpus, found {len(args.root)} for {len(args.corpus)}; '-' downloads POP909,"
            " how the others' files are made is in the dataset's card"
        )
    if any(root == "-" and name != "pop909" for name, root in zip(args.corpus, args.root, strict=True)):
        raise PianalysisError("only POP909 can be downloaded; give the other corpora's folders or archives with --root")
    args.root = [str(pop909_archive()) if root == "-" else root for root in args.root]
    if len(args.splits) not in (0, len(args.corpus)):
        raise PianalysisError(f"expected one --splits for each --corpus ('-' for none), found {len(args.splits)}")
    splits = [None if name == "-" else name for name in args.splits] or [None] * len(args.corpus)
    rows = zip(args.corpus, args.root, splits, strict=True)
    return tuple(CorpusSource(*row, style=args.style) for row in rows)


def _publish(args: argparse.Namespace) -> int:
    from pianalysis.dataset.validation import validate as check
    from pianalysis.publishing.hub import Publication, publish_folder

    report = check(args.output)
    print(report.table())
    if not report.ok:
        print("not published: the dataset is not valid", file=sys.stderr)
        return 2
    stale = ["notes/*.parquet", "windows/*.parquet"]  # shards of an older build would be read with these
    to = Publication(args.push_to_hub, "dataset", "Dataset", private=args.private, delete_patterns=stale)
    print(f"published: {publish_folder(args.output, to)}")
    return 0


def validate(args: argparse.Namespace) -> int:
    """Check a dataset: grammar, timestamps, vocabulary, leaks between splits. Exit code 2 if it is not valid."""
    from pianalysis.dataset.validation import export_json
    from pianalysis.dataset.validation import validate as check

    report = check(args.source)
    as_json = json.dumps(report.to_dict(), indent=1) + "\n"
    if args.json == Path("-"):
        print(as_json, end="")
    else:
        print(report.table())
        if args.json:
            write_atomically(args.json, as_json.encode())
    if args.export_json:
        print(f"{args.export_json}: {export_json(args.source, args.export_json):,} samples")
    return 0 if report.ok else 2
