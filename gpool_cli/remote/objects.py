"""An object store, through the fsspec file system of its scheme."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import fsspec

from gpool_cli.errors import InputError
from gpool_cli.remote import calls, place_of
from gpool_cli.remote.interface import Entry, Start, Store


class ObjectStore(Store):
    """Objects under keys, by what all file systems of fsspec can do.

    Args:
        scheme: The scheme of its URLs.
        options: What the file system is made with.
    """

    def __init__(self, scheme: str, **options: Any) -> None:
        # fsspec makes one of a kind in every process, and knows of forks.
        files = fsspec.filesystem(scheme, use_listings_cache=False, **options)
        self._files = calls.kept(files)

    async def begin(self, url: str, count: int) -> Start:
        found = await self._files._info(place_of(url))
        if found["type"] == "directory":
            raise InputError("is a prefix, and no file", "name it with a / at its end")
        size = int(found["size"])
        stamp = str(found.get("etag") or found.get("ETag") or "")
        return Start(size, stamp, await self.read(url, 0, min(count, size), stamp))

    async def read(self, url: str, first: int, last: int, stamp: str) -> bytes:
        if first == last:
            return b""
        data: bytes = await self._files._cat_file(place_of(url), start=first, end=last)
        return checked(data, last - first)

    async def entries(self, url: str) -> AsyncIterator[list[Entry]]:
        top = place_of(url).rstrip("/") + "/"
        found = await calls.trying(lambda: self._files._find(top, detail=True))
        yield [
            Entry(name.removeprefix(top), int(info["size"]), nanoseconds(info.get("mtime")))
            for name, info in found.items()
            if name.startswith(top)
        ]

    async def put(self, path: str, url: str) -> None:
        size = os.path.getsize(path)
        await calls.trying(lambda: self._files._put_file(path, place_of(url)), size, writes=True)

    async def exists(self, url: str) -> bool:
        return bool(await self._files._exists(place_of(url)))


def checked(data: bytes, count: int) -> bytes:
    """The bytes of an answer, if they are as many as were asked for.

    Raises:
        OSError: They are not; the network may be to blame.
    """
    if len(data) != count:
        much = "more" if len(data) > count else f"{len(data)}"
        raise OSError(f"the server was asked for {count} bytes and gave {much}")
    return data


def nanoseconds(moment: object) -> int | None:
    """A moment in nanoseconds since 1970; None where it is none."""
    return int(moment.timestamp()) * 10**9 if isinstance(moment, datetime) else None
