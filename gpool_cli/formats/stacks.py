"""What a container takes of stacked results: one array of rows per pooling, and their names."""

from __future__ import annotations

from collections.abc import Iterator

from gpool_cli.errors import InputError
from gpool_cli.formats.rows import RowSpool, label
from gpool_cli.model import Result

_NAMES_AT_A_TIME = 4096


class Stacks:
    """Collects rows by pooling; the rows of all poolings have the names of the first one's.

    Attributes:
        spools: The rows, by the pooling's label.
        rows: How many rows have names.
        longest: Characters of the longest name.
    """

    def __init__(self) -> None:
        self.spools: dict[str, RowSpool] = {}
        self.rows = 0
        self.longest = 0
        self._runs: list[tuple[str, int]] = []
        self._added: list[str] = []
        self._before: tuple[int, int, list[tuple[str, int]]] = (0, 0, [])
        self._runs_before = 0

    def add(self, result: Result) -> None:
        """Append a result's rows.

        Raises:
            InputError: They can't stand beside the earlier ones.
        """
        pooling = result.pooling.label
        if pooling not in self.spools:
            self.spools[pooling] = RowSpool()
        first = next(iter(self.spools))
        if pooling == first and result.start == 0:
            self._added, self._before = [], (self.rows, self.longest, list(self._runs[-1:]))
            self._runs_before = len(self._runs)
        try:
            rows = self.spools[pooling].add(result)
        except InputError:
            self._withdraw()
            raise
        self._added.append(pooling)
        if pooling != first:
            return
        name = label(result)
        self.rows += rows
        self.longest = max(self.longest, len(name))
        if self._runs and self._runs[-1][0] == name:
            rows += self._runs.pop()[1]
        self._runs.append((name, rows))

    def _withdraw(self) -> None:
        """Take back what other poolings gave of the map whose rows were refused."""
        for pooling in dict.fromkeys(self._added):
            self.spools[pooling].withdraw()
        if self._added:
            self.rows, self.longest, last = self._before
            self._runs[max(0, self._runs_before - 1) :] = last
        self._added = []

    def names(self) -> Iterator[list[str]]:
        """The names of the rows in order, some at a time."""
        names: list[str] = []
        for name, rows in self._runs:
            while rows:
                count = min(rows, _NAMES_AT_A_TIME - len(names))
                names += [name] * count
                rows -= count
                if len(names) == _NAMES_AT_A_TIME:
                    yield names
                    names = []
        if names:
            yield names

    def close(self) -> None:
        """Forget the rows."""
        for spool in self.spools.values():
            spool.close()
