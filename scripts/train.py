"""Train a model on tokenized windows; stop early; resume where it was.

    accelerate launch scripts/train.py --dataset data/pianalysis --model small --output-dir runs/small

The same as `pianalysis train`, whose `--help` lists the options; `scripts/accelerate/` has configurations for several
devices. Resume an interrupted run by repeating its command with `--resume`.
"""

from __future__ import annotations

import sys

from pianalysis.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["train", *sys.argv[1:]]))
