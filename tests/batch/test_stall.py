"""Telling a worker that is stuck from one that has a hard time."""

import os
import sys
import time
from pathlib import Path

import pytest

from gpool_cli import pulse
from gpool_cli.batch.stall import StallWatch

TIMEOUT = 10.0
STEP = 0.25


@pytest.fixture
def worker(monkeypatch):
    return Worker(monkeypatch)


class Worker:
    """A worker as the system and its pulse show it, with a clock of its own."""

    def __init__(self, monkeypatch) -> None:
        self.cells = [0] * pulse.CELLS
        self.now = self.burned = 0.0
        self.reads = 0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self.watch = StallWatch(self.cells, 0, TIMEOUT)
        monkeypatch.setattr(self.watch, "_look", lambda: (self.burned, self.reads))

    def seconds_until_stuck(self, burn=0.0, read=0, beat=0, at_work=True, most=400.0):
        """How long it lives that shows so much of every sign at a step; None where it lives on."""
        begun = self.now
        while self.now - begun < most:
            self.now += STEP
            self.burned += burn
            self.reads += read
            self.cells[pulse.BEATS] += beat
            if self.watch.is_stuck(at_work):
                return self.now - begun
        return None


@pytest.mark.parametrize(
    ("doing", "limit"), [(pulse.HEADERS, 10 / 3), (pulse.BLOCK, 10), (pulse.OWN_WORK, 60)]
)
def test_one_that_runs_in_circles_is_stuck(worker, doing, limit):
    worker.cells[pulse.DOING] = doing
    assert worker.seconds_until_stuck(burn=STEP, read=9) == pytest.approx(limit, abs=3 * STEP)


@pytest.mark.parametrize(
    ("doing", "limit"), [(pulse.HEADERS, 10), (pulse.BLOCK, 10), (pulse.OWN_WORK, 60)]
)
def test_one_that_is_stopped_is_stuck(worker, doing, limit):
    worker.cells[pulse.DOING] = doing
    assert worker.seconds_until_stuck() == pytest.approx(limit, abs=3 * STEP)


def test_a_large_block_is_given_its_time(worker):
    worker.cells[pulse.DOING], worker.cells[pulse.BYTES] = pulse.BLOCK, 100_000_000
    assert worker.seconds_until_stuck() == pytest.approx(30, abs=3 * STEP)


@pytest.mark.parametrize("signs", [{"read": 1}, {"burn": 0.001}, {"burn": 0.25, "beat": 1}])
@pytest.mark.parametrize("doing", [pulse.HEADERS, pulse.BLOCK])
def test_a_slow_disk_a_crowded_machine_and_much_to_do_are_none(worker, doing, signs):
    worker.cells[pulse.DOING] = doing
    assert worker.seconds_until_stuck(**signs) is None


def test_one_without_work_may_rest(worker):
    assert worker.seconds_until_stuck(at_work=False) is None
    assert worker.seconds_until_stuck() is not None


def test_a_machine_that_slept_is_no_stall(worker):
    worker.cells[pulse.DOING] = pulse.HEADERS
    assert not worker.watch.is_stuck(at_work=True)
    worker.now += 3600
    assert not worker.watch.is_stuck(at_work=True)


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells")
def test_the_signs_of_a_real_process():
    watch = StallWatch([0] * pulse.CELLS, os.getpid(), TIMEOUT)
    burned, reads = watch._look()
    Path(__file__).read_bytes()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    more_burned, more_reads = watch._look()
    assert more_burned > burned
    assert more_reads > reads


def test_where_the_system_does_not_tell_the_clock_counts(worker, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr("time.monotonic", lambda: worker.now)
    watch = StallWatch(worker.cells, 2**30, TIMEOUT)
    worker.cells[pulse.DOING] = pulse.HEADERS
    worker.watch = watch
    assert worker.seconds_until_stuck() == pytest.approx(10 / 3, abs=3 * STEP)
