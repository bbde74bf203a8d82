"""What a stream can show of a picture: how wide and high, in colour or in shades."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TextIO

from gpool_cli.raster import Box
from gpool_cli.report.console import console_on
from gpool_cli.report.width import width_of

HALF_BLOCK = "\u2580"
_SHADES = "\u00b7\u2591\u2592\u2593\u2588"
_PLAIN_SHADES = ".:+*#"

# A terminal keeps so many lines for the legend and the prompt.
_OTHER_LINES = 5
_LEAST_LINES = 6

# Columns between pictures, and how many each of several has at least.
GAP = 2
_LEAST_COLUMNS = 18


@dataclass(frozen=True)
class Canvas:
    """What a stream can show.

    Attributes:
        width: Columns of text.
        lines: Lines of text for one picture.
        coloured: It has colours enough for a scale.
        shades: Signs from dark to bright, where there are no colours.
    """

    width: int
    lines: int
    coloured: bool
    shades: str = _SHADES

    def divided(self, count: int) -> tuple[int, int]:
        """How many of so many pictures stand side by side, and the columns that each has."""
        across = max(1, min(count, (self.width + GAP) // (_LEAST_COLUMNS + GAP)))
        return across, (self.width + GAP) // across - GAP

    def box(self, width: int | None = None) -> Box:
        """The room for a picture of so many columns of text; None for all there are.

        A sign is twice as high as wide: in colour it is two cells, without it is half of one.
        """
        columns = self.width if width is None else width
        lines = min(self.lines, max(1, columns // 2))
        return Box(columns, 2 * lines) if self.coloured else Box(max(1, columns // 2), lines)


def canvas_on(stream: TextIO) -> Canvas:
    """What a stream can show: colours only on a terminal that has 256 of them or more."""
    width = width_of(stream)
    lines = width // 4
    if stream.isatty():
        with contextlib.suppress(OSError):
            lines = min(lines, os.get_terminal_size(stream.fileno()).lines - _OTHER_LINES)
    console = console_on(stream)
    many = console.color_system in ("256", "truecolor") and _can_write(stream, HALF_BLOCK)
    coloured = many and not console.no_color
    shades = _SHADES if _can_write(stream, _SHADES) else _PLAIN_SHADES
    return Canvas(width, max(_LEAST_LINES, lines), coloured, shades)


def _can_write(stream: TextIO, signs: str) -> bool:
    try:
        signs.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
