"""One trial: gpool on a directory of damaged files, and what was wrong with how it took them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.making.stores import unpack

# A file may cost a worker's patience with headers, and a start of Python.
_SECONDS_EACH = 10
_PATIENCE = 2


def trial(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong: nothing, or words such as ``traceback`` or ``signal 11``."""
    with tempfile.TemporaryDirectory(prefix="gpool-fuzz-") as place:
        inputs, outputs = Path(place, "in"), Path(place, "out")
        inputs.mkdir()
        for name, data in files.items():
            if name.endswith(".zarr"):
                unpack(data, inputs / name)
            else:
                (inputs / name).write_bytes(data)
        first = _run(inputs, outputs, 85, len(files))
        if isinstance(first, list):
            return first
        shutil.rmtree(outputs, ignore_errors=True)
        second = _run(inputs, outputs, 170, len(files))
        if isinstance(second, list):
            return second
        # Memory that was never written has other values in the second run.
        return [] if first == second else ["unstable"]


def _run(inputs: Path, outputs: Path, perturb: int, count: int) -> dict[str, bytes] | list[str]:
    """What was written, by name; or what is wrong."""
    words = ["avg", str(inputs), "-o", f"{outputs}/", "-f", "npz", "--timeout", str(_PATIENCE)]
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "gpool_cli", *words],
            capture_output=True,
            timeout=_SECONDS_EACH * (1 + count),
            env={**os.environ, "MALLOC_PERTURB_": str(perturb)},
        )
    except subprocess.TimeoutExpired:
        return ["hang"]
    wrong = []
    said = (ran.stdout + ran.stderr).decode(errors="replace")
    if ran.returncode not in (0, 1):
        wrong.append(
            f"signal {-ran.returncode}" if ran.returncode < 0 else f"exit {ran.returncode}"
        )
    wrong += [words for words in ("Traceback", "gpool has a bug") if words in said]
    if ran.returncode == 1 and not ran.stderr.strip():
        wrong.append("silent")
    if list(outputs.glob(".gpool-*.part")):
        wrong.append("left something half written")
    return wrong or {p.name: p.read_bytes() for p in sorted(outputs.rglob("*.npz"))}
