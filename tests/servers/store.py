"""A small server on loopback: what S3 and plain HTTP have in common, and what each has more.

It answers GET with and without ranges, HEAD, ListObjectsV2, PUT and multipart uploads, counts the
bytes that it was asked for, and has the faults that a test orders.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

MODIFIED = "Mon, 02 Jan 2023 03:04:05 GMT"
_LISTED = "2023-01-02T03:04:05.000Z"

Fault = Callable[["Handler"], bool]
"""Does something to one request, and says whether that was the answer."""


@dataclass
class Store:
    """What a server holds, and what was asked of it.

    Attributes:
        files: The bytes by path, which begins with the bucket.
        faults: One for each of the next requests that fit; None is none.
        bytes_asked: How many bytes of files were asked for.
        requests: Every request: method and path.
        ranges: It gives parts of files.
        redirects: Where a path leads to instead.
        sends_length: It says how long a whole file is.
        page: How many objects are listed at a time.
        most_at_once: How many requests were under way together.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault | None] = field(default_factory=list)
    bytes_asked: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    sends_length: bool = True
    page: int = 1000
    most_at_once: int = 0
    url: str = ""
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else None


def error(status: int) -> Fault:
    """Answer with an error."""

    def fault(handler: "Handler") -> bool:
        handler.fail(status, {403: "AccessDenied", 503: "SlowDown"}.get(status, "InternalError"))
        return True

    return fault


def reset(handler: "Handler") -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    return True


def cut(handler: "Handler") -> bool:
    """Promise an answer, and close the connection in the middle of it."""
    handler.send_response(206)
    handler.send_header("Content-Range", "bytes 0-65535/65536")
    handler.send_header("Content-Length", "65536")
    handler.send_header("ETag", '"x"')
    handler.end_headers()
    handler.wfile.write(b"x" * 1000)
    handler.close_connection = True
    return True


def slow(seconds: float) -> Fault:
    """Answer late."""

    def fault(handler: "Handler") -> bool:
        time.sleep(seconds)
        return False

    return fault


def endless(handler: "Handler") -> bool:
    """Answer with more than was asked for, until the reader leaves."""
    asked = handler.headers.get("Range", "bytes=0-0").removeprefix("bytes=")
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {asked}/{1 << 40}")
    handler.send_header("ETag", '"x"')
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"x" * (1 << 20))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the reader to confirm the head
    store: Store

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/")

    @property
    def asked(self) -> dict[str, str]:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in query.items()}

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def begin(self) -> bool:
        """Note a request; False where a fault answered it."""
        self.store.requests.append((self.command, self.path))
        fault = self.store.next_fault()
        return fault is None or not fault(self)

    def do_HEAD(self) -> None:
        if not self.begin():
            return
        data = self.store.files.get(self.key)
        if data is None:
            self.fail(404, "NoSuchKey")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", tag_of(data))
        self.send_header("Last-Modified", MODIFIED)
        self.end_headers()

    def do_GET(self) -> None:
        with self.store.lock:
            self.store.under_way += 1
            self.store.most_at_once = max(self.store.most_at_once, self.store.under_way)
        try:
            if self.begin():
                self.give()
        finally:
            with self.store.lock:
                self.store.under_way -= 1

    def give(self) -> None:
        if self.key in self.store.redirects:
            self.answer(302, Location=self.store.redirects[self.key])
        elif "list-type" in self.asked:
            self.list()
        elif self.key not in self.store.files:
            self.fail(404, "NoSuchKey")
        else:
            self.get(self.store.files[self.key])

    def get(self, data: bytes) -> None:
        common = {"ETag": tag_of(data), "Last_Modified": MODIFIED}
        asked = self.headers.get("Range", "")
        if self.headers.get("If-Match", common["ETag"]) != common["ETag"]:
            self.fail(412, "PreconditionFailed")
        elif not asked or not self.store.ranges:
            self.store.bytes_asked += len(data)
            if self.store.sends_length:
                self.answer(200, data, **common)
            else:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(data)
                self.close_connection = True
        else:
            first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
            if first >= len(data):
                body = b"<Error><Code>InvalidRange</Code><Message>no</Message></Error>"
                self.answer(416, body, Content_Range=f"bytes */{len(data)}")
                return
            last = min(last, len(data) - 1)
            with self.store.lock:
                self.store.bytes_asked += last + 1 - first
            said = f"bytes {first}-{last}/{len(data)}"
            self.answer(206, data[first : last + 1], Content_Range=said, **common)

    def list(self) -> None:
        bucket, prefix = self.key.strip("/"), self.asked.get("prefix", "")
        below = f"{bucket}/{prefix}"
        keys = sorted(key for key in self.store.files if key.startswith(below))
        keys = [key.removeprefix(f"{bucket}/") for key in keys]
        first = int(self.asked.get("continuation-token", "0"))
        found = keys[first : first + self.store.page]
        more = first + len(found) < len(keys)
        contents = "".join(
            f"<Contents><Key>{escape(quote(key))}</Key><LastModified>{_LISTED}</LastModified>"
            f"<ETag>&quot;e&quot;</ETag><Size>{len(self.store.files[f'{bucket}/{key}'])}</Size>"
            "</Contents>"
            for key in found
        )
        token = f"<NextContinuationToken>{first + len(found)}</NextContinuationToken>"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
            f"<Name>{bucket}</Name><KeyCount>{len(found)}</KeyCount>"
            f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token if more else ''}{contents}</ListBucketResult>"
        )
        self.answer(200, body.encode(), Content_Type="application/xml")

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        else:
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        plain = b""
        while data:
            line, _, data = data.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if not size:
                break
            plain, data = plain + data[:size], data[size + 2 :]
        return plain

    def do_PUT(self) -> None:
        body = self.read_body()
        if not self.begin():
            return
        upload = self.asked.get("uploadId")
        if upload is None:
            self.store.files[self.key] = body
        else:
            self.store.parts[upload][int(self.asked["partNumber"])] = body
        self.answer(200, ETag=tag_of(body))

    def do_POST(self) -> None:
        self.read_body()
        if not self.begin():
            return
        if "uploads" in self.asked:
            upload = str(len(self.store.requests))
            self.store.parts[upload] = {}
            said = f"<UploadId>{upload}</UploadId><Key>{escape(self.key)}</Key>"
            kind = "InitiateMultipartUploadResult"
        else:
            parts = self.store.parts.pop(self.asked["uploadId"])
            self.store.files[self.key] = b"".join(parts[number] for number in sorted(parts))
            kind, said = "CompleteMultipartUploadResult", "<ETag>&quot;e&quot;</ETag>"
        self.answer(200, f"<{kind}>{said}</{kind}>".encode())

    def do_DELETE(self) -> None:
        if self.begin():
            self.store.parts.pop(self.asked.get("uploadId", ""), None)
            self.answer(204)


@lru_cache(maxsize=1)  # A large file is asked for in a hundred parts, each with the tag of all.
def tag_of(data: bytes) -> str:
    return f'"{md5(data).hexdigest()}"'


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # as servers have it; with 5, who comes sixth may wait for good


@contextmanager
def serving() -> Iterator[Store]:
    """A server that lives as long as the block."""
    store = Store()
    handler = type("Serving", (Handler,), {"store": store})
    server = Server(("127.0.0.1", 0), handler)
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
