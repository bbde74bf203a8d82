"""S3 and what speaks its language: one request for the start of an object and all about it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import IO, Any

from gpool_cli.errors import GpoolError, InputError
from gpool_cli.remote import calls, place_of
from gpool_cli.remote.interface import Entry, Start
from gpool_cli.remote.objects import ObjectStore, checked, nanoseconds

# What a bucket may hold, before we take its listing for one without an end.
_MOST_OBJECTS = 20_000_000

# An object this large has more parts than S3 takes, or a size that is a lie.
_MOST_BYTES = 1 << 50

# What is sent in one request; larger files are sent in parts, so many at a time.
_PART = 8 << 20
_PARTS_AT_ONCE = 4
_MOST_PARTS = 10_000


class S3Store(ObjectStore):
    """A store that answers the requests of Amazon S3.

    Credentials and the address are found as its own tools find them: in the environment, and in
    the files of AWS.
    """

    def __init__(self, scheme: str) -> None:
        once = {"total_max_attempts": 1}  # It is tried again here, and not three times over.
        limits = {"connect_timeout": calls.PATIENCE, "read_timeout": calls.PATIENCE}
        super().__init__(scheme, config_kwargs={"retries": once, **limits})
        self._files.retries = 1

    async def begin(self, url: str, count: int) -> Start:
        try:
            answer = await self._get(url, 0, count, "")
        except OSError as error:
            if _code_of(error) != "InvalidRange":
                raise
            return Start(0, "")  # Only of nothing, S3 gives no first part.
        size = _size_in(answer)
        data = await _body(answer, min(count, size))
        return Start(size, answer.get("ETag", ""), data)

    async def read(self, url: str, first: int, last: int, stamp: str) -> bytes:
        try:
            answer = await self._get(url, first, last, stamp)
        except OSError as error:
            if _code_of(error) == "PreconditionFailed":
                raise InputError("has changed while it was read", "pool it again") from None
            raise
        return await _body(answer, last - first)

    async def _get(self, url: str, first: int, last: int, stamp: str) -> dict[str, Any]:
        bucket, _, key = place_of(url).partition("/")
        if not key:
            raise InputError("names a bucket, and no object", "name it with a / at its end")
        match = {"IfMatch": stamp} if stamp else {}
        answer: dict[str, Any] = await self._files._call_s3(
            "get_object", Bucket=bucket, Key=key, Range=f"bytes={first}-{last - 1}", **match
        )
        return answer

    async def entries(self, url: str) -> AsyncIterator[list[Entry]]:
        bucket, _, prefix = place_of(url).partition("/")
        prefix = prefix.rstrip("/") + "/" if prefix else ""
        token, count = "", 0
        while True:
            page = await calls.trying(lambda: self._page(bucket, prefix, token))  # noqa: B023
            found = [
                Entry(one["Key"][len(prefix) :], one["Size"], nanoseconds(one.get("LastModified")))
                for one in page.get("Contents", ())
                if one["Key"].startswith(prefix)
            ]
            yield found
            count += len(found)
            following = page.get("NextContinuationToken", "")
            if not page.get("IsTruncated"):
                return
            if not following or following == token or count > _MOST_OBJECTS:
                raise InputError("has a listing without an end", "name the objects themselves")
            token = following

    async def _page(self, bucket: str, prefix: str, token: str) -> dict[str, Any]:
        more = {"ContinuationToken": token} if token else {}
        page: dict[str, Any] = await self._files._call_s3(
            "list_objects_v2", Bucket=bucket, Prefix=prefix, **more
        )
        return page

    async def exists(self, url: str) -> bool:
        bucket, _, key = place_of(url).partition("/")
        try:
            await self._files._call_s3("head_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return False
        return True

    async def put(self, path: str, url: str) -> None:
        bucket, _, key = place_of(url).partition("/")
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            if size <= _PART:
                await self._send("put_object", Body=file.read(), Bucket=bucket, Key=key)
            else:
                await self._put_parts(file, size, Bucket=bucket, Key=key)

    async def _put_parts(self, file: IO[bytes], size: int, **place: str) -> None:
        """Put a large file: there is no object before its last part is known to be there."""
        begun = await self._send("create_multipart_upload", **place)
        place = {**place, "UploadId": begun["UploadId"]}
        part = max(_PART, -(-size // _MOST_PARTS))
        numbers = range(1, -(-size // part) + 1)
        tags: list[dict[str, Any]] = []
        try:
            for first in range(0, len(numbers), _PARTS_AT_ONCE):
                sent = (
                    self._send("upload_part", Body=file.read(part), PartNumber=number, **place)
                    for number in numbers[first : first + _PARTS_AT_ONCE]
                )
                answers = await asyncio.gather(*sent)
                tags += ({"ETag": answer["ETag"]} for answer in answers)
            for tag, number in zip(tags, numbers, strict=True):
                tag["PartNumber"] = number
            whole = {"Parts": tags}
            await self._send("complete_multipart_upload", MultipartUpload=whole, **place)
        except BaseException:
            # What nobody finishes would be kept, and paid for.
            with contextlib.suppress(GpoolError):
                await self._send("abort_multipart_upload", **place)
            raise

    async def _send(self, method: str, **words: Any) -> dict[str, Any]:
        """Make a request that changes something."""
        answer: dict[str, Any] = await calls.trying(
            lambda: self._files._call_s3(method, **words), len(words.get("Body", b"")), writes=True
        )
        return answer


def _code_of(error: OSError) -> str:
    """What S3 calls an error."""
    answer = getattr(error.__cause__, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))


def _size_in(answer: dict[str, Any]) -> int:
    """The size of the object that an answer has a part of."""
    said = str(answer.get("ContentRange", "")).rpartition("/")[2]
    if not said.isdecimal() or int(said) > _MOST_BYTES:
        raise InputError("is on a server that gives no parts of files", "copy it, and pool that")
    return int(said)


async def _body(answer: dict[str, Any], count: int) -> bytes:
    """The bytes of an answer; no more than one too many is read."""
    body = answer["Body"]
    parts, left = [], count + 1
    try:
        while left and (part := await body.read(left)):
            parts.append(part)
            left -= len(part)
    finally:
        body.close()
    return checked(b"".join(parts), count)
