"""``gpool info``: what is in the files, and on demand what is in their channels."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.options import InputOptions, collect, input_options


@click.command("info")
@input_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per array, one a line.")
@click.option(
    "--stats",
    is_flag=True,
    help="Read the values too: their range, channels that are dead (all zero), constant or "
    "saturated (they reach the ceiling, 6 or the largest of an integer type), NaN, infinities.",
)
def info(as_json: bool, stats: bool, **values: Any) -> int:
    """What is in the files: shape, dtype, layout, chunks, filters.

    Lists every array, also those that would be skipped, with the reason. Reads no values without
    --stats.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.inspect import inspect_files

    return inspect_files(collect(InputOptions, values), as_json, stats)
