"""The masks and weights maps of a file: found by name, checked, and read box by box."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from gpool_cli.access import Access
from gpool_cli.batch.counting import Beside, Bools
from gpool_cli.batch.discover import split_key
from gpool_cli.batch.windows import Windows, is_written_out
from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.interface import Array
from gpool_cli.formats.naming import stem
from gpool_cli.formats.opening import isolated
from gpool_cli.layout import Layout, shape_text
from gpool_cli.model import STDIN, ArrayInfo, Block, InputFile, Skipped, Task
from gpool_cli.poolings.interface import Floats
from gpool_cli.printable import printable
from gpool_cli.recipe import Recipe
from gpool_cli.remote import is_url, name_of

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_KNOWN = ("stem", "name", "dir", "parent")


@dataclass(frozen=True)
class Companion:
    """A second array that goes with the maps of an input.

    Attributes:
        what: ``mask`` or ``weights map``.
        path: Its file.
        dataset: Its name in a container; '' where it is the only array there.
    """

    what: str
    path: str
    dataset: str = ""

    @property
    def words(self) -> str:
        """The companion as a user would name it, safe to show."""
        return printable(f"{self.path}:{self.dataset}" if self.dataset else self.path)


def check_pattern(pattern: str, option: str) -> None:
    """Refuse what can be the name of no mask.

    Args:
        pattern: What the user says.
        option: Where.

    Raises:
        UsageError: It is empty, standard input, or has a placeholder that nobody knows.
    """
    if not pattern:
        raise UsageError(f"{option} has an empty name", "is a variable of the shell unset?")
    if pattern == STDIN:
        raise UsageError(f"{option} can't be standard input", "name a file")
    for word in () if os.path.lexists(pattern) else _PLACEHOLDER.findall(pattern):
        if word not in _KNOWN:
            known = ", ".join(f"{{{word}}}" for word in _KNOWN)
            raise UsageError(
                f"{option} has {{{printable(word)}}}, which stands for nothing",
                f"what stands for a part of the input's path is {known}",
            )


def companions_of(file: InputFile, recipe: Recipe) -> tuple[Companion, ...]:
    """The mask and the weights map of an input, as far as they are asked for.

    Raises:
        UsageError: One would be behind a URL.
    """
    asked = (("mask", recipe.mask), ("weights map", recipe.weights))
    return tuple(_companion(what, said, file) for what, said in asked if said is not None)


def _companion(what: str, pattern: str, file: InputFile) -> Companion:
    name = pattern
    if not os.path.lexists(pattern) and _PLACEHOLDER.search(pattern):
        path = file.path if file.path != STDIN else file.name
        directory, base = os.path.dirname(path), name_of(path)
        parent = os.path.basename(os.path.dirname(os.path.abspath(path)))
        words = {"stem": stem(base), "name": base, "dir": directory or ".", "parent": parent}
        name = _PLACEHOLDER.sub(lambda match: words[match[1]], pattern)
        _, keys = split_key(name)
        own_path = split_key(pattern)[0].removesuffix(f":{keys[0]}" if keys else "")
        if posixpath.sep not in own_path:
            name = os.path.join(directory, name)
    path, keys = split_key(name)
    if is_url(path):
        raise UsageError(
            f"the {what} {printable(path)} is a URL, and a {what} is read from a disk",
            "copy it to this machine, and name it with its directory",
        )
    return Companion(what, path, keys[0].strip("/") if keys else "")


def files_beside(file: InputFile, recipe: Recipe) -> list[str]:
    """The paths of the mask and the weights map of an input."""
    paths = [one.path for one in companions_of(file, recipe)]
    return [path for path in paths if not is_written_out(path)]


def split_masks(
    files: Sequence[InputFile], recipe: Recipe
) -> tuple[list[InputFile], list[Skipped]]:
    """Leave out the inputs that are the masks of others: a walk or a shell's ``*`` finds both."""
    if not recipe.has_companions:
        return list(files), []
    owners: dict[str, tuple[Companion, InputFile]] = {}
    own: set[Companion] = set()
    for file in files:
        for one in companions_of(file, recipe):
            path = os.path.abspath(one.path)
            if path != os.path.abspath(file.path):
                owners.setdefault(path, (one, file))
            elif one.dataset:
                own.add(one)
    kept, skipped = [], []
    for file in files:
        found = owners.get(os.path.abspath(file.path)) if file.path != STDIN else None
        # A container may hold maps beside the mask that is theirs too.
        if found is None or found[0] in own:
            kept.append(file)
        else:
            reason = f"is the {found[0].what} of {found[1].path}"
            skipped.append(Skipped(file, "", reason))
    return kept, skipped


def needs_worker(file: InputFile, recipe: Recipe) -> bool:
    """Whether only a worker process may open an input and what goes with it."""
    return isolated(file.path) or any(isolated(one.path) for one in companions_of(file, recipe))


class Companions:
    """What goes with the maps of one file, open for reading. A context manager.

    Args:
        task: The file, and what is computed.

    Raises:
        InputError: A mask or weights map is not there, or can't be read.
    """

    def __init__(self, task: Task) -> None:
        self._path = task.file.path
        self._windows: list[tuple[Companion, Windows]] = []
        try:
            for one in companions_of(task.file, task.recipe):
                self._windows.append((one, _opened(one, task.access)))
        except BaseException:
            self.close()
            raise

    def is_one(self, info: ArrayInfo) -> str:
        """What an array of the file itself is among its companions; '' where it is none."""
        found = [(one, windows.info) for one, windows in self._windows]
        return what_it_is(info, self._path, found)

    def of(self, info: ArrayInfo, layout: Layout) -> Beside | None:
        """What goes with one map; None where nothing does.

        Raises:
            InputError: It has another shape than the map.
        """
        if not self._windows:
            return None
        return _OfMap(
            info,
            layout,
            [
                (one, windows, axes_of(one, windows.info, info, layout))
                for one, windows in self._windows
            ],
        )

    def close(self) -> None:
        """Close all files."""
        for _, windows in self._windows:
            windows.close()

    def __enter__(self) -> Companions:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _OfMap:
    """What goes with one map.

    Args:
        info: The map.
        layout: The meaning of its axes.
        companions: The mask, the weights map, or both, each with the letters of its axes.
    """

    def __init__(
        self, info: ArrayInfo, layout: Layout, companions: Sequence[tuple[Companion, Windows, str]]
    ) -> None:
        self._letters = layout.axes[::-1] if info.fortran else layout.axes
        self._companions = companions

    def of(self, block: Block) -> tuple[Bools, Floats | None]:
        valid: Bools | None = None
        weights: Floats | None = None
        for one, windows, axes in self._companions:
            values = self._spread(self._read(one, windows, axes, block), axes)
            if one.what == "mask":
                valid = values
                continue
            weights = values.astype(np.float64)
            # A value of no weight does not count: not even a NaN times 0 is seen.
            valid = weights > 0 if valid is None else valid & (weights > 0)
        assert valid is not None
        if weights is not None:
            weights = np.broadcast_to(weights, valid.shape)
        return valid, weights

    def _read(self, one: Companion, windows: Windows, axes: str, block: Block) -> Array:
        """The values for a block, one axis per letter of the companion."""
        places = [self._letters.index(letter) for letter in axes]
        try:
            return windows.box(
                tuple(block.start[i] for i in places), tuple(block.shape[i] for i in places)
            )
        except (InputError, OSError) as error:
            raise _blamed(one, error) from None

    def _spread(self, values: Array, axes: str) -> Array:
        """The same values with the axes of the map in memory; those that are not there are 1."""
        order = [axes.index(letter) for letter in self._letters if letter in axes]
        index = tuple(slice(None) if letter in axes else np.newaxis for letter in self._letters)
        return values.transpose(order)[index]


def _opened(one: Companion, access: Access) -> Windows:
    try:
        return Windows(one.path, one.dataset, one.what == "mask", access)
    except (InputError, OSError) as error:
        raise _blamed(one, error) from None


def describe(one: Companion, access: Access) -> ArrayInfo:
    """What the header of a mask or a weights map says.

    Raises:
        InputError: It is not there, or can't be read.
    """
    windows = _opened(one, access)
    windows.close()
    return windows.info


def what_it_is(info: ArrayInfo, path: str, found: Iterable[tuple[Companion, ArrayInfo]]) -> str:
    """What an array is among the companions of its file; '' where it is none.

    Args:
        info: The array.
        path: Its file.
        found: The companions with what their headers say.
    """
    for one, of_it in found:
        if of_it.dataset == info.dataset and _is_same_file(one.path, path):
            return one.what
    return ""


def axes_of(one: Companion, found: ArrayInfo, info: ArrayInfo, layout: Layout) -> str:
    """The letters of the axes of a companion of a map: those of the map but C, or but N and C.

    Args:
        one: The companion.
        found: What its header says.
        info: The map.
        layout: The meaning of the map's axes.

    Raises:
        InputError: It has another shape than the map.
    """
    whole = layout.axes.replace("C", "")
    short = whole.replace("N", "")
    shape = found.shape
    axes = whole if len(shape) == len(whole) else short
    wanted = tuple(info.shape[layout.axes.index(letter)] for letter in axes)
    if shape == wanted:
        return axes
    known = whole if whole == short else f"{short} or {whole}"
    raise InputError(
        f"is {shape_text(info.shape)} ({layout.axes}), and its {one.what} {one.words} is "
        f"{shape_text(shape)} where {axes} is {shape_text(wanted)}",
        f"a {one.what} has the axes {known} of its map, of the same lengths; none is resized",
    )


def _blamed(one: Companion, error: InputError | OSError) -> InputError:
    if isinstance(error, OSError):
        error = InputError(f"can't be read: {error.strerror or error}")
    return InputError(f"its {one.what} {one.words} {error.message}", error.hint)


def _is_same_file(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
