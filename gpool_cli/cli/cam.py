"""``gpool cam``: where in a map a class was seen."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.camoptions import CamOptions
from gpool_cli.cli.headoptions import collect_head, head_options
from gpool_cli.cli.lengths import parse_lengths
from gpool_cli.cli.options import array_options, collect, complete_path
from gpool_cli.errors import UsageError
from gpool_cli.layout import size_of

# As many as a picture of 8192 x 8192 has, and half a gigabyte as float64.
_MOST_VALUES = 1 << 26


def _size(_: click.Context, __: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    size = parse_lengths(value, 2, "size")
    if size_of(size) > _MOST_VALUES:
        raise UsageError(
            f"--size {value} asks for more than {_MOST_VALUES:,} values", "choose a smaller one"
        )
    return size


@click.command("cam")
@click.argument("source", metavar="INPUT", shell_complete=complete_path)
@click.option(
    "--class",
    "wanted",
    default="top1",
    show_default=True,
    metavar="CLASS",
    help="The class: its index, its label or one of the names in it, or top1, top2 and so on.",
)
@head_options
@click.option(
    "--index",
    type=click.IntRange(0),
    default=0,
    metavar="I",
    help="Which map of a batch; 0 is first.",
)
@click.option("--relu", is_flag=True, help="What speaks against the class becomes 0.")
@click.option("--size", metavar="HxW", callback=_size, help="Resize the map to this, bilinear.")
@click.option(
    "--normalize", is_flag=True, help="Stretch the map to 0..1, at last: (v - min) / (max - min)."
)
@click.option(
    "--image",
    metavar="PHOTO",
    shell_complete=complete_path,
    help="Lay the map over this photograph, the one that it was made of; with -o NAME.png.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    shell_complete=complete_path,
    help="A file: .npy, .npz or .h5 for the numbers, .png for a picture (needs the extra plot); "
    "- is npy on standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@array_options
def cam(**values: Any) -> int:
    """Where a class was seen in a map: its class activation map.

    At every place the sum over channels of the class's weight times the value: H x W x D gives
    H x W. Its mean and the class's bias make the class's score, which is why it explains it.
    Without a head the channels are the classes, and it is the channel itself. Without -o it is
    drawn.
    """
    head = collect_head(values)
    options = collect(CamOptions, values)
    if options.image is not None and not (options.output or "").lower().endswith(".png"):
        raise UsageError("--image lays the map over a photograph", "write it with -o NAME.png")
    if options.image is not None and options.size is not None:
        raise UsageError("--image gives the map the size of the photograph", "leave out --size")
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.locating import show_cam

    return show_cam(options, head)
