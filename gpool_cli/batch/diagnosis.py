"""What is wrong with the channels of an array, told from the range of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.formats.interface import Array
from gpool_cli.layout import Layout, size_of
from gpool_cli.model import Alike, ArrayInfo, Failed, FileDone, Outcome, Result, Task
from gpool_cli.poolings import MEASURES
from gpool_cli.recipe import PoolingSpec, Recipe

# Where ReLU6 ends.
_RELU6 = 6.0


@dataclass(frozen=True)
class Diagnosis:
    """What there is in the channels of an array, over all of its maps.

    Attributes:
        channels: How many there are.
        low: The least value that is no NaN; None where there is none.
        high: The largest value that is no NaN; None where there is none.
        dead: How many are zero throughout.
        constant: How many have one other value throughout; none where there is one value in each.
        saturated: How many reach the ceiling, where what they would have been is cut off.
        ceiling: The value that is taken for the ceiling; None where there is none.
        nan: How many values are NaN.
        infinite: How many are infinite.
    """

    channels: int
    low: float | None
    high: float | None
    dead: int
    constant: int
    saturated: int
    ceiling: float | None
    nan: int
    infinite: int


@dataclass(frozen=True)
class Diagnosed:
    """An array with what there is in its channels."""

    info: ArrayInfo
    layout: Layout
    diagnosis: Diagnosis


def recipe_of(layout: str | None) -> Recipe:
    """What is computed for a diagnosis."""
    measures = tuple(PoolingSpec(row.name) for row in MEASURES)
    return Recipe(measures, layout, shape="flat")


def diagnose(tasks: Iterable[Task], work: Work) -> Iterator[list[Diagnosed | Failed]]:
    """Diagnose the arrays of files.

    Args:
        tasks: The files, with the recipe that `recipe_of` gives.
        work: Who does it.

    Yields:
        For every task, in order, its arrays and what failed in it.
    """
    said: list[Diagnosed | Failed] = []
    census = _Census()
    for outcome in _one_by_one(outcomes_of(tasks, work, lambda advanced: None)):
        if isinstance(outcome, Result):
            census.add(outcome)
            if outcome.is_last and outcome.pooling.name == MEASURES[-1].name:
                said.append(Diagnosed(outcome.info, outcome.layout, census.diagnosis(outcome)))
                census = _Census()
        elif isinstance(outcome, Failed):
            said.append(outcome)
            census = _Census()
        elif isinstance(outcome, FileDone):
            yield said
            said = []


def _one_by_one(outcomes: Iterable[Outcome | Alike]) -> Iterator[Outcome]:
    for outcome in outcomes:
        if isinstance(outcome, Alike):
            yield from outcome.outcomes()
        else:
            yield outcome


class _Census:
    """What is known of the channels of one array, while the rows of its batch pass by."""

    def __init__(self) -> None:
        self._known: dict[str, Array] = {}

    def add(self, result: Result) -> None:
        """Take in what a measure says of some of the maps."""
        name, channels = result.pooling.name, result.values.shape[-1]
        values = result.values.reshape(-1, channels)
        if name == "census-low":
            self._join(name, np.minimum, values)
        elif name == "census-high":
            self._join(name, np.maximum, values)
        else:
            self._join(name, np.add, values)

    def _join(self, name: str, ufunc: np.ufunc, values: Array) -> None:
        joined = ufunc.reduce(values, axis=0)
        before = self._known.get(name)
        self._known[name] = joined if before is None else ufunc(before, joined)

    def diagnosis(self, last: Result) -> Diagnosis:
        """What it all comes to."""
        low, high, nan, infinite = (self._known[row.name] for row in MEASURES)
        numbers = low <= high  # in the others there is nothing but NaN
        whole = nan == 0
        same = numbers & whole & (low == high)
        zero = same & (high == 0)
        each = size_of(last.info.shape) // len(low)
        ceiling = _ceiling(high[numbers])
        return Diagnosis(
            channels=len(low),
            low=_plain(low[numbers].min()) if numbers.any() else None,
            high=_plain(high[numbers].max()) if numbers.any() else None,
            dead=int(zero.sum()),
            constant=int((same & ~zero).sum()) if each > 1 else 0,
            saturated=int((numbers & (high == ceiling)).sum()) if ceiling is not None else 0,
            ceiling=ceiling,
            nan=int(nan.sum()),
            infinite=int(infinite.sum()),
        )


def _ceiling(high: Array) -> float | None:
    """The largest of the values, where it is one that values are cut off at."""
    if high.dtype.kind == "b" or not high.size:
        return None
    largest = _plain(high.max())
    if high.dtype.kind == "f":
        return largest if largest in (_RELU6, float(np.finfo(high.dtype).max)) else None
    return largest if largest == np.iinfo(high.dtype).max else None


def _plain(value: np.generic) -> float:
    """A number of Python: an integer stays one, and bool is 0 or 1."""
    number = value.item()
    return number if isinstance(number, float) else int(number)
