"""Processes of tests, and the signals that they are sent."""

from __future__ import annotations

import signal


def by_default() -> None:
    """Signals do what they do at first: in the background, or under nohup, some are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
