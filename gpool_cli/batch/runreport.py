"""The report of a run, for machines: what came from where, by which parameters, and the rest."""

from __future__ import annotations

import json
from typing import IO, Any

from gpool_cli import __version__
from gpool_cli.batch.stopping import held
from gpool_cli.events import DoneBefore, Event, Pooled, Together
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.formats.spool import Spool
from gpool_cli.model import Failed, InputFile, Skipped, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import finite_or_none
from gpool_cli.recipe import Recipe
from gpool_cli.tally import Tally

_LISTS = ("results", "done_before", "skipped", "warnings", "failures")


class RunReport:
    """Collects a run's record, in a temporary file beyond a size that memory bears.

    Args:
        recipe: What was asked for.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._lists = {name: _JsonList() for name in _LISTS}

    @held()
    def add(self, event: Event) -> None:
        """Record what happened, whole or not at all."""
        if isinstance(event, Pooled):
            self._lists["results"].add(_result(event))
        elif isinstance(event, Together):
            for warning in event.alike.warnings():
                self.add(warning)
            for place in range(event.count):
                self.add(event.tell(place))
        elif isinstance(event, DoneBefore):
            paths = [printable(path) for path in event.outputs]
            left: dict[str, Any] = {"source": printable(event.file.path), "written_to": paths}
            self._lists["done_before"].add(left)
        elif isinstance(event, Skipped):
            said = {**_place(event.file, event.dataset), "reason": printable(event.reason)}
            self._lists["skipped"].add(said)
        elif isinstance(event, (Warned, Failed)):
            said = {
                **_place(event.file, event.dataset),
                "message": printable(event.message),
            }
            if isinstance(event, Failed):
                self._lists["failures"].add({**said, "hint": printable(event.hint)})
            else:
                self._lists["warnings"].add({**said, "kind": event.kind})

    @held()
    def write(self, path: str, tally: Tally, exit_code: int, ended_by: str = "") -> None:
        """Write the record as JSON.

        Args:
            path: Where to.
            tally: The totals.
            exit_code: How the run ends.
            ended_by: What ended it before all was done; '' where nothing did.
        """
        head = {
            "gpool": __version__,
            "recipe": {
                "poolings": [spec.label for spec in self._recipe.poolings],
                "layout": self._recipe.layout,
                "nan": self._recipe.nan,
                "dtype": self._recipe.dtype,
                "shape": self._recipe.shape,
                **self._confidences(),
            },
            "exit_code": exit_code,
            "ended_by": printable(ended_by) or None,
            "totals": vars(tally),
        }
        output = AtomicFile(path)
        try:
            with output_errors(path):
                output.file.write(json.dumps(head, indent=1)[:-2].encode())
                for name, items in self._lists.items():
                    output.file.write(f',\n "{name}": ['.encode())
                    items.copy_to(output.file)
                    output.file.write(b"]")
                output.file.write(b"\n}\n")
        except BaseException:
            output.discard()
            raise
        output.commit()

    def _confidences(self) -> dict[str, str]:
        """What made confidences of the pooled channels, where something did."""
        recipe = self._recipe
        return {"activation": recipe.activation, "head": recipe.head} if recipe.activation else {}

    def close(self) -> None:
        """Forget the record."""
        for items in self._lists.values():
            items.close()


class _JsonList:
    """Items of a JSON list, one a line."""

    def __init__(self) -> None:
        self._file = Spool()
        self._empty = True

    def add(self, item: dict[str, Any]) -> None:
        self._file.write(b"\n  " if self._empty else b",\n  ")
        self._file.write(json.dumps(item, ensure_ascii=False, allow_nan=False).encode())
        self._empty = False

    def copy_to(self, file: IO[bytes]) -> None:
        for part in self._file.chunks():
            file.write(part)
        if not self._empty:
            file.write(b"\n ")

    def close(self) -> None:
        self._file.close()


def _place(file: InputFile, dataset: str) -> dict[str, str]:
    return {"source": printable(file.path), "dataset": printable(dataset)}


def _result(pooled: Pooled) -> dict[str, Any]:
    return {
        **_place(pooled.file, pooled.info.dataset),
        "shape": list(pooled.info.shape),
        "layout": pooled.layout.axes,
        "layout_from": pooled.layout.origin,
        "dtype": pooled.info.dtype_name,
        "pooling": pooled.pooling.label,
        "output_shape": list(pooled.shape),
        "output_dtype": pooled.dtype,
        "min": finite_or_none(pooled.low),
        "mean": finite_or_none(pooled.mean),
        "max": finite_or_none(pooled.high),
        "nan": pooled.nan_values,
        "written_to": printable(pooled.where),
    }
