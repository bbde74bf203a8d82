"""What ``gpool merge`` is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from gpool_cli.cli.options import (
    OVERWRITE_OPTION,
    SAY_OPTIONS,
    SayOptions,
    apply_options,
    boundary_option,
    complete_path,
)


@dataclass(frozen=True)
class MergeOptions(SayOptions):
    """Everything that `gpool merge` is told."""

    parts: tuple[str, ...]
    output: str
    overwrite: bool


_MERGE = (
    click.argument(
        "parts", nargs=-1, required=True, metavar="PART...", shell_complete=complete_path
    ),
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        shell_complete=complete_path,
        help="The output that the parts are of: a file of the same format, or a directory.",
    ),
)


def merge_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what `MergeOptions` holds to a command."""
    return apply_options(function, (*_MERGE, OVERWRITE_OPTION, *SAY_OPTIONS, boundary_option))
