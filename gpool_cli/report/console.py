"""Consoles: what is drawn follows the stream it is drawn on, never another one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from gpool_cli.report.width import width_of


def console_on(stream: TextIO) -> Console:
    """A console for one stream: its width and colours where it is a terminal, plain 80 else."""
    return Console(
        file=stream,
        force_terminal=stream.isatty(),
        width=width_of(stream),
        no_color=bool(os.environ.get("NO_COLOR")),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        _environ={name: os.environ.get(name, "") for name in ("TERM", "COLORTERM")},
    )


def print_styled(stream: TextIO, table: Sequence[str], caption: Sequence[str]) -> None:
    """Print the lines of a table with a bold header, and what stands below it dim."""
    console = console_on(stream)
    for i, line in enumerate(table):
        console.print(Text(line, style="bold" if i == 0 else ""), overflow="ignore", crop=False)
    for line in caption:
        console.print(Text(line, style="dim"), overflow="ignore", crop=False)
