"""A look at one map: the cells of its pictures, reduced while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gpool_cli.access import Access
from gpool_cli.batch.memory import check_memory
from gpool_cli.batch.onemap import OneMap
from gpool_cli.batch.select import may_be_wanted, select
from gpool_cli.batch.work import failure_of
from gpool_cli.errors import GpoolError, InputError
from gpool_cli.formats.interface import Array, Reader
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.layout import Layout
from gpool_cli.model import STDIN, ArrayInfo, Failed, InputFile
from gpool_cli.poolings.interface import Floats
from gpool_cli.poolings.planes import Extent, Over, Planes
from gpool_cli.printable import printable
from gpool_cli.quantities import count_text
from gpool_cli.raster import Box
from gpool_cli.recipe import PoolingSpec, Recipe

_NAMES_SHOWN = 5


@dataclass(frozen=True)
class View:
    """What is wanted to be seen of a map.

    Attributes:
        layout: The user's layout as `gpool_cli.layout.parse_layout` gives it, or None.
        index: Which map of a batch.
        channel: The channel; None for others.
        top: How many of the strongest channels; None for others.
        pooling: What tells how strong a channel is.
        over: What is made of all channels together, where none is wanted alone.
    """

    layout: str | None
    index: int
    channel: int | None
    top: int | None
    pooling: PoolingSpec
    over: Over


@dataclass(frozen=True)
class Glance:
    """What was seen of a map.

    Attributes:
        info: The array.
        layout: The meaning of its axes.
        maps: How many maps it has.
        extent: How large the map is, and how many values make a side of a cell.
        cells: Shape (planes, rows of cells, columns of cells).
        channels: The channel of every plane; empty where there is one of all channels together.
        pooled: The pooled value of each of them; empty where it was not asked for.
        how: What a cell is of the values that belong to it.
    """

    info: ArrayInfo
    layout: Layout
    maps: int
    extent: Extent
    cells: Floats
    channels: tuple[int, ...] = ()
    pooled: tuple[float, ...] = ()
    how: Over = "mean"


def glance(file: InputFile, view: View, box: Box, access: Access) -> Glance | Failed:
    """Look at one map of a file; this is the function that a worker runs.

    Args:
        file: Where it is.
        view: What is wanted.
        box: The room for one picture.
        access: How the file is opened.

    Returns:
        What was seen; or what is wrong with the array, by its name.

    Raises:
        InputError: There is not one map in the file, or it can't be read.
    """
    with open_reader(file.path, access) as reader:
        chosen = choose_one(file, view.layout, reader)
        if isinstance(chosen, Failed):
            return chosen
        info, layout, arrays = chosen
        try:
            recipe = Recipe((view.pooling,), view.layout)
            check_memory(info, layout, recipe, access.max_memory)
            seen = _see(OneMap(reader, info, layout, view.index), recipe, view, box)
            if next(arrays, None) is not None:
                raise InputError("more than one array came", "send the one to be looked at")
        except GpoolError as error:
            return failure_of(file, info.dataset, error)
    return seen


def choose_one(
    file: InputFile, layout: str | None, reader: Reader
) -> tuple[ArrayInfo, Layout, Iterator[ArrayInfo]] | Failed:
    """The one map of a file, the meaning of its axes, and what a pipe has after it.

    Returns:
        Or what is wrong with the array, by its name.

    Raises:
        InputError: There is none, or more than one.
    """
    arrays = reader.arrays_named(may_be_wanted(file.keys))
    # What comes after an array in a pipe can't be listed before its values are read.
    infos = list(islice(arrays, 1 if file.path == STDIN else None))
    chosen = select(infos, file.keys, layout, format_of(file.path).container)
    if chosen.failed and not chosen.maps:
        info, wrong = chosen.failed[0]
        return failure_of(file, info.dataset, wrong)
    if not chosen.maps:
        raise InputError("holds no feature map", "see what is in it with: gpool info")
    if len(chosen.maps) > 1:
        names = ", ".join(printable(info.dataset) for info, _ in chosen.maps[:_NAMES_SHOWN])
        more = ", …" if len(chosen.maps) > _NAMES_SHOWN else ""
        raise InputError(
            f"holds {count_text(len(chosen.maps), 'map')}", f"choose one with --key: {names}{more}"
        )
    return *chosen.maps[0], arrays


def _see(one: OneMap, recipe: Recipe, view: View, box: Box) -> Glance:
    rows, columns, channels = one.size
    extent = Extent(rows, columns, channels, box.step(rows, columns))
    wanted: tuple[int, ...] | None = None
    pooled: tuple[float, ...] = ()
    if view.channel is not None:
        if view.channel >= channels:
            raise InputError(
                f"has {count_text(channels, 'channel')}, and no channel {view.channel}",
                f"they are numbered from 0 to {channels - 1}",
            )
        wanted = (view.channel,)
    elif view.top is not None:
        values = one.pooled(recipe)
        wanted = _strongest(values, view.top)
        pooled = tuple(float(values[number]) for number in wanted)
    planes = Planes(extent, wanted, view.over)
    for start, values in one.boxes(wanted):
        planes.update(start, values)
    cells, how = planes.finish(), planes.how
    return Glance(one.info, one.layout, one.maps, extent, cells, wanted or (), pooled, how)


def _strongest(values: Array, count: int) -> tuple[int, ...]:
    """The channels of the largest values, the first of equal ones first; NaN comes last."""
    order = np.argsort(-values.astype(np.float64), kind="stable")
    return tuple(int(i) for i in order[:count])
