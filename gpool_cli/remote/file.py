"""A file behind a URL, read like one on the disk."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from concurrent.futures import Future
from typing import IO, TYPE_CHECKING

from gpool_cli.remote import calls
from gpool_cli.remote.pages import PAGE, Pages
from gpool_cli.remote.stores import store_of

if TYPE_CHECKING:
    from gpool_cli.remote.interface import Start, Store

# The first request: the headers of a large file, the whole of a small one.
_START = 4 * PAGE

# The file that was opened last, for it may be opened for its next part: what it is, and its bytes.
_last: tuple[tuple[str, int, str], Pages] | None = None


class RemoteFile(io.RawIOBase):
    """A file behind a URL. It can be sought in, and knows no names in the file system.

    Args:
        identity: What tells the file from others, and from itself before a change.
        bytes: Where its bytes come from.
    """

    def __init__(self, identity: tuple[str, int, str], pages: Pages) -> None:
        self.identity, self.size = identity, identity[1]
        self._pages, self._place = pages, 0

    def will_read(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Say what will be read next: from the first byte to before the last, in this order."""
        self._pages.plan(ranges)

    def read_into(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on, which lie in the file."""
        self._pages.read_into(view, offset)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self.size - self._place))
        self.read_into(view[:count], self._place)
        self._place += count
        return count

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        if start + place < 0:
            raise ValueError("a place before the beginning of the file")
        self._place = start + place
        return self._place

    def tell(self) -> int:
        return self._place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._pages.forget_plan()
        super().close()


def open_url(url: str) -> RemoteFile | IO[bytes]:
    """Open what a URL names: in parts, or where its server gives none, a copy of the whole.

    Raises:
        InputError: It can't be had.
    """
    global _last
    store = store_of(url)
    start: Start = calls.call(calls.trying(lambda: store.begin(url, _START), _START))
    if not start.parts:
        return calls.call(calls.trying(lambda: store.whole(url, start.size), start.size))
    identity = url, start.size, start.stamp
    if _last is None or _last[0] != identity:
        _last = identity, _pages(store, url, start)
    return RemoteFile(*_last)


def _pages(store: Store, url: str, start: Start) -> Pages:
    def fetch(first: int, last: int) -> Future[bytes]:
        attempt = calls.trying(lambda: store.read(url, first, last, start.stamp), last - first)
        return calls.start(attempt)

    return Pages(fetch, start.size, start.data)
