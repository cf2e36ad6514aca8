"""Corpora to the dataset: notes and tokenized windows as parquet, with a report, plots and a card.

    python scripts/prepare_dataset.py --corpus pop909 --root POP909.tar.xz --splits pop909_splits.json \
        --corpus lieder --root openscore_lieder.tar.xz --splits openscore_lieder_splits.json \
        --output data/pianalysis --num-proc 2

The same as `pianalysis prepare`. Interrupted, it goes on where it was when it is started again.
"""

from __future__ import annotations

import sys

from pianalysis.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["prepare", *sys.argv[1:]]))
