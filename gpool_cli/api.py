"""The Python API: the code that the commands run, as one function."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from gpool_cli.batch.inprocess import pool_blocks
from gpool_cli.batch.work import pool_file
from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.dtypes import as_native, usable_dtype
from gpool_cli.formats.interface import Array, cut_parts, cut_parts_into_rows
from gpool_cli.layout import SHAPES, ShapeStyle, parse_layout, resolve_layout, size_of
from gpool_cli.model import ArrayInfo, Block, Failed, InputFile, Part, Result, Task
from gpool_cli.poolings import parse_pooling
from gpool_cli.recipe import NAN_POLICIES, NanPolicy, Recipe


def global_pool(
    source: npt.ArrayLike | str | os.PathLike[str],
    pooling: str = "avg",
    *,
    layout: str | None = None,
    key: str | None = None,
    shape: ShapeStyle = "channels-last",
    dtype: npt.DTypeLike | None = None,
    nan: NanPolicy = "propagate",
) -> npt.NDArray[Any]:
    """Pool one feature map: every channel becomes one number.

    Args:
        source: An array of shape H×W×C, N×H×W×C or whatever ``layout`` says, of float16,
            float32, float64, bool or integers; or the path of a file that gpool reads, which is
            read in blocks and may be larger than memory. Fill values that HDF5 attributes
            (``_FillValue``, ``missing_value``) name are left out.
        pooling: A name in the table of poolings: ``"avg"``, ``"max"``, or an alias.
        layout: One letter per axis (N batch, C channels, H W D L T X Y Z pooled), or
            ``channels_last`` or ``channels_first``; None takes the file's own word, else HW, HWC,
            NHWC or NDHWC by the number of axes.
        key: The dataset or member to pool where a file holds several; a pattern as ``--key`` has.
        shape: ``channels-last`` keeps each pooled axis as 1 and puts channels last (1×1×C, or
            N×1×1×C); ``keepdims`` keeps the input's axis order; ``flat`` gives C, or N×C.
        dtype: The result's dtype; None for the pooling's own: ``max`` keeps the input's, ``avg``
            gives float32 for float16, float32, bool and 8- and 16-bit integers, else float64.
        nan: ``propagate`` gives NaN where a channel holds one, ``omit`` leaves NaN out, ``error``
            raises.

    Returns:
        The pooled values, C order, native byte order. ``avg`` is the true mean of the stored
        values rounded once: within 1 ulp of the result's dtype for floats up to float32 and
        integers up to 32 bits, 4 ulp for float64 and 64-bit integers, the ulp at the mean of |x|.

    Raises:
        InputError: The file or the array can't be pooled: unreadable, truncated, empty, of a type
            that is no number, of a shape that the layout does not fit, or with several maps.
        UsageError: ``pooling``, ``layout``, ``shape``, ``dtype`` or ``nan`` is none that gpool
            knows.

    Example:
        >>> import numpy as np
        >>> from gpool_cli import global_pool
        >>> global_pool(np.arange(12.0).reshape(2, 2, 3), "max", layout="HWC").shape
        (1, 1, 3)
    """
    if shape not in SHAPES:
        raise UsageError(f"there is no shape {shape!r}", f"the shapes are {', '.join(SHAPES)}")
    if nan not in NAN_POLICIES:
        raise UsageError(f"there is no NaN policy {nan!r}", f"choose {', '.join(NAN_POLICIES)}")
    if not isinstance(pooling, str):
        raise UsageError(f"there is no pooling {pooling!r}", "name one, such as 'avg'")
    recipe = Recipe(
        poolings=(parse_pooling(pooling),),
        layout=parse_layout(layout) if layout is not None else None,
        nan=nan,
        dtype=_dtype_name(dtype) if dtype is not None else None,
        shape=shape,
    )
    if isinstance(source, (str, os.PathLike)):
        return _pool_path(os.fspath(source), key, recipe)
    return _pool_array(_as_array(source), recipe)


def _dtype_name(dtype: npt.DTypeLike) -> str:
    try:
        asked = np.dtype(dtype)
    except (TypeError, ValueError):
        raise UsageError(f"there is no dtype {dtype!r}", "name one as numpy does") from None
    if usable_dtype(asked):
        raise UsageError(f"the result can't be {asked.name}", "choose a float or an integer dtype")
    return asked.name


def _as_array(source: npt.ArrayLike) -> Array:
    if np.ma.isMaskedArray(source):
        raise InputError(
            "the array is masked", "fill what is masked with NaN, and ask for nan='omit'"
        )
    try:
        return np.asarray(source)
    except ValueError:
        raise InputError("the array is ragged", "give it one length on every axis") from None


def _pool_path(path: str, key: str | None, recipe: Recipe) -> npt.NDArray[Any]:
    file = InputFile(path, os.path.basename(path), True, (key,) if key is not None else ())
    results: list[Result] = []
    for outcome in pool_file(Task(file, recipe)):
        if isinstance(outcome, Failed):
            where = f"{path}:{outcome.dataset}" if outcome.dataset else path
            raise InputError(f"{where}: {outcome.message}", outcome.hint)
        if isinstance(outcome, Result):
            results.append(outcome)
            if outcome.parts > 1:
                raise InputError(f"{path} holds {outcome.parts} maps", "choose one with key=")
    return np.concatenate([result.values for result in results])


def _pool_array(array: Array, recipe: Recipe) -> npt.NDArray[Any]:
    refusal = usable_dtype(array.dtype)
    if refusal:
        raise InputError(f"the array {refusal}", "pool real numbers")
    layout = resolve_layout(recipe.layout, None, array.shape)
    if size_of(array.shape) == 0:
        raise InputError(f"the array has no values: its shape is {array.shape}")
    info = ArrayInfo("", array.shape, array.dtype, fortran=array.flags.fnc)
    read = partial(_blocks_of, array, info)
    return pool_blocks(read, info, layout, recipe)[0]


def _blocks_of(
    array: Array, info: ArrayInfo, parts: Sequence[Part] | None
) -> Iterator[tuple[Block, Array]]:
    """An array in memory, cut as a file of it would be."""
    memory = array.T if info.fortran else array
    for block in cut_parts_into_rows(info, cut_parts(info) if parts is None else parts):
        yield block, as_native(np.array(memory[block.box], order="C"))
