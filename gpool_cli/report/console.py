"""Consoles: what is drawn follows the stream it is drawn on, never another one."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from rich.console import Console

_PLAIN_WIDTH = 80


def console_on(stream: TextIO) -> Console:
    """A console for one stream: its width and colours where it is a terminal, plain 80 else."""
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=_terminal_width() if terminal else _PLAIN_WIDTH,
        no_color="NO_COLOR" in os.environ,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        _environ={"TERM": os.environ.get("TERM", "")},
    )


def _terminal_width() -> int:
    return max(40, shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns)
