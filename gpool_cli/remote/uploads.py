"""Files on their way into an object store, some at a time: each arrives whole, or not at all."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future

from gpool_cli.errors import GpoolError, OutputError
from gpool_cli.printable import printable
from gpool_cli.remote import calls
from gpool_cli.remote.stores import store_of

_MOST_AT_ONCE = 16


class Uploads:
    """Files that are being put under URLs, in order."""

    def __init__(self) -> None:
        self._under_way: deque[tuple[str, str, Future[None]]] = deque()

    def put(self, path: str, url: str) -> None:
        """Begin to put a file under a URL; here it is gone when it is there.

        Raises:
            OutputError: An earlier one could not be written.
        """
        if len(self._under_way) == _MOST_AT_ONCE:
            self._settle_one()
        with _output_errors(url):
            self._under_way.append((path, url, calls.start(store_of(url).put(path, url))))

    def settle(self) -> None:
        """Wait until all are there.

        Raises:
            OutputError: One could not be written; the others are there all the same.
        """
        failure: OutputError | None = None
        while self._under_way:
            try:
                self._settle_one()
            except OutputError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _settle_one(self) -> None:
        path, url, future = self._under_way.popleft()
        with _output_errors(url):
            calls.wait(future)
        os.unlink(path)


def is_there(url: str) -> bool:
    """Whether there is a file under a URL.

    Raises:
        OutputError: The store can't be asked.
    """
    with _output_errors(url):
        return calls.call(calls.trying(lambda: store_of(url).exists(url)))


class _output_errors:  # noqa: N801 - reads as a statement
    """Say what a store answers as an `OutputError` that names the output."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, GpoolError) and not isinstance(error, OutputError):
            hint = error.hint or "nothing was left half written; choose another place with -o"
            raise OutputError(f"{printable(self._url)} {error.message}", hint) from error
