"""Pictures of maps as lines of text: half blocks in colour, or shades where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

from gpool_cli.layout import shape_text
from gpool_cli.quantities import count_text, number_text
from gpool_cli.raster import Array, Box, means
from gpool_cli.report.canvas import GAP, HALF_BLOCK, Canvas
from gpool_cli.report.colours import NAN_COLOUR, Rgb, Scale, viridis
from gpool_cli.report.console import console_on
from gpool_cli.report.table import wrapped

_NAN_MARK = "?"

_BAR = 16


@dataclass(frozen=True)
class Picture:
    """A map as it is shown.

    Attributes:
        cells: What is shown, shape (rows, columns).
        shape: The rows and columns of the map itself.
        step: How many of its values make a side of a cell; 1 where every value is a cell.
        how: What a cell is of its values: ``mean`` or ``max``.
        title: What stands above it; empty for nothing.
    """

    cells: Array
    shape: tuple[int, int]
    step: int = 1
    how: str = "mean"
    title: str = ""

    @property
    def size_text(self) -> str:
        """How large the map is, and what a cell is of it."""
        size = f"{shape_text(self.shape)} {'value' if self.shape == (1, 1) else 'values'}"
        if self.step == 1:
            return size
        part = shape_text(tuple(min(self.step, length) for length in self.shape))
        return f"{size}, each cell is the {self.how} of {part}"


def picture_of(values: Array, box: Box, title: str = "") -> Picture:
    """A picture of a map that is in memory, reduced by the mean where it is too large for a box.

    Args:
        values: Shape (rows, columns), of any real dtype.
        box: The room there is.
        title: What stands above it.
    """
    rows, columns = values.shape
    step = box.step(rows, columns)
    cells = means(values, step) if step > 1 else np.asarray(values, np.float64)
    return Picture(cells, (rows, columns), step, title=title)


def print_pictures(stream: TextIO, pictures: Sequence[Picture], canvas: Canvas) -> None:
    """Print pictures on one scale, side by side, and a legend below them.

    Args:
        stream: Where to.
        pictures: Made for `Canvas.box` of the columns that `Canvas.divided` gives each.
        canvas: What the stream can show.
    """
    console = console_on(stream)
    scale = Scale.of(*(picture.cells for picture in pictures))
    across, width = canvas.divided(len(pictures))
    for first in range(0, len(pictures), across):
        for line in _side_by_side(pictures[first : first + across], scale, canvas, width):
            console.print(line, overflow="ignore", no_wrap=True, crop=False)
    for line in legend(pictures, scale, canvas):
        console.print(line, overflow="ignore", no_wrap=True, crop=False)


def _side_by_side(
    pictures: Sequence[Picture], scale: Scale, canvas: Canvas, width: int
) -> list[Text]:
    blocks = [lines_of(picture, scale, canvas, width) for picture in pictures]
    lines = []
    for number in range(max(map(len, blocks))):
        line = Text()
        for block in blocks[:-1]:
            part = block[number] if number < len(block) else Text()
            line.append_text(part)
            line.append(" " * (width - part.cell_len + GAP))
        if number < len(blocks[-1]):
            line.append_text(blocks[-1][number])
        lines.append(line)
    return lines


def lines_of(picture: Picture, scale: Scale, canvas: Canvas, width: int) -> list[Text]:
    """A picture as lines of text, its title above it.

    Args:
        picture: It was made for ``canvas.box(width)``.
        scale: What the colours mean.
        canvas: What can be shown.
        width: The columns of text that it has.
    """
    times = canvas.box(width).times(*picture.cells.shape)
    shares = np.kron(scale.shares(picture.cells), np.ones((times, times)))
    title = [Text(picture.title[:width], style="bold")] if picture.title else []
    if canvas.coloured:
        return title + _in_colour(viridis(shares))
    return title + [Text("".join(2 * sign for sign in row)) for row in _shades(shares, canvas)]


def _in_colour(cells: Rgb) -> list[Text]:
    """Two rows of cells a line: the upper one is the sign's colour, the lower its background."""
    lines = []
    for top in range(0, len(cells), 2):
        line = Text()
        below = cells[top + 1] if top + 1 < len(cells) else None
        for column, colour in enumerate(cells[top]):
            background = _colour(below[column]) if below is not None else None
            line.append(HALF_BLOCK, Style(color=_colour(colour), bgcolor=background))
        lines.append(line)
    return lines


def _colour(rgb: Rgb) -> Color:
    red, green, blue = map(int, rgb)
    return Color.from_rgb(red, green, blue)


def _shades(shares: Array, canvas: Canvas) -> list[list[str]]:
    """A sign for every share; equally many values would have each."""
    signs = canvas.shades
    levels = np.minimum(np.nan_to_num(shares) * len(signs), len(signs) - 1).astype(int)
    levels[np.isnan(shares)] = len(signs)
    table = [*signs, _NAN_MARK]
    return [[table[level] for level in row] for row in levels]


def legend(pictures: Sequence[Picture], scale: Scale, canvas: Canvas) -> list[Text]:
    """What the colours mean, and what the cells are, in lines that fit."""
    sizes = list(dict.fromkeys(picture.size_text for picture in pictures))
    nan = sum(int(np.count_nonzero(np.isnan(p.cells))) for p in pictures)
    infinite = sum(int(np.count_nonzero(np.isinf(p.cells))) for p in pictures)
    notes = sizes + ([count_text(infinite, "infinite cell")] if infinite else [])
    lines = [Text(line, style="dim") for line in wrapped(notes, canvas.width)]
    first = _bar(scale, canvas)
    if nan:
        mark = (
            Text(HALF_BLOCK, Style(color=Color.from_rgb(*NAN_COLOUR))) if canvas.coloured else None
        )
        first.append("   ").append_text(mark or Text(_NAN_MARK)).append(f" NaN, {nan:,} of them")
    return [first, *lines]


def _bar(scale: Scale, canvas: Canvas) -> Text:
    """The colours between the numbers that they begin and end with."""
    if np.isnan(scale.low):
        return Text("no finite value")
    if scale.low == scale.high:
        return Text(f"all {number_text(scale.low)}")
    shares = np.linspace(0.0, 1.0, _BAR)[np.newaxis]
    if canvas.coloured:
        (bar,) = _in_colour(np.repeat(viridis(shares), 2, axis=0))
    else:
        bar = Text(canvas.shades)
    return Text(f"{number_text(scale.low)} ").append_text(bar).append(f" {number_text(scale.high)}")
