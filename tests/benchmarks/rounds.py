"""One work: everyone in turn, A B A B, so that what slows the machine slows them all."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.data import Store
from tests.benchmarks.peers import Peer, filled, gpool, there
from tests.benchmarks.process import CommandError, run
from tests.benchmarks.ratio import Wanted
from tests.benchmarks.results import difference
from tests.benchmarks.works import Work


@dataclass(frozen=True)
class Line:
    """One line of the table: gpool beside one peer.

    Attributes:
        work: The title of the work.
        against: The title of the peer.
        ours: Gpool's median time in seconds.
        theirs: The peer's.
        wanted: What the ratio should be.
        our_peak: Gpool's memory at the peak in bytes; 0 where the system doesn't tell.
        their_peak: The peer's.
        nbytes: What gpool read, decoded.
        left_out: What is not installed; then nothing ran.
        trouble: How a command failed, or how the results differ.
    """

    work: str
    against: str
    ours: float = 0
    theirs: float = 0
    wanted: Wanted | None = None
    our_peak: int = 0
    their_peak: int = 0
    nbytes: int = 0
    left_out: str = ""
    trouble: str = ""


@dataclass
class _Runner:
    """One of those that run in turn, and what it took."""

    peer: Peer
    words: list[str]
    out: Path
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    trouble: str = ""

    def go(self, *, watched: bool = False) -> None:
        """Run once, unless it has failed before."""
        if self.trouble:
            return
        try:
            took = run(self.words, watched=watched)
        except CommandError as error:
            self.trouble = str(error)
            return
        self.peak = max(self.peak, took.peak)
        self.seconds.append(took.seconds)

    def median(self) -> float:
        """The median time; 0 if it never came to an end."""
        return statistics.median(self.seconds) if self.seconds else 0


def run_work(work: Work, store: Store, runs: int, passing: Path) -> Iterator[Line]:
    """Run gpool and its peers in turn.

    Args:
        work: What to do.
        store: Where the data are.
        runs: How many times, after a warm-up in which memory is watched; 0 is the warm-up alone.
        passing: The directory for results.

    Yields:
        A line for each peer.
    """
    title = work.title_at(store.scale)
    if not there(work.needs):
        yield from (Line(title, peer.title, left_out=work.needs) for peer in work.peers)
        return
    ours = _runner(gpool("gpool", work.gpool), work, store, passing / f"gpool{work.out}")
    others = [
        _runner(peer, work, store, passing / f"peer{number}{work.out}")
        for number, peer in enumerate(work.peers)
        if there(peer.needs)
    ]
    everyone = [ours, *others]
    for runner in everyone:
        runner.go(watched=True)
    _compare(ours, others)
    if runs:
        for runner in everyone:
            runner.seconds.clear()
    for _ in range(min(runs, work.most_runs or runs)):
        for runner in everyone:
            runner.go()
    for runner in everyone:
        runner.out.unlink(missing_ok=True)
    for peer in work.peers:
        other = next((runner for runner in others if runner.peer is peer), None)
        yield _line(work, peer, ours, other, store.scale)


def _runner(peer: Peer, work: Work, store: Store, out: Path) -> _Runner:
    data = store.path_of(peer.data or work.data)
    return _Runner(peer, filled(peer.words, {"data": str(data), "out": str(out)}), out)


def _compare(ours: _Runner, others: list[_Runner]) -> None:
    for other in others:
        if other.peer.compared() and not ours.trouble and not other.trouble:
            other.trouble = difference(ours.out, other.out)


def _line(work: Work, peer: Peer, ours: _Runner, other: _Runner | None, scale: float) -> Line:
    title = work.title_at(scale)
    if other is None:
        return Line(title, peer.title, left_out=peer.needs)
    trouble = other.trouble
    if ours.trouble:
        trouble = f"gpool: {ours.trouble}"
    return Line(
        work=title,
        against=peer.title,
        ours=ours.median(),
        theirs=other.median(),
        wanted=peer.wanted,
        our_peak=ours.peak,
        their_peak=other.peak,
        nbytes=work.data.nbytes_at(scale),
        trouble=trouble,
    )
