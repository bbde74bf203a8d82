"""The manifest: what came from where in a run, by which parameters, with which result."""

from __future__ import annotations

import json
import tempfile
from typing import IO, Any

import numpy as np

from gpool_cli import __version__
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.model import Failed, InputFile, Outcome, Recipe, Result, Skipped, Tally, Warned
from gpool_cli.printable import printable

_IN_MEMORY = 16 << 20


class Manifest:
    """Collects a run's record, in a temporary file beyond a size that memory bears.

    Args:
        recipe: What was asked for.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._lists = {name: _JsonList() for name in ("results", "skipped", "warnings", "failures")}

    def add(self, outcome: Outcome, where: str) -> None:
        """Record one outcome of the run, and where a result went."""
        if isinstance(outcome, Result):
            self._lists["results"].add(_result(outcome, where))
        elif isinstance(outcome, Skipped):
            said = {**_place(outcome.file, outcome.dataset), "reason": printable(outcome.reason)}
            self._lists["skipped"].add(said)
        elif isinstance(outcome, (Warned, Failed)):
            said = {
                **_place(outcome.file, outcome.dataset),
                "message": printable(outcome.message),
            }
            if isinstance(outcome, Failed):
                self._lists["failures"].add({**said, "hint": printable(outcome.hint)})
            else:
                self._lists["warnings"].add({**said, "kind": outcome.kind})

    def write(self, path: str, tally: Tally, exit_code: int) -> None:
        """Write the record as JSON.

        Args:
            path: Where to.
            tally: The totals.
            exit_code: How the run ends.
        """
        head = {
            "gpool": __version__,
            "recipe": {
                "poolings": [spec.label for spec in self._recipe.poolings],
                "layout": self._recipe.layout,
                "nan": self._recipe.nan,
                "dtype": self._recipe.dtype,
                "shape": self._recipe.shape,
            },
            "exit_code": exit_code,
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


class _JsonList:
    """Items of a JSON list, one a line."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)
        self._empty = True

    def add(self, item: dict[str, Any]) -> None:
        self._file.write(b"\n  " if self._empty else b",\n  ")
        self._file.write(json.dumps(item, ensure_ascii=False, allow_nan=False).encode())
        self._empty = False

    def copy_to(self, file: IO[bytes]) -> None:
        self._file.seek(0)
        while part := self._file.read(1 << 20):
            file.write(part)
        if not self._empty:
            file.write(b"\n ")
        self._file.close()


def _place(file: InputFile, dataset: str) -> dict[str, str]:
    return {"source": printable(file.path), "dataset": printable(dataset)}


def _result(result: Result, where: str) -> dict[str, Any]:
    values = result.values
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    nan = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0)
    with np.errstate(all="ignore"):
        low, mean, high = (
            (float(finite.min()), float(finite.mean(dtype=np.float64)), float(finite.max()))
            if finite.size
            else (None, None, None)
        )
    return {
        **_place(result.file, result.info.dataset),
        "shape": list(result.info.shape),
        "layout": result.layout.axes,
        "layout_from": result.layout.origin,
        "dtype": result.info.dtype_name,
        "pooling": result.pooling.label,
        "output_shape": list(values.shape),
        "output_dtype": values.dtype.name,
        "min": low,
        "mean": mean if mean is None or np.isfinite(mean) else None,
        "max": high,
        "nan": int(np.count_nonzero(nan)),
        "written_to": printable(where),
    }
