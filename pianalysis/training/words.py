"""What a run says of itself to whoever watches it: a line each, beside the progress bar.

In: what happened. Out: a line on standard error.
"""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """A line for whoever watches the run."""
    print(f"pianalysis train: {text}", file=sys.stderr, flush=True)


def in_evaluations(count: int) -> str:
    """A number of evaluations.

    >>> in_evaluations(1), in_evaluations(3)
    ('1 evaluation', '3 evaluations')
    """
    return f"{count} evaluation{'' if count == 1 else 's'}"
