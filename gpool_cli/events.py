"""What listeners to a run are told: results in figures, progress, and what is said of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gpool_cli.layout import Layout
from gpool_cli.model import Alike, ArrayInfo, Failed, FileDone, InputFile, Skipped, Warned
from gpool_cli.recipe import PoolingSpec

if TYPE_CHECKING:
    from gpool_cli.ranking import Ranked
    from gpool_cli.sketch import Sketch


@dataclass(frozen=True, eq=False)
class Pooled:
    """What people are told of one result.

    Attributes:
        file: Where the map comes from.
        info: The array it was.
        layout: The meaning of the array's axes.
        pooling: Which pooling this is.
        shape: The shape of the result.
        dtype: Its dtype by name.
        low: Its smallest value that is no NaN; None where there is none.
        mean: The mean of its values that are no NaN; None where there are none.
        high: Its largest value that is no NaN; None where there is none.
        nan_values: How many NaN it has.
        preview: Its first values.
        where: The path it went to; ``-`` is standard output, and '' nowhere.
        first: It is the first of the results of its map.
        ranked: The largest values of its first maps, where they are confidences of classes.
        sketch: What it looks like; None where nobody wants to know.
    """

    file: InputFile
    info: ArrayInfo
    layout: Layout
    pooling: PoolingSpec
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    mean: float | None
    high: float | None
    nan_values: int
    preview: tuple[float, ...]
    where: str
    first: bool = True
    ranked: tuple[list[Ranked], ...] = ()
    sketch: Sketch | None = None


@dataclass(frozen=True, eq=False)
class DoneBefore:
    """An input that an earlier run finished; nothing is done about it.

    Attributes:
        file: The input.
        outputs: The paths of what came of it.
    """

    file: InputFile
    outputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Advanced:
    """Some share of a large file has been worked on.

    Attributes:
        share: The share; those of a file make 1.
        nbytes: The bytes of it that are of a map of which nothing was told yet.
    """

    share: float
    nbytes: int = 0


@dataclass(frozen=True, eq=False)
class Together:
    """What listeners are told of files that were alike, once for all of them.

    Attributes:
        alike: The files, and what was made of them.
        tell: What there is to tell of a result by its place: those of the first file, then those
            of the second. It is worked out when it is asked for.
    """

    alike: Alike
    tell: Callable[[int], Pooled]

    @property
    def count(self) -> int:
        """How many results there are."""
        return self.alike.count * len(self.alike.results)


Event = Pooled | Skipped | Warned | Failed | FileDone | DoneBefore | Advanced | Together
"""What listeners to a run are told."""


class Audience(Protocol):
    """Who listens to a run."""

    def tell(self, event: Event) -> None:
        """Take in what happened."""

    @property
    def attentive(self) -> bool:
        """Whether somebody wants to know of every result, in order, and what became of it."""

    @property
    def sketched(self) -> bool:
        """Whether somebody wants to know what results look like."""
