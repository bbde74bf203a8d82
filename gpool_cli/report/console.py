"""Consoles: what is drawn follows the stream it is drawn on, never another one."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console

_PLAIN_WIDTH = 80
_LEAST_WIDTH = 40


def console_on(stream: TextIO) -> Console:
    """A console for one stream: its width and colours where it is a terminal, plain 80 else."""
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=_terminal_width(stream) if terminal else _PLAIN_WIDTH,
        no_color=bool(os.environ.get("NO_COLOR")),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        _environ={"TERM": os.environ.get("TERM", "")},
    )


def _terminal_width(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return max(_LEAST_WIDTH, columns or _PLAIN_WIDTH)
