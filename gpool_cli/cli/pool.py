"""``gpool pool``: several poolings in one pass over the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gpool_cli.cli.onepooling import run_poolings
from gpool_cli.cli.options import RunOptions, collect, run_options
from gpool_cli.errors import UsageError
from gpool_cli.poolings import COMMANDS, parse_pooling

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete_pooling(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(row.name) for row in COMMANDS if row.name.startswith(incomplete)]


@click.command("pool")
@click.option(
    "-m",
    "--method",
    "methods",
    multiple=True,
    required=True,
    metavar="POOLING",
    shell_complete=_complete_pooling,
    help="A pooling, with its parameters behind a colon (gem:p=4); repeatable.",
)
@run_options
def pool(methods: Sequence[str], **values: Any) -> int:
    """Several poolings in one pass over the data.

    Reads npy, npz, HDF5 and other files (gpool formats lists them), directories of them, URLs of
    both, or npy on standard input (-). Without -o the values are shown and nothing is written.
    """
    specs = [parse_pooling(method) for method in methods]
    if len(set(specs)) < len(specs):
        raise UsageError("a pooling is named twice", "name each once with -m")
    return run_poolings(specs, collect(RunOptions, values))
