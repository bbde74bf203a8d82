"""The options that name a head: its weights, its bias, and the labels of its classes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import click

from gpool_cli.cli.options import Function, apply_options, complete_path
from gpool_cli.errors import UsageError
from gpool_cli.head import ORDERS


@dataclass(frozen=True)
class HeadOptions:
    """Which head, and where its parts are."""

    head: str | None
    weights: str | None
    bias: str | None
    weights_layout: str | None
    labels: str | None

    @property
    def weights_file(self) -> str | None:
        """The file of the weights, whichever option named it.

        Raises:
            UsageError: Both did.
        """
        if self.head is not None and self.weights is not None:
            raise UsageError("--head and --weights both name the weights", "leave out one")
        return self.head if self.head is not None else self.weights


_HEAD = (
    click.option(
        "--head",
        metavar="FILE",
        shell_complete=complete_path,
        help="The linear layer behind the pooling: an npz or HDF5 file with weights (or weight, "
        "kernel) and bias. FILE:NAME chooses among several. Without one the channels are the "
        "classes.",
    ),
    click.option(
        "--weights",
        metavar="FILE",
        shell_complete=complete_path,
        help="Its weights alone, in npy, npz or HDF5: K x D, or D x K as Keras keeps them.",
    ),
    click.option(
        "--bias",
        metavar="FILE",
        shell_complete=complete_path,
        help="Its bias, a number for every class.",
    ),
    click.option(
        "--weights-layout",
        type=click.Choice(ORDERS, case_sensitive=False),
        help="Which axis of the weights is the classes: a row for each (KD), or a column (DK). "
        "Default: what fits the map.",
    ),
    click.option(
        "--labels",
        metavar="FILE",
        shell_complete=complete_path,
        help="The names of the classes: text with a line for each.",
    ),
)


def head_options(function: Function) -> Function:
    """Add what `HeadOptions` holds to a command."""
    return apply_options(function, _HEAD)


def collect_head(values: dict[str, Any]) -> HeadOptions:
    """The values that click gives a command, as one frozen object."""
    return HeadOptions(**{field.name: values.pop(field.name) for field in fields(HeadOptions)})
