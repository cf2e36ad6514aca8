"""The stage `generation` of scripts/benchmark.py: the engine beside the plain ways, and a whole arranger.

    python scripts/benchmark.py generation --json generation.json

Of the bundled checkpoint, unless another or a size without training is asked for; the table says whose weights were run.

Windows of 16 seconds of music (at most 375 ms from onset to onset, so that a model without training writes about as many
tokens as people do) from `generate` with our LogitsProcessor, from the plain loop, and from the engine in float32 and int8,
one and four at a time, in turn over several rounds. Beside them a loop without a cache, as the Anticipatory Music
Transformer's sampler has it, and how often this machine could read the weights from memory in a second. Then the arranger:
its first notes, four takes beside one, `pianalysis arrange` from a cold process, and time and memory of longer pieces.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

WINDOW_SECONDS = 16.0
LONGEST_REST_MS = 375
UNCACHED_STEPS = 6
READ_BYTES = 256 * 2**20
PIECE_SECONDS = (10, 60, 240, 960)
HOUR_SECONDS = 3_600
COLD_SECONDS = 30


def add_generation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="DIR", help="a checkpoint, or canonical or small without training (default: the bundled one)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="all ways in turn; the medians count")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the plain ways (the engine has one)")
    parser.add_argument(
        "--seconds", type=int, nargs="*", default=[*PIECE_SECONDS], metavar="S", help="lengths of pieces"
    )
    parser.add_argument("--full", action="store_true", help="a piece of an hour too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(run=benchmark_generation)


def benchmark_generation(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return its figures."""
    with tempfile.TemporaryDirectory() as work:
        folder = checkpoint(args.model, Path(work, "model"))
        ways = speeds(folder, args.rounds, args.threads)
        lengths = [*args.seconds, *([HOUR_SECONDS] if args.full else [])]
        pieces = [in_a_process(long_piece, folder, seconds, work) for seconds in lengths]
        results = {
            "model": args.model,
            "weights": name_weights(args.model, folder),
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "threads": args.threads,
            **ways,
            **in_a_process(whole_arranger, folder, args.rounds, work),
            "cold_seconds": cold_process(folder, Path(work)),
            "pieces": pieces,
        }
    print(generation_table(results))
    return {"generation": results}


def checkpoint(model: str | None, folder: Path) -> str:
    """The folder of a checkpoint: the bundled one, as given, or of a preset without training, saved there."""
    from pianalysis.model.gpt2 import BUNDLED, PRESETS, make_model, save_model

    if model not in PRESETS:
        return model or BUNDLED
    save_model(make_model(model), folder)
    return str(folder)


def name_weights(model: str | None, folder: str) -> str:
    """Which weights a folder has, in words: whose, how many, trained on how many tokens, and their digest."""
    from pianalysis.model.gpt2 import PRESETS
    from pianalysis.model.weights import read_weights
    from pianalysis.publishing.records import RECORDS_FILE

    weights, records = read_weights(folder), Path(folder, RECORDS_FILE)
    whose = "the bundled checkpoint" if model is None else f"a {model}" if model in PRESETS else Path(folder).name
    parts = [f"{whose}: {sum(tensor.numel() for tensor in weights.tensors.values()) / 1e6:.2f} M parameters"]
    if records.exists():
        tokens = sum(run["tokens"] for run in json.loads(records.read_text(encoding="utf-8")))
        parts.append(f"trained on {tokens / 1e6:,.0f} M tokens")
    elif model in PRESETS:
        parts.append("without training")
    return ", ".join([*parts, f"digest {weights.digest()}"])


def in_a_process(job: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """A measurement in a process of its own, so that the peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(job, *arguments).result()


def speeds(folder: str, rounds: int, threads: int) -> dict[str, Any]:
    """Tokens and seconds of music a second of every way, and the limit that reading the weights sets."""
    import torch

    from pianalysis.model.engine import Engine
    from pianalysis.model.gpt2 import load_model
    from pianalysis.model.weights import read_weights

    model, weights = load_model(folder), read_weights(folder)
    floats, whole = (Engine(weights, precision=precision) for precision in ("float32", "int8"))
    runs: dict[str, Callable[[int], tuple[int, float]]] = {
        "generate ×1": lambda seed: with_generate(model, seed, 1, threads),
        "generate ×4": lambda seed: with_generate(model, seed, 4, threads),
        "plain loop ×1": lambda seed: with_loop(model, seed, threads),
        "engine float32 ×1": lambda seed: with_engine(floats, seed, 1),
        "engine float32 ×4": lambda seed: with_engine(floats, seed, 4),
        "engine int8 ×1": lambda seed: with_engine(whole, seed, 1),
        "engine int8 ×4": lambda seed: with_engine(whole, seed, 4),
    }
    for run in runs.values():
        run(0)
    taken: dict[str, list[tuple[int, float, float]]] = {name: [] for name in runs}
    for seed in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            tokens, music = run(seed + 1)
            taken[name].append((tokens, music, time.perf_counter() - start))
    rows = {
        name: {
            "tokens_per_second": statistics.median(tokens / seconds for tokens, _, seconds in each),
            "music_per_second": statistics.median(music / seconds for _, music, seconds in each),
        }
        for name, each in taken.items()
    }
    per_music = rows["engine int8 ×1"]["tokens_per_second"] / rows["engine int8 ×1"]["music_per_second"]
    uncached = without_cache(model, round(per_music * WINDOW_SECONDS), threads)
    rows["no cache ×1"] = {"tokens_per_second": uncached, "music_per_second": uncached / per_music}
    bytes_per_second = reading_speed()
    torch.set_num_threads(1)
    return {
        "ways": rows,
        "tokens_per_music_second": per_music,
        "read_bytes_per_second": bytes_per_second,
        "limit_tokens_per_second": {
            "float32": bytes_per_second / weights.bytes_per_token,
            "int8": 4 * bytes_per_second / weights.bytes_per_token,
        },
    }


def prompt_and_state() -> tuple[list[int], Any]:
    """A window's melody of quarters and eighths, and the state after it."""
    from pianalysis.music.notes import make_notes
    from pianalysis.tokens.grammar import Limits, state_after
    from pianalysis.tokens.tokenizer import encode_melody

    generator = np.random.default_rng(0)
    melody = make_notes((500 * step, 500, int(pitch), 96) for step, pitch in enumerate(generator.integers(60, 80, 32)))
    prompt = encode_melody(melody)
    return prompt, state_after(prompt, Limits(rest_ms=LONGEST_REST_MS, length_ms=round(1_000 * WINDOW_SECONDS)))


def with_engine(engine: Any, seed: int, rows: int) -> tuple[int, float]:
    from pianalysis.model.sampling import Job, Sampling

    prompt, state = prompt_and_state()
    jobs = [Job(prompt, state, Sampling(), np.random.default_rng([seed, row])) for row in range(rows)]
    return sum(1 for _ in engine.continue_prompts(jobs)), rows * WINDOW_SECONDS


def with_loop(model: Any, seed: int, threads: int) -> tuple[int, float]:
    from pianalysis.model.reference import ReferenceEngine
    from pianalysis.model.sampling import Sampling

    engine = ReferenceEngine(model, threads=threads)
    prompt, state = prompt_and_state()
    return len(engine.continue_prompt(prompt, state, Sampling(), np.random.default_rng([seed, 0]))), WINDOW_SECONDS


def with_generate(model: Any, seed: int, rows: int, threads: int) -> tuple[int, float]:
    import torch

    from pianalysis.model.reference import GrammarLogitsProcessor, torch_threads
    from pianalysis.tokens import vocab
    from pianalysis.tokens.grammar import Limits

    prompt, _ = prompt_and_state()
    ids = torch.tensor([prompt] * rows)
    torch.manual_seed(seed)
    with torch_threads(threads):
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=0.9,
            top_k=50,
            top_p=0.95,
            max_length=2_048,
            logits_processor=[
                GrammarLogitsProcessor(limits=Limits(rest_ms=LONGEST_REST_MS, length_ms=round(1_000 * WINDOW_SECONDS)))
            ],
        )
    return int((written[:, len(prompt) :] > vocab.EOS).sum()), rows * WINDOW_SECONDS


def without_cache(model: Any, length: int, threads: int) -> float:
    """Tokens a second where each reads all before it again, over the lengths that a window goes through."""
    import torch

    from pianalysis.model.reference import torch_threads

    prompt, _ = prompt_and_state()
    steps = np.linspace(0, length, UNCACHED_STEPS).astype(int)
    with torch_threads(threads), torch.inference_mode():
        sequences = [torch.tensor([prompt + [60] * int(extra)]) for extra in steps]
        model(input_ids=sequences[0], use_cache=False)
        start = time.perf_counter()
        for ids in sequences:
            model(input_ids=ids, use_cache=False)
        return len(sequences) / (time.perf_counter() - start)


def reading_speed() -> float:
    """Bytes a second that one thread reads from memory: the best of some sums over more than any cache holds."""
    import torch

    from pianalysis.model.reference import torch_threads

    values, times = torch.ones(READ_BYTES // 8, dtype=torch.int64), []
    with torch_threads(1):
        for _ in range(5):
            start = time.perf_counter()
            values.sum()
            times.append(time.perf_counter() - start)
    return READ_BYTES / min(times)


def melody_file(seconds: float, folder: str | Path) -> Path:
    """A melody of quarter notes at 120 a minute, so many seconds long, as a MIDI file."""
    import symusic

    generator, pitch = np.random.default_rng(0), 70
    score = symusic.Score(480)
    score.tracks.append(symusic.Track("Melody", 0, False))
    for step in range(int(2 * seconds)):
        pitch = int(np.clip(pitch + generator.integers(-3, 4), 60, 84))
        score.tracks[0].notes.append(symusic.Note(480 * step, 480, pitch, 80))
    path = Path(folder, f"melody{seconds}.mid")
    path.write_bytes(score.dumps_midi())
    return path


def whole_arranger(folder: str, rounds: int, work: str) -> dict[str, float]:
    """Seconds to the first notes of a warm arranger, of one take and of four, in turn."""
    from pianalysis import Arranger

    arranger, path = Arranger.from_pretrained(folder), melody_file(COLD_SECONDS, work)
    arranger(path, max_bars=1)
    first, one, four = [], [], []
    for seed in range(rounds):
        start = time.perf_counter()
        notes: Iterator[Any] = iter(arranger.stream(path, seed=seed))
        while not len(next(notes).notes):
            pass
        first.append(time.perf_counter() - start)
        start = time.perf_counter()
        arranger(path, seed=seed)
        one.append(time.perf_counter() - start)
        start = time.perf_counter()
        arranger.takes(path, seeds=range(seed, seed + 4))
        four.append(time.perf_counter() - start)
    return {
        "first_notes_seconds": statistics.median(first),
        "one_take_seconds": statistics.median(one),
        "four_takes_seconds": statistics.median(four),
        "four_takes_ratio": statistics.median(many / single for many, single in zip(four, one, strict=True)),
    }


def cold_process(folder: str, work: Path) -> float:
    """Seconds of `pianalysis arrange` of 30 seconds of melody, from the start of the process to its end."""
    command = ["arrange", str(melody_file(COLD_SECONDS, work)), "-o", str(work / "out.mid"), "--model", folder]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pianalysis", *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def long_piece(folder: str, seconds: int, work: str) -> dict[str, float]:
    """Time and peak memory of one piece."""
    from benchmark import peak_mb  # its neighbour in scripts/

    from pianalysis import Arranger

    arranger, path = Arranger.from_pretrained(folder), melody_file(seconds, work)
    start = time.perf_counter()
    piece = arranger(path)
    taken = time.perf_counter() - start
    return {
        "music_seconds": seconds,
        "notes": len(piece.accompaniment),
        "seconds": taken,
        "music_per_second": seconds / taken,
        "peak_mb": peak_mb(),
    }


def generation_table(results: dict[str, Any]) -> str:
    """The figures in Markdown, as the README has them."""
    limit = results["limit_tokens_per_second"]
    asked = f" --model {results['model']}" if results["model"] else ""
    threads = f"{results['threads']} thread" + ("s" if results["threads"] != 1 else "")
    lines = [
        f"`scripts/benchmark.py generation{asked}` on {results['cores']} cores ({results['machine']}), {threads} for the "
        f"plain ways, one for the engine. The weights are those of {results['weights']}.",
        "",
        "| way | tokens/s | seconds of music per second |",
        "|---|--:|--:|",
    ]
    lines += [
        f"| {name} | {way['tokens_per_second']:,.0f} | {way['music_per_second']:.1f} |"
        for name, way in results["ways"].items()
    ]
    lines += [
        f"| limit: reading the {kind} weights once a token | {limit[kind]:,.0f} | "
        f"{limit[kind] / results['tokens_per_music_second']:.1f} |"
        for kind in ("float32", "int8")
    ]
    lines += [
        "",
        f"First notes of a warm arranger after {results['first_notes_seconds']:.2f} s; {COLD_SECONDS} s of melody take "
        f"{results['one_take_seconds']:.1f} s, four takes of it {results['four_takes_ratio']:.2f} × that; "
        f"`pianalysis arrange` of it from a cold process {results['cold_seconds']:.1f} s.",
        "",
        "| melody | time | seconds of music per second | peak memory |",
        "|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {piece['music_seconds'] / 60:.3g} min | {piece['seconds']:.1f} s | {piece['music_per_second']:.1f} | "
        f"{piece['peak_mb']:,.0f} MB |"
        for piece in results["pieces"]
    ]
    return "\n".join(lines)
