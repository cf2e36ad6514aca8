"""The stage `training` of scripts/benchmark.py: our training step beside a plain loop, and its memory.

    python scripts/benchmark.py training --model small --batch-size 16 32 --json training.json

Tokens a second of `WindowTrainer` on transformers' Trainer, and of the loop that nanoGPT has (forward, backward, clip,
step; nothing else) on the same model, optimizer and shapes, in turn over several rounds. Each measurement runs in a process
of its own, so that the peak memory is its own. On a GPU also the share of its arithmetic that is used (`--peak-tflops`).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP_STEPS = 2


@dataclass(frozen=True)
class Step:
    """What is measured: a model's training step on `batch_size` windows of `length` tokens."""

    model: str
    batch_size: int
    length: int
    steps: int
    threads: int
    bf16: bool
    cpu: bool


def add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="small", help="canonical, small or tiny")
    parser.add_argument("--batch-size", type=int, nargs="+", default=[16], metavar="N")
    parser.add_argument("--length", type=int, default=1024, metavar="TOKENS")
    parser.add_argument("--steps", type=int, default=5, metavar="N", help="measured steps a round")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="ours and the loop in turn; medians count")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--peak-tflops", type=float, metavar="T", help="of the GPU, for model FLOPs utilisation")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(run=benchmark_training)


def benchmark_training(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, print a table, and return its figures."""
    from pianalysis.publishing.tables import speed_table

    rows = []
    for batch_size in args.batch_size:
        step = Step(args.model, batch_size, args.length, args.steps, args.threads, args.bf16, args.cpu)
        rounds = [{name: alone(job, step) for name, job in JOBS.items()} for _ in range(args.rounds)]
        row: dict[str, Any] = asdict(step) | {"device": device_of(step)}
        for name in JOBS:
            for figure in ("tokens_per_second", "peak_mb"):
                row[f"{name}_{figure}"] = statistics.median(each[name][figure] for each in rounds)
        row["ratio"] = statistics.median(
            each["ours"]["tokens_per_second"] / each["loop"]["tokens_per_second"] for each in rounds
        )
        if args.peak_tflops:
            flops = row["ours_tokens_per_second"] * flops_of_token(args.model, args.length)
            row["model_flops_utilisation"] = flops / args.peak_tflops / 1e12
        rows.append(row)
    print(speed_table(rows))
    for row in rows if args.peak_tflops else []:
        print(f"batch {row['batch_size']}: {row['model_flops_utilisation']:.1%} of the GPU's arithmetic")
    return {"training": rows}


def device_of(step: Step) -> str:
    import os

    import torch

    if step.cpu or not torch.cuda.is_available():
        return f"{os.cpu_count()} cores"
    return torch.cuda.get_device_name()


def alone(job: Any, step: Step) -> dict[str, float]:
    """A measurement in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        figures: dict[str, float] = pool.submit(job, step).result()
    return figures


def flops_of_token(preset: str, length: int) -> float:
    """Floating-point operations of training on one token: 6 a parameter, and attention (Chowdhery et al. 2022, B)."""
    from pianalysis.model.gpt2 import PRESETS, make_model

    shape = PRESETS[preset]
    return 6.0 * make_model(preset).num_parameters() + 12.0 * shape["n_layer"] * shape["n_embd"] * length


def make_rows(step: Step) -> list[dict[str, Any]]:
    """Windows of exactly `length` tokens: as many notes as fit, then the end."""
    from pianalysis.tokens import vocab

    generator = np.random.default_rng(0)
    rows = []
    for _ in range(step.batch_size * (step.steps + WARM_UP_STEPS)):
        head = [vocab.BOS, vocab.STYLES["pop"], vocab.DENSITIES["mid"], vocab.SEP, vocab.time_id(0)]
        body = generator.integers(vocab.LOWEST_PITCH, vocab.HIGHEST_PITCH, step.length - len(head) - 1).tolist()
        ids = [*head, *body, vocab.EOS]
        rows.append({"input_ids": ids, "target_start": 4, "seconds": 16.0, "key_shift": 0})
    return rows


def figures_of(step: Step, seconds: float) -> dict[str, float]:
    import torch
    from benchmark import peak_mb  # its neighbour in scripts/

    memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() and not step.cpu else peak_mb()
    return {"tokens_per_second": step.steps * step.batch_size * step.length / seconds, "peak_mb": memory}


def ours(step: Step) -> dict[str, float]:
    """Tokens a second of `WindowTrainer`, after its first steps."""
    import datasets
    import torch
    from transformers import TrainerCallback, TrainingArguments

    from pianalysis.model.gpt2 import make_model
    from pianalysis.processes import keep_freed_memory
    from pianalysis.training.batches import WindowCollator, with_lengths
    from pianalysis.training.trainer import WindowTrainer

    keep_freed_memory()  # as `pianalysis train` does
    torch.set_num_threads(step.threads)
    times: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.perf_counter())

    model = make_model(step.model)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=step.batch_size,
            max_steps=step.steps + WARM_UP_STEPS,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            bf16=step.bf16,
            use_cpu=step.cpu,
            learning_rate=1e-4,
            weight_decay=0.1,
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)
        trainer = WindowTrainer(
            model=model,
            args=arguments,
            train_dataset=with_lengths(datasets.Dataset.from_list(make_rows(step))),
            callbacks=[Clock()],
            train_collator=WindowCollator(step.length, transpose="random"),
            eval_collator=WindowCollator(step.length),
        )
        trainer.train()
    return figures_of(step, times[-1] - times[WARM_UP_STEPS - 1])


def loop(step: Step) -> dict[str, float]:
    """Tokens a second of a plain loop over batches that lie ready, after its first steps."""
    import torch
    from torch.nn.functional import cross_entropy

    from pianalysis.model.gpt2 import make_model

    torch.set_num_threads(step.threads)
    device = "cuda" if torch.cuda.is_available() and not step.cpu else "cpu"
    model = make_model(step.model).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    rows = torch.tensor([row["input_ids"] for row in make_rows(step)])
    start = 0.0
    for index, batch in enumerate(rows.split(step.batch_size)):
        if index == WARM_UP_STEPS:
            if device == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=step.bf16):
            ids = batch.to(device)
            logits = model(input_ids=ids).logits[:, :-1]
            loss = cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if device == "cuda":
        torch.cuda.synchronize()
    return figures_of(step, time.perf_counter() - start)


JOBS = {"ours": ours, "loop": loop}
