"""``--dry-run``: the plan of a run, as a table; nothing is computed or written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.plan import Planned, look_into
from gpool_cli.errors import GpoolError
from gpool_cli.layout import shape_text
from gpool_cli.model import STDIN, Failed, Recipe
from gpool_cli.printable import printable
from gpool_cli.report.lines import place_text, print_failure
from gpool_cli.report.table import Column, print_table

_COLUMNS = (
    Column("source", 0, text=True),
    Column("shape", 1),
    Column("layout", 2, text=True),
    Column("dtype", 4, text=True),
    Column("output", 3),
    Column("written to", 1, text=True, dull=""),
)


def print_plan(
    planned: Sequence[Planned],
    missing: Sequence[Failed],
    destination: Destination,
    recipe: Recipe,
) -> int:
    """Print what a run would do, and say as its exit code whether anything is in the way."""
    for failure in missing:
        print_failure(failure)
    failed = bool(missing)
    rows = []
    for one in planned:
        for row in _rows(one, destination, recipe):
            if isinstance(row, Failed):
                failed = True
                print_failure(row)
            else:
                rows.append(row)
    if rows:
        print_table(sys.stdout, _COLUMNS, rows)
    print(f"{len(rows):,} maps of {len(planned):,} files would be pooled; nothing was written")
    return 1 if failed or not rows else 0


def _rows(
    one: Planned, destination: Destination, recipe: Recipe
) -> Iterator[dict[str, str] | Failed]:
    if one.file.path == STDIN:
        yield Failed(one.file, "", "can't be looked into before it is read", "plan with files")
        return
    try:
        selection = look_into(one.file, recipe.layout)
    except GpoolError as error:
        yield Failed(one.file, "", error.message, error.hint)
        return
    except OSError as error:
        yield Failed(one.file, "", f"can't be read: {error.strerror or error}")
        return
    for info, wrong in selection.failed:
        yield Failed(one.file, info.dataset, wrong.message, wrong.hint)
    outputs = one.outputs or tuple(_shared_outputs(destination))
    for i, (info, layout) in enumerate(selection.maps):
        shape = layout.output_shape(info.shape, recipe.shape)
        batched = recipe.batched and "N" not in layout.output_axes(recipe.shape)
        yield {
            "source": place_text(one.file, info.dataset),
            "shape": shape_text(info.shape),
            "layout": layout.axes,
            "dtype": info.dtype_name,
            "output": shape_text((1, *shape) if batched else shape),
            "written to": printable(_outputs_of_map(outputs, i, len(selection.maps))),
        }


def _shared_outputs(destination: Destination) -> list[str]:
    if destination.kind == "stdout":
        return ["-"]
    return destination.outputs_of_file() if destination.kind == "file" else []


def _outputs_of_map(outputs: Sequence[str], place: int, maps: int) -> str:
    """The outputs of one map, where every map of the file has its own."""
    each = len(outputs) // maps
    if maps > 1 and each * maps == len(outputs):
        outputs = outputs[place * each : (place + 1) * each]
    return " ".join(outputs)
