"""``gpool cam`` at work: a class is located in a map, then drawn, or written as asked for."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace

from gpool_cli.batch.confidences import Classifier
from gpool_cli.batch.discover import discover
from gpool_cli.batch.locate import Located, Target, locate
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.arrayfile import check_array_output, write_array
from gpool_cli.cli.camoptions import CamOptions
from gpool_cli.cli.headoptions import HeadOptions
from gpool_cli.cli.heads import read_head
from gpool_cli.cli.inputs import nothing_found
from gpool_cli.cli.pngfile import check_png, write_png
from gpool_cli.errors import UsageError
from gpool_cli.head.cam import positive, resized, stretched
from gpool_cli.layout import layout_doubt, shape_text
from gpool_cli.model import STDIN, Failed, InputFile, Result, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import number_text
from gpool_cli.ranking import Ranking
from gpool_cli.raster import Array
from gpool_cli.recipe import PoolingSpec
from gpool_cli.report.canvas import canvas_on
from gpool_cli.report.colours import Rgb, Scale, viridis
from gpool_cli.report.lines import Warnings, place_text, print_error, print_failure
from gpool_cli.report.picture import picture_of, print_pictures
from gpool_cli.report.png import blended, read_photograph
from gpool_cli.report.sheet import sheet, sheet_box
from gpool_cli.report.table import wrapped
from gpool_cli.report.width import width_of

_LEAST_LINES = 6


_NOT_FINITE = "has pooled channels that are NaN or infinite: nothing tells how sure a class is"


def show_cam(options: CamOptions, named: HeadOptions) -> int:
    """Locate a class, and say as the exit code whether the map could be read.

    Raises:
        UsageError: The options make no sense together, or the output must not be written.
        OutputError: The output can't be written.
    """
    with Scout(options.timeout) as scout:
        found = discover([options.source], options.keys, list_tree=scout.list_tree)
    if len(found.files) > 1:
        raise UsageError(f"{printable(options.source)} holds several files", "choose one of them")
    pictured = (options.output or "").lower().endswith(".png")
    if pictured:
        check_png(options.output or "", found.files, options.overwrite)
    elif options.output is not None:
        check_array_output(options.output, found.files, options.overwrite)
    photograph = read_photograph(options.image) if options.image is not None else None
    head, labels = read_head(named, options)
    for missing, error in found.missing:
        print_failure(Failed(missing, "", error.message, error.hint))
    if not found.files:
        if not found.missing:
            print_error(nothing_found(found.words, "feature maps"))
        return 1
    file = found.files[0]
    classifier = Classifier(head, "softmax", Ranking(1, labels))
    target = Target(options.wanted, classifier, options.layout, options.index)
    seen = _look(file, target, options)
    if isinstance(seen, Failed):
        print_failure(seen)
        return 1
    _warn(file, seen)
    values = _finished(seen.cam, options)
    said = _said(file, seen, target)
    if options.output is None:
        _draw(values, said)
    elif pictured:
        write_png(options.output, _pixels(values, photograph, options))
        print(*said, f"written to {printable(options.output)}", sep="\n")
    else:
        write_array(options.output, _result(file, seen, values), options.overwrite)
        stream = sys.stderr if options.output == STDIN else sys.stdout
        where = "standard output" if options.output == STDIN else printable(options.output)
        print(*said, f"written to {where}", sep="\n", file=stream)
    return 0


def _look(file: InputFile, target: Target, options: CamOptions) -> Located | Failed:
    try:
        with Scout(options.timeout) as scout:
            return scout.call(file, locate, file, target, options.access)
    except UsageError:
        raise
    except Exception as error:
        return failure_of(file, "", error)


def _warn(file: InputFile, seen: Located) -> None:
    warnings = Warnings()
    doubt = layout_doubt(seen.layout, seen.info.shape)
    if doubt:
        warnings.add(Warned(file, seen.info.dataset, "layout", doubt))
    if math.isnan(seen.confidence):
        warnings.add(Warned(file, seen.info.dataset, "confidence", _NOT_FINITE))
    warnings.print()


def _finished(cam: Array, options: CamOptions) -> Array:
    """What is made of the map; stretched at last, because resizing takes from its ends."""
    values = positive(cam) if options.relu else cam
    values = resized(values, options.size) if options.size is not None else values
    return stretched(values) if options.normalize else values


def _said(file: InputFile, seen: Located, target: Target) -> list[str]:
    """What was located, and the sum that makes it an explanation."""
    labels = target.classifier.ranking.labels
    name = f" {printable(labels[seen.index])}" if labels else ""
    parts = [
        place_text(file, seen.info.dataset),
        shape_text(seen.info.shape),
        seen.layout.text,
        f"class {seen.index}{name}",
        f"confidence {seen.confidence:.4f}",
    ]
    if seen.layout.batch is not None:
        parts.insert(3, f"map {target.index} of {seen.maps:,}")
    mean = float(seen.cam.mean())
    numbers = [
        f"mean of the activation map {number_text(mean)} + bias {number_text(seen.bias)} "
        f"= {number_text(mean + seen.bias)}",
        f"the class's score {number_text(seen.score)}",
    ]
    width = width_of(sys.stdout)
    return [*wrapped(parts, width), *wrapped(numbers, width)]


def _draw(values: Array, said: Sequence[str]) -> None:
    canvas = canvas_on(sys.stdout)
    # A canvas leaves room for a heading of two lines.
    canvas = replace(canvas, lines=max(_LEAST_LINES, canvas.lines + 2 - len(said)))
    print(*said, sep="\n")
    print_pictures(sys.stdout, [picture_of(values, canvas.box())], canvas)


def _pixels(values: Array, photograph: Rgb | None, options: CamOptions) -> Rgb:
    if photograph is None:
        return sheet([picture_of(values, sheet_box(1))])
    height, width = photograph.shape[:2]
    shares = Scale.of(values).shares(resized(values, (height, width)))
    return blended(viridis(shares), photograph)


def _result(file: InputFile, seen: Located, values: Array) -> Result:
    dtype = "float64" if seen.info.dtype_name == "float64" else "float32"
    return Result(
        file=file,
        info=seen.info,
        layout=seen.layout,
        pooling=PoolingSpec("cam", (("class", seen.index),)),
        values=values.astype(dtype),
        axes="HW",
    )
