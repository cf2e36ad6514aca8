"""The likelihood of a split's windows under models, beside a unigram and an untrained model.

In: a dataset and models. Out: a row a corpus, as `pianalysis.publishing.tables.likelihood_table` reads it. Finished parts are
kept in a folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from pianalysis.dataset.rows import load_windows
from pianalysis.digests import code_digest
from pianalysis.evaluation.takes import ModelName
from pianalysis.files import write_atomically
from pianalysis.model.gpt2 import load_model, make_model
from pianalysis.processes import Map
from pianalysis.tokens import vocab
from pianalysis.training.likelihood import Likelihood, model_likelihood, unigram_likelihood

WINDOWS_A_PART: Final = 32
UNIGRAM_WINDOWS: Final = 5_000
"""Training windows, evenly spaced, that the unigram's frequencies are counted in."""
COLUMNS: Final = ["input_ids", "target_start", "seconds", "key_shift"]


@dataclass(frozen=True)
class Part:
    """Some windows of a split, and the model that they are likely or unlikely under. untrained: a preset's name."""

    dataset: str
    split: str
    rows: tuple[int, ...]
    model: ModelName | None
    untrained: str = ""


def rows_of_corpora(dataset: str, split: str, limit: int | None = None) -> dict[str, tuple[int, ...]]:
    """The numbers of each corpus's windows in a split; at most so many a corpus, evenly spaced.

    Windows of lead sheets, which have no accompaniment and so no `<eos>`, are left out.
    """
    windows = load_windows(dataset, split).select_columns(["corpus", "input_ids"]).with_format("numpy")
    corpora = np.array(windows["corpus"])
    is_whole = np.array([ids[-1] == vocab.EOS for ids in windows["input_ids"]], bool)
    rows = {
        corpus: np.flatnonzero(is_whole & (corpora == corpus)) for corpus in sorted(set(corpora[is_whole].tolist()))
    }
    return {corpus: tuple(spaced(numbers.tolist(), limit or len(numbers))) for corpus, numbers in rows.items()}


def spaced(items: Sequence[Any], count: int) -> list[Any]:
    """At most so many items, evenly spaced.

    >>> spaced("abcde", 3)
    ['a', 'c', 'e']
    """
    return [items[index] for index in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int))]


def likelihoods(
    dataset: str,
    split: str,
    models: Sequence[ModelName],
    *,
    preset: str,
    folder: Path,
    limit: int | None = None,
    run: Map = map,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Of each corpus in a split: "model" (the first of `models`; "label" is its), "others" by label, "unigram", "untrained".

    folder: where finished parts are kept. run: maps over them. progress: called with the windows that are done.
    """
    parts: list[tuple[str, str, Part]] = []
    for corpus, rows in rows_of_corpora(dataset, split, limit).items():
        for start in range(0, len(rows), WINDOWS_A_PART):
            some = rows[start : start + WINDOWS_A_PART]
            parts += [(corpus, model.label, Part(dataset, split, some, model)) for model in models]
            parts.append((corpus, "untrained", Part(dataset, split, some, None, preset)))
    sums: dict[tuple[str, str], Likelihood] = {}
    for (corpus, label, part), result in zip(parts, _all_parts(parts, folder, run), strict=True):
        sums[corpus, label] = _add(sums.get((corpus, label)), result)
        if progress is not None:
            progress(len(part.rows))
    unigrams = _unigrams(dataset, split, limit)
    return {
        corpus: {
            "label": models[0].label,
            "model": report(sums[corpus, models[0].label]),
            "others": {model.label: report(sums[corpus, model.label]) for model in models[1:]},
            "unigram": report(unigrams[corpus]),
            "untrained": report(sums[corpus, "untrained"]),
        }
        for corpus in unigrams
    }


def _all_parts(parts: list[tuple[str, str, Part]], folder: Path, run: Map) -> Any:
    """The likelihood of each part in order, as they come."""
    files = [folder / "likelihood" / f"{_key(part)}.json" for _, _, part in parts]
    waiting = [(part, file) for (_, _, part), file in zip(parts, files, strict=True) if not file.exists()]
    (folder / "likelihood").mkdir(parents=True, exist_ok=True)
    made = run(_measure, waiting)
    known = {file for file in files if file.exists()}
    for file in files:
        if file not in known:
            next(made)
        yield Likelihood(**json.loads(file.read_text(encoding="utf-8")))


def _measure(item: tuple[Part, Path]) -> None:
    part, file = item
    rows = _windows(part.dataset, part.split).select(part.rows)
    model = _load(part.model.source) if part.model else _untrained(part.untrained)
    write_atomically(file, json.dumps(asdict(model_likelihood(model, rows))).encode())


@lru_cache(maxsize=2)
def _windows(dataset: str, split: str) -> Any:
    return load_windows(dataset, split).select_columns(COLUMNS)


@lru_cache(maxsize=2)
def _load(source: str) -> Any:
    return load_model(source or None)


@lru_cache(maxsize=1)
def _untrained(preset: str) -> Any:
    return make_model(preset).train(False)


def _key(part: Part) -> str:
    """What a part's likelihood depends on, in 16 hexadecimal digits: weights, windows and our own code."""
    digest = hashlib.sha256((part.model.digest if part.model else part.untrained).encode())
    digest.update(code_digest("model.gpt2", "training.likelihood").encode())
    for row in _windows(part.dataset, part.split).select(part.rows):
        digest.update(np.array([*row["input_ids"], row["key_shift"]], np.int64).tobytes())
    return digest.hexdigest()[:16]


def _unigrams(dataset: str, split: str, limit: int | None) -> dict[str, Likelihood]:
    train = load_windows(dataset, "train").select_columns(["input_ids", "target_start"])
    train = train.select(spaced(range(len(train)), UNIGRAM_WINDOWS))
    windows = _windows(dataset, split)
    return {
        corpus: unigram_likelihood(train, windows.select(rows))
        for corpus, rows in rows_of_corpora(dataset, split, limit).items()
    }


def _add(first: Likelihood | None, second: Likelihood) -> Likelihood:
    if first is None:
        return second
    values = {name: value + getattr(second, name) for name, value in asdict(first).items()}
    return Likelihood(**values)


def report(likelihood: Likelihood) -> dict[str, float]:
    """A likelihood as JSON has it."""
    return {
        "nats_per_note": likelihood.nats_per_note,
        "bits_per_second": likelihood.bits_per_second,
        "windows": likelihood.windows,
        "notes": likelihood.notes,
    }
