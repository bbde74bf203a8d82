"""``gpool merge``: the command."""

from __future__ import annotations

from typing import Any

import click

from gpool_cli.cli.mergeoptions import MergeOptions, merge_options
from gpool_cli.cli.options import collect


@click.command("merge")
@merge_options
def merge(**values: Any) -> int:
    """Join the parts that --shard has written into what one run would have written.

    The parts may come in any order; all of them are needed, and each once. The inputs are not.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.join import join

    return join(collect(MergeOptions, values))
