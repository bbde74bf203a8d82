"""The progress bar: only on a terminal, and only when a run takes long enough to ask."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from gpool_cli.model import Event, FileDone

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
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def add(self, event: Event) -> None:
        """Take in what happened."""
        if not isinstance(event, FileDone) or not self._wanted:
            return
        self._done += 1
        self._bytes += event.bytes_read
        if self._bar is None and time.monotonic() - self._started > _PATIENCE:
            self._open()
        if self._bar is not None and self._task is not None:
            rate = self._bytes / max(1e-9, time.monotonic() - self._started)
            self._bar.update(self._task, completed=self._done, rate=f"{rate / 1e6:,.0f} MB/s")

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
            console=console_on(sys.stderr),
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._bar.add_task("pooling", total=self._total, rate="")
        self._bar.start()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
