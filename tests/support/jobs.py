"""What a workshop's processes are asked to do in tests; by itself, so that they import little."""

from __future__ import annotations

import os
import time

from pianalysis.webui.refusals import RefusedError


def crash(*_: object) -> None:
    os._exit(11)


def sleep(*_: object) -> None:
    time.sleep(60)


def gobble(*_: object) -> int:
    import numpy as np

    return int(np.ones(2**40, np.uint8).sum())


def add(one: int, other: int) -> int:
    return one + other


def refuse(sentence: str) -> None:
    raise RefusedError(sentence, "too_long")


def mistake() -> None:
    raise ZeroDivisionError("/home/somebody/secret")
