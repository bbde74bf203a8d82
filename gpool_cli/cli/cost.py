"""``gpool cost``: what a dense layer behind a map takes, and what global pooling saves."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.lengths import parse_lengths
from gpool_cli.cli.options import InputOptions, collect, input_options


def _shapes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> Any:
    return tuple(parse_lengths(text, None, "shape") for text in value)


def _sizes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> Any:
    return tuple(parse_lengths(text, 2, "size") for text in value)


@click.command("cost")
@click.option(
    "--classes",
    type=click.IntRange(1),
    required=True,
    metavar="K",
    help="How many classes, or units of the layer.",
)
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="HxWxD",
    callback=_shapes,
    help="A map of this shape, channels last, without a file; repeatable.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="HxW",
    callback=_sizes,
    help="The same map at another height and width; repeatable. Default: twice as high and wide.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per classifier, one a line.")
@input_options
def cost(
    classes: int,
    shapes: tuple[tuple[int, ...], ...],
    sizes: tuple[tuple[int, int], ...],
    as_json: bool,
    **values: Any,
) -> int:
    """What a dense layer behind a map takes, and what global pooling saves.

    Counts the parameters, the multiply-adds and the bytes of three classifiers: a dense layer on
    the flattened map, global average pooling with a linear layer, and pooling alone, where the
    network gives a channel for every class. Reads no values of the maps.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.counting import Question, count_cost

    options = collect(InputOptions, values)
    return count_cost(Question(classes, shapes, sizes), options, as_json)
