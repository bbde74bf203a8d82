"""The end of the process: at once, but not before all is done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BEGIN = "import sys; from gpool_cli.cli.main import main; sys.argv = ['gpool', *sys.argv[1:]]\n"


def ended(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A process that ran a program."""
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_nothing_that_is_imported_is_taken_apart() -> None:
    last = "class Last:\n    def __del__(self): print('taken apart')\nsys.last = Last()\n"
    done = ended(f"{BEGIN}{last}main()", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gpool ")
    assert "taken apart" not in done.stdout


def test_what_was_to_be_called_at_the_end_is_called() -> None:
    done = ended(f"{BEGIN}import atexit; atexit.register(print, 'called')\nmain()", "--nonsense")
    assert done.returncode == 2
    assert done.stdout == "called\n"
    assert done.stderr.count("gpool: error:") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_at_the_end_changes_nothing(name: str) -> None:
    last = f"atexit.register(lambda: os.kill(os.getpid(), signal.{name}))"
    done = ended(f"{BEGIN}import atexit, os, signal; {last}\nmain()", "--version")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_signal_when_all_is_done_is_an_exit_code() -> None:
    done = ended(
        "import os, signal, sys; from gpool_cli.cli import main; run = main.run\n"
        "def late(words): run(words); os.kill(os.getpid(), signal.SIGTERM)\n"
        "main.run, sys.argv = late, ['gpool', *sys.argv[1:]]; main.main()",
        "--version",
    )
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_what_a_library_makes_of_a_signal_is_no_bug() -> None:
    done = ended(
        "import os, signal, sys; from gpool_cli.cli import main; from gpool_cli.errors import *\n"
        "def load(*args, **more):\n"
        "    try: os.kill(os.getpid(), signal.SIGTERM); signal.pause()\n"
        "    except Stopped: raise ImportError('cannot initialise module') from None\n"
        "main.gpool.main = load; main.main()",
    )
    assert (done.returncode, done.stderr) == (143, "gpool: error: terminated\n")


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_who_does_not_read_on_can_be_left() -> None:
    full = "fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK)\ntry:\n  while os.write(1, b'a'): pass\n"
    full += "except BlockingIOError: fcntl.fcntl(1, fcntl.F_SETFL, 0)\n"
    pending = "atexit.register(lambda: print('going', file=sys.stderr, flush=True))\n"
    pending += "atexit.register(lambda: sys.stdout.write('b'))\n"
    program = f"{BEGIN}import atexit, fcntl, os\n{full}{pending}main()"
    command = [sys.executable, "-c", program, "--nonsense"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"error" in process.stderr.readline()
        assert process.stderr.readline() == b"going\n"
        for _ in range(2):
            time.sleep(0.5)
            assert process.poll() is None
            process.terminate()
        assert process.wait(20) == -signal.SIGTERM


def test_a_thread_that_is_still_at_work_is_waited_for() -> None:
    thread = "threading.Thread(target=lambda: (time.sleep(0.5), print('done'))).start()"
    done = ended(f"{BEGIN}import threading, time; {thread}\nmain()", "--version")
    assert done.returncode == 0
    assert done.stdout.endswith("done\n")


def test_a_profiler_has_its_say(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    words = ["-m", "cProfile", "-o", str(profile), "-m", "gpool_cli", "--version"]
    done = subprocess.run([sys.executable, *words], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert profile.stat().st_size > 1000


def test_a_stream_that_was_closed_is_no_other_exit_code() -> None:
    done = ended(f"{BEGIN}import atexit; atexit.register(sys.stdout.close)\nmain()", "--nonsense")
    assert done.returncode == 2
