"""``--dry-run``: the plan of a run, as a table; nothing is computed or written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpool_cli.access import Access
from gpool_cli.batch.destination import Destination
from gpool_cli.batch.masks import axes_of, companions_of, describe, what_it_is
from gpool_cli.batch.plan import Planned, look_into
from gpool_cli.batch.tails import shape_with_tail
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.errors import GpoolError, InputError
from gpool_cli.layout import Layout, layout_doubt, shape_text
from gpool_cli.model import STDIN, ArrayInfo, Failed, InputFile, Skipped, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import count_text
from gpool_cli.recipe import Recipe
from gpool_cli.report.lines import Warnings, place_text, print_failure, skip_text
from gpool_cli.report.table import Column, print_table

if TYPE_CHECKING:
    from gpool_cli.batch.confidences import Classifier


_COLUMNS = (
    Column("source", 0, text=True, least=16),
    Column("shape", 2),
    Column("layout", 3, text=True),
    Column("dtype", 5, text=True),
    Column("mask", 2, text=True, dull="", least=16),
    Column("weights map", 2, text=True, dull="", least=16),
    Column("output", 4),
    Column("written to", 1, text=True, dull="", least=16),
)


@dataclass(frozen=True)
class Plan:
    """A run that is only looked at: its inputs, those that are not there, and what is wanted.

    ``aside`` are inputs that are left out, ``done`` is how many an earlier run finished,
    ``classifier`` what makes confidences of the pooled channels.
    """

    planned: Sequence[Planned]
    missing: Sequence[Failed]
    aside: Sequence[Skipped]
    destination: Destination
    recipe: Recipe
    strict: bool
    access: Access
    done: int = 0
    classifier: Classifier | None = None


def print_plan(plan: Plan, scout: Scout) -> int:
    """Print what a run would do, and say as its exit code whether anything is in the way."""
    for failure in plan.missing:
        print_failure(failure)
    failed = bool(plan.missing)
    rows, maps, warnings = [], 0, Warnings()
    skips = [skip_text(skip) for skip in plan.aside]
    for one in plan.planned:
        for said in _rows(one, plan, scout):
            if isinstance(said, Failed):
                failed = True
                print_failure(said)
            elif isinstance(said, Skipped):
                skips.append(skip_text(said))
            elif isinstance(said, Warned):
                warnings.add(said)
            else:
                maps += 1
                rows += said
    if rows:
        print_table(sys.stdout, _COLUMNS, rows)
    for line in skips:
        print(line)
    warnings.print()
    before = f", {plan.done:,} done before" if plan.done else ""
    print(
        f"{count_text(maps, 'map')} of {count_text(len(plan.planned), 'file')} would be pooled"
        f"{before}; "
        "nothing was written"
    )
    return 1 if failed or not (rows or plan.done) else 0


def _rows(
    one: Planned, plan: Plan, scout: Scout
) -> Iterator[list[dict[str, str]] | Failed | Skipped | Warned]:
    """What would come of one input: for every map its rows, one for each output of its own."""
    if one.file.path == STDIN:
        yield Failed(one.file, "", "can't be looked into before it is read", "plan with files")
        return
    recipe = plan.recipe
    try:
        selection = look_into(one.file, recipe.layout, plan.access, scout)
        beside = [
            (found, scout.call(InputFile(found.path, found.path), describe, found, plan.access))
            for found in companions_of(one.file, recipe)
        ]
    except Exception as error:
        yield failure_of(one.file, "", error)
        return
    for info, reason in selection.skipped:
        yield Skipped(one.file, info.dataset, reason, info)
    if not selection.maps and not selection.failed:
        kind = Failed if one.file.named else Skipped
        yield kind(one.file, "", "holds no feature map")
    for info, wrong in selection.failed:
        yield Failed(one.file, info.dataset, wrong.message, wrong.hint)
    outputs = one.outputs or tuple(_shared_outputs(plan.destination))
    for i, (info, layout) in enumerate(selection.maps):
        if what := what_it_is(info, one.file.path, beside):
            yield Skipped(one.file, info.dataset, f"is the {what}", info)
            continue
        try:
            for companion, found in beside:
                axes_of(companion, found, info, layout)
        except GpoolError as error:
            yield failure_of(one.file, info.dataset, error)
            continue
        doubt = layout_doubt(layout, info.shape)
        if doubt and plan.strict:
            yield Failed(one.file, info.dataset, "may have another layout", doubt)
            continue
        if doubt:
            yield Warned(one.file, info.dataset, "layout", doubt)
        try:
            output = _output_text(info, layout, plan)
        except InputError as error:
            yield failure_of(one.file, info.dataset, error)
            continue
        yield [
            {
                "source": place_text(one.file, info.dataset),
                "shape": shape_text(info.shape),
                "layout": layout.axes,
                "dtype": info.dtype_name,
                "mask": "",
                "weights map": "",
                **{companion.what: companion.words for companion, _ in beside},
                "output": output,
                "written to": printable(path),
            }
            for path in _outputs_of_map(outputs, i, len(selection.maps)) or [""]
        ]


def _output_text(info: ArrayInfo, layout: Layout, plan: Plan) -> str:
    """The shapes of the results of a map; poolings mostly have the same.

    Raises:
        InputError: The map has other channels than the classifier is for.
    """
    recipe = plan.recipe
    axes = layout.output_axes(recipe.shape)
    shape = layout.output_shape(info.shape, recipe.shape)
    if recipe.batched and "N" not in axes:
        shape, axes = (1, *shape), f"N{axes}"
    shapes = [shape_with_tail(spec, shape, axes, layout) for spec in recipe.poolings]
    if plan.classifier is not None:
        shapes = [_with_classes(found, axes, plan.classifier) for found in shapes]
    return " ".join(dict.fromkeys(map(shape_text, shapes)))


def _with_classes(shape: tuple[int, ...], axes: str, classifier: Classifier) -> tuple[int, ...]:
    """The shape of a result with the classes in the place of the channels."""
    place = axes.index("C")
    return (*shape[:place], classifier.linear(shape[place]).classes, *shape[place + 1 :])


def _shared_outputs(destination: Destination) -> list[str]:
    if destination.kind == "stdout":
        return ["-"]
    return destination.outputs_of_file() if destination.kind == "file" else []


def _outputs_of_map(outputs: Sequence[str], place: int, maps: int) -> Sequence[str]:
    """The outputs of one map, where every map of the file has its own."""
    each = len(outputs) // maps
    if maps > 1 and each * maps == len(outputs):
        return outputs[place * each : (place + 1) * each]
    return outputs
