"""Which values of a block count, and how much: fill values, masks, weights, and NaN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, Block
from gpool_cli.packing import Packing
from gpool_cli.poolings.cells import as_cells
from gpool_cli.poolings.interface import Cells, Floats
from gpool_cli.quantities import number_text
from gpool_cli.recipe import NanPolicy, Recipe

Bools = npt.NDArray[np.bool_]


class Beside(Protocol):
    """What goes with the values of one map: its mask and its weights."""

    def of(self, block: Block) -> tuple[Bools, Floats | None]:
        """Which values of a block count, and their weights.

        Args:
            block: In the axis order of memory of the map.

        Returns:
            Two arrays with as many axes as the block; those that they do not have, such as that
            of the channels, have length 1.

        Raises:
            InputError: They can't be read, or are no mask and no weights.
        """


@dataclass(frozen=True, eq=False)
class Counted:
    """A block of which it is known what counts.

    Attributes:
        cells: What poolings take in; None where no value counts.
        nan: How many NaN were left out.
        masked: How many other values were left out.
    """

    cells: Cells | None
    nan: int = 0
    masked: int = 0


class Counting:
    """Says of every block of one array which values count.

    Attributes:
        dtype: The native dtype of the values that poolings are given.
        meant: The dtype that the file says the values have; results follow it.

    Args:
        info: The array.
        memory: The meaning of its axes, in the axis order of memory.
        recipe: What is left out.
        positions: Poolings want to know where on the pooled axes the values stand.
    """

    def __init__(
        self, info: ArrayInfo, memory: Layout, recipe: Recipe, positions: bool = False
    ) -> None:
        assert info.dtype is not None
        self._memory, self._nan, self._positions = memory, recipe.nan, positions
        packing = info.packing or Packing()
        stored = info.dtype.newbyteorder("=")
        self._fills = missing_values(info) if recipe.fill == "missing" else missing_values(None)
        self._packing = packing if recipe.unpack and packing.is_packed else None
        self.meant = np.dtype(packing.dtype) if self._packing is not None else stored
        self.dtype = np.dtype(np.float64) if self._packing is not None else stored

    def count(self, block: Block, values: Array, beside: Beside | None) -> Counted:
        """Say what counts.

        Args:
            block: Where the values stand.
            values: The values as they are stored, in native byte order.
            beside: The mask and the weights of the array.

        Raises:
            InputError: There is a NaN, and that is an error; or as `Beside.of` does.
        """
        missing = _where_any(values, self._fills) if self._fills.size else None
        if self._packing is not None:
            values = _unpacked(values, self._packing, missing)
        cells = self._cells(block, values)
        if missing is not None:
            cells = replace(cells, missing=as_cells(missing, self._memory))
        total = values.size
        if beside is not None:
            valid, weights = beside.of(block)
            if valid.size == cells.values.shape[1] and not self._positions:
                cells = _chosen(cells, valid.reshape(-1), weights)
            else:
                cells = self._masked(cells, block, valid, weights)
        present = cells.values.size
        if cells.missing is not None:
            present -= int(np.count_nonzero(cells.missing))
        if not present:
            return Counted(None, masked=total)
        if self._nan == "propagate" or self.dtype.kind != "f":
            return Counted(cells, masked=total - present)
        cells, nan = _without_nan(cells, self._nan)
        return Counted(cells if nan < present else None, nan, total - present)

    def _cells(self, block: Block, values: Array) -> Cells:
        """A block as cells, with the place of its values where that is wanted."""
        if not self._positions:
            return Cells(as_cells(values, self._memory))
        pooled = self._memory.pooled
        start, extent = (tuple(ends[i] for i in pooled) for ends in (block.start, block.shape))
        return Cells(as_cells(values, self._memory), start=start, extent=extent)

    def _masked(self, cells: Cells, block: Block, valid: Bools, weights: Floats | None) -> Cells:
        """Cells with a mask that is not the same for all of them."""
        missing = as_cells(np.broadcast_to(~valid, block.shape), self._memory)
        if cells.missing is not None:
            missing = missing | cells.missing
        if weights is not None:
            weights = as_cells(np.broadcast_to(weights, block.shape), self._memory)
        return replace(cells, missing=missing, weights=weights)


def missing_values(info: ArrayInfo | None) -> Array:
    """The stored values of an array that stand for none, in its native dtype."""
    if info is None or info.packing is None or info.dtype is None:
        return np.empty(0)
    return np.frombuffer(b"".join(info.packing.missing), info.dtype.newbyteorder("="))


def fill_numbers(info: ArrayInfo) -> list[float | int | None]:
    """The fill values of an array as JSON has numbers; None for NaN and infinities."""
    return [x if np.isfinite(x) else None for x in missing_values(info).tolist()]


def packing_text(info: ArrayInfo) -> str:
    """The fill values, scale and offset of an array, as people read them; '' for none."""
    packing = info.packing
    if packing is None:
        return ""
    words = [f"fill {number_text(x)}" for x in missing_values(info).tolist()]
    if packing.unsigned:
        words.append("unsigned")
    if packing.scale != 1:
        words.append(f"x {packing.scale:.6g}")
    if packing.offset != 0:
        words.append(f"{packing.offset:+.6g}")
    return " ".join(words)


def _where_any(values: Array, fills: Array) -> Bools | None:
    """Where the values are one of those; None where nowhere."""
    found: Bools = np.isin(values, fills)
    if fills.dtype.kind == "f" and np.isnan(fills).any():
        found |= np.isnan(values)
    return found if found.any() else None


def _unpacked(values: Array, packing: Packing, missing: Bools | None) -> Floats:
    """The values that are meant, from the stored ones: two operations in float64.

    Raises:
        InputError: One that is not missing does not fit into a float64.
    """
    if packing.unsigned:
        values = values.view(f"u{values.itemsize}")
    meant = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        meant *= packing.scale
        meant += packing.offset
    lost = ~np.isfinite(meant)
    if lost.any():
        lost &= np.isfinite(values) if missing is None else np.isfinite(values) & ~missing
        if lost.any():
            raise InputError(
                f"has the stored value {values[lost].flat[0]!s}, "
                "which unpacked does not fit float64",
                "are scale_factor and add_offset right? leave out --unpack to pool what is stored",
            )
    return meant


def _chosen(cells: Cells, valid: Bools, weights: Floats | None) -> Cells:
    """The positions that count, where they are the same in all cells.

    What is copied are the rows of the values that count: that is faster than to put something
    else in the place of the others, and no statistic sees more than it must.
    """
    weights = weights.reshape(1, -1, 1) if weights is not None else None
    if valid.all():
        return Cells(cells.values, cells.missing, weights)
    return Cells(
        *(
            None if array is None else np.ascontiguousarray(np.compress(valid, array, axis=1))
            for array in (cells.values, cells.missing, weights)
        )  # type: ignore[arg-type]
    )


def _without_nan(cells: Cells, nan: NanPolicy) -> tuple[Cells, int]:
    """Cells with NaN among what is missing, and how many NaN they were."""
    found: Any = np.isnan(cells.values)
    if cells.missing is not None:
        found &= ~cells.missing
    count = int(np.count_nonzero(found))
    if not count:
        return cells, 0
    if nan == "error":
        raise InputError(
            "holds NaN", "leave them out with --nan omit, or let them be with --nan propagate"
        )
    missing = found if cells.missing is None else found | cells.missing
    return replace(cells, missing=missing), count
