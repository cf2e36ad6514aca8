r"""How the page's server bears a crowd: first notes, whole pieces, errors and memory, with 1, 8 and 32 clients at once.

    python scripts/load_space.py                                    # 1, 8 and 32 clients, a piece each
    python scripts/load_space.py --minutes 10 --clients 32 --write  # and its memory, into docs/space.md

Starts the demo in a process of its own on 127.0.0.1, waits until it is warm, and asks it over plain HTTP as the page does: each client has an example
written with a seed of its own, listens to all events, checks that they add up to the piece that ends them, and begins again. Memory
is what the server and its processes have for themselves (Pss, Linux only). First notes count from the click; their sound comes some
milliseconds later. The processor time that the server took until each client had its first notes tells, on a busy machine, how long it would be at
most on an idle one. `--processors` keeps the server to so many, `--say` is what ran beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from pianalysis.files import write_atomically

ROOT: Final = Path(__file__).resolve().parent.parent
TABLES: Final = ROOT / "docs" / "space.md"
EXAMPLES: Final = ("ode_to_joy", "minuet_in_g", "auld_lang_syne", "greensleeves", "sakura")
CLIENTS: Final = (1, 8, 32)
START_S: Final = 600
SAMPLE_S: Final = 10.0
SETTLED_S, SETTLED_SHARE = 3.0, 0.05
"""A server has settled when in so many seconds it takes no more than so large a share of a processor."""
MOST_CLIENTS: Final = 64
WARM_UP_SHARE: Final = 0.3


@dataclass
class Tally:
    """What some clients met. In seconds; errors are their sentences.

    watch: the processor time that the server has taken; used: the same as each first notes came.
    """

    first: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: int = 0
    bars: int = 0
    music_s: float = 0.0
    watch: Callable[[], float] = float
    used: list[float] = field(default_factory=list)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--clients", type=int, nargs="*", default=[*CLIENTS], metavar="N", help="so many at once, in turn"
    )
    parser.add_argument("--pieces", type=int, default=1, metavar="N", help="each client has written (default: 1)")
    parser.add_argument("--minutes", type=float, default=0.0, help="… and so long with the last number, for the memory")
    parser.add_argument("--bars", type=int, default=0, metavar="N", help="of each piece only so many (default: all)")
    parser.add_argument("--model", help="as `pianalysis demo` takes it")
    parser.add_argument("--processors", type=int, metavar="N", help="keep the server to so many")
    parser.add_argument("--say", default="", metavar="TEXT", help="what ran beside it, for the page")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/space.md")
    args = parser.parse_args(argv)
    if not args.clients or not all(1 <= count <= MOST_CLIENTS for count in args.clients):
        parser.error(f"expected 1 to {MOST_CLIENTS} clients, found {args.clients}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server ends with it
    with server(args) as (address, process):
        tables = crowds(address, process, args)
        if args.minutes:
            tables += endurance(address, process, args)
    text = "\n".join([*tables, "", conditions(args, sys.argv[1:] if argv is None else argv)])
    print(text)
    if args.write:
        write(text, "endurance" if args.minutes else "load")
    return 0


@contextmanager
def server(args: argparse.Namespace) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A demo of its own, for one address as many places as there are clients."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "GRADIO_TEMP_DIR": folder,
            "PIANALYSIS_PLACES": str(MOST_CLIENTS),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, "-m", "pianalysis", "demo", "--no-browser", "--port", str(port)]
        command += ["--model", args.model] if args.model else []
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if args.processors and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, range(args.processors))
            wait(address, process)
            settle(process.pid)
            yield address, process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait(address: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > limit:
                raise SystemExit("the demo doesn't start") from None
            time.sleep(0.2)


def settle(pid: int) -> None:
    """Wait until a server has warmed up what it warms up when nobody waits: its processor time stands still."""
    limit, used = time.monotonic() + START_S, processor_s(pid)
    while time.monotonic() < limit:
        time.sleep(SETTLED_S)
        before, used = used, processor_s(pid)
        if used - before < SETTLED_SHARE * SETTLED_S:
            return


def crowds(address: str, process: subprocess.Popen[bytes], args: argparse.Namespace) -> list[str]:
    """A table of so many clients at once, in turn."""
    play(address, Tally(bars=args.bars), random.Random(0))  # the first of all warms up connections
    head = "| clients | pieces | first notes, s: p50 | p95 | whole piece, s: p50 | p95 | music written a second, s | processor time to the last first notes, s | errors | wrong | memory after, MB |"
    rows = [head, "|" + "--:|" * 11]
    for count in args.clients:
        tally, began = Tally(bars=args.bars, watch=partial(processor_s, process.pid)), time.perf_counter()
        before = tally.watch()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(partial(visit, address, tally, args.pieces), range(count)))
        took = time.perf_counter() - began
        cells = [count, len(tally.done), *seconds(tally.first), *seconds(tally.done), f"{tally.music_s / took:.0f}"]
        cells.append(f"{tally.used[count - 1] - before:.1f}" if len(tally.used) >= count else "–")
        cells += [len(tally.errors), tally.wrong, memory_mb(process.pid)]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
        print(rows[-1], set(tally.errors) or "", file=sys.stderr, flush=True)
    return rows


def visit(address: str, tally: Tally, pieces: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(pieces):
        play(address, tally, chance)


def endurance(address: str, process: subprocess.Popen[bytes], args: argparse.Namespace) -> list[str]:
    """A table of the memory while clients come and go for some minutes."""
    count, tally, end = args.clients[-1], Tally(bars=args.bars), time.monotonic() + 60 * args.minutes
    samples: list[tuple[float, int]] = []

    def come_and_go(seed: int) -> None:
        chance = random.Random(1_000 + seed)
        while time.monotonic() < end:
            play(address, tally, chance)

    with ThreadPoolExecutor(count) as pool:
        clients = [pool.submit(come_and_go, seed) for seed in range(count)]
        began = time.monotonic()
        while time.monotonic() < end:
            samples.append((time.monotonic() - began, memory_mb(process.pid)))
            print(
                f"{samples[-1][0]:4.0f} s  {samples[-1][1]:5} MB  {len(tally.done)} pieces", file=sys.stderr, flush=True
            )
            time.sleep(SAMPLE_S)
        for client in clients:
            client.result()
    warm = [mb for second, mb in samples if second >= WARM_UP_SHARE * 60 * args.minutes]
    third = max(1, len(warm) // 3)
    early, late = statistics.mean(warm[:third]), statistics.mean(warm[-third:])
    head = "| clients | minutes | pieces | errors | wrong | memory, MB: at first | after warm-up | at the end | growth after warm-up | most |"
    cells = [count, f"{args.minutes:g}", len(tally.done), len(tally.errors), tally.wrong, samples[0][1]]
    cells += [f"{early:.0f}", f"{late:.0f}", f"{late / early - 1:+.1%}", max(mb for _, mb in samples)]
    return ["", head, "|--:|" + "--:|" * 9, "| " + " | ".join(map(str, cells)) + " |"]


def play(address: str, tally: Tally, chance: random.Random) -> None:
    """Have one piece written, and listen to all of it."""
    data = [chance.choice(EXAMPLES), {"max_bars": tally.bars}, chance.randrange(2**32), 0, "", 100, ""]
    began, folded, heard = time.perf_counter(), {}, False
    try:
        session = f"{chance.getrandbits(60):x}"
        post(f"{address}gradio_api/call/stream", {"data": data, "session_hash": session})
        for message in events(f"{address}gradio_api/queue/data?session_hash={session}"):
            output = message.get("output") or {}
            if message.get("msg") == "process_completed" and not message.get("success"):
                tally.errors.append(str(output.get("error")))
                return
            event = (output.get("data") or [None])[0] if message.get("msg") == "process_generating" else None
            if not event:
                continue
            if event["event"] == "notes":
                folded.update(((row[0], row[2]), row) for row in event["notes"])
                if event["notes"] and not heard:
                    heard = True
                    tally.first.append(time.perf_counter() - began)
                    tally.used.append(tally.watch())
            elif event["event"] == "done":
                tally.done.append(time.perf_counter() - began)
                tally.music_s += event["seconds"]
                tally.wrong += sorted(folded.values()) != sorted(event["notes"])
    except OSError as error:
        tally.errors.append(f"{type(error).__name__}: {error}")
        time.sleep(1.0)


def post(address: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=120).close()


def events(address: str) -> Iterator[dict[str, Any]]:
    with urllib.request.urlopen(address, timeout=600) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def seconds(values: list[float]) -> tuple[str, str]:
    """Their median and the value that 95 in 100 don't exceed."""
    if not values:
        return "–", "–"
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f}", f"{ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]:.2f}"


def memory_mb(pid: int) -> int:
    """What a process and those that it started have for themselves, shared pages by their share."""
    return round(sum(pss_kb(one) for one in family(pid)) / 1_024)


def family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [one for child in task.read_text().split() for one in family(int(child))]
        except OSError:
            continue
    return found


def processor_s(pid: int) -> float:
    """The processor time that a process and those that it started have taken, in seconds."""
    ticks = 0
    for one in family(pid):
        try:
            ticks += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def conditions(args: argparse.Namespace, argv: list[str]) -> str:
    """How it was measured."""
    words = [word if " " not in word else f'"{word}"' for word in argv]
    cores = args.processors or os.cpu_count()
    load = f"load average {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    beside = f"; beside it: {args.say}" if args.say else ""
    return (
        f"`python scripts/load_space.py {' '.join(words)}`, model {args.model or 'bundled'}, {cores} processors "
        f"({platform.machine()}), {load}{beside}."
    )


def write(text: str, name: str) -> None:
    from update_readme import between

    page = TABLES.read_text(encoding="utf-8")
    write_atomically(TABLES, between(page, name, text).encode())


if __name__ == "__main__":
    raise SystemExit(main())
