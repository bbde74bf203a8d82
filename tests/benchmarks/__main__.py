"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.data import Store
from tests.benchmarks.machine import machine_text
from tests.benchmarks.rounds import Line, run_work
from tests.benchmarks.table import table_text
from tests.benchmarks.works import WORKS, Work


def main(words: list[str] | None = None) -> int:
    """Run the works that are asked for and print one table; 1 if any failed or disagreed."""
    options = _options(words)
    if options.list:
        for work in WORKS:
            print(f"{work.name:18} {work.title_at(options.scale)}")
        return 0
    chosen = [work for work in WORKS if not options.only or work.name in options.only]
    lines: list[Line] = []
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="gpool-bench-", dir=options.dir) as passing:
        store = Store(options.dir or Path(passing), options.scale, keep=options.keep)
        try:
            _run_all(chosen, store, options.runs, Path(passing), lines)
        except KeyboardInterrupt:
            interrupted = True
            print("interrupted: this is the table so far", file=sys.stderr)
        finally:
            store.close()
    print(machine_text())
    print(f"Median of {options.runs}, scale {options.scale:g}.\n")
    print(table_text(lines))
    if interrupted:
        return 130
    return 1 if any(line.trouble for line in lines) else 0


def _run_all(chosen: list[Work], store: Store, runs: int, passing: Path, lines: list[Line]) -> None:
    for number, work in enumerate(chosen, 1):
        title = work.title_at(store.scale)
        print(f"{number}/{len(chosen)} {work.name}: {title}", file=sys.stderr, flush=True)
        for line in run_work(work, store, runs, passing):
            lines.append(line)
            if line.trouble:
                print(f"  {line.against}: {line.trouble}", file=sys.stderr, flush=True)
        store.drop_all_but(data for later in chosen[number:] for data in later.all_data())


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Run gpool and what people use today on the same data, in turn, as whole "
        "processes, and print medians and ratios. At full size it needs 6 GB of disk, "
        "10 GB of memory for the scripts it compares with, and about ten minutes.",
    )
    parser.add_argument(
        "--scale", type=_positive, default=1.0, help="the size of the data, times this"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[work.name for work in WORKS],
        metavar="NAME",
        help="only this work; repeatable (--list shows the names)",
    )
    parser.add_argument(
        "--runs",
        type=_count,
        default=5,
        help="how many runs after the warm-up; with 0, times are those of the warm-up, while "
        "memory is watched, and mean little",
    )
    parser.add_argument("--dir", type=_directory, help="where data goes; default: a temporary one")
    parser.add_argument(
        "--keep", action="store_true", help="leave the data in --dir, for the next time"
    )
    parser.add_argument("--list", action="store_true", help="show the works and do nothing")
    options = parser.parse_args(words)
    if options.keep and not options.dir:
        parser.error("--keep needs --dir")
    return options


def _positive(text: str) -> float:
    if (value := float(text)) <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _count(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _directory(text: str) -> Path:
    path = Path(text).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
