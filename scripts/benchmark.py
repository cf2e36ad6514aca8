"""How fast, and in how much memory: one subcommand a stage.

    python scripts/benchmark.py dataset --root POP909.tar.xz --json benchmark.json

`dataset`: files a second from POP909's MIDI to window tokens, and to the finished dataset, beside MidiTok's REMI on the
same files in the same run; and the peak memory of a build when the corpus grows tenfold (the same songs under other ids, each
copy with a melody of its own: a build keeps the same melody once).
Everything is measured in processes of its own, so that a peak is the measured code's and nobody else's.

`training`: tokens a second of a training step beside a plain loop, and its memory (scripts/benchmark_training.py).

`generation`: the engine beside `generate` and plain loops, first notes, takes, cold start (scripts/benchmark_generation.py).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmark_generation import add_generation  # its neighbours in scripts/
from benchmark_training import add_training

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically

CHUNK_SONGS = 16
COPIES = 10


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="STAGE")
    add_dataset(commands.add_parser("dataset", help="POP909 to windows, beside MidiTok; memory"))
    add_training(commands.add_parser("training", help="our training step beside a plain loop; memory"))
    add_generation(commands.add_parser("generation", help="the engine beside generate and plain loops; the arranger"))
    args = parser.parse_args(argv)
    try:
        results = args.run(args)
    except (PianalysisError, FileNotFoundError) as error:
        print(f"benchmark: error: {error}", file=sys.stderr)
        return 2
    if args.json:
        write_atomically(args.json, (json.dumps(results, indent=1) + "\n").encode())
    return 0


def add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", required=True, metavar="PATH", help="POP909, folder or archive")
    parser.add_argument("--miditok", type=Path, metavar="DIR", help="where `pip install --target DIR miditok` put it")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N songs")
    parser.add_argument("--num-proc", type=int, default=2, metavar="N")
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="ours and MidiTok in turn; the median counts"
    )
    parser.add_argument("--work-dir", type=Path, metavar="DIR", help="for temporary files (default: the system's)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(run=benchmark_dataset)


def benchmark_dataset(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, print a table, and return its figures."""
    from pianalysis.dataset.sources import CorpusSource, open_corpus, opened

    if args.miditok:
        sys.path.append(str(args.miditok))  # last: it may have brought other versions of what we use
    version = miditok_version()
    with (
        opened([CorpusSource("pop909", args.root)]) as (source,),
        tempfile.TemporaryDirectory(dir=args.work_dir) as work,
    ):
        corpus = open_corpus(source)
        songs = [piece for pieces in corpus.ids.values() for piece in pieces if piece in corpus.names][: args.limit]
        if not songs:
            raise PianalysisError(f"{args.root}: expected songs of POP909, found none")
        roots = [Path(work, name) for name in ("once", "tenfold")]
        for root, copies in zip(roots, (1, COPIES), strict=True):
            copy_songs(Path(source.root), songs, root, copies)
        chunks = [songs[start : start + CHUNK_SONGS] for start in range(0, len(songs), CHUNK_SONGS)]
        speed = in_turn(roots[0], chunks, args.num_proc, args.rounds)
        builds = [measure_build(root, args.num_proc) for root in roots]
    results = dataset_results(songs, speed, builds, args.num_proc, version)
    print_dataset(results)
    return results


def miditok_version() -> str:
    try:
        from importlib.metadata import version

        import miditok  # noqa: F401

        return version("miditok")
    except ImportError:
        raise PianalysisError(
            "MidiTok is not installed; run `pip install --no-deps --target DIR miditok` and give --miditok DIR"
        ) from None


def copy_songs(root: Path, songs: list[str], target: Path, copies: int) -> None:
    """The songs' folders under other ids, so many times, as POP909 lays them out, with a split file beside them.

    From the second copy on each has another melody.
    """
    folders = {path.name: path for path in root.rglob("*") if path.is_dir() and path.name in set(songs)}
    ids = []
    for copy in range(copies):
        for song in songs:
            piece = f"{copy}{song}"
            folder = target / "POP909" / piece
            folder.mkdir(parents=True)
            for file in sorted(item for item in folders[song].iterdir() if item.is_file()):
                path = folder / file.name.replace(f"{song}.mid", f"{piece}.mid")
                if copy and path.suffix == ".mid":
                    path.write_bytes(with_another_melody(file, seed=copy))
                else:
                    shutil.copyfile(file, path)
            ids.append(piece)
    split = {"train": ids, "validation": [], "test": []}
    (target / "splits.json").write_text(json.dumps(split), encoding="utf-8")


def with_another_melody(path: Path, seed: int) -> bytes:
    """A song whose melody has its pitch classes exchanged by chance: the same rhythm, another tune."""
    import symusic

    score = symusic.Score.from_midi(path.read_bytes())
    others = random.Random(seed).sample(range(12), 12)
    for track in score.tracks:
        if track.name.strip().upper().startswith("MELODY"):
            for note in track.notes:
                note.pitch = note.pitch // 12 * 12 + others[note.pitch % 12]
    return score.dumps_midi()


def source_at(root: Path) -> Any:
    from pianalysis.dataset.sources import CorpusSource

    return CorpusSource("pop909", str(root), str(root / "splits.json"))


def windows_of_songs(root: Path, songs: list[str]) -> dict[str, float]:
    """POP909 to window tokens, as our build does it before it counts and writes; so many tokens, seconds of music."""
    from pianalysis.dataset.rows import piece_windows
    from pianalysis.dataset.sources import open_corpus
    from pianalysis.tokens.tokenizer import encode

    corpus, tokens, seconds = open_corpus(source_at(root)), 0, 0.0
    for song in songs:
        for piece in corpus.read(f"0{song}"):
            tokens += sum(len(encode(window.notes)) for window in piece_windows(piece))
            seconds += float(piece.clock.to_real(piece.clock.bar_lines[-1])) / 1_000
    return {"tokens": tokens, "music_seconds": seconds}


def remi_of_songs(root: Path, songs: list[str]) -> dict[str, float]:
    """The same files to MidiTok's REMI tokens, with its default settings."""
    import miditok

    if REMI not in _made:
        _made[REMI] = miditok.REMI()
    files = [root / "POP909" / f"0{song}" / f"0{song}.mid" for song in songs]
    return {"tokens": sum(len(track.ids) for file in files for track in _made[REMI](file))}


REMI = "remi"
_made: dict[str, Any] = {}
"""A process's tokenizer, made once."""


def in_turn(root: Path, chunks: list[list[str]], num_proc: int, rounds: int) -> dict[str, dict[str, float]]:
    """Files a second of ours and MidiTok's, in turn over several rounds, so that a busy machine slows both alike."""
    jobs: dict[str, Callable[[Path, list[str]], dict[str, float]]] = {
        "windows": windows_of_songs,
        "miditok": remi_of_songs,
    }
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    totals: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, job in jobs.items():
            with ProcessPoolExecutor(num_proc, mp_context=get_context("spawn")) as pool:
                list(pool.map(job, [root] * num_proc, [chunks[0]] * num_proc))  # imports, and what is made once
                start = time.perf_counter()
                parts = list(pool.map(job, [root] * len(chunks), chunks))
                rates[name].append(sum(map(len, chunks)) / (time.perf_counter() - start))
            totals[name] = {key: sum(part[key] for part in parts) for key in parts[0]}
    return {name: {"files_per_second": statistics.median(rates[name]), **totals[name]} for name in jobs}


def measure_build(root: Path, num_proc: int) -> dict[str, float]:
    """A whole build in processes of its own: seconds, bytes, the peak memory of the largest process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_build, root, num_proc).result()


def _build(root: Path, num_proc: int) -> dict[str, float]:
    import resource

    from pianalysis.dataset.building import BuildOptions, build_dataset

    with tempfile.TemporaryDirectory(dir=root) as output:
        start = time.perf_counter()
        report = build_dataset(BuildOptions((source_at(root),)), output, num_proc=num_proc)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(output).rglob("*.parquet"))
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * UNIT_BYTES / 2**20
    return {
        "files": report.pieces_seen,
        "windows": sum(report.windows.values()),
        "seconds": seconds,
        "bytes": size,
        "main_mb": peak_mb(),
        "worker_mb": workers,
        "peak_mb": max(peak_mb(), workers),
    }


UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""What `ru_maxrss` counts in."""


def peak_mb() -> float:
    """This process's peak memory. On Linux not `ru_maxrss`: that starts at what the parent held when it forked."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT_BYTES / 2**20


def dataset_results(
    songs: list[str],
    speed: dict[str, dict[str, float]],
    builds: list[dict[str, float]],
    num_proc: int,
    version: str,
) -> dict[str, Any]:
    """The figures as JSON has them, and as the dataset's card wants them (`pianalysis.dataset.card.scale_section`)."""
    many = builds[-1]
    build = {
        "files_per_second": many["files"] / many["seconds"],
        "bytes_per_file": many["bytes"] / many["files"],
    }
    remi = speed["miditok"]["files_per_second"]
    return {
        "songs": len(songs),
        "song_seconds": speed["windows"]["music_seconds"] / len(songs),
        "processes": num_proc,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "windows": speed["windows"],
        "miditok": {"version": version, **speed["miditok"]},
        "build": build,
        "ratio": {
            "windows": speed["windows"]["files_per_second"] / remi,
            "build": build["files_per_second"] / remi,
        },
        "memory": {"runs": builds, "growth": builds[1]["peak_mb"] / builds[0]["peak_mb"]},
    }


def print_dataset(results: dict[str, Any]) -> None:
    ratio, memory = results["ratio"], results["memory"]
    print(f"{results['songs']:,} songs of POP909, {results['processes']} processes on {results['cores']} cores")
    rows = [
        ("MIDI to window tokens", results["windows"]["files_per_second"], ratio["windows"]),
        ("MIDI to the finished dataset", results["build"]["files_per_second"], ratio["build"]),
        (f"MidiTok {results['miditok']['version']}, REMI", results["miditok"]["files_per_second"], 1.0),
    ]
    for name, rate, share in rows:
        print(f"{name:<32}{rate:8.1f} files/s {share:6.2f} × MidiTok")
    for run in memory["runs"]:
        print(f"{'peak memory of one process':<32}{run['peak_mb']:8.0f} MB, {run['files']:,} files")
    print(f"{'… grows by':<32}{memory['growth']:8.2f} × for {COPIES} × as many files")


if __name__ == "__main__":
    raise SystemExit(main())
