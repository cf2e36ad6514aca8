"""What a user of the published dataset does, with `datasets` alone: no package of ours is needed.

    python scripts/load_published.py ORG/NAME --revision main

Loads both configs: a split whole, a split streamed, all splits, and a revision; prints what came.
"""

from __future__ import annotations

import argparse

from datasets import load_dataset


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo_id", metavar="ORG/NAME", help="a dataset on the Hub, or a folder with one")
    parser.add_argument("--revision", metavar="REV", help="a branch, tag or commit (default: main)")
    args = parser.parse_args(argv)

    windows = load_dataset(args.repo_id, "windows", revision=args.revision)
    for split, rows in windows.items():
        print(f"windows, {split}: {len(rows):,} rows, {sum(map(len, rows['input_ids'])):,} tokens")

    notes = load_dataset(args.repo_id, "notes", split="test", revision=args.revision)
    for piece in notes.select(range(min(3, len(notes)))):
        melody, below = len(piece["melody"]), len(piece["accompaniment"])
        print(f"notes, test: {piece['piece_id']}, {piece['bpm']:.0f} bpm, {melody:,} + {below:,} notes")

    streamed = load_dataset(args.repo_id, "windows", split="test", streaming=True, revision=args.revision)
    for row in streamed.take(3):
        prompt, target = row["input_ids"][: row["target_start"]], row["input_ids"][row["target_start"] :]
        print(f"streamed, test: {row['piece_id']} from bar {row['start_bar']}, {len(prompt)} + {len(target)} tokens")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
