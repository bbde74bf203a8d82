"""The parameters of poolings, as data: options, the words after ``-m`` and errors follow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpool_cli.errors import UsageError


@dataclass(frozen=True, eq=False)
class Parameter:
    """One number that a pooling depends on.

    Attributes:
        name: What users call it.
        help: What it does, for ``--help``.
        default: Its value where a user gives none; None where one must be given.
        least: The least value.
        most: The greatest value.
        open: The least value itself is not allowed.
        whole: It is a whole number.
    """

    name: str
    help: str
    default: float | None
    least: float
    most: float = math.inf
    open: bool = False
    whole: bool = False

    @property
    def range_text(self) -> str:
        """The values it may have, in words: ``a whole number, at least 1``."""
        kind = "a whole number" if self.whole else "a number"
        low = f"{'above' if self.open else 'at least'} {self.least:g}"
        return f"{kind}, {low}" + (f" and at most {self.most:g}" if self.most < math.inf else "")

    def checked(self, value: float) -> float:
        """The value, if it is in the range.

        Raises:
            UsageError: It is not.
        """
        below = value <= self.least if self.open else value < self.least
        finite = math.isfinite(value)
        if not finite or below or value > self.most or (self.whole and value != int(value)):
            raise UsageError(f"{self.name}={value:g} is not possible", f"it is {self.range_text}")
        return value

    def parsed(self, text: str) -> float:
        """The value that a user wrote.

        Raises:
            UsageError: It is no number, or out of the range.
        """
        try:
            value = float(text)
        except ValueError:
            raise UsageError(
                f"{self.name}={text} is no number", f"it is {self.range_text}"
            ) from None
        return self.checked(value)


def parse_parameters(pooling: str, known: Sequence[Parameter], text: str) -> dict[str, float]:
    """The parameters in ``p=3,eps=1e-6``.

    Args:
        pooling: The pooling's name, for errors.
        known: The parameters that it has.
        text: What stands behind the colon.

    Raises:
        UsageError: A parameter is unknown, named twice, no number or out of its range.
    """
    by_name = {parameter.name: parameter for parameter in known}
    values: dict[str, float] = {}
    for word in text.split(","):
        name, equals, value = (part.strip() for part in word.partition("="))
        if name not in by_name:
            raise UsageError(f"{pooling} has no parameter {name!r}", _known(pooling, known))
        if not equals:
            raise UsageError(f"{pooling}:{name} has no value", f"write {pooling}:{name}=NUMBER")
        if name in values:
            raise UsageError(f"{pooling} is given {name} twice", "give it once")
        values[name] = by_name[name].parsed(value)
    return values


def given(
    pooling: str, known: Sequence[Parameter], values: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """The parameters that say more than the defaults do, as sorted pairs.

    Raises:
        UsageError: One is missing that has no default.
    """
    for parameter in known:
        if parameter.default is None and parameter.name not in values:
            name = parameter.name
            raise UsageError(
                f"{pooling} needs {name}",
                f"say -m {pooling}:{name}=NUMBER or gpool {pooling} --{name} NUMBER",
            )
    defaults = {parameter.name: parameter.default for parameter in known}
    return tuple(sorted((k, float(v)) for k, v in values.items() if v != defaults[k]))


def _known(pooling: str, known: Sequence[Parameter]) -> str:
    if not known:
        return f"{pooling} has no parameters"
    return "it has " + ", ".join(f"{p.name} ({p.range_text})" for p in known)
