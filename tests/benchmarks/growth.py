"""What a map costs as maps grow in number: ``python -m tests.benchmarks.growth 1000 10000``.

Files of one small map each, as hard links, so that the disk holds them; a row of times per map, and
the peak of memory of all processes of a run into one file, for every number. ``--into all.npy``
(repeatable) leaves out the other outputs, which take long for a million.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gpool_cli.access import DEFAULT_ACCESS
from gpool_cli.batch.destination import parse_destination
from gpool_cli.batch.discover import discover
from gpool_cli.batch.plan import check_plan, plan
from gpool_cli.batch.units import steps_of
from gpool_cli.batch.workers import Scout
from gpool_cli.model import Task
from gpool_cli.recipe import PoolingSpec, Recipe
from tests.benchmarks.process import Run, run

_ORIGINALS = 1000
_A_DIRECTORY = 1000

_FILES = ("all.npy", "all.h5", "all.csv")
_OUTPUTS = (*_FILES, "each")


def make(root: Path, count: int) -> None:
    """So many files of 3x3x16 float32 below a directory."""
    rng = np.random.default_rng(1)
    for i in range(count):
        path = root / f"{i // _A_DIRECTORY:04}" / f"{i:07}.npy"
        path.parent.mkdir(exist_ok=True, parents=True)
        if i < _ORIGINALS:
            np.save(path, rng.normal(size=(3, 3, 16)).astype("f4"))
        else:
            original = i % _ORIGINALS
            os.link(root / f"{original // _A_DIRECTORY:04}" / f"{original:07}.npy", path)


def timed(work: Callable[[], object]) -> float:
    """The seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def planned(root: Path) -> None:
    """Find the inputs, and say which outputs they give."""
    destination = parse_destination(str(root / "out"), None, False, ["avg"], False)
    with Scout(10) as scout:
        found = discover([str(root)])
        check_plan(list(plan(found.files, destination, None, DEFAULT_ACCESS, scout)), destination)


def scheduled(root: Path) -> None:
    """Cut the work into units, which nobody does."""
    recipe = Recipe((PoolingSpec("avg"),), batched=True)
    tasks = (Task(file, recipe) for file in discover([str(root)]).files)
    assert sum(1 for _ in steps_of(tasks)) > 0


def pool(root: Path, output: Path, *, watched: bool = False) -> Run:
    """A whole run into an output."""
    words = ["avg", str(root), "-o", str(output), "--quiet", "--jobs", "2"]
    return run([sys.executable, "-m", "gpool_cli", *words], watched=watched)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth")
    parser.add_argument("counts", nargs="+", type=int)
    parser.add_argument("--into", action="append", choices=_OUTPUTS)
    asked = parser.parse_args()
    outputs = asked.into or list(_OUTPUTS)
    print("| maps | plan | find and cut | " + " | ".join(outputs) + " | memory |")
    print("|---:|---:|---:|" + "---:|" * len(outputs) + "---:|")
    for count in asked.counts:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name, "maps")
            make(root, count)
            times = [timed(lambda: planned(root)), timed(lambda: scheduled(root))]  # noqa: B023
            times += [pool(root, Path(name, output)).seconds for output in outputs]
            into_files = [output for output in outputs if output in _FILES]
            again = [pool(root, Path(name, f"again-{one}"), watched=True) for one in into_files]
        cells = " | ".join(f"{1e6 * seconds / count:.0f} µs" for seconds in times)
        memory = " · ".join(f"{one.peak / 1e6:.0f}" for one in again)
        print(f"| {count:,} | {cells} | {memory} MB |", flush=True)


if __name__ == "__main__":
    main()
