"""Searches for garbage while gpool is imported, and after."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.cli.importing import importing


def test_nobody_looks_for_garbage_while_modules_are_imported(tmp_path: Path) -> None:
    np.save(tmp_path / "map.npy", np.ones((2, 2, 3), np.float32))
    code = (
        "import atexit, gc, sys\n"
        "from gpool_cli.__main__ import main\n"
        "searches = []\n"
        "gc.callbacks.append(lambda phase, _: searches.append(phase))\n"
        f"sys.argv[1:] = ['avg', {str(tmp_path / 'map.npy')!r}, '--quiet']\n"
        "tell = lambda: print(searches.count('start'), 'numpy' in sys.modules)\n"
        "atexit.register(tell)\n"
        "main()\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    searches, numpy_is_there = said.stdout.split()
    # Some ten are of the run itself; there were sixty.
    assert int(searches) <= 25
    assert numpy_is_there == "True"


@pytest.mark.parametrize("error", [None, ImportError])
def test_garbage_is_looked_for_again_afterwards(error: type[Exception] | None) -> None:
    try:
        with importing():
            assert not gc.isenabled()
            if error is not None:
                raise error
    except ImportError:
        pass
    finally:
        was, frozen = gc.isenabled(), gc.get_freeze_count()
        gc.unfreeze()
        gc.enable()
    assert was
    assert frozen
