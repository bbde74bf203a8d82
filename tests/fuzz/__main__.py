"""The command line of the fuzzer."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz.mutants import mutant
from tests.fuzz.seeds import seeds
from tests.fuzz.trial import trial

_BATCH = 50


def main(words: list[str] | None = None) -> int:
    """Run gpool on damaged files; 1 if it took any of them wrongly."""
    options = _options(words)
    healthy = {name: data for name, data in seeds().items() if name.endswith(options.suffix)}
    if wrong := trial(healthy):
        print(f"the healthy files: {', '.join(wrong)}")
        return 1
    firsts = range(options.first, options.first + options.number, _BATCH)
    last = options.first + options.number
    batches = [range(first, min(first + _BATCH, last)) for first in firsts]
    found = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for culprits in pool.map(partial(_culprits, healthy, options.seed), batches):
            for name, data, wrong in culprits:
                found += 1
                print(f"{name}: {', '.join(wrong)}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / name).write_bytes(data)
    print(f"{options.number:,} damaged files, {found} taken wrongly; seed {options.seed}")
    return 1 if found else 0


def _culprits(
    healthy: Mapping[str, bytes], seed: str, numbers: range
) -> Iterator[tuple[str, bytes, list[str]]]:
    """The files of a batch that gpool takes wrongly, with what is wrong."""
    files = dict(_damaged(healthy, seed, number) for number in numbers)
    wrong = trial(files)
    if not wrong:
        return
    alone = [(name, data, trial({name: data})) for name, data in files.items()]
    guilty = [culprit for culprit in alone if culprit[2]]
    yield from guilty or [(f"{numbers.start}-{numbers.stop}", b"", [*wrong, "together only"])]


def _damaged(healthy: Mapping[str, bytes], seed: str, number: int) -> tuple[str, bytes]:
    chosen = random.Random(f"{seed}/{number}")
    name = chosen.choice(sorted(healthy))
    return f"{number:06}_{name}", mutant(healthy[name], chosen)


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Damage small files in many ways and run gpool on them, twice. It must answer "
        "or refuse each: no traceback, crash or hang, and the same answer both times.",
    )
    parser.add_argument("-n", "--number", type=int, default=1000, help="how many files")
    parser.add_argument("--seed", default="1", help="another seed, other files")
    parser.add_argument("--first", type=int, default=0, help="the number of the first file")
    parser.add_argument("--suffix", default="", help="only this kind, such as .npy or .zarr")
    parser.add_argument("--jobs", type=int, default=2, help="how many runs at one time")
    parser.add_argument("--keep", type=Path, help="where to keep files that were taken wrongly")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
