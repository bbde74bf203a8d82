"""WHAT is computed: the table of poolings.

A pooling is one row here and one file beside this one. The rows are plain data, and hold import
paths as strings, so that ``gpool --help`` can list them without numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from gpool_cli.errors import UsageError
from gpool_cli.packing import Packing
from gpool_cli.poolings.parameters import Parameter, given, parse_parameters
from gpool_cli.recipe import PoolingSpec

if TYPE_CHECKING:
    from gpool_cli.poolings.interface import Pooling


@dataclass(frozen=True, eq=False)
class Row:
    """One pooling in the table.

    Attributes:
        name: The command's name.
        target: ``module:ATTRIBUTE`` of its `gpool_cli.poolings.interface.Pooling`; where there
            are parameters, of a function from them to it.
        help: One line for ``gpool --help``.
        aliases: Other names of the field for the same thing; hidden in the help.
        parameters: The numbers it depends on.
        companions: Rows that its command adds by a flag of their name.
        companion: It is such a row, or one that an option of all commands adds; it has no command
            of its own.
        weighted: ``module:ATTRIBUTE`` of the same with weights, or '' where there is no such.
        units: Its values are where those of the map are, so that one scale and offset hold for
            both: for ``any`` scale, or one that is ``rising`` (above 0), as it goes by order.
    """

    name: str
    target: str
    help: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    companions: tuple[str, ...] = ()
    companion: bool = False
    weighted: str = ""
    units: Literal["", "rising", "any"] = ""

    def spec(self, values: Mapping[str, float] | None = None) -> PoolingSpec:
        """This pooling with these parameters.

        Raises:
            UsageError: One is missing that has no default.
        """
        return PoolingSpec(self.name, given(self.name, self.parameters, values or {}))


_DDOF = Parameter("ddof", "Divide by n - ddof.", 0, 0, whole=True)

TABLE: tuple[Row, ...] = (
    Row(
        "avg",
        "gpool_cli.poolings.average:AVG",
        "Global average pooling: the mean of every channel.",
        ("mean", "gap", "spoc"),
        weighted="gpool_cli.poolings.average:WEIGHTED_AVG",
        units="any",
    ),
    Row(
        "max",
        "gpool_cli.poolings.maximum:MAX",
        "Global max pooling: the largest value of every channel.",
        ("gmp", "mac"),
        companions=("where",),
        units="rising",
    ),
    Row(
        "min",
        "gpool_cli.poolings.minimum:MIN",
        "The smallest value of every channel.",
        units="rising",
    ),
    Row(
        "range",
        "gpool_cli.poolings.minimum:RANGE",
        "The largest value less the smallest.",
        ("ptp",),
    ),
    Row("sum", "gpool_cli.poolings.totals:SUM", "The sum of every channel.", ("sumpool",)),
    Row("l1", "gpool_cli.poolings.totals:L1", "The L1 norm: the sum of the absolute values."),
    Row("l2", "gpool_cli.poolings.spread:L2", "The L2 norm: the root of the sum of the squares."),
    Row("rms", "gpool_cli.poolings.spread:RMS", "The root of the mean of the squares."),
    Row(
        "var",
        "gpool_cli.poolings.spread:var",
        "The variance of every channel.",
        parameters=(_DDOF,),
    ),
    Row(
        "std",
        "gpool_cli.poolings.spread:std",
        "The standard deviation of every channel.",
        ("stdev",),
        parameters=(_DDOF,),
    ),
    Row(
        "avgmax",
        "gpool_cli.poolings.mixed:AVGMAX",
        "Half the sum of average and maximum.",
        units="rising",
    ),
    Row(
        "catavgmax",
        "gpool_cli.poolings.mixed:CATAVGMAX",
        "Average and maximum side by side: D channels give 2D.",
        units="rising",
    ),
    Row(
        "lp",
        "gpool_cli.poolings.powers:lp",
        "The Lp norm: the p-th root of the sum of the p-th powers of |x|.",
        parameters=(Parameter("p", "The exponent.", 2, 0, open=True),),
    ),
    Row(
        "gem",
        "gpool_cli.poolings.powers:gem",
        "Generalized mean: the p-th root of the mean of the p-th powers.",
        parameters=(
            Parameter(
                "p", "The exponent: 1 is the average, large ones near the maximum.", 3, 0, open=True
            ),
            Parameter("eps", "Smaller values count as this.", 1e-6, 0, open=True),
        ),
    ),
    Row(
        "lse",
        "gpool_cli.poolings.logsumexp:lse",
        "Log-sum-exp: a smooth maximum.",
        parameters=(
            Parameter(
                "r", "How sharp: near 0 the average, large near the maximum.", 10, 0, open=True
            ),
        ),
    ),
    Row(
        "topk",
        "gpool_cli.poolings.largest:topk",
        "The mean of the k largest values of every channel.",
        parameters=(
            Parameter("k", "How many; all where a channel has fewer.", None, 1, 65536, whole=True),
        ),
        units="rising",
    ),
    Row(
        "median",
        "gpool_cli.poolings.quantile:MEDIAN",
        "The median of every channel.",
        units="any",
    ),
    Row(
        "quantile",
        "gpool_cli.poolings.quantile:quantile",
        "A quantile of every channel, between two values by a line.",
        parameters=(Parameter("q", "Which: 0 is the minimum, 1 the maximum.", None, 0, 1),),
        units="rising",
    ),
    Row(
        "where",
        "gpool_cli.poolings.where:WHERE",
        "Also say where each maximum is: its index on every pooled axis, the first one on ties.",
        companion=True,
    ),
    Row(
        "count",
        "gpool_cli.poolings.number:COUNT",
        "How many values of every channel count.",
        companion=True,
    ),
)

# What is told of channels and is no pooling for users: `gpool info --stats` computes all of it.
MEASURES: tuple[Row, ...] = (
    Row("census-low", "gpool_cli.poolings.census:LOW", "The least value that is no NaN."),
    Row("census-high", "gpool_cli.poolings.census:HIGH", "The largest value that is no NaN."),
    Row("census-nan", "gpool_cli.poolings.census:NAN", "How many NaN there are."),
    Row("census-infinite", "gpool_cli.poolings.census:INFINITE", "How many infinities there are."),
)


COMMANDS = tuple(row for row in TABLE if not row.companion)


def find_row(name: str) -> Row | None:
    """The row of this name or alias that users can ask for, or None."""
    return next((row for row in COMMANDS if name == row.name or name in row.aliases), None)


def row_of(name: str) -> Row:
    """The row of this name, whatever users can ask for."""
    return next(row for row in (*TABLE, *MEASURES) if name == row.name)


def parse_pooling(text: str) -> PoolingSpec:
    """A pooling as a user writes it: its name or an alias, and its parameters (``gem:p=4``).

    Raises:
        UsageError: There is no such pooling, or it does not take such parameters.
    """
    name, colon, words = text.strip().lower().partition(":")
    row = find_row(name)
    if row is None:
        known = ", ".join(row.name for row in COMMANDS)
        hint = "-m once for each: -m avg -m max" if "," in name else f"the poolings are {known}"
        raise UsageError(f"there is no pooling {name!r}", hint)
    return row.spec(parse_parameters(row.name, row.parameters, words) if colon else None)


def is_companion(spec: PoolingSpec) -> bool:
    """Whether a pooling says something about the values of others, and is none itself."""
    return row_of(spec.name).companion


def keeps_units(spec: PoolingSpec, packing: Packing) -> bool:
    """Whether the scale and offset of packed values hold for what a pooling makes of them."""
    units = row_of(spec.name).units
    # Without a sign the stored values are not in the order of those that are meant.
    return not packing.unsigned and (units == "any" or (units == "rising" and packing.scale > 0))


def check_weighted(specs: Iterable[PoolingSpec]) -> None:
    """Refuse weights for poolings that have none.

    Raises:
        UsageError: There are such.
    """
    rows = [row_of(spec.name) for spec in specs]
    without = [row.name for row in rows if not row.weighted and not row.companion]
    if without:
        known = ", ".join(row.name for row in TABLE if row.weighted)
        raise UsageError(
            f"a weights map has no meaning for {', '.join(without)}",
            f"weights are for {known}; --mask leaves values out of any pooling",
        )


@lru_cache(maxsize=256)
def load_pooling(spec: PoolingSpec, weighted: bool = False) -> Pooling:
    """The pooling that a specification names.

    Args:
        spec: The specification.
        weighted: Values have weights, which `check_weighted` has found right.
    """
    row = row_of(spec.name)
    module, attribute = (row.weighted if weighted and row.weighted else row.target).split(":")
    found = getattr(importlib.import_module(module), attribute)
    values = {p.name: p.default for p in row.parameters} | dict(spec.params)
    pooling: Pooling = found(**values) if row.parameters else found
    return pooling
