"""``gpool info`` at work: every array of every input, as a table or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from gpool_cli.batch.discover import discover
from gpool_cli.batch.plan import list_arrays
from gpool_cli.batch.select import select
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.inputs import named_inputs, nothing_found
from gpool_cli.cli.options import InputOptions
from gpool_cli.formats.opening import format_of
from gpool_cli.layout import Layout, layout_doubt, shape_text
from gpool_cli.model import ArrayInfo, Failed, InputFile, Skipped, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text
from gpool_cli.report.lines import Warnings, place_text, print_error, print_failure, skip_text
from gpool_cli.report.table import Column, print_table

_COLUMNS = (
    Column("source", 0, text=True, least=20),
    Column("shape", 1),
    Column("dtype", 2, text=True),
    Column("layout", 3, text=True),
    Column("chunks", 5, dull=""),
    Column("filters", 4, text=True, dull=""),
    Column("size", 6),
)


@dataclass(frozen=True)
class _Entry:
    """An array: with its layout and what is doubtful of it, or with why it would be skipped."""

    file: InputFile
    info: ArrayInfo
    layout: Layout | None
    reason: str
    doubt: str


def inspect_files(options: InputOptions, as_json: bool) -> int:
    """List what is in the inputs, and say as the exit code whether something was unreadable."""
    rows, skips, warnings = [], [], Warnings()
    with Scout(options.timeout) as scout:
        found = discover(named_inputs(options), options.keys, list_tree=scout.list_tree)
        failures = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
        for entry in chain.from_iterable(_entries(file, options, scout) for file in found.files):
            if isinstance(entry, Failed):
                failures.append(entry)
            elif as_json:
                print(json.dumps(_as_json(entry)))
            else:
                rows.append(_cells(entry))
                if entry.reason:
                    skips.append(skip_text(Skipped(entry.file, entry.info.dataset, entry.reason)))
                elif entry.doubt:
                    warnings.add(Warned(entry.file, entry.info.dataset, "layout", entry.doubt))
    if rows:
        print_table(sys.stdout, _COLUMNS, rows)
    for line in skips:
        print(line)
    warnings.print()
    for failure in failures:
        print_failure(failure)
    if not found.files and not failures:
        print_error(nothing_found(found.words, "files"))
    return 1 if failures or not found.files else 0


def _entries(file: InputFile, options: InputOptions, scout: Scout) -> Iterator[_Entry | Failed]:
    try:
        infos = scout.call(file, list_arrays, file, options.access)
        yield from _described(file, infos, options.layout)
    except Exception as error:
        yield failure_of(file, "", error)


def _described(file: InputFile, infos: list[ArrayInfo], layout: str | None) -> Iterator[_Entry]:
    selection = select(infos, file.keys, layout, format_of(file.path).container, file.named)
    meanings: dict[str, Layout] = {info.dataset: meaning for info, meaning in selection.maps}
    reasons = {info.dataset: reason for info, reason in selection.skipped}
    reasons.update({info.dataset: error.message for info, error in selection.failed})
    for info in infos:
        if info.dataset in meanings:
            meaning = meanings[info.dataset]
            yield _Entry(file, info, meaning, "", layout_doubt(meaning, info.shape))
        elif info.dataset in reasons:
            yield _Entry(file, info, None, reasons[info.dataset], "")


def _as_json(entry: _Entry) -> dict[str, Any]:
    file, info, layout = entry.file, entry.info, entry.layout
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
        "note": printable(f"skipped: {entry.reason}" if entry.reason else entry.doubt),
    }


def _cells(entry: _Entry) -> dict[str, str]:
    info, layout = entry.info, entry.layout
    return {
        "source": place_text(entry.file, info.dataset),
        "shape": shape_text(info.shape),
        "dtype": info.dtype_name,
        "layout": f"{layout.axes} ({layout.origin})" if layout is not None else "",
        "chunks": shape_text(info.chunks) if info.chunks else "",
        "filters": " ".join(info.filters),
        "size": bytes_text(info.nbytes),
    }
