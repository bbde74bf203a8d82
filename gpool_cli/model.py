"""The nouns that travel between the parts, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gpool_cli.layout import Layout, ShapeStyle, size_of

if TYPE_CHECKING:
    import numpy as np

NanPolicy = Literal["propagate", "omit", "error"]
NAN_POLICIES = ("propagate", "omit", "error")

STDIN = "-"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read.

    Attributes:
        path: What is opened; ``-`` is standard input.
        name: What the file is called in outputs: relative, with ``/`` between its parts.
        named: The user named it; False where a walk through a directory found it.
        keys: The patterns that select arrays in this file; empty selects by the number of axes.
    """

    path: str
    name: str
    named: bool = True
    keys: tuple[str, ...] = ()


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
        filters: The filters of an HDF5 dataset or the compression of a zip member.
        broken: The refusal is damage or danger, which is a failure and no mere skip.
    """

    dataset: str
    shape: tuple[int, ...]
    dtype: np.dtype | None
    refusal: str = ""
    type_name: str = ""
    fortran: bool = False
    file_layout: str | None = None
    chunks: tuple[int, ...] | None = None
    filters: tuple[str, ...] = ()
    broken: bool = False

    @property
    def nbytes(self) -> int:
        """How many bytes the values take when they are decoded."""
        return size_of(self.shape) * self.dtype.itemsize if self.dtype is not None else 0

    @property
    def dtype_name(self) -> str:
        """The type as people call it: ``float32``, ``string``."""
        return self.dtype.name if self.dtype is not None and not self.type_name else self.type_name


@dataclass(frozen=True)
class Block:
    """The part of an array that is read at one time: a box, in the axis order of memory.

    Attributes:
        start: Its first index on every axis.
        shape: Its length on every axis.
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class PoolingSpec:
    """A pooling with its parameters, as a user asks for it.

    Attributes:
        name: A name in the table of poolings.
        params: Its parameters, as sorted pairs.
    """

    name: str
    params: tuple[tuple[str, float], ...] = ()

    @property
    def label(self) -> str:
        """``avg``, or ``gem:p=3`` where there are parameters."""
        return ":".join([self.name, ",".join(f"{k}={v:g}" for k, v in self.params)]).rstrip(":")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the numbers of a result.

    Attributes:
        poolings: What is computed, in the order asked for.
        layout: The user's layout as `gpool_cli.layout.parse_layout` gives it, or None.
        nan: What NaN in the input does.
        dtype: The output's dtype by name, or None for the pooling's own.
        shape: How the pooled axes stand in the output.
        batched: Every result gets a batch axis, also where the input has none.
    """

    poolings: tuple[PoolingSpec, ...]
    layout: str | None = None
    nan: NanPolicy = "propagate"
    dtype: str | None = None
    shape: ShapeStyle = "channels-last"
    batched: bool = False

    def describe(self) -> str:
        """The recipe in one line: poolings, then the parameters that change the values."""
        words = ["+".join(spec.label for spec in self.poolings)]
        if self.layout is not None:
            words.append(f"layout={self.layout}")
        if self.nan != "propagate":
            words.append(f"nan={self.nan}")
        if self.dtype is not None:
            words.append(f"dtype={self.dtype}")
        if self.shape != "channels-last":
            words.append(f"shape={self.shape}")
        return " ".join(words)


@dataclass(frozen=True)
class Task:
    """One unit of work for one worker: a file, and what is computed from it."""

    file: InputFile
    recipe: Recipe
    strict: bool = False


@dataclass(frozen=True)
class Result:
    """What one pooling made of one map.

    Attributes:
        file: Where the map comes from.
        info: The array it was.
        layout: The meaning of the array's axes.
        pooling: Which pooling this is.
        values: The pooled values, in the shape that is written.
        axes: One letter per axis of ``values``.
        omitted: How many NaN of the map were left out; 0 but in the first result of a map.
        parts: How many maps this file gives; more than one asks for the dataset in a file name.
    """

    file: InputFile
    info: ArrayInfo
    layout: Layout
    pooling: PoolingSpec
    values: np.ndarray
    axes: str
    omitted: int = 0
    parts: int = 1


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


@dataclass(frozen=True)
class FileDone:
    """The last word of a task: everything of this file has been said."""

    file: InputFile
    bytes_read: int = 0
    maps: int = 0
    failed: bool = False


Outcome = Result | Skipped | Warned | Failed | FileDone


@dataclass
class Tally:
    """What a run has come to: the totals that the summary ends with.

    Attributes:
        maps: Maps that were pooled.
        files: Inputs that were worked on.
        failed_files: Inputs in which something failed, or that were not there.
        bytes_in: Bytes of the maps, decoded.
        bytes_out: Bytes of the outputs.
        nan_values: NaN in the results.
        inf_values: Infinities in the results.
        omitted: NaN of the inputs that were left out.
        seconds: Wall time.
        skipped: Arrays and files that were not pooled.
    """

    maps: int = 0
    files: int = 0
    failed_files: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    nan_values: int = 0
    inf_values: int = 0
    omitted: int = 0
    seconds: float = 0.0
    skipped: int = 0
