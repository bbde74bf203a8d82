"""The pooling commands: one for every row of the table of poolings, and ``pool`` for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from gpool_cli.cli.options import RunOptions, collect, run_options
from gpool_cli.errors import UsageError
from gpool_cli.model import PoolingSpec
from gpool_cli.poolings import COMMANDS, Row, parse_pooling


def pooling_command(row: Row) -> click.Command:
    """The command of one pooling."""

    @click.command(row.name, help=f"{row.help}\n\n{_ABOUT_INPUTS}")
    @run_options
    def command(**values: Any) -> int:
        return _execute([PoolingSpec(row.name)], collect(RunOptions, values))

    return command


def _complete_pooling(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
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
    help="A pooling; repeatable.",
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
    return _execute(specs, collect(RunOptions, values))


def _execute(specs: Sequence[PoolingSpec], options: RunOptions) -> int:
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.cli.execute import execute

    return execute(specs, options)


_ABOUT_INPUTS = (
    "Reads npy, npz, HDF5 and other files (gpool formats lists them), directories of them, URLs of "
    "both, or npy on standard input (-). Without -o the values are shown and nothing is written."
)
