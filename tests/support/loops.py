"""Coroutines in tests that a browser's own loop may be running beside."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_alone(coroutine: Coroutine[object, object, T]) -> T:
    """What a coroutine returns, run in a thread of its own: Playwright's loop lives in the one of the tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
