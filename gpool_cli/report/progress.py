"""The progress bar: only on a terminal, and only when a run takes long enough to ask."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from gpool_cli.events import Advanced, Event, Pooled, Together
from gpool_cli.model import FileDone
from gpool_cli.quantities import bytes_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 0.7


class ProgressBar:
    """Counts finished files, with their rate and the time that is left.

    Args:
        total: How many files there are.
        wanted: False shows nothing.
    """

    def __init__(self, total: int, wanted: bool) -> None:
        self._total = total
        self._wanted = wanted and sys.stderr.isatty()
        self._started = time.monotonic()
        self._done = 0
        self._bytes = 0
        self._bytes_under_way = 0
        self._share = 0.0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def add(self, event: Event) -> None:
        """Take in what happened."""
        if not self._wanted:
            return
        if isinstance(event, Pooled):
            self._bytes += event.info.nbytes if event.first else 0
            self._bytes_under_way = 0
        elif isinstance(event, Together):
            self._bytes += event.alike.count * event.alike.results[0].info.nbytes
            self._done += event.alike.count
            self._show()
        elif isinstance(event, Advanced):
            self._share = min(1.0, self._share + event.share)
            self._bytes_under_way += event.nbytes
            self._show()
        elif isinstance(event, FileDone):
            self._done += 1
            self._share, self._bytes_under_way = 0.0, 0
            self._show()

    def _show(self) -> None:
        elapsed = time.monotonic() - self._started
        if self._bar is None and elapsed > _PATIENCE:
            self._open()
        if self._bar is not None and self._task is not None:
            nbytes = self._bytes + self._bytes_under_way
            rate = f"{bytes_text(nbytes / elapsed)}/s" if nbytes else ""
            self._bar.update(self._task, completed=self._done + self._share, rate=rate)

    def _open(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        from gpool_cli.report.console import console_on

        self._bar = Progress(
            TextColumn("pooling"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console_on(sys.stderr),
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._bar.add_task("pooling", total=self._total, rate="")
        self._bar.start()

    def end(self) -> None:
        """Take the bar away."""
        self._wanted = False
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
