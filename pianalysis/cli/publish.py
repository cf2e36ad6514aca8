"""The command that publishes a model: ``pianalysis publish``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_publish(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis publish`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a model's folder, such as runs/mine/best")
    parser.add_argument("repo_id", metavar="ORG/NAME", help="the repository on the Hub; made if there is none")
    parser.add_argument("--private", action="store_true", help="as a private repository")
    parser.add_argument("--tag", metavar="NAME", help="name the commit")
    parser.add_argument("--message", metavar="TEXT", help="the commit's (default: the folder's name)")
    parser.set_defaults(run=publish)


def publish(args: argparse.Namespace) -> int:
    """Publish a trained model, its tokenizer and card in one commit; what is there unchanged makes none."""
    from pianalysis.publishing.models import publish_model

    url = publish_model(args.folder, args.repo_id, private=args.private, tag=args.tag, message=args.message)
    print(f"published: {url}")
    return 0
