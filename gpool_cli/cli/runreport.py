"""The report of a run as a file: kept while the run lives, and whole or not there."""

from __future__ import annotations

from collections.abc import Iterator

from gpool_cli.events import Event
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.formats.spool import Spool
from gpool_cli.recipe import Recipe
from gpool_cli.report.records import make_form
from gpool_cli.report.records.interface import Ending
from gpool_cli.report.records.items import LISTS
from gpool_cli.stopping import held


class RunReport:
    """Collects a run's record, in a temporary file beyond a size that memory bears.

    Args:
        path: Where it goes; the suffix says in which form.
        recipe: What was asked for.
    """

    def __init__(self, path: str, recipe: Recipe) -> None:
        self._path = path
        self._form = make_form(path, recipe)
        self._lists = {name: _Items() for name in LISTS}

    @property
    def sketched(self) -> bool:
        """Whether it wants to know what results look like."""
        return self._form.sketched

    @held()
    def add(self, event: Event) -> None:
        """Record what happened, whole or not at all."""
        for name, item in self._form.items(event):
            self._lists[name].add(item)

    @held()
    def write(self, ending: Ending) -> None:
        """Write the record.

        Raises:
            OutputError: It can't be written.
        """
        output = AtomicFile(self._path)
        try:
            with output_errors(self._path):
                lists = {name: items.chunks() for name, items in self._lists.items()}
                for part in self._form.parts(ending, lists):
                    output.file.write(part)
        except BaseException:
            output.discard()
            raise
        output.commit()

    def close(self) -> None:
        """Forget the record."""
        for items in self._lists.values():
            items.close()


class _Items:
    """Items of a JSON list, one a line."""

    def __init__(self) -> None:
        self._file = Spool()
        self._empty = True

    def add(self, item: str) -> None:
        self._file.write(b"\n  " if self._empty else b",\n  ")
        self._file.write(item.encode())
        self._empty = False

    def chunks(self) -> Iterator[bytes]:
        yield from self._file.chunks()
        if not self._empty:
            yield b"\n "

    def close(self) -> None:
        self._file.close()
