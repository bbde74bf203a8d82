"""Axis letters: which axes of a map are the batch, the channels, and the pooled ones.

A layout is a word with one letter per axis. ``C`` is the channel axis, ``N`` (or ``B``) the batch
axis, and every other letter (H W D L T X Y Z) is pooled away. ``HWC`` is a map as TensorFlow keeps
it, ``NCHW`` a batch as PyTorch does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gpool_cli.errors import InputError, UsageError

POOLED_LETTERS = "HWDLTXYZ"
SHAPES = ("channels-last", "keepdims", "flat")

Origin = Literal["flag", "file", "default"]
ShapeStyle = Literal["channels-last", "keepdims", "flat"]

_BY_WORD = {
    "channels_last": {2: "LC", 3: "HWC", 4: "NHWC", 5: "NDHWC"},
    "channels_first": {2: "CL", 3: "CHW", 4: "NCHW", 5: "NCDHW"},
}
_DEFAULTS = {2: "HW", 3: "HWC", 4: "NHWC", 5: "NDHWC"}
_AXIS_NAMES = {
    "batch": "N",
    "sample": "N",
    "samples": "N",
    "channel": "C",
    "channels": "C",
    "height": "H",
    "width": "W",
    "depth": "D",
    "length": "L",
}

# The names of dimensions in netCDF and zarr: those that are kept; what has another is pooled.
_DIMENSIONS = {
    **dict.fromkeys(("n", "batch", "sample", "samples", "time"), "N"),
    **dict.fromkeys(("c", "channel", "channels", "band", "bands", "feature", "features"), "C"),
    **dict.fromkeys(("h", "height", "y", "lat", "latitude", "row", "rows"), "H"),
    **dict.fromkeys(("w", "width", "x", "lon", "longitude", "column", "columns"), "W"),
    **dict.fromkeys(("d", "depth", "z", "level", "lev"), "D"),
    **dict.fromkeys(("l", "length", "position"), "L"),
}


@dataclass(frozen=True)
class Layout:
    """The meaning of every axis of one array.

    Attributes:
        axes: One letter per axis, for example ``"NHWC"``.
        origin: Who said so: the ``flag``, the ``file`` itself, or the ``default``.
    """

    axes: str
    origin: Origin = "default"

    @property
    def batch(self) -> int | None:
        """The index of the batch axis, or None."""
        return self.axes.find("N") if "N" in self.axes else None

    @property
    def channel(self) -> int | None:
        """The index of the channel axis, or None for a map of one channel."""
        return self.axes.find("C") if "C" in self.axes else None

    @property
    def pooled(self) -> tuple[int, ...]:
        """The indices of the axes that pooling removes."""
        return _places(self.axes, POOLED_LETTERS)

    @property
    def kept(self) -> tuple[int, ...]:
        """The indices of the axes that stay, in the array's own order."""
        return _places(self.axes, "NC")

    @property
    def text(self) -> str:
        """The layout and who said so, as people read it."""
        return f"{self.axes} ({'--layout' if self.origin == 'flag' else self.origin})"

    def reversed(self) -> Layout:
        """The layout of the same memory read in the opposite axis order (Fortran order)."""
        return Layout(self.axes[::-1], self.origin)

    def output_axes(self, style: ShapeStyle) -> str:
        """The letters of the output's axes.

        Args:
            style: ``channels-last`` gives N, the pooled axes, then C; ``keepdims`` the input's
                own order; ``flat`` only what is kept.
        """
        if style == "keepdims":
            return self.axes
        batch = "N" if "N" in self.axes else ""
        pooled = "" if style == "flat" else "".join(self.axes[i] for i in self.pooled)
        return batch + pooled + "C"

    def output_shape(self, shape: Sequence[int], style: ShapeStyle) -> tuple[int, ...]:
        """The shape of what pooling makes of an array of this shape (pooled axes become 1)."""
        sizes = dict.fromkeys(self.axes, 1)
        sizes["C"] = 1
        for i in self.kept:
            sizes[self.axes[i]] = shape[i]
        return tuple(sizes[letter] for letter in self.output_axes(style))


@lru_cache(maxsize=256)
def _places(axes: str, letters: str) -> tuple[int, ...]:
    return tuple(i for i, letter in enumerate(axes) if letter in letters)


def parse_layout(text: str) -> str:
    """A layout as a user writes it, in its one spelling.

    Args:
        text: Axis letters in either case (``B`` means ``N``), or ``channels_last`` or
            ``channels_first``.

    Returns:
        Upper-case axis letters, or one of the two words.

    Raises:
        UsageError: The text is no layout.
    """
    word = text.strip().lower().replace("-", "_")
    if word in _BY_WORD:
        return word
    axes = word.upper().replace("B", "N")
    allowed = "NC" + POOLED_LETTERS
    unknown = sorted({letter for letter in axes if letter not in allowed})
    if not axes or unknown:
        said = f"has no meaning for {', '.join(map(repr, unknown))}" if unknown else "is empty"
        raise UsageError(
            f"the layout {text!r} {said}",
            "one letter per axis: N batch, C channels, H W D L T X Y Z pooled; for example NCHW",
        )
    if len(set(axes)) != len(axes):
        raise UsageError(f"the layout {text!r} names an axis twice", "one letter per axis")
    core = axes.removeprefix("N")
    if len(core) == 3 and core.endswith("D") and "C" not in core:
        meant = axes[:-1] + "C"
        raise UsageError(
            f"the layout {text!r} has no channels: D is depth",
            f"did you mean {meant}?",
        )
    return axes


def axes_count(layout: str | None) -> tuple[int, int]:
    """The fewest and the most axes an array may have to be pooled without being asked for.

    Args:
        layout: What `parse_layout` gave, or None where the user said nothing.
    """
    if layout is None or layout in _BY_WORD:
        return 3, 5
    return len(layout), len(layout) + ("N" not in layout)


@lru_cache(maxsize=64)
def resolve_layout(layout: str | None, file_layout: str | None, shape: tuple[int, ...]) -> Layout:
    """Give every axis of an array its letter.

    Args:
        layout: The user's word, as `parse_layout` gives it; it wins.
        file_layout: The file's own word, in the same form; it comes second.
        shape: The array's shape.

    Raises:
        InputError: The layout has not one letter per axis, or there is no default for so many.
    """
    if layout is not None:
        return Layout(_fit(layout, shape), "flag")
    if file_layout is not None:
        return Layout(_fit(file_layout, shape), "file")
    if len(shape) not in _DEFAULTS:
        raise InputError(
            f"{_axes(len(shape))} {shape_text(shape)} and no default layout",
            "maps have 2 to 5 axes; say what each axis is with --layout",
        )
    return Layout(_DEFAULTS[len(shape)], "default")


def _fit(layout: str, shape: Sequence[int]) -> str:
    rank = len(shape)
    if layout in _BY_WORD:
        if rank not in _BY_WORD[layout]:
            raise InputError(
                f"{_axes(rank)} {shape_text(shape)} do not say what {layout} means",
                "give one letter per axis with --layout",
            )
        return _BY_WORD[layout][rank]
    if len(layout) == rank:
        return layout
    if len(layout) == rank - 1 and "N" not in layout:
        return "N" + layout
    raise InputError(
        f"the layout {layout} has {_counted(len(layout), 'letter', 'letters')}, the array "
        f"{_axes(rank)} {shape_text(shape)}",
        "give one letter per axis with --layout; only a leading batch axis may be left out",
    )


def _axes(count: int) -> str:
    return _counted(count, "axis", "axes")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def layout_from_names(names: Sequence[str]) -> str | None:
    """The layout that the names of an array's axes spell, or None where they spell none.

    Args:
        names: One name per axis: a letter (``C``) or a word (``channels``, ``height``).
    """
    letters = []
    for name in names:
        plain = name.strip()
        letter = plain.upper() if len(plain) == 1 else _AXIS_NAMES.get(plain.lower(), "")
        letters.append("N" if letter == "B" else letter)
    axes = "".join(letters)
    known = all(letter and letter in "NC" + POOLED_LETTERS for letter in letters)
    return axes if known and len(set(axes)) == len(names) else None


def layout_from_dimensions(names: Sequence[str]) -> str | None:
    """The layout that the names of an array's dimensions spell; None where they spell none.

    The table above says which are kept. A dimension of any other name is pooled.

    Args:
        names: One name per axis, ``""`` where an axis has none.
    """
    if not all(names):
        return None
    known = [_DIMENSIONS.get(name.lower(), "") for name in names]
    free = iter([letter for letter in POOLED_LETTERS if letter not in known])
    letters = [letter or next(free, "") for letter in known]
    axes = "".join(letters)
    return axes if all(letters) and len(set(axes)) == len(axes) else None


def layout_doubt(layout: Layout, shape: Sequence[int]) -> str:
    """Why a defaulted layout looks wrong for this shape, with the flag that settles it; or ''."""
    if layout.origin != "default":
        return ""
    if len(shape) == 2:
        if shape[1] >= 64:
            return (
                "a 2-D array this wide looks like vectors, not a map: "
                "--layout LC pools them, --layout HW says it is a map"
            )
        return ""
    # The first axis but for the batch: the channels, if these do come first.
    first, last = shape[0 if len(shape) == 3 else 1], shape[-2:]
    if (last[0] == last[1] != first) or all(4 * size < first for size in last):
        other = {3: "CHW", 4: "NCHW", 5: "NCDHW"}[len(shape)]
        return (
            "the shape looks channels-first: "
            f"--layout {other} pools it so, --layout {layout.axes} keeps it"
        )
    return ""


def shape_text(shape: Sequence[int]) -> str:
    """A shape as people write it: ``7x7x1280``; ``()`` for a scalar."""
    return "x".join(map(str, shape)) if shape else "()"


def size_of(shape: Sequence[int]) -> int:
    """How many values an array of this shape has, in exact integers."""
    return math.prod(shape)
