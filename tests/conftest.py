"""Shared fixtures: one CPU thread (tests run side by side), a tiny random model, no network."""

from __future__ import annotations

import asyncio
import importlib
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Before NumPy and torch load, and for the processes that tests start: threads of BLAS that wait for each other on busy
# cores make a harmonisation of 8 ms one of 500.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from pianalysis.arranging.arranger import Arranger
from pianalysis.model.gpt2 import make_model

torch.set_num_threads(1)
settings.register_profile(
    "default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    with no_other_loop(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with no_other_loop(item):
        return (yield)


@contextmanager
def no_other_loop(item):
    """Playwright's loop runs in this thread from its first test to the end: those that use no browser don't see it."""
    loop = asyncio._get_running_loop()
    if loop is None or "browser" in item.fixturenames:
        yield
        return
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "space" / "examples"


@pytest.fixture
def script(monkeypatch):
    """Imports one of scripts/ by its name, as a module that a process of its own can import too."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


@pytest.fixture
def forks(monkeypatch):
    """Has the pools of modules fork their processes off one that has imported what they need: five seconds saved each time."""
    from forked import CONTEXT

    return lambda *modules: [monkeypatch.setattr(module, "get_context", lambda _: CONTEXT) for module in modules]


@pytest.fixture(scope="session")
def tiny_model():
    return make_model("tiny", seed=0).eval()


@pytest.fixture(scope="session")
def tiny_arranger(tiny_model):
    return Arranger(tiny_model)


@pytest.fixture(scope="session")
def small_arranger():
    """The fast one of the bundled models: for what holds of every trained model."""
    return Arranger.from_pretrained("small")


@pytest.fixture(scope="session")
def bundled_arranger():
    """With the default model: for what it is that users hear."""
    return Arranger.from_pretrained()
