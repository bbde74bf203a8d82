"""WHAT is computed: the table of poolings.

A pooling is one row here and one file beside this one. The rows are plain data, and hold import
paths as strings, so that ``gpool --help`` can list them without numpy.
"""

from __future__ import annotations

import importlib
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
    """

    name: str
    target: str
    help: str
    aliases: tuple[str, ...] = ()


TABLE: tuple[Row, ...] = (
    Row(
        "avg",
        "gpool_cli.poolings.average:AVG",
        "Global average pooling: the mean of every channel.",
        ("mean", "gap", "spoc"),
    ),
    Row(
        "max",
        "gpool_cli.poolings.maximum:MAX",
        "Global max pooling: the largest value of every channel.",
        ("gmp", "mac"),
    ),
)


# What is told of channels and is no pooling for users: `gpool info --stats` computes all of it.
MEASURES: tuple[Row, ...] = (
    Row("census-low", "gpool_cli.poolings.census:LOW", "The least value that is no NaN."),
    Row("census-high", "gpool_cli.poolings.census:HIGH", "The largest value that is no NaN."),
    Row("census-nan", "gpool_cli.poolings.census:NAN", "How many NaN there are."),
    Row("census-infinite", "gpool_cli.poolings.census:INFINITE", "How many infinities there are."),
)


def find_row(name: str) -> Row | None:
    """The row of this name or alias, or None."""
    return next((row for row in TABLE if name == row.name or name in row.aliases), None)


def parse_pooling(text: str) -> PoolingSpec:
    """A pooling as a user writes it: its name or an alias.

    Raises:
        UsageError: There is no such pooling.
    """
    row = find_row(text.strip().lower())
    if row is None:
        known = ", ".join(row.name for row in TABLE)
        raise UsageError(f"there is no pooling {text!r}", f"the poolings are {known}")
    return PoolingSpec(row.name)


def load_pooling(spec: PoolingSpec) -> Pooling:
    """The pooling that a specification names."""
    row = next(row for row in (*TABLE, *MEASURES) if row.name == spec.name)
    module, attribute = row.target.split(":")
    pooling: Pooling = getattr(importlib.import_module(module), attribute)
    return pooling
