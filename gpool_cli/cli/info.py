"""``gpool info``: what is in the files. It computes nothing."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.options import InputOptions, collect, input_options


@click.command("info")
@input_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per array, one a line.")
def info(as_json: bool, **values: Any) -> int:
    """What is in the files: shape, dtype, layout, chunks, filters.

    Lists every array, also those that would be skipped, with the reason. Reads no values.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.inspect import inspect_files

    return inspect_files(collect(InputOptions, values), as_json)
