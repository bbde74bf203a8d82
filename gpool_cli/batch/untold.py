"""Results that nobody is told of until it is known whether they are kept."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from gpool_cli.events import Pooled
from gpool_cli.formats.spool import Spool

# So many wait in memory; those that come after them in a temporary file.
_IN_MEMORY = 10_000

# What stands before each of them there: its length.
_LENGTH_BYTES = 8


class Untold:
    """What there is to tell of the results of one input, in their order."""

    def __init__(self) -> None:
        self._first: list[Pooled] = []
        self._others = Spool()
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._first)

    def add(self, pooled: Pooled) -> None:
        """Keep one more.

        Raises:
            OutputError: There is no room for it.
        """
        if len(self._first) < _IN_MEMORY:
            self._first.append(pooled)
            return
        data = pickle.dumps(pooled, pickle.HIGHEST_PROTOCOL)
        self._others.write(len(data).to_bytes(_LENGTH_BYTES, "little"))
        self._others.write(data)
        self._more += 1

    def __iter__(self) -> Iterator[Pooled]:
        yield from self._first
        self._others.rewind()
        for _ in range(self._more):
            length = int.from_bytes(self._others.read(_LENGTH_BYTES), "little")
            yield pickle.loads(self._others.read(length))

    def close(self) -> None:
        """Forget them."""
        self._others.close()
