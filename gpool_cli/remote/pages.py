"""A far file in pages: each fetched once while it is remembered, the next ones before their time.

What will be read is announced (`Pages.plan`), for a guess would fetch what nobody needs. Pages that
nobody announced, such as headers, are fetched alone, and remembered longer: what lies beside a
header may be values that are read later.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from gpool_cli.remote import calls

PAGE = 16 << 10

# In one request; fetched ahead; remembered of what was announced, and of the rest.
_REQUEST = (2 << 20) // PAGE
_AHEAD = (8 << 20) // PAGE
_READ = (4 << 20) // PAGE
_OTHERS = (32 << 20) // PAGE

# So many requests are under way together: the queue of a server may be short.
_AT_ONCE = 32

Fetch = Callable[[int, int], Future[bytes]]


class _Request:
    """Pages on their way, from the first to before the last."""

    def __init__(self, first: int, last: int, answer: Future[bytes], planned: bool) -> None:
        self.first, self.last, self.answer, self.planned = first, last, answer, planned


class Pages:
    """The pages of one file.

    Args:
        fetch: Begins to fetch the bytes from the first to before the last.
        size: Bytes of the file.
        start: Its first bytes: all of it, or whole pages.
    """

    def __init__(self, fetch: Fetch, size: int, start: bytes = b"") -> None:
        self._fetch, self.size = fetch, size
        self._others: OrderedDict[int, bytes] = OrderedDict()
        self._planned: OrderedDict[int, bytes] = OrderedDict()
        self._flying: dict[int, _Request] = {}
        self._ahead: set[int] = set()
        self._under_way = 0
        self._next: Iterator[tuple[int, int]] = iter(())
        self._store(0, start, self._others)

    def plan(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Say what will be read next: from the first byte to before the last, in this order."""
        self.forget_plan()
        self._next = self._runs(ranges)
        self._fetch_ahead()

    def forget_plan(self) -> None:
        """Fetch nothing more ahead."""
        self._next = iter(())
        self._ahead.clear()
        for request in set(self._flying.values()):
            request.answer.cancel()
        self._flying.clear()
        self._under_way = 0

    def read_into(self, view: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on, which lie in the file.

        Raises:
            InputError: They can't be had.
        """
        stop = offset + len(view)
        last = -(-stop // PAGE)
        for page in range(offset // PAGE, last):
            data = self._page(page, last)
            begin, end = page * PAGE, page * PAGE + len(data)
            first, behind = max(begin, offset), min(end, stop)
            view[first - offset : behind - offset] = data[first - begin : behind - begin]
            if page in self._ahead:
                self._ahead.discard(page)
                self._fetch_ahead()

    def _page(self, page: int, last: int) -> bytes:
        """One page; where it is missing, those up to the last are fetched with it."""
        held = self._others.get(page)
        if held is not None:
            self._others.move_to_end(page)
            return held
        held = self._planned.get(page)
        if held is not None:
            return held
        if page not in self._flying:
            for first, behind in self._runs([(page * PAGE, min(last, page + _AHEAD) * PAGE)]):
                self._begin(first, behind, planned=False)
        self._take(self._flying[page])
        held = self._others.get(page)
        return held if held is not None else self._planned[page]

    def _take(self, request: _Request) -> None:
        """Wait for a request, and keep what it gives."""
        try:
            data = calls.wait(request.answer)
        finally:
            self._under_way -= 1
            for page in range(request.first, request.last):
                self._flying.pop(page, None)
        self._store(request.first, data, self._planned if request.planned else self._others)

    def _store(self, first: int, data: bytes, held: OrderedDict[int, bytes]) -> None:
        for at in range(0, len(data), PAGE):
            held[first + at // PAGE] = data[at : at + PAGE]  # A copy: the rest can be let go.
        while len(self._others) > _OTHERS:
            self._others.popitem(last=False)
        while len(self._planned) > _AHEAD + _READ:
            self._planned.popitem(last=False)

    def _fetch_ahead(self) -> None:
        """Begin what is announced, as far as not too much waits to be read."""
        while len(self._ahead) < _AHEAD and self._under_way < _AT_ONCE:
            run = next(self._next, None)
            if run is None:
                return
            self._ahead.update(range(*run))
            self._begin(*run, planned=True)

    def _begin(self, first: int, last: int, planned: bool) -> None:
        answer = self._fetch(first * PAGE, min(last * PAGE, self.size))
        request = _Request(first, last, answer, planned)
        self._flying.update(dict.fromkeys(range(first, last), request))
        self._under_way += 1

    def _runs(self, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The missing pages of ranges, those side by side together: the first, and behind the last.

        They are asked for as late as can be, for on the way others are fetched.
        """
        first = last = 0
        for start, stop in ranges:
            for page in range(max(0, start) // PAGE, -(-min(stop, self.size) // PAGE)):
                if first <= page < last or self._has(page):
                    continue
                if page == last and last - first < _REQUEST:
                    last += 1
                    continue
                if first < last:
                    yield first, last
                first, last = page, page + 1
        if first < last:
            yield first, last

    def _has(self, page: int) -> bool:
        return page in self._others or page in self._planned or page in self._flying
