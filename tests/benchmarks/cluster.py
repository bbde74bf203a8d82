"""A Dask cluster on this machine against worker processes: ``python -m tests.benchmarks.cluster``.

Two Dask workers against one, and against ``--jobs 2``, by turns in one run; medians. A cluster is
there before the clock starts, as it is for its users, and gpool's own start is in every time. There
is never another one: without work, a scheduler and two workers take a tenth of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GPOOL = [sys.executable, "-m", "gpool_cli"]
DASK = [sys.executable, "-m", "dask"]

# What Dask does beside the work, turned down as the README says.
QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
}

# Who does it, and how many Dask workers they are.
WAYS = {"2 Dask workers": 2, "1 Dask worker": 1, "--jobs 2": 0}


@contextlib.contextmanager
def cluster(directory: Path, workers: int) -> Iterator[Path]:
    """A scheduler and its workers, of one thread each; its file."""
    where = directory / f"{workers}.json"
    words = ("--no-dashboard", "--scheduler-file", str(where))
    log = (directory / f"{workers}.log").open("w+b")
    with log, contextlib.ExitStack() as stack:

        def start(*command: str) -> None:
            quiet = {**os.environ, **QUIET}
            process = subprocess.Popen([*DASK, *command, *words], stdout=log, stderr=log, env=quiet)
            stack.callback(process.wait)
            stack.callback(process.terminate)

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not where.exists():
            time.sleep(0.05)
        start("worker", "--nworkers", str(workers), "--nthreads", "1")
        while Path(log.name).read_bytes().count(b"Registered to") < workers:
            time.sleep(0.05)
        yield where


def _run(data: Path, output: Path, workers: int, directory: Path) -> float:
    """Seconds that gpool takes on a cluster of so many workers; 0 for ``--jobs 2``."""
    with contextlib.ExitStack() as stack:
        words = ["--jobs", "2"]
        if workers:
            words = ["--scheduler", str(stack.enter_context(cluster(directory, workers)))]
        started = time.perf_counter()
        command = ["avg", str(data), "-o", str(output), "--quiet", "--overwrite", *words]
        subprocess.run([*GPOOL, *command], check=True)
        return time.perf_counter() - started


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="what is pooled: the gzip data of tests.benchmarks")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.runs + 1):
            outputs = []
            for way, workers in WAYS.items():
                outputs.append(Path(name) / f"{len(outputs)}.npy")
                seconds = _run(options.data, outputs[-1], workers, Path(name))
                if number:  # The first time fills the caches.
                    times[way].append(seconds)
            first = outputs[0].read_bytes()
            assert all(output.read_bytes() == first for output in outputs), "the bytes differ"
    ours = statistics.median(times["2 Dask workers"])
    print("| who | median | 2 Dask workers are |\n|---|---:|---:|")
    for way, each in times.items():
        print(
            f"| {way} | {statistics.median(each):.2f} s | {statistics.median(each) / ours:.2f} × |"
        )


if __name__ == "__main__":
    main()
