"""``gpool show`` at work: a glance at one map, in a worker where that may be harmful, and drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from gpool_cli.batch.discover import Found, discover
from gpool_cli.batch.glance import Glance, View, glance
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.inputs import nothing_found
from gpool_cli.cli.options import ArrayOptions
from gpool_cli.cli.pngfile import STANDARD_OUTPUT, check_png, write_png
from gpool_cli.errors import UsageError
from gpool_cli.layout import layout_doubt, shape_text
from gpool_cli.model import Failed, InputFile, Warned
from gpool_cli.poolings import load_pooling, parse_pooling
from gpool_cli.printable import printable
from gpool_cli.quantities import count_text, number_text
from gpool_cli.raster import Box
from gpool_cli.report.canvas import Canvas, canvas_on
from gpool_cli.report.lines import Warnings, place_text, print_error, print_failure
from gpool_cli.report.picture import Picture, print_pictures
from gpool_cli.report.sheet import sheet, sheet_box
from gpool_cli.report.table import wrapped


@dataclass(frozen=True)
class ShowOptions(ArrayOptions):
    """What `gpool show` is asked for."""

    source: str
    channel: int | None
    top: int | None
    pool: str | None
    over: str | None
    index: int
    output: str | None
    overwrite: bool


def show_map(options: ShowOptions) -> int:
    """Show one map, and say as the exit code whether it could be read.

    Raises:
        UsageError: The options make no sense together, or the output must not be written.
        OutputError: The output can't be written.
    """
    view = _view_of(options)
    with Scout(options.timeout) as scout:
        found = discover([options.source], options.keys, list_tree=scout.list_tree)
    if len(found.files) > 1:
        raise UsageError(f"{printable(options.source)} holds several files", "show one at a time")
    if options.output is not None:
        check_png(options.output, found.files, options.overwrite)
    if not found.files:
        return _say_nothing_is_there(found)
    canvas = canvas_on(sys.stdout)
    seen = _look(found.files[0], view, _box(options, canvas), options)
    if isinstance(seen, Failed):
        print_failure(seen)
        return 1
    _warn_of_layout(found.files[0], seen)
    pictures = _pictures(seen)
    said = wrapped(_heading(found.files[0], seen, view), canvas.width)
    if options.output is None:
        print(*said, sep="\n")
        print_pictures(sys.stdout, pictures, canvas)
        return 0
    write_png(options.output, sheet(pictures))
    if options.output != STANDARD_OUTPUT:
        print(*said, f"written to {printable(options.output)}", sep="\n")
    return 0


def _view_of(options: ShowOptions) -> View:
    if sum(choice is not None for choice in (options.channel, options.top, options.over)) > 1:
        raise UsageError("--channel, --top and --over show different things", "choose one of them")
    if options.pool is not None and options.top is None:
        raise UsageError("--pool says which channels are strong", "add --top K")
    pooling = parse_pooling(options.pool or "avg")
    if load_pooling(pooling).tail:
        raise UsageError(
            f"{pooling.name} gives a channel several numbers", "name another with --pool"
        )
    return View(
        layout=options.layout,
        index=options.index,
        channel=options.channel,
        top=options.top,
        pooling=pooling,
        over="max" if options.over == "max" else "mean",
    )


def _say_nothing_is_there(found: Found) -> int:
    for file, error in found.missing:
        print_failure(Failed(file, "", error.message, error.hint))
    if not found.missing:
        print_error(nothing_found(found.words, "feature maps"))
    return 1


def _box(options: ShowOptions, canvas: Canvas) -> Box:
    """The room for one of the pictures."""
    count = options.top or 1
    return canvas.box(canvas.divided(count)[1]) if options.output is None else sheet_box(count)


def _look(file: InputFile, view: View, box: Box, options: ShowOptions) -> Glance | Failed:
    try:
        with Scout(options.timeout) as scout:
            return scout.call(file, glance, file, view, box, options.access)
    except Exception as error:
        return failure_of(file, "", error)


def _warn_of_layout(file: InputFile, seen: Glance) -> None:
    doubt = layout_doubt(seen.layout, seen.info.shape)
    if doubt:
        warnings = Warnings()
        warnings.add(Warned(file, seen.info.dataset, "layout", doubt))
        warnings.print()


def _pictures(seen: Glance) -> list[Picture]:
    titles = [
        f"c{channel} {number_text(value)}"
        for channel, value in zip(seen.channels, seen.pooled, strict=False)
    ]
    size = seen.extent.rows, seen.extent.columns
    titles = titles or [""]
    return [
        Picture(cells, size, seen.extent.step, seen.how, title)
        for cells, title in zip(seen.cells, titles, strict=True)
    ]


def _heading(file: InputFile, seen: Glance, view: View) -> Sequence[str]:
    """What is shown, in parts of a sentence."""
    channels = seen.extent.channels
    if view.channel is not None:
        what = f"channel {view.channel} of {channels:,}"
    elif view.top is not None:
        what = (
            f"the {len(seen.channels)} strongest of {count_text(channels, 'channel')} "
            f"by {view.pooling.label}"
        )
    else:
        over = f"{view.over} over " if channels > 1 else ""
        what = f"{over}{count_text(channels, 'channel')}"
    parts = [
        place_text(file, seen.info.dataset),
        shape_text(seen.info.shape),
        seen.layout.text,
        what,
    ]
    if seen.layout.batch is not None:
        parts.insert(3, f"map {view.index} of {seen.maps:,}")
    return parts
