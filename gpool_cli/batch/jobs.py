"""How many workers a run may have, and how many it is worth having."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from gpool_cli.batch.masks import needs_worker
from gpool_cli.formats.inputs import bytes_to_read
from gpool_cli.model import STDIN, InputFile
from gpool_cli.recipe import Recipe

# Below this a run is over before a second process would have helped.
_WORTH_BYTES = 24 << 20
_WORTH_FILES = 400


def usable_cores() -> int:
    """The cores that this process may use: its affinity, and the quota of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _quota()))


def _quota() -> int:
    """The quota of the control group in whole cores; many where there is none."""
    for path, both in (
        ("/sys/fs/cgroup/cpu.max", True),
        ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", False),
    ):
        try:
            with open(path) as file:
                words = file.read().split()
            if both:
                quota, period = words
            else:
                with open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as file:
                    quota, period = words[0], file.read()
            if int(quota) > 0:
                return -(-int(quota) // int(period))
        except (OSError, ValueError):
            continue
    return 1 << 16


def worth_workers(files: Sequence[InputFile], recipe: Recipe, jobs: int) -> int:
    """How many workers to start.

    0 for a small job, which must not pay for them, unless a file is only safe to read in one.
    """
    if jobs > 1 and _is_large(files):
        return jobs
    return int(any(needs_worker(file, recipe) for file in files))


def _is_large(files: Iterable[InputFile]) -> bool:
    nbytes, count = 0, 0
    for file in files:
        if file.path == STDIN:
            continue
        count += 1
        try:
            nbytes += bytes_to_read(file)
        except OSError:
            continue
        if nbytes >= _WORTH_BYTES or count >= _WORTH_FILES:
            return True
    return False
