"""``gpool cost`` at work: the classifiers that a map may have, as a table or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from gpool_cli.batch.discover import discover
from gpool_cli.batch.plan import look_into
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.inputs import named_inputs, nothing_found
from gpool_cli.cli.options import InputOptions
from gpool_cli.errors import UsageError
from gpool_cli.head.cost import Cost, flatten_and_dense, pool_alone, pool_and_linear
from gpool_cli.layout import Layout, layout_doubt, shape_text
from gpool_cli.model import ArrayInfo, Failed, Warned
from gpool_cli.quantities import bytes_text
from gpool_cli.report.lines import Warnings, print_error, print_failure
from gpool_cli.report.table import Column, print_table, wrapped
from gpool_cli.report.width import width_of

# Weights are float32.
_ITEMSIZE = 4

_COLUMNS = (
    Column("map", 0),
    Column("classifier", 1, text=True),
    Column("parameters", 2),
    Column("multiply-adds", 3),
    Column("bytes", 4),
    Column("other sizes", 5, text=True),
)


@dataclass(frozen=True)
class Question:
    """What the cost is wanted of.

    Attributes:
        classes: How many classes there are.
        shapes: Maps without a file, channels last.
        sizes: Other heights and widths of the same maps; none for the usual one.
    """

    classes: int
    shapes: tuple[tuple[int, ...], ...]
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Answer:
    shape: tuple[int, ...]
    classifier: str
    cost: Cost


def count_cost(question: Question, options: InputOptions, as_json: bool) -> int:
    """Print what classifiers take, and say as the exit code whether an input was unreadable.

    Raises:
        UsageError: No map was named.
    """
    if not (question.shapes or options.inputs or options.files_from):
        raise UsageError("no map was named", "name a file, or say its --shape, as in 7x7x512")
    shapes = dict.fromkeys(question.shapes)
    failures: list[Failed] = []
    if options.inputs or options.files_from is not None:
        found, failures = _shapes_in_files(options)
        shapes.update(found)
    for shape in shapes:
        if question.sizes and len(shape) != 3:
            raise UsageError(
                f"a map of {shape_text(shape)} has no height and width", "leave out --size"
            )
    answers = [
        answer
        for shape in dict.fromkeys(at for shape in shapes for at in _at_sizes(shape, question))
        for answer in _answers(shape, question.classes)
    ]
    if as_json:
        for answer in answers:
            print(json.dumps(_as_json(answer, question.classes)))
    elif answers:
        print_table(sys.stdout, _COLUMNS, [_cells(answer) for answer in answers])
        for line in wrapped(_notes(question.classes), width_of(sys.stdout)):
            print(line)
    for failure in failures:
        print_failure(failure)
    return 1 if failures or not answers else 0


def _shapes_in_files(
    options: InputOptions,
) -> tuple[dict[tuple[int, ...], None], list[Failed]]:
    """The shapes of the maps in the inputs, each once, channels last and without a batch."""
    shapes: dict[tuple[int, ...], None] = {}
    warnings = Warnings()
    with Scout(options.timeout) as scout:
        found = discover(named_inputs(options), options.keys, list_tree=scout.list_tree)
        failures = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
        for file in found.files:
            try:
                selection = look_into(file, options.layout, options.access, scout)
            except Exception as error:
                failures.append(failure_of(file, "", error))
                continue
            for info, wrong in selection.failed:
                failures.append(Failed(file, info.dataset, wrong.message, wrong.hint))
            for info, layout in selection.maps:
                doubt = layout_doubt(layout, info.shape)
                if doubt:
                    warnings.add(Warned(file, info.dataset, "layout", doubt))
                shapes[_map_shape(info, layout)] = None
    warnings.print()
    if not shapes and not failures:
        print_error(nothing_found(found.words, "feature maps"))
    return shapes, failures


def _map_shape(info: ArrayInfo, layout: Layout) -> tuple[int, ...]:
    channels = info.shape[layout.channel] if layout.channel is not None else 1
    return (*(info.shape[i] for i in layout.pooled), channels)


def _at_sizes(shape: tuple[int, ...], question: Question) -> Iterator[tuple[int, ...]]:
    """The map, and the same at other sizes, where it has a height and a width."""
    yield shape
    if len(shape) == 3:
        twice = (2 * shape[0], 2 * shape[1])
        yield from ((*size, shape[2]) for size in question.sizes or (twice,))


def _answers(shape: tuple[int, ...], classes: int) -> Iterator[_Answer]:
    places, channels = shape[:-1], shape[-1]
    yield _Answer(shape, "flatten + dense", flatten_and_dense(places, channels, classes))
    yield _Answer(shape, "pooling + linear", pool_and_linear(places, channels, classes))
    yield _Answer((*places, classes), "pooling alone", pool_alone(places, classes))


def _notes(classes: int) -> list[str]:
    return [
        f"{classes:,} classes",
        "weights in float32",
        "a dense layer must be retrained for every other size of map",
        "behind global pooling the same weights take any",
    ]


def _cells(answer: _Answer) -> dict[str, str]:
    cost = answer.cost
    return {
        "map": shape_text(answer.shape),
        "classifier": answer.classifier,
        "parameters": f"{cost.parameters:,}",
        "multiply-adds": f"{cost.operations:,}",
        "bytes": bytes_text(cost.bytes_at(_ITEMSIZE)),
        "other sizes": "as it is" if cost.any_size else "retrain",
    }


def _as_json(answer: _Answer, classes: int) -> dict[str, object]:
    cost = answer.cost
    return {
        "map": list(answer.shape),
        "classes": classes,
        "classifier": answer.classifier,
        "parameters": cost.parameters,
        "multiply_adds": cost.operations,
        "bytes": cost.bytes_at(_ITEMSIZE),
        "any_size": cost.any_size,
    }
