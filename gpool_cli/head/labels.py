"""The names of the classes, and the class that a user means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from gpool_cli.errors import UsageError
from gpool_cli.printable import printable

_TOP = re.compile(r"top([1-9]\d{0,17})", re.IGNORECASE)


def parse_labels(text: str) -> tuple[str, ...]:
    """The labels of a file that has one a line, in the order of the classes."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def rank_of(text: str) -> int | None:
    """The rank that ``top1``, ``top2`` … name, from 1; None for any other text."""
    found = _TOP.fullmatch(text.strip())
    return int(found[1]) if found is not None else None


def find_class(text: str, labels: Sequence[str], count: int) -> int:
    """The class that a user names.

    Args:
        text: Its index, or its label: the whole one or one of the names in it, in either case.
        labels: The labels, or nothing where there are none.
        count: How many classes there are.

    Raises:
        UsageError: There is no such class, or more than one.
    """
    wanted = text.strip()
    if re.fullmatch(r"\d{1,18}", wanted):
        if int(wanted) < count:
            return int(wanted)
        raise UsageError(
            f"there is no class {int(wanted)}: there are {count:,}", f"the last is {count - 1}"
        )
    if not labels:
        raise UsageError(
            f"the class {printable(text)!r} has no meaning without labels",
            "name them with --labels FILE, or give the index of the class, or top1",
        )
    found = _named(wanted, labels)
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(f"{i} {printable(labels[i])}" for i in found[:4])
        raise UsageError(
            f"several classes are called {printable(wanted)}", f"choose by index: {places}"
        )
    near = _nearest(wanted, labels)
    raise UsageError(
        f"no class is called {printable(wanted)!r}",
        f"did you mean {near}?" if near else "give its index, or top1",
    )


def _named(wanted: str, labels: Sequence[str]) -> list[int]:
    """The classes of that label, or else those that have it among their names."""
    key = wanted.casefold()
    whole = [i for i, label in enumerate(labels) if label.casefold() == key]
    return whole or [i for i, label in enumerate(labels) if key in _names(label)]


def _nearest(wanted: str, labels: Sequence[str]) -> str:
    """Up to three names that have the word in them, or look like it, with their classes."""
    places = {name: i for i, label in reversed([*enumerate(labels)]) for name in _names(label)}
    key = wanted.casefold()
    near = [name for name in places if key in name.split()]
    near += [n for n in difflib.get_close_matches(key, places, n=3, cutoff=0.6) if n not in near]
    return ", ".join(
        f"{printable(_spelled(name, labels[places[name]]))} ({places[name]})" for name in near[:3]
    )


def _spelled(name: str, label: str) -> str:
    """A name as its label has it."""
    return next(part.strip() for part in label.split(",") if part.strip().casefold() == name)


def _names(label: str) -> list[str]:
    return [name.strip().casefold() for name in label.split(",")]
