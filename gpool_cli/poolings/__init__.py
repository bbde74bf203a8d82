"""WHAT is computed: the table of poolings.

A pooling is one row here and one file beside this one. The rows are plain data, and hold import
paths as strings, so that ``gpool --help`` can list them without numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpool_cli.errors import UsageError
from gpool_cli.model import PoolingSpec

if TYPE_CHECKING:
    from gpool_cli.poolings.interface import Pooling


@dataclass(frozen=True)
class Row:
    """One pooling in the table.

    Attributes:
        name: The command's name.
        target: ``module:ATTRIBUTE`` of its `gpool_cli.poolings.interface.Pooling`.
        help: One line for ``gpool --help``.
        aliases: Other names of the field for the same thing; hidden in the help.
        weighted: ``module:ATTRIBUTE`` of the same with weights, or '' where there is no such.
        keeps_units: Its values are where those of the map are: one scale and offset hold for both.
        hidden: It is no command: an option asks for it beside another pooling.
    """

    name: str
    target: str
    help: str
    aliases: tuple[str, ...] = ()
    weighted: str = ""
    keeps_units: bool = False
    hidden: bool = False


TABLE: tuple[Row, ...] = (
    Row(
        "avg",
        "gpool_cli.poolings.average:AVG",
        "Global average pooling: the mean of every channel.",
        ("mean", "gap", "spoc"),
        weighted="gpool_cli.poolings.average:WEIGHTED_AVG",
        keeps_units=True,
    ),
    Row(
        "max",
        "gpool_cli.poolings.maximum:MAX",
        "Global max pooling: the largest value of every channel.",
        ("gmp", "mac"),
        keeps_units=True,
    ),
    Row(
        "count",
        "gpool_cli.poolings.number:COUNT",
        "How many values of every channel count.",
        hidden=True,
    ),
)

COMMANDS = tuple(row for row in TABLE if not row.hidden)


# What is told of channels and is no pooling for users: `gpool info --stats` computes all of it.
MEASURES: tuple[Row, ...] = (
    Row("census-low", "gpool_cli.poolings.census:LOW", "The least value that is no NaN."),
    Row("census-high", "gpool_cli.poolings.census:HIGH", "The largest value that is no NaN."),
    Row("census-nan", "gpool_cli.poolings.census:NAN", "How many NaN there are."),
    Row("census-infinite", "gpool_cli.poolings.census:INFINITE", "How many infinities there are."),
)


def find_row(name: str) -> Row | None:
    """The row of this name or alias that users can ask for, or None."""
    return next((row for row in COMMANDS if name == row.name or name in row.aliases), None)


def parse_pooling(text: str) -> PoolingSpec:
    """A pooling as a user writes it: its name or an alias.

    Raises:
        UsageError: There is no such pooling.
    """
    row = find_row(text.strip().lower())
    if row is None:
        known = ", ".join(row.name for row in COMMANDS)
        raise UsageError(f"there is no pooling {text!r}", f"the poolings are {known}")
    return PoolingSpec(row.name)


def is_companion(spec: PoolingSpec) -> bool:
    """Whether a pooling says something about the values of others, and is none itself."""
    return _row_of(spec).hidden


def keeps_units(spec: PoolingSpec) -> bool:
    """Whether the scale and offset of packed values hold for what a pooling makes of them."""
    return _row_of(spec).keeps_units


def check_weighted(specs: Iterable[PoolingSpec]) -> None:
    """Refuse weights for poolings that have none.

    Raises:
        UsageError: There are such.
    """
    rows = [_row_of(spec) for spec in specs]
    without = [row.name for row in rows if not row.weighted and not row.hidden]
    if without:
        known = ", ".join(row.name for row in TABLE if row.weighted)
        raise UsageError(
            f"a weights map has no meaning for {', '.join(without)}",
            f"weights are for {known}; --mask leaves values out of any pooling",
        )


def load_pooling(spec: PoolingSpec, weighted: bool = False) -> Pooling:
    """The pooling that a specification names.

    Args:
        spec: The specification.
        weighted: Values have weights, which `check_weighted` has found right.
    """
    row = _row_of(spec)
    module, attribute = (row.weighted if weighted and row.weighted else row.target).split(":")
    pooling: Pooling = getattr(importlib.import_module(module), attribute)
    return pooling


def _row_of(spec: PoolingSpec) -> Row:
    return next(row for row in (*TABLE, *MEASURES) if row.name == spec.name)
