"""``gpool show``: look at one map, in the terminal or as PNG."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.options import array_options, collect, complete_path

# Pictures that a person can take in; and what they take of memory stays small.
_MOST = 256


@click.command("show")
@click.argument("source", metavar="INPUT", shell_complete=complete_path)
@click.option(
    "--channel", type=click.IntRange(0), metavar="N", help="Show one channel; 0 is first."
)
@click.option(
    "--top",
    type=click.IntRange(1, _MOST),
    metavar="K",
    help="Show the K strongest channels, side by side, with their pooled values.",
)
@click.option(
    "--pool", metavar="POOLING", help="The pooling that says how strong a channel is: avg, or any."
)
@click.option(
    "--over",
    type=click.Choice(["mean", "max"]),
    help="Show the mean (which is the default) or the maximum over all channels.",
)
@click.option(
    "--index",
    type=click.IntRange(0),
    default=0,
    metavar="I",
    help="Which map of a batch; 0 is first.",
)
@click.option(
    "-o",
    "--output",
    metavar="NAME.png",
    shell_complete=complete_path,
    help="Write a PNG (needs the extra plot); - is standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@array_options
def show(**values: Any) -> int:
    """Look at one feature map.

    Shows the mean over its channels, one channel, or the strongest ones: in colour on a terminal,
    in shades elsewhere. A map that is too large is reduced while it is read; the legend says so.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.showing import ShowOptions, show_map

    return show_map(collect(ShowOptions, values))
