"""The nouns that travel between the parts, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.layout import Layout, size_of
from gpool_cli.packing import Packing
from gpool_cli.recipe import PoolingSpec, Recipe

if TYPE_CHECKING:
    import numpy as np

    from gpool_cli.ranking import Ranking
    from gpool_cli.surroundings import Carry, Surroundings

STDIN = "-"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read.

    Attributes:
        path: What is opened; ``-`` is standard input.
        name: What the file is called in outputs: relative, with ``/`` between its parts.
        named: The user named it; False where a walk through a directory found it.
        keys: The patterns that select arrays in this file; empty selects by the number of axes.
        stamp: Of a file behind a URL that was listed, its size and when it was changed, in
            nanoseconds where that is known; None where the system or the server is asked.
    """

    path: str
    name: str
    named: bool = True
    keys: tuple[str, ...] = ()
    stamp: tuple[int, int | None] | None = None

    def __reduce__(self) -> tuple[type[InputFile], tuple[object, ...]]:
        # Workers are handed files by the thousand: this is three times as fast as the default.
        return InputFile, (self.path, self.name, self.named, self.keys, self.stamp)


@dataclass(frozen=True)
class ArrayInfo:
    """One array in a file, as its header describes it; nothing has been read of its values.

    Attributes:
        dataset: Its name in a container; ``""`` where the file is the array.
        shape: Its shape as the file's owner sees it.
        dtype: The numpy dtype as stored, byte order included; None where there is none.
        refusal: Why it can't be pooled whatever the layout; ``""`` where it can.
        type_name: The type in words, for arrays that have no numpy dtype.
        fortran: The values lie in memory in the opposite axis order.
        file_layout: What the file itself says of the axes, or None.
        chunks: The shape of a chunk, or None where the values lie in one piece.
        place: Where its values lie in an HDF5 file as they are, and what tells that file from
            others and from itself before a change; None where they do not.
        filters: The filters of an HDF5 dataset or the compression of a zip member.
        broken: The refusal is damage or danger, which is a failure and no mere skip.
        closed: It can't be opened, so that nobody knows whether it is an array, or a group.
        packing: Its fill values, scale and offset; None where the file speaks of none.
        narrow: The float that the values are in the file where numpy has none like it; they are
            float32 as they are read. ``""`` where they are what ``dtype`` says.
        note: What people should know of how it is read; ``""`` where there is nothing to tell.
    """

    dataset: str
    shape: tuple[int, ...]
    dtype: np.dtype | None
    refusal: str = ""
    type_name: str = ""
    fortran: bool = False
    file_layout: str | None = None
    chunks: tuple[int, ...] | None = None
    place: tuple[int, tuple[int | str, ...]] | None = None
    filters: tuple[str, ...] = ()
    broken: bool = False
    closed: bool = False
    packing: Packing | None = None
    narrow: str = ""
    note: str = ""

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """The shape in the axis order of memory."""
        return self.shape[::-1] if self.fortran else self.shape

    @property
    def nbytes(self) -> int:
        """How many bytes the values take when they are decoded."""
        return size_of(self.shape) * self.dtype.itemsize if self.dtype is not None else 0

    @property
    def chunk_bytes(self) -> int:
        """How many bytes a chunk takes when it is decoded; 0 where there are no chunks."""
        if self.chunks is None or self.dtype is None:
            return 0
        return size_of(self.chunks) * self.dtype.itemsize

    @property
    def dtype_name(self) -> str:
        """The type as people call it: ``float32``, ``string``."""
        named = self.narrow or self.type_name
        return named if self.dtype is None or named else _name_of(self.dtype)


@lru_cache(maxsize=64)
def _name_of(dtype: np.dtype) -> str:
    """The name of a dtype, which numpy puts together anew each time it is asked."""
    return dtype.name


@dataclass(frozen=True)
class Block:
    """The part of an array that is read at one time: a box, in the axis order of memory.

    Attributes:
        start: Its first index on every axis.
        shape: Its length on every axis.
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def box(self) -> tuple[slice, ...]:
        """The part as numpy indexes it."""
        return tuple(slice(a, a + n) for a, n in zip(self.start, self.shape, strict=True))


@dataclass(frozen=True)
class Part:
    """Some rows of an array: what one worker does at a time.

    Attributes:
        axis: The first axis in memory that has any length.
        first: The first row on it.
        last: The row behind the last.
    """

    axis: int
    first: int
    last: int

    def of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of this part of an array of that shape."""
        return (*shape[: self.axis], self.last - self.first, *shape[self.axis + 1 :])


@dataclass(frozen=True, eq=False)
class Task:
    """One unit of work for one worker: a file, and what is computed from it.

    Attributes:
        file: The file.
        recipe: What is computed.
        strict: A doubtful layout is a failure.
        carry: What else of the file its output takes over.
        access: How the file is opened.
    """

    file: InputFile
    recipe: Recipe
    strict: bool = False
    carry: Carry | None = None
    access: Access = DEFAULT_ACCESS


@dataclass(frozen=True, eq=False)
class Result:
    """What one pooling made of one map, or of some of the maps of a large batch.

    Attributes:
        file: Where the map comes from.
        info: The array it was.
        layout: The meaning of the array's axes.
        pooling: Which pooling this is.
        values: The pooled values, in the shape that is written; of a piece, its rows.
        axes: One letter per axis of ``values``.
        omitted: How many NaN of the map were left out; 0 but in the first result of a map.
        masked: How many of its values a mask, a weight of 0 or a fill value left out; likewise.
        empty: In how many of its channels no value counts; likewise.
        clamped: How many values of the map the pooling took as another.
        normalized: The values are vectors that were divided by their lengths.
        packed: The values are packed as those of the map are: its scale and offset hold for them.
        first: This is the first of the poolings.
        parts: How many maps this file gives, as far as it was listed, but always more than one
            where it gives more; that asks for the dataset in a file name.
        start: The first row of this piece; the pieces of a result come in order, without others
            between them, and the batch axis of a result in pieces stands first.
        rows: The rows of the whole result; None where this is the whole.
        parts_of_value: What the numbers along the last axis are called, where the value of a
            channel is several; empty where it is one.
        ranking: The values are confidences of classes, and text names the largest so; None where
            they are pooled values.
    """

    file: InputFile
    info: ArrayInfo
    layout: Layout
    pooling: PoolingSpec
    values: np.ndarray
    axes: str
    omitted: int = 0
    masked: int = 0
    empty: int = 0
    clamped: int = 0
    normalized: bool = False
    packed: bool = False
    first: bool = True
    parts: int = 1
    start: int = 0
    rows: int | None = None
    parts_of_value: tuple[str, ...] = ()
    ranking: Ranking | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole result."""
        return self.values.shape if self.rows is None else (self.rows, *self.values.shape[1:])

    @property
    def is_last(self) -> bool:
        """Whether nothing more of this result comes."""
        return self.rows is None or self.start + len(self.values) == self.rows


@dataclass(frozen=True, eq=False)
class Alike:
    """What was made of consecutive maps of one shape and dtype: one in each file, or all in one.

    Attributes:
        results: One per pooling, as of the first map; but it has a row for every map.
        omitted: How many NaN of every map were left out; empty where there were none.
        doubt: Why the layout of files may be another; '' where that is beyond doubt.
        files: The files; empty where the maps are of one file.
        infos: The maps of one file; empty where they are of several, or left out.
    """

    results: tuple[Result, ...]
    omitted: tuple[int, ...] = ()
    doubt: str = ""
    files: tuple[InputFile, ...] = ()
    infos: tuple[ArrayInfo, ...] = ()

    @property
    def count(self) -> int:
        """How many maps they are, also where their files are left out."""
        return len(self.results[0].values)

    def result(self, place: int, pooling: int) -> Result:
        """The result of one map and one pooling, as if it had come alone."""
        of_all = self.results[pooling]
        row = of_all.values[place : place + 1]
        return replace(
            of_all,
            file=self.files[place] if self.files else of_all.file,
            info=self.infos[place] if self.infos else of_all.info,
            values=row if of_all.axes.startswith("N") else row[0],
            omitted=self.omitted[place] if self.omitted and pooling == 0 else 0,
            # Only of all together is it known.
            clamped=of_all.clamped if place == 0 else 0,
        )

    def outcomes(self) -> Iterator[Outcome]:
        """The same, map by map and one by one."""
        for place in range(self.count):
            if self.files and self.doubt:
                yield self._warning(self.files[place])
            for pooling in range(len(self.results)):
                yield self.result(place, pooling)
            if self.files:
                yield FileDone(self.files[place])

    def warnings(self) -> Iterator[Warned]:
        """The warnings alone: one for every file, or none."""
        return map(self._warning, self.files if self.doubt else ())

    def _warning(self, file: InputFile) -> Warned:
        return Warned(file, self.results[0].info.dataset, "layout", self.doubt)


@dataclass(frozen=True)
class Skipped:
    """An array or a file that is not pooled, with the reason."""

    file: InputFile
    dataset: str
    reason: str
    info: ArrayInfo | None = None


@dataclass(frozen=True)
class Warned:
    """Something about a map that a user should look at; it was pooled all the same."""

    file: InputFile
    dataset: str
    kind: str
    message: str


@dataclass(frozen=True)
class Failed:
    """A file, or a map in it, that could not be answered."""

    file: InputFile
    dataset: str
    message: str
    hint: str = ""


@dataclass(frozen=True, eq=False)
class Opened:
    """What the output of a file takes over beside its maps; it comes before those maps.

    Where a file is looked into part by part, so does this.
    """

    file: InputFile
    surroundings: Surroundings


@dataclass(frozen=True)
class FileDone:
    """The last word of a task: everything of this file has been said."""

    file: InputFile


@dataclass(frozen=True)
class TooLarge:
    """A small file turned out to have large maps or long results: it needs steps of its own."""

    file: InputFile


Outcome = Opened | Result | Skipped | Warned | Failed | FileDone | TooLarge
"""What the work on a file yields."""
