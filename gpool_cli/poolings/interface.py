"""What a pooling is: a few statistics that merge, and a formula that ends them.

A *statistic* is a number per channel that can be taken of any part of a map and merged: a count,
a sum, a maximum. A *pooling* names the statistics it needs and says how its value follows from
them. Several poolings of one map share their statistics, and so one pass over the data serves all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Region = tuple[slice, ...]
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Cells:
    """A block in the form that statistics are taken of.

    Attributes:
        values: Shape (outer, pooled, inner): every (outer, inner) pair is a cell, which is one
            channel of one map, and the middle axis is pooled away. C order, native byte order.
        missing: Which values don't count, in the same shape; None where all count.
        weights: How much every value counts, finite and not negative, in a shape that broadcasts
            to that of the values; None where all count alike.
        start: Where the block begins on each pooled axis of the map, in the order of memory.
        extent: Its length on each of them; their product is the middle axis of the values. Both
            are empty where no pooling asks for positions, and then positions may be left out.
    """

    values: Array
    missing: npt.NDArray[np.bool_] | None = None
    weights: Floats | None = None
    start: tuple[int, ...] = ()
    extent: tuple[int, ...] = ()
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What several statistics need of a block, made by the first that asks for it."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    def filled(self, value: Any) -> Array:
        """The values, with this one in place of those that don't count."""
        if self.missing is None:
            return self.values
        return np.where(self.missing, self.values.dtype.type(value), self.values)


class Statistic(Protocol):
    """The state of one statistic for every cell of a map; it starts as the merge's identity."""

    def update(self, region: Region, cells: Cells) -> None:
        """Take in a block.

        Args:
            region: Where the block's cells lie in the map's kept axes.
            cells: The block's values; their cells fill the region in C order.
        """

    def merge(self, other: Any) -> None:
        """Take in another state of the same map, made of values that this one has not seen."""


@runtime_checkable
class Repeating(Statistic, Protocol):
    """A statistic that may have to see a map more than once."""

    def again(self) -> bool:
        """Asked when all values were seen: whether all must be seen once more."""


@dataclass(frozen=True, eq=False)
class Grid:
    """What a statistic must know of a map before it sees any of it.

    Attributes:
        shape: The lengths of the kept axes.
        dtype: The native dtype of the values.
        exact: Sums must hold for a float64 answer, also where the input is narrower.
        pooled: The lengths of the pooled axes, in the order of memory.
        reversed: The user's axes stand in the opposite order (Fortran order).
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    exact: bool = False
    pooled: tuple[int, ...] = ()
    reversed: bool = False


@dataclass(frozen=True, eq=False)
class Pooling:
    """A row of the table of poolings.

    Attributes:
        name: What users call it.
        needs: The statistics it is made of: a name for the formula, and what starts it.
        finish: From the statistics by name to the value of every cell, in the dtype that the
            arithmetic has (float64 for means, the input's for maxima).
        result_dtype: From the input's dtype to the output's, where the user asks for none.
        formula: The formula, as the documentation shows it.
        source: Where the formula comes from.
        tail: Where the value of a cell is several numbers along a last axis, what they are: more
            ``channels``, or ``positions`` on the pooled axes.
        repeats: It may have to see a map more than once; its states do not merge.
        companion: It says something about the values of another and is none itself, such as how
            many there are: it keeps its dtype whatever the user asks for, it is not normalized,
            and it has an answer for a channel in which no value counts.
        cell_bytes: What memory a cell takes for it while a map is pooled.
        clamped: From the statistics to how many values it took as another, which people are told;
            None where it takes all as they are.
    """

    name: str
    needs: Mapping[str, Callable[[Grid], Statistic]]
    finish: Callable[[Mapping[str, Any]], Array]
    result_dtype: Callable[[np.dtype[Any]], np.dtype[Any]]
    formula: str = ""
    source: str = ""
    tail: Literal["", "channels", "positions"] = ""
    repeats: bool = False
    companion: bool = False
    cell_bytes: int = 20
    clamped: Callable[[Mapping[str, Any]], int] | None = None
