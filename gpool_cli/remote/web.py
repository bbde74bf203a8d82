"""A web server: parts of files by ranges, or whole files where it gives no parts."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any, NoReturn

import aiohttp
import fsspec
from yarl import URL

from gpool_cli.errors import InputError, OutputError
from gpool_cli.printable import printable
from gpool_cli.remote import calls
from gpool_cli.remote.interface import Entry, Start, Store
from gpool_cli.remote.objects import checked

_MOST_REDIRECTS = 5
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_CHUNK = 1 << 20
_COPY = "copy it, and pool that"


class WebStore(Store):
    """Files of web servers, which can't be listed, and are only read.

    A redirect is followed where it stays at the host: no host is asked that the user did not name.

    Args:
        scheme: ``http`` or ``https``.
    """

    def __init__(self, scheme: str) -> None:
        self._files = calls.kept(fsspec.filesystem(scheme))

    async def begin(self, url: str, count: int) -> Start:
        async with await self._ask(url, 0, count) as answer:
            if answer.status == 200:
                return Start(_promised(answer), "", parts=False)
            if answer.status == 416 and answer.headers.get("Content-Range") == "bytes */0":
                return Start(0, "")
            size = _checked_range(answer, 0, count)
            return Start(size, _stamp(answer), await _body(answer, min(count, size)))

    async def read(self, url: str, first: int, last: int, stamp: str) -> bytes:
        async with await self._ask(url, first, last) as answer:
            if answer.status == 200:
                raise InputError("is on a server that gives parts of files, and then none", _COPY)
            _checked_range(answer, first, last)
            if _stamp(answer) != stamp:
                raise InputError("has changed while it was read", "pool it again")
            return await _body(answer, last - first)

    async def whole(self, url: str, size: int) -> IO[bytes]:
        file = tempfile.TemporaryFile()
        try:
            async with await self._ask(url, 0, size) as answer:
                if answer.status != 200 or _promised(answer) != size:
                    raise InputError("has changed while it was read", "pool it again")
                async for part in answer.content.iter_chunked(_CHUNK):
                    file.write(part)
            if file.tell() != size:
                raise OSError(f"the server promised {size} bytes and gave {file.tell()}")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    async def _ask(self, url: str, first: int, last: int) -> Any:
        """The answer to a request for a range, of status 200, 206 or 416; to be closed."""
        session = await self._files.set_session()
        here = URL(url, encoded="%" in url)
        for _ in range(_MOST_REDIRECTS):
            answer = await session.get(
                here,
                headers={"Range": f"bytes={first}-{last - 1}", "Accept-Encoding": "identity"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=calls.PATIENCE, sock_read=calls.PATIENCE
                ),
            )
            if answer.status in (200, 206, 416):
                return answer
            answer.close()
            if answer.status not in (301, 302, 303, 307, 308):
                _refuse(answer)
            here = _target(here, answer.headers.get("Location", ""))
        raise InputError("is redirected in a circle", "check the URL")

    async def entries(self, url: str) -> AsyncIterator[list[Entry]]:
        raise InputError("is on a web server, which has no trees to list", "name the files")
        yield []  # Nothing gets here; without it, this would be no iterator.

    async def put(self, path: str, url: str) -> None:
        raise OutputError("a web server is only read", "choose another -o")

    async def exists(self, url: str) -> bool:
        raise OutputError("a web server is only read", "choose another -o")


def _refuse(answer: aiohttp.ClientResponse) -> NoReturn:
    """Say what an answer means that is no file."""
    if answer.status in (404, 410):
        raise FileNotFoundError
    if answer.status in (401, 403):
        raise PermissionError
    said = f"the server answers {answer.status} {printable(answer.reason or '')}".rstrip()
    if answer.status < 500 and answer.status not in (408, 425, 429):
        raise InputError(f"can't be read: {said}", "check the URL")
    raise OSError(said)


def _target(here: URL, location: str) -> URL:
    """Where a redirect leads, if it stays at the host and loses no encryption."""
    try:
        there = here.join(URL(location, encoded=True))
        same = there.host == here.host and there.scheme in ("https", here.scheme)
        same = same and (there.port == here.port or there.scheme != here.scheme)
    except ValueError:
        same, there = False, here
    if not location or not same:
        shown = printable(str(there.with_query(None)) if location else "nowhere")
        raise InputError(f"is redirected to {shown}", "name that URL itself if you trust it")
    return there


def _checked_range(answer: aiohttp.ClientResponse, first: int, last: int) -> int:
    """The size of the file, of which an answer has the range that was asked for."""
    said = answer.headers.get("Content-Range", "")
    found = _RANGE.fullmatch(said)
    if answer.status != 206 or found is None:
        raise OSError(f"the server answers {answer.status} with the range {printable(said)!r}")
    size = int(found[3])
    if (int(found[1]), int(found[2]) + 1) != (first, min(last, size)):
        raise OSError(f"the server was asked for bytes {first} to {last} and gave {found[0]}")
    return size


def _stamp(answer: aiohttp.ClientResponse) -> str:
    """What changes when the file does."""
    size = answer.headers.get("Content-Range", "").rpartition("/")[2]
    names = ("ETag", "Last-Modified")
    return " ".join([size, *(answer.headers.get(name, "") for name in names)])


async def _body(answer: aiohttp.ClientResponse, count: int) -> bytes:
    """The bytes of an answer; no more than one piece too many is read."""
    data = bytearray()
    async for part in answer.content.iter_chunked(_CHUNK):
        data += part
        if len(data) > count:
            break
    return checked(bytes(data), count)


def _promised(answer: aiohttp.ClientResponse) -> int:
    """The size of a file that only comes whole, if there is room for it."""
    said = answer.headers.get("Content-Length", "")
    if not said.isdecimal():
        raise InputError("is on a server that says neither its size nor gives parts of it", _COPY)
    if len(said) > 18 or int(said) > shutil.disk_usage(tempfile.gettempdir()).free:
        raise InputError(
            f"comes only whole, and temporary files have no room for its {said[:20]} bytes",
            "make room in the directory for temporary files (TMPDIR)",
        )
    return int(said)
