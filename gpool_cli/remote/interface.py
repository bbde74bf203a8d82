"""What a store is: where the bytes of URLs come from and go to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Start:
    """The beginning of a file, with what its store says of the whole.

    Attributes:
        size: Bytes of the file.
        stamp: What changes when the file does; '' where the store does not say.
        data: The first bytes.
        parts: The store gives parts of it; else only the whole.
    """

    size: int
    stamp: str
    data: bytes = b""
    parts: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a tree.

    Attributes:
        name: Its path below the tree, with ``/`` between the parts.
        size: Its bytes.
        changed_ns: When it was written, in nanoseconds; None where the store does not say.
    """

    name: str
    size: int
    changed_ns: int | None


class Store(ABC):
    """Gives parts of files, and takes whole ones.

    What only asks is one try, and raises what goes wrong as it comes; `entries` and `put`, which
    are many requests, try each of them again themselves.
    """

    @abstractmethod
    async def begin(self, url: str, count: int) -> Start:
        """The first bytes of a file, as many of the count as there are, and what it is."""

    @abstractmethod
    async def read(self, url: str, first: int, last: int, stamp: str) -> bytes:
        """The bytes from the first to before the last, all of them, of the file with this stamp."""

    async def whole(self, url: str, size: int) -> IO[bytes]:
        """A file that is given in no parts, in a temporary one of this size."""
        raise NotImplementedError

    @abstractmethod
    def entries(self, url: str) -> AsyncIterator[list[Entry]]:
        """The files below a prefix, some at a time, in any order."""

    @abstractmethod
    async def put(self, path: str, url: str) -> None:
        """Put a local file under a URL: all of it, or nothing."""

    @abstractmethod
    async def exists(self, url: str) -> bool:
        """Whether there is a file."""
