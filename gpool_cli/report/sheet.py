"""Pictures of maps as one image, side by side, with their titles and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpool_cli.raster import Box
from gpool_cli.report.colours import NAN_COLOUR, Rgb, viridis
from gpool_cli.report.legend import Legend
from gpool_cli.report.picture import Picture
from gpool_cli.report.png import pillow

# Pixels: of the side of an image, of the side of a picture in it at least, of a margin, of a line
# of text, and of a bar of colours.
_SIDE = 1024
_LEAST = 112
_MARGIN = 8
_LINE = 14
_BAR = 160, 10

_PAPER = 255, 255, 255
_INK = 0, 0, 0


def sheet_box(count: int) -> Box:
    """The room for each of so many pictures, in pixels."""
    side = max(_LEAST, _SIDE // _across(count))
    return Box(side, side)


def sheet(pictures: Sequence[Picture]) -> Rgb:
    """An image of pictures of one size on one scale.

    Args:
        pictures: Made for `sheet_box`.

    Returns:
        Shape (height, width, 3).

    Raises:
        UsageError: Pillow is not installed.
    """
    legend = Legend.of([p.cells for p in pictures], [note for p in pictures for note in p.notes])
    times = sheet_box(len(pictures)).times(*pictures[0].cells.shape)
    tiles = [_enlarged(viridis(legend.scale.shares(p.cells)), times) for p in pictures]
    across = _across(len(pictures))
    title = _LINE if any(p.title for p in pictures) else 0
    down, right = tiles[0].shape[0] + title + _MARGIN, max(tiles[0].shape[1], _LEAST) + _MARGIN
    below = _MARGIN + down * -(-len(pictures) // across)
    width = max(_MARGIN + across * right, 2 * _MARGIN + _legend_width(legend))
    paper = _Paper(width, below + _LINE * (1 + len(legend.notes)) + _MARGIN)
    for number, (picture, tile) in enumerate(zip(pictures, tiles, strict=True)):
        x, y = _MARGIN + number % across * right, _MARGIN + number // across * down
        paper.write(x, y, picture.title)
        paper.paste(x, y + title, tile)
    _add_legend(paper, legend, below)
    return paper.pixels()


class _Paper:
    """White paper to write on and to paste on, in pixels from its upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        image = pillow()
        from PIL import ImageDraw

        self._image = image.new("RGB", (width, height), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._font = _font()

    def write(self, x: int, y: int, text: str, colour: tuple[int, int, int] = _INK) -> int:
        """Write a text, and say where it ends."""
        self._draw.text((x, y), text, colour, self._font)
        return x + _text_width(text)

    def paste(self, x: int, y: int, pixels: Rgb) -> int:
        """Paste pixels, and say where they end."""
        self._image.paste(pillow().fromarray(np.ascontiguousarray(pixels)), (x, y))
        return x + int(pixels.shape[1])

    def pixels(self) -> Rgb:
        return np.asarray(self._image, np.uint8)


def _add_legend(paper: _Paper, legend: Legend, y: int) -> None:
    wide, high = _BAR
    x = paper.write(_MARGIN, y, legend.ends[0])
    if len(legend.ends) == 2:
        colours = viridis(np.linspace(0.0, 1.0, wide))
        x = paper.paste(x + _MARGIN, y, np.repeat(colours[np.newaxis], high, axis=0))
        x = paper.write(x + _MARGIN, y, legend.ends[1])
    if legend.nan:
        x = paper.paste(x + 2 * _MARGIN, y, np.full((high, high, 3), NAN_COLOUR, np.uint8))
        paper.write(x + _MARGIN, y, legend.nan)
    for number, note in enumerate(legend.notes, 1):
        paper.write(_MARGIN, y + number * _LINE, note)


def _legend_width(legend: Legend) -> int:
    """The pixels that the widest line of a legend takes."""
    first = sum(map(_text_width, (*legend.ends, legend.nan))) + _BAR[0] + _BAR[1] + 5 * _MARGIN
    return max(first, *map(_text_width, legend.notes))


def _enlarged(pixels: Rgb, times: int) -> Rgb:
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _across(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _font() -> Any:
    """Pillow's own letters, the same wherever it is installed."""
    from PIL import ImageFont

    return ImageFont.load_default_imagefont()


def _text_width(text: str) -> int:
    return int(_font().getbbox(text)[2])
