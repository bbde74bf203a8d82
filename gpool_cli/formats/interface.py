"""What a format is: a reader that lists arrays and yields their blocks, a writer of results."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, overload

import numpy as np
import numpy.typing as npt

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.model import ArrayInfo, Block, InputFile, Part, Result

if TYPE_CHECKING:
    from gpool_cli.surroundings import Carry, Surroundings

Array = npt.NDArray[Any]
_Reader = TypeVar("_Reader", bound="Reader")

# A block is read into one reused buffer, which should stay in the caches; smaller ones cost more
# steps between, and cut maps whose halves must then be merged.
BLOCK_BYTES = 2 << 20

# A part is what one worker does at a time: large against the cost of handing it out, and small
# enough that its sums stay in the cache and in memory that the C library keeps for the next part,
# and that a worker which is left alone with the last part, and must decode it, is not for long.
PART_BYTES = 16 << 20


# A message shows so many names of arrays, and whether there are more.
NAMES_SHOWN = 5


class Reader(ABC):
    """An open file with arrays in it. A context manager; closing it ends all reading.

    Attributes:
        sequential: The values of an array can be read only from its beginning.

    Args:
        path: What is opened; ``-`` is standard input.
        access: How.

    Raises:
        InputError: It is unreadable or no file of this format.
    """

    sequential = False

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        self.path = path
        self.access = access

    @abstractmethod
    def arrays(self) -> Iterator[ArrayInfo]:
        """Every array in the file, in the file's own order, also those that can't be pooled.

        Raises:
            InputError: The file is unreadable or no file of this format.
        """

    def arrays_named(self, wanted: Callable[[str], bool]) -> Iterator[ArrayInfo]:
        """The same arrays, where only some will be asked for.

        Args:
            wanted: Whether one of this name may be; of the others the names are enough, and of
                more than `NAMES_SHOWN` of them even those may be left out.
        """
        return self.arrays()

    def next_arrays(
        self, wanted: Callable[[str], bool], most: int, place: Any = None
    ) -> tuple[list[ArrayInfo], Any]:
        """The next of the same arrays, in a file that is looked into part by part.

        Args:
            wanted: As for `arrays_named`.
            most: So many of those that are wanted, for readers that can stop there.
            place: Where to go on; None for the beginning.

        Returns:
            The arrays, and where to go on, which can travel; None where these were the last.

        Raises:
            InputError: The file is unreadable, or has changed.
        """
        return list(self.arrays_named(wanted)), None

    def lacks(self, name: str) -> bool:
        """Whether there is no array of this name; False also where that is not beyond doubt.

        Raises:
            InputError: The file is damaged.
        """
        return False

    def surroundings(self, pooled: Collection[str], carry: Carry) -> Surroundings | None:
        """What an output takes over beside pooled maps; None where there never is anything.

        To be asked for when the arrays have been listed; it is about those that came last.

        Args:
            pooled: The arrays that are pooled.
            carry: What is wanted.

        Raises:
            InputError: What is wanted can't be read.
        """
        return None

    @abstractmethod
    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        """The values of one array, part after part and block by block.

        How an array is cut follows from the array alone. In a pipe the blocks of an array must be
        read before the next array is asked for.

        Args:
            info: The array.
            parts: Some of those that `cut_parts` gives for any size, in order; None for all. What
                has no order but its own (a pipe, a deflated member) takes only all.

        Yields:
            The block, and its values: C order, native byte order, valid until the next block.

        Raises:
            InputError: The values are truncated or can't be decoded.
        """

    def side_by_side(self, infos: Sequence[ArrayInfo]) -> Array:
        """The values of arrays of one shape and dtype, where that is quicker than their blocks.

        Args:
            infos: The arrays, none of them larger than a block.

        Returns:
            The values of the first of them, with an axis for the arrays in front: as many as
            `BLOCK_BYTES` has room for, up to one that has to be read by itself. In the axis order
            of memory, C order, native byte order, valid until the next call. Empty where there is
            no quicker way.
        """
        return np.empty(0)

    def close(self) -> None:
        """Close the file."""

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class WriteStyle:
    """What a writer must know beside the results.

    Attributes:
        stack: All maps become the rows of one array.
        batched: A lone map gets a batch axis too.
        recipe: The poolings and their parameters in one line, for the record in the file.
        several_poolings: Names must say which pooling a result is of.
        several_inputs: Names must say which input a result is of.
        copy_others: Also carry what was not pooled (HDF5).
    """

    stack: bool = False
    batched: bool = False
    recipe: str = ""
    several_poolings: bool = False
    several_inputs: bool = False
    copy_others: bool = False


class Writer(ABC):
    """Writes results to one binary file, which it neither opens nor closes.

    Attributes:
        streams: It never goes back in the file.
        in_turns: The pieces of several results of a map may come in turns.

    Args:
        file: Where to; seekable, but for formats that say `streams`.
        style: What is wanted.
    """

    streams = False
    in_turns = False

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        self.file = file
        self.style = style

    @abstractmethod
    def add(self, result: Result) -> None:
        """Write one result.

        Raises:
            InputError: The result can't stand in this file beside the earlier ones.
        """

    def begin(self, file: InputFile) -> None:
        """Say that the results of this input come next.

        Raises:
            InputError: What else is taken over from the one before has no place in this file.
        """

    def surround(self, surroundings: Surroundings) -> None:
        """Say what else is taken over from the input that began last, or more of that.

        The results that it has a word about come after it.
        """

    def end(self) -> None:
        """Say that the results of the input that began last are complete.

        Raises:
            InputError: What else is taken over from the input has no place in this file.
        """

    def withdraw(self) -> None:
        """Take back the rows of the result that was added last; only stacks are asked for that."""

    @abstractmethod
    def finish(self) -> None:
        """Write what is still to be written, and let go of everything but the file."""

    def abandon(self) -> None:
        """Let go of everything, because the file will be thrown away."""


@dataclass(frozen=True, eq=False)
class Parts(Sequence[Part]):
    """The parts of an array, made when they are asked for: a header may promise any number.

    Attributes:
        axis: The axis that is cut.
        length: Its length.
        step: The length of a part.
    """

    axis: int
    length: int
    step: int

    def __len__(self) -> int:
        return -(-self.length // self.step)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        first = range(0, self.length, self.step)[index]
        return Part(self.axis, first, min(first + self.step, self.length))


def cut_parts(info: ArrayInfo, target: int | None = None) -> Parts:
    """Cut an array into parts for workers, along its first axis in memory that has any length.

    Args:
        info: The array.
        target: Bytes a part; None for `PART_BYTES`.

    Returns:
        Parts of about that size, of whole chunks where there are chunks; at least one.
    """
    shape = info.memory_shape
    axis = next((i for i, length in enumerate(shape) if length > 1), 0)
    row = max(1, info.nbytes // shape[axis])
    chunk = info.chunks[axis] if info.chunks is not None else 1
    target = PART_BYTES if target is None else target
    return Parts(axis, shape[axis], max(1, target // (row * chunk)) * chunk)


def cut_parts_into_rows(info: ArrayInfo, parts: Sequence[Part]) -> Iterator[Block]:
    """The blocks of parts of an array that lies in one piece, in the order of memory."""
    assert info.dtype is not None
    for part in parts:
        for block in cut_rows(part.of(info.memory_shape), info.dtype.itemsize):
            yield shifted(block, part)


def cut_parts_into_chunks(info: ArrayInfo, parts: Sequence[Part]) -> Iterator[Block]:
    """The blocks of parts of a chunked array: whole chunks, part after part."""
    assert info.dtype is not None
    assert info.chunks is not None
    for part in parts:
        for block in cut_chunks(part.of(info.shape), info.chunks, info.dtype.itemsize):
            yield shifted(block, part)


def shifted(block: Block, part: Part) -> Block:
    """A block that was cut from a part alone, where it stands in the whole array."""
    start = list(block.start)
    start[part.axis] += part.first
    return Block(tuple(start), block.shape)


def cut_rows(shape: Sequence[int], itemsize: int, target: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut an array that lies in memory in C order into blocks that lie in one piece.

    Args:
        shape: The array's shape, in the axis order of memory.
        itemsize: Bytes a value.
        target: Bytes a block, at most (but for a single value).

    Yields:
        Blocks in the order of memory: whole where they can be, otherwise runs along one axis.
    """
    axis, tail = 0, math.prod(shape) * itemsize
    while axis < len(shape) and tail > target:
        tail //= shape[axis]
        axis += 1
    if axis == 0:
        yield Block((0,) * len(shape), tuple(shape))
        return
    axis -= 1
    step = max(1, target // tail)
    rest = tuple(shape[axis + 1 :])
    for outer in np.ndindex(*shape[:axis]):
        for first in range(0, shape[axis], step):
            length = min(step, shape[axis] - first)
            yield Block((*outer, first, *(0,) * len(rest)), (*(1,) * axis, length, *rest))


def cut_chunks(
    shape: Sequence[int], chunks: Sequence[int], itemsize: int, target: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Cut a chunked array into blocks of whole chunks, at the ends as far as the array goes.

    Args:
        shape: The array's shape.
        chunks: The shape of a chunk.
        itemsize: Bytes a value.
        target: Bytes a block, at most (but for a single chunk).
    """
    step = list(chunks)
    for axis in reversed(range(len(shape))):
        room = target // max(1, math.prod(step) * itemsize)
        needed = -(-shape[axis] // chunks[axis])
        step[axis] = chunks[axis] * max(1, min(room, needed))
        if step[axis] < shape[axis]:
            break
    counts = [-(-length // size) for length, size in zip(shape, step, strict=True)]
    for index in np.ndindex(*counts):
        start = tuple(i * size for i, size in zip(index, step, strict=True))
        yield Block(
            start,
            tuple(
                min(size, length - first)
                for first, size, length in zip(start, step, shape, strict=True)
            ),
        )
