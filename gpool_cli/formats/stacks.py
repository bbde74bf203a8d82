"""What a container takes of stacked results: one array of rows per pooling, and their names."""

from __future__ import annotations

from collections.abc import Iterator

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

    def add(self, result: Result) -> None:
        """Append a result's rows.

        Raises:
            InputError: They can't stand beside the earlier ones.
        """
        pooling = result.pooling.label
        if pooling not in self.spools:
            self.spools[pooling] = RowSpool()
        rows = self.spools[pooling].add(result)
        if pooling != next(iter(self.spools)):
            return
        name = label(result)
        self.rows += rows
        self.longest = max(self.longest, len(name))
        if self._runs and self._runs[-1][0] == name:
            rows += self._runs.pop()[1]
        self._runs.append((name, rows))

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
