"""``--shard I/N``: a part of the inputs for one of many runs that know nothing of each other."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gpool_cli.errors import UsageError
from gpool_cli.printable import printable

_Item = TypeVar("_Item")
_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """One of several shares.

    Attributes:
        number: Which, from 1 on.
        count: How many there are.
    """

    number: int
    count: int

    def share(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """Its share: items that follow one another, one more or less than any other share has.

        So a merge reads one part after the other, and files that are alike stay together.
        """
        return items[
            self._first(len(items), self.number - 1) : self._first(len(items), self.number)
        ]

    def _first(self, total: int, before: int) -> int:
        return total * before // self.count

    def part_of(self, output: str) -> str:
        """The path of the part that is written instead of an output."""
        return f"{output.rstrip('/' + os.sep)}.{self.number}-of-{self.count}.shard"


def parse_shard(text: str) -> Shard:
    """The shard that ``I/N`` names.

    Raises:
        UsageError: It names none.
    """
    match = _FORM.fullmatch(text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return Shard(int(match[1]), int(match[2]))
    raise UsageError(
        f"--shard {printable(text)} is no part of a whole",
        "it is I/N, with I from 1 to N: --shard 3/16",
    )
