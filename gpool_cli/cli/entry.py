"""An array as ``gpool info`` tells of it: a row of a table, or an object of JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gpool_cli.batch.counting import fill_numbers, packing_text
from gpool_cli.batch.diagnosis import Diagnosis
from gpool_cli.layout import Layout, shape_text
from gpool_cli.model import ArrayInfo, InputFile
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text, finite_or_none, number_text
from gpool_cli.report.lines import place_text
from gpool_cli.report.table import Column

COLUMNS = (
    Column("source", 0, text=True, least=20),
    Column("shape", 1),
    Column("dtype", 2, text=True),
    Column("layout", 3, text=True),
    Column("stored as", 4, text=True, dull=""),
    Column("chunks", 6, dull=""),
    Column("filters", 5, text=True, dull=""),
    Column("size", 7),
)
STATS_COLUMNS = (
    Column("source", 0, text=True, least=20),
    Column("shape", 1),
    Column("layout", 9, text=True),
    Column("channels", 10),
    Column("dead", 2),
    Column("constant", 4, dull="0"),
    Column("saturated", 5, dull="0"),
    Column("NaN", 3, dull="0"),
    Column("infinite", 6, dull="0"),
    Column("min", 8),
    Column("max", 7),
)


@dataclass(frozen=True)
class Entry:
    """An array that was listed.

    Attributes:
        file: Where it is.
        info: What its header says.
        layout: The meaning of its axes; None where it would be skipped.
        reason: Why it would be skipped.
        doubt: Why the layout may be another.
        diagnosis: What there is in its channels; None where nobody looked.
    """

    file: InputFile
    info: ArrayInfo
    layout: Layout | None
    reason: str
    doubt: str
    diagnosis: Diagnosis | None = None


def entry_as_json(entry: Entry, stats: bool) -> dict[str, Any]:
    """All that is known of an array; with ``stats``, also what there is in its channels."""
    file, info, layout = entry.file, entry.info, entry.layout
    said: dict[str, Any] = {
        "source": printable(file.path),
        "dataset": printable(info.dataset),
        "shape": list(info.shape),
        "dtype": info.dtype_name,
        "byte_order": info.dtype.str[0] if info.dtype is not None else None,
        "order": "F" if info.fortran else "C",
        "layout": layout.axes if layout is not None else None,
        "layout_from": layout.origin if layout is not None else None,
        "chunks": list(_chunks(info)) or None,
        "filters": list(info.filters),
        "fill_values": fill_numbers(info),
        "scale_factor": info.packing.scale if info.packing and info.packing.is_packed else None,
        "add_offset": info.packing.offset if info.packing and info.packing.is_packed else None,
        "nbytes": info.nbytes,
        "note": printable(f"skipped: {entry.reason}" if entry.reason else entry.doubt or info.note),
    }
    if stats:
        said["stats"] = _stats_as_json(entry.diagnosis) if entry.diagnosis else None
    return said


def _stats_as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "channels": diagnosis.channels,
        "min": finite_or_none(diagnosis.low),
        "max": finite_or_none(diagnosis.high),
        "dead": diagnosis.dead,
        "constant": diagnosis.constant,
        "saturated": diagnosis.saturated,
        "ceiling": diagnosis.ceiling,
        "nan": diagnosis.nan,
        "infinite": diagnosis.infinite,
    }


def _chunks(info: ArrayInfo) -> tuple[int, ...]:
    """The shape of a chunk in the order of the array's axes; () where there are no chunks."""
    chunks = info.chunks or ()
    return chunks[::-1] if info.fortran else chunks


def cells(entry: Entry) -> dict[str, str]:
    """An array as a row of a table."""
    info, layout, diagnosis = entry.info, entry.layout, entry.diagnosis
    return {
        "source": place_text(entry.file, info.dataset),
        "shape": shape_text(info.shape),
        "dtype": info.dtype_name,
        "layout": layout.text if layout is not None else "",
        "chunks": shape_text(chunks) if (chunks := _chunks(info)) else "",
        "filters": " ".join(info.filters),
        "stored as": packing_text(info),
        "size": bytes_text(info.nbytes),
        **(_stats_cells(diagnosis) if diagnosis is not None else {}),
    }


def _stats_cells(diagnosis: Diagnosis) -> dict[str, str]:
    ceiling = f" at {number_text(diagnosis.ceiling)}" if diagnosis.ceiling is not None else ""
    return {
        "channels": f"{diagnosis.channels:,}",
        "dead": f"{diagnosis.dead:,}",
        "constant": f"{diagnosis.constant:,}",
        "saturated": f"{diagnosis.saturated:,}{ceiling}",
        "NaN": f"{diagnosis.nan:,}",
        "infinite": f"{diagnosis.infinite:,}",
        "min": number_text(diagnosis.low) if diagnosis.low is not None else "",
        "max": number_text(diagnosis.high) if diagnosis.high is not None else "",
    }
