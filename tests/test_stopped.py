"""Runs that are asked to stop at a moment that a test chooses, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.signals import by_default

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

ASK = """
import os, signal, sys
from gpool_cli.cli import main
us = os.getpid()
def ask(name="SIGINT", times=[1]):
    if os.getpid() == us and times:
        times.pop()
        os.kill(us, getattr(signal, name))
"""

INTERRUPTED = (130, "gpool: error: interrupted\n")


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """Too much for a single process."""
    path = tmp_path / "maps.npy"
    np.save(path, np.ones((300, 64, 64, 8), np.float32))
    return path


def ended(program: str, *words: object) -> tuple[int, str]:
    """The exit code and the errors of a run in which a program has set a trap."""
    command = [sys.executable, "-c", f"{ASK}{program}\nmain.main()", *map(str, words)]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=by_default,
    ) as process:
        try:
            _, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise
    return process.returncode, errors


def pooled(program: str, maps: Path) -> tuple[int, str]:
    return ended(program, "avg", maps, "-o", maps.parent / "out.npy", "--jobs", 3, "-q")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are not forked")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("after", [1, 3])
def test_while_workers_are_forked(name: str, after: int, maps: Path) -> None:
    trap = f"""
import time
from gpool_cli.batch import slots
from gpool_cli.batch.executors import processes
serve, make = processes._serve, slots.Slot
made = []
def serve_late(*args): time.sleep(0.2); serve(*args)
def make_and_ask(*args):
    slot = make(*args)
    made.append(slot)
    if len(made) == {after}: ask({name!r})
    return slot
processes._serve, slots.Slot = serve_late, make_and_ask
"""
    said = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
    codes = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
    assert pooled(trap, maps) == (codes[name], f"gpool: error: {said[name]}\n")


def test_while_workers_end(maps: Path) -> None:
    trap = """
from gpool_cli.batch.executors.processes import ProcessExecutor
end = ProcessExecutor._end_process
def end_and_ask(executor): ask(); end(executor)
ProcessExecutor._end_process = end_and_ask
"""
    assert pooled(trap, maps) == INTERRUPTED
    assert np.load(maps.parent / "out.npy").shape == (300, 1, 1, 8)


def test_what_nobody_can_raise(maps: Path) -> None:
    trap = """
class Last:
    def __del__(self): ask()
run = main.gpool.main
def run_and_drop(*args, **more):
    last = Last()
    code = run(*args, **more)
    del last
    return code
main.gpool.main = run_and_drop
"""
    assert pooled(trap, maps) == INTERRUPTED


def test_an_error_that_nobody_can_raise_is_shown() -> None:
    trap = """
class Last:
    def __del__(self): raise ZeroDivisionError("of a finalizer")
run = main.run
def run_and_drop(words): Last(); return run(words)
main.run = run_and_drop
"""
    code, errors = ended(trap, "--version")
    assert code == 0
    assert "ZeroDivisionError: of a finalizer" in errors


def test_before_the_run_begins() -> None:
    trap = """
listen = main._listen
def listen_and_ask(): listen(); ask()
main._listen = listen_and_ask
"""
    assert ended(trap, "--version") == (130, "")


def test_again_when_all_is_said() -> None:
    trap = """
run, leave = main.run, main.leave
def run_and_ask(words): run(words); ask()
def ask_and_leave(code): os.kill(us, signal.SIGTERM); leave(code)
main.run, main.leave = run_and_ask, ask_and_leave
"""
    assert ended(trap, "--version") == (130, "")
