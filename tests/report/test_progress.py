"""What the progress bar says; that it is only shown on a terminal stands in test_streams.py."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gpool_cli.events import Advanced, Pooled
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, FileDone, InputFile
from gpool_cli.recipe import PoolingSpec
from gpool_cli.report import progress

FILE = InputFile("a.npy", "a.npy")
INFO = ArrayInfo("", (1000, 1000, 1), np.dtype("f4"))


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> progress.ProgressBar:
    """A bar that has been there for two seconds, for two files."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    times = iter([0.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times, 2.0))
    return progress.ProgressBar(2, wanted=True)


def pooled(first: bool) -> Pooled:
    spec = PoolingSpec("avg")
    values = (0.0, 0.0, 0.0, 0, (0.0,))
    return Pooled(FILE, INFO, Layout("HWC", "default"), spec, (1,), "f4", *values, "", first)


def said(bar: progress.ProgressBar) -> tuple[float, str]:
    assert bar._bar is not None
    task = bar._bar.tasks[0]
    return task.completed, task.fields["rate"]


def test_what_is_under_way_counts_until_its_map_is_whole(bar: progress.ProgressBar) -> None:
    with bar:
        bar.add(Advanced(0.5, 2_000_000))
        assert said(bar) == (0.5, "1 MB/s")
        bar.add(Advanced(0.5, 2_000_000))
        assert said(bar) == (1.0, "2 MB/s")
        for first in (True, False):
            bar.add(pooled(first))
        bar.add(Advanced(0.0))
        assert said(bar) == (1.0, "2 MB/s")
        bar.add(FileDone(FILE))
        assert said(bar) == (1.0, "2 MB/s")


def test_what_was_under_way_and_failed_is_forgotten(bar: progress.ProgressBar) -> None:
    with bar:
        bar.add(Advanced(0.5, 2_000_000))
        bar.add(FileDone(FILE))
        assert said(bar) == (1.0, "")
