"""``gpool info`` at work: every array of every input, as a table or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from gpool_cli.batch.discover import discover
from gpool_cli.batch.select import select
from gpool_cli.cli.inputs import named_inputs
from gpool_cli.cli.options import InputOptions
from gpool_cli.errors import GpoolError
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.layout import Layout, layout_doubt, shape_text
from gpool_cli.model import STDIN, ArrayInfo, Failed, InputFile
from gpool_cli.printable import printable
from gpool_cli.report.lines import print_failure
from gpool_cli.report.table import Column, print_table
from gpool_cli.report.units import bytes_text

_COLUMNS = (
    Column("source", 0, text=True),
    Column("shape", 1),
    Column("dtype", 2, text=True),
    Column("layout", 3, text=True),
    Column("chunks", 6, dull=""),
    Column("filters", 5, text=True, dull=""),
    Column("size", 7),
    Column("note", 4, text=True, dull=""),
)


def inspect_files(options: InputOptions, as_json: bool) -> int:
    """List what is in the inputs, and say as the exit code whether something was unreadable."""
    found = discover(named_inputs(options), options.keys)
    failures = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
    rows = []
    for file in found.files:
        for entry in _entries(file, options.layout):
            if isinstance(entry, Failed):
                failures.append(entry)
            elif as_json:
                print(json.dumps(entry, ensure_ascii=False))
            else:
                rows.append(_cells(entry))
    if rows:
        print_table(sys.stdout, _COLUMNS, rows)
    for failure in failures:
        print_failure(failure)
    return 1 if failures or not found.files else 0


def _entries(file: InputFile, layout: str | None) -> Iterator[dict[str, Any] | Failed]:
    try:
        with open_reader(file.path) as reader:
            infos = reader.arrays() if file.path == STDIN else iter(list(reader.arrays()))
            if file.keys:
                infos = iter(list(infos))
            yield from _described(file, list(infos), layout)
    except GpoolError as error:
        yield Failed(file, "", error.message, error.hint)
    except OSError as error:
        yield Failed(file, "", f"can't be read: {error.strerror or error}")


def _described(
    file: InputFile, infos: list[ArrayInfo], layout: str | None
) -> Iterator[dict[str, Any] | Failed]:
    selection = select(infos, file.keys, layout, format_of(file.path).container)
    meanings: dict[str, Layout] = {info.dataset: meaning for info, meaning in selection.maps}
    notes = {info.dataset: reason for info, reason in selection.skipped}
    notes.update({info.dataset: error.message for info, error in selection.failed})
    for info in infos:
        if info.dataset in meanings:
            meaning = meanings[info.dataset]
            yield _entry(file, info, meaning, layout_doubt(meaning, info.shape))
        elif info.dataset in notes:
            yield _entry(file, info, None, f"skipped: {notes[info.dataset]}")


def _entry(file: InputFile, info: ArrayInfo, layout: Layout | None, note: str) -> dict[str, Any]:
    return {
        "source": printable(file.path),
        "dataset": printable(info.dataset),
        "shape": list(info.shape),
        "dtype": info.dtype_name,
        "byte_order": info.dtype.str[0] if info.dtype is not None else None,
        "order": "F" if info.fortran else "C",
        "layout": layout.axes if layout is not None else None,
        "layout_from": layout.origin if layout is not None else None,
        "chunks": list(info.chunks) if info.chunks is not None else None,
        "filters": list(info.filters),
        "nbytes": info.nbytes,
        "note": printable(note),
    }


def _cells(entry: dict[str, Any]) -> dict[str, str]:
    place = f"{entry['source']}:{entry['dataset']}" if entry["dataset"] else entry["source"]
    return {
        "source": place,
        "shape": shape_text(entry["shape"]),
        "dtype": entry["dtype"],
        "layout": f"{entry['layout']} ({entry['layout_from']})" if entry["layout"] else "",
        "chunks": shape_text(entry["chunks"]) if entry["chunks"] else "",
        "filters": " ".join(entry["filters"]),
        "size": bytes_text(entry["nbytes"]),
        "note": entry["note"],
    }
