"""A part: what one shard of a run found out, to be merged with that of the others.

The first line says of which run it is; a line for every outcome follows, with its values behind it;
the last line is the checksum of all before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, get_args

from gpool_cli import __version__
from gpool_cli.batch.plan import Planned
from gpool_cli.batch.recording import decode, encode
from gpool_cli.batch.shard import Shard
from gpool_cli.errors import UsageError
from gpool_cli.formats.atomic import AtomicFile, Written, output_errors
from gpool_cli.formats.inputs import stamp_of
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Alike, Failed, InputFile, Outcome, Skipped
from gpool_cli.printable import printable
from gpool_cli.recipe import Recipe

_MAGIC = "gpool part"
_CHUNK = 1 << 20
_OUTCOMES = (*get_args(Outcome), Alike)

# What `decode` and `_head` raise for a part that says what no part says.
_NONSENSE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(MemoryError, OverflowError, RecursionError),
)

_END = len("sha256 ") + 64 + 1

Stamp = tuple[int, int]
Beside = tuple[str, int, int]


@dataclass(frozen=True)
class Whole:
    """The run that a part is of: the same for all of its parts.

    Attributes:
        recipe: What is computed.
        style: How it is written.
        kind: What kind of output it has, as of `gpool_cli.batch.destination.Destination`.
        format: The output's format by name; None where every result takes its input's.
        alone: The only input is one file that the user named.
        strict: A doubtful layout is a failure.
        follow: HDF5 links to other files are followed.
        view: What the values are said to be, whatever the files say.
        count: How many inputs there are.
        digest: A checksum of their names, in their order.
    """

    recipe: Recipe
    style: WriteStyle
    kind: str
    format: str | None
    alone: bool
    strict: bool
    follow: bool
    view: str
    count: int
    digest: str


@dataclass(frozen=True)
class Head:
    """The beginning of a part.

    Attributes:
        shard: Which part it is.
        whole: Of which run.
        planned: Its inputs, with outputs below the directory that the run writes into.
        stamps: The size of each input and when it was changed; None where there is none.
        beside: The same of its mask and its weights map, each with its path.
        aside: Inputs that are not there or left out; the first part has them.
    """

    shard: Shard
    whole: Whole
    planned: tuple[Planned, ...]
    stamps: tuple[Stamp | None, ...]
    beside: tuple[tuple[Beside, ...], ...]
    aside: tuple[Failed | Skipped, ...] = ()


def digest_of(planned: Sequence[Planned], aside: Sequence[Failed | Skipped]) -> str:
    """A checksum of the names of all inputs of a run, and of those not there or left out."""
    digest = hashlib.sha256()
    for file in [*(one.file for one in planned), *(said.file for said in aside)]:
        digest.update(json.dumps([file.path, file.name, file.named, file.keys]).encode() + b"\n")
    return digest.hexdigest()


def stamp_before(file: InputFile) -> Stamp | None:
    """The size of an input and when it was changed, before it is read; None where nothing says."""
    try:
        return stamp_of(file)
    except (OSError, ValueError):
        return None


class PartWriter:
    """Writes a part, which has its name when it is complete.

    Args:
        path: Where to.
        head: Its beginning.

    Raises:
        OutputError: It can't be written.
    """

    def __init__(self, path: str, head: Head) -> None:
        self._path = path
        self._files = {one.file: number for number, one in enumerate(head.planned)}
        self._digest = hashlib.sha256()
        self._file = AtomicFile(path)
        self._write(json.dumps(_said(head)).encode() + b"\n")

    def add(self, outcome: Outcome | Alike) -> None:
        """Record an outcome.

        Raises:
            OutputError: There is no room for it.
        """
        self._write(encode(outcome, self._files))

    def complete(self) -> Written:
        """End it; it has not its name yet."""
        with output_errors(self._path):
            self._file.file.write(f"sha256 {self._digest.hexdigest()}\n".encode())
        return self._file.complete()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._file.discard()

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        with output_errors(self._path):
            self._file.file.write(data)


class Part:
    """A part that was written by this version, whole and unchanged.

    Args:
        path: Where it is.

    Attributes:
        path: Where it is.
        head: Its beginning.

    Raises:
        UsageError: It is no such part.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                said = _first_line(file)
                if said is None:
                    raise UsageError(
                        f"{printable(path)} is no part of a run", "name what --shard has written"
                    )
                if said["version"] != __version__:
                    raise UsageError(
                        f"{printable(path)} was written by gpool {printable(said['version'])}, "
                        f"and this is gpool {__version__}",
                        "merge with the version that made the parts",
                    )
                self._end = _check_whole(file, path)
        except OSError as error:
            raise UsageError(
                f"can't read the part {printable(path)}: {error.strerror or error}",
                "name what --shard has written",
            ) from None
        try:
            self.head = _head(said)
        except _NONSENSE:
            raise _damaged(path) from None

    def outcomes(self) -> Iterator[Outcome | Alike]:
        """What was found out, in the order of the inputs."""
        files = [one.file for one in self.head.planned]
        with open(self.path, "rb") as file:
            file.readline()
            while file.tell() < self._end:
                try:
                    outcome = decode(file.readline(), file.read, files)
                except _NONSENSE:
                    raise _damaged(self.path) from None
                if type(outcome) not in _OUTCOMES:
                    raise _damaged(self.path)
                yield outcome


def _first_line(file: BinaryIO) -> dict[str, Any] | None:
    """What the first line says; None where the file is no part."""
    start = f'{{"{_MAGIC}": '.encode()
    if file.read(len(start)) != start:
        return None
    try:
        said = json.loads(start + file.readline())
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("version"), str) else None


def _check_whole(file: BinaryIO, path: str) -> int:
    """Hold a part against its checksum; where its outcomes end."""
    end = file.seek(0, os.SEEK_END) - _END
    digest = hashlib.sha256()
    file.seek(0)
    left = max(0, end)
    while part := file.read(min(_CHUNK, left)):
        digest.update(part)
        left -= len(part)
    if file.read() != f"sha256 {digest.hexdigest()}\n".encode():
        raise _damaged(path)
    return end


def _damaged(path: str) -> UsageError:
    return UsageError(
        f"the part {printable(path)} is damaged or cut short", "copy it again, or make it anew"
    )


def _said(head: Head) -> dict[str, Any]:
    return {
        _MAGIC: 1,
        "version": __version__,
        "shard": [head.shard.number, head.shard.count],
        "whole": {name: _text(value) for name, value in vars(head.whole).items()},
        "planned": [[_text(one.file), one.outputs] for one in head.planned],
        "stamps": head.stamps,
        "beside": head.beside,
        "aside": [_text(said) for said in head.aside],
    }


def _head(said: dict[str, Any]) -> Head:
    return Head(
        Shard(*said["shard"]),
        Whole(**{name: _noun(value) for name, value in said["whole"].items()}),
        tuple(Planned(_noun(file), tuple(outputs)) for file, outputs in said["planned"]),
        tuple(tuple(stamp) if stamp else None for stamp in said["stamps"]),
        tuple(tuple((path, size, time) for path, size, time in one) for one in said["beside"]),
        tuple(_noun(one) for one in said["aside"]),
    )


def _text(value: Any) -> str:
    return encode(value, {}).decode()


def _noun(text: str) -> Any:
    return decode(text.encode(), lambda count: b"", [])
