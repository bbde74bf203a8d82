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
from gpool_cli.raster import Array, Box, means
from gpool_cli.report.canvas import GAP, HALF_BLOCK, Canvas
from gpool_cli.report.colours import NAN_COLOUR, Rgb, Scale, viridis
from gpool_cli.report.console import console_on
from gpool_cli.report.legend import Legend
from gpool_cli.report.table import wrapped

_NAN_MARK = "?"
_FULL_BLOCK = "\u2588"
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
    def notes(self) -> tuple[str, ...]:
        """How large the map is, and what a cell is of it."""
        size = f"{shape_text(self.shape)} {'value' if self.shape == (1, 1) else 'values'}"
        if self.step == 1:
            return (size,)
        part = shape_text(tuple(min(self.step, length) for length in self.shape))
        return size, f"each cell is the {self.how} of {part}"


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
    legend = Legend.of([p.cells for p in pictures], [note for p in pictures for note in p.notes])
    across, width = canvas.divided(len(pictures))
    lines = []
    for first in range(0, len(pictures), across):
        lines += [Text()] if first else []
        lines += _side_by_side(pictures[first : first + across], legend.scale, canvas, width)
    _print_lines(stream, [*lines, *_legend_lines(legend, canvas)])


def _print_lines(stream: TextIO, lines: Sequence[Text]) -> None:
    if not stream.isatty():
        # Rich would end the program where the reader of a pipe left.
        print(*(line.plain for line in lines), sep="\n", file=stream)
        return
    console = console_on(stream)
    for line in lines:
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


def _legend_lines(legend: Legend, canvas: Canvas) -> list[Text]:
    """A legend in lines that fit."""
    first = Text(legend.ends[0])
    if len(legend.ends) == 2:
        first.append(" ").append_text(_bar(canvas)).append(f" {legend.ends[1]}")
    if legend.nan:
        mark = Style(color=Color.from_rgb(*NAN_COLOUR)) if canvas.coloured else ""
        first.append("   ").append(_FULL_BLOCK if canvas.coloured else _NAN_MARK, mark)
        first.append(f" {legend.nan}")
    return [first, *(Text(line, "dim") for line in wrapped(legend.notes, canvas.width))]


def _bar(canvas: Canvas) -> Text:
    """All colours, from the first to the last."""
    if not canvas.coloured:
        return Text(canvas.shades)
    colours = viridis(np.linspace(0.0, 1.0, _BAR))
    return _in_colour(np.stack([colours, colours]))[0]
