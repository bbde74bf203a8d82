"""The commands of one pooling each: one for every row of the table of poolings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from gpool_cli.cli.importing import importing
from gpool_cli.cli.options import RunOptions, collect, run_options
from gpool_cli.poolings import Row, row_of
from gpool_cli.poolings.parameters import Parameter
from gpool_cli.recipe import PoolingSpec

_ABOUT_INPUTS = (
    "Reads npy, npz, HDF5 and other files (gpool formats lists them), directories of them, URLs of "
    "both, or npy on standard input (-). Without -o the values are shown and nothing is written."
)


def pooling_command(row: Row) -> click.Command:
    """The command of one pooling, with an option for each of its parameters and companions."""

    @click.command(row.name, help=f"{row.help}\n\n{_ABOUT_INPUTS}")
    @run_options
    def command(**values: Any) -> int:
        given = {p.name: values[p.name] for p in row.parameters}
        specs = [row.spec({name: value for name, value in given.items() if value is not None})]
        specs += [PoolingSpec(name) for name in row.companions if values[name]]
        return run_poolings(specs, collect(RunOptions, values))

    # Click lists the options that were added last first.
    for name in reversed(row.companions):
        _add_option(command, click.Option([f"--{name}"], is_flag=True, help=row_of(name).help))
    for parameter in reversed(row.parameters):
        _add_option(command, _option_of(parameter))
    return command


def _add_option(command: click.Command, option: click.Option) -> None:
    command.params.insert(1, option)


def _option_of(parameter: Parameter) -> click.Option:
    def checked(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
        return parameter.parsed(text) if text is not None else None

    default = "" if parameter.default is None else f"  [default: {parameter.default:g}]"
    return click.Option(
        [f"--{parameter.name}"],
        metavar="NUMBER",
        callback=checked,
        required=parameter.default is None,
        help=f"{parameter.help}{default}",
    )


def run_poolings(specs: Sequence[PoolingSpec], options: RunOptions) -> int:
    """Run poolings over the inputs that a command was given; its exit code."""
    # Imported when it is run, so that help needs no numpy.
    with importing():
        from gpool_cli.cli.execute import execute

    return execute(specs, options)
