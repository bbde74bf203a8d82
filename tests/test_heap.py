"""Freed memory is used again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Ten arrays of 4 MB are made, filled and freed; how many pages the system had to give for that.
PROGRAM = """
import resource, sys
import numpy as np
from gpool_cli.heap import keep_freed

if sys.argv[1] == "kept":
    keep_freed()

def fill_and_free():
    np.empty(1 << 20, np.float32).fill(1)

fill_and_free()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    fill_and_free()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(how: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", PROGRAM, how]))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems keep what they like")
def test_freed_memory_costs_no_new_pages() -> None:
    if pages("not kept") < 100:
        pytest.skip("it costs none here anyway")
    assert pages("kept") < 100
