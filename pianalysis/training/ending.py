"""How a run ends on the Hub, and in words: what was pushed and what wasn't; a Hub that is gone is waited for.

In: a run's folder when it is over or broken off. Out: a commit's address, or None; lines that say what is where.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from transformers import TrainerState

from pianalysis.hub_errors import HubError, may_pass
from pianalysis.training.checkpoints import MANIFEST, checkpoints_in
from pianalysis.training.checks import BEST
from pianalysis.training.options import RunOptions
from pianalysis.training.saving import publish
from pianalysis.training.words import say

PATIENCE_S: Final = 900.0
"""For so long a Hub that can't be reached after hours of training is asked again."""
FIRST_WAIT_S: Final = 15.0
LONGEST_WAIT_S: Final = 120.0


def push_at_the_end(
    options: RunOptions,
    state: TrainerState,
    *,
    stopped: bool,
    pushed: int | None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str | None:
    """Push the best where that was asked for, and say what is on the Hub and what isn't; the commit's address.

    stopped: before the end, by the time or by a signal; then the best is pushed with `options.push_best` only.
    pushed: the step of the newest checkpoint that the run pushed. Raises HubError, which says where the model is.
    """
    best, repo_id = Path(options.output_dir) / BEST, options.push_to_hub
    if state.best_metric is None:
        say(f"not pushed to {repo_id}: a best, as there was no evaluation yet; {_there(pushed)}")
        return None
    which = f"the best{' so far' if stopped else ''} ({best_in_words(state)})"
    if stopped and not options.push_best:
        say(
            f"not pushed to {repo_id}: {which}, in {best}, as the run isn't over; {_there(pushed)}. To push it as it is: "
            f"`{publish_command(best, options)}`, or --push-best from the beginning"
        )
        return None
    url = publish_patiently(best, options, last=not stopped, clock=clock, sleep=sleep)
    say(f"pushed to {repo_id}: {which}{'; the run itself isn’t over, and --resume goes on' if stopped else ''}")
    return url


def best_in_words(state: TrainerState) -> str:
    """The best's value, and the step that it is of."""
    where = f"step {state.best_global_step}" if state.best_global_step else "before the first step"
    return f"{where}, {state.best_metric:.4f} nats per note"


def _there(pushed: int | None) -> str:
    return f"checkpoint {pushed} is there" if pushed is not None else "nothing of this run is there"


def publish_command(best: Path, options: RunOptions) -> str:
    """The command that publishes a run's best by hand, as its options would have it."""
    words = ["pianalysis", "publish", str(best), str(options.push_to_hub)]
    words += ["--private"] if options.private else []
    return shlex.join(words + (["--tag", options.tag] if options.tag else []))


def publish_patiently(
    folder: Path,
    options: RunOptions,
    *,
    last: bool,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """`publish`, again and again for `PATIENCE_S` while the Hub can't be reached or has errors of its own.

    Raises HubError, which says that the model is safe and how it's published by hand.
    """
    deadline, wait = clock() + PATIENCE_S, FIRST_WAIT_S
    while True:
        try:
            return publish(folder, options, last=last)
        except HubError as error:
            left = deadline - clock()
            if left <= 0 or not may_pass(error):
                raise HubError(
                    f"{error}. Nothing is lost: the model is safe in {folder}; publish it later with "
                    f"`{publish_command(folder, options)}`"
                ) from error
            wait = min(wait, left)
            say(
                f"{error}. Nothing is lost: the model is safe in {folder}; trying again in {wait:.0f} s, for "
                f"{left / 60:.0f} more minutes"
            )
            sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)


def interrupted_in_words(output_dir: str) -> str:
    """What is left of a run that Ctrl-C stopped at once, and how to go on."""
    folder = Path(output_dir)
    whole = next((item for item in checkpoints_in(folder) if (item / MANIFEST).exists()), None)
    if whole is None:
        return "stopped before the first checkpoint was written: there is nothing to go on from, and nothing was pushed"
    words = f"stopped; the newest checkpoint is {whole}: repeat the command with --resume to go on from it"
    if (folder / BEST).exists():
        words += f" (the model is in {folder / BEST})"
    return words
