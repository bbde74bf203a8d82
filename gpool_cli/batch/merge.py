"""Parts of a run, held against each other and put in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

from gpool_cli.batch.part import Part, Whole
from gpool_cli.errors import UsageError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Alike, Outcome
from gpool_cli.printable import printable
from gpool_cli.recipe import Recipe

_MOST_NAMED = 10


def open_parts(paths: Sequence[str]) -> list[Part]:
    """The parts of a run in their order.

    Raises:
        UsageError: One is damaged, is there twice or is missing, or they are of several runs.
    """
    parts = [Part(path) for path in paths]
    first = parts[0]
    for part in parts[1:]:
        _check_same_run(first, part)
    by_number: dict[int, Part] = {}
    for part in parts:
        other = by_number.setdefault(part.head.shard.number, part)
        if other is not part:
            raise UsageError(
                f"{printable(other.path)} and {printable(part.path)} are both part "
                f"{part.head.shard.number} of {part.head.shard.count}",
                "name each part once",
            )
    count = first.head.shard.count
    missing = [number for number in range(1, count + 1) if number not in by_number]
    if missing:
        names = ", ".join(map(str, missing[:_MOST_NAMED]))
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise UsageError(
            f"of {count} parts these are missing: {names}{more}",
            f"make them with --shard {missing[0]}/{count} and so on",
        )
    return [by_number[number] for number in range(1, count + 1)]


def outcomes_of_parts(parts: Sequence[Part]) -> Iterator[Outcome | Alike]:
    """What all parts found out, in the order of the inputs."""
    for part in parts:
        yield from part.outcomes()


def _check_same_run(one: Part, other: Part) -> None:
    a, b = one.head, other.head
    if a.shard.count != b.shard.count:
        raise _differ(one, other, f"{a.shard.count} parts", f"{b.shard.count}")
    for name in (field.name for field in fields(Whole)):
        theirs, others = getattr(a.whole, name), getattr(b.whole, name)
        if theirs != others:
            what = _WORDS.get(name, name)
            raise _differ(one, other, f"{what} {_text(theirs)}", _text(others))


# What parts differ in, as a user knows it.
_WORDS = {
    "recipe": "options",
    "style": "options",
    "kind": "output",
    "format": "format",
    "strict": "--strict",
    "follow": "--follow-external",
    "view": "--view",
    "count": "inputs:",
    "digest": "inputs, whose names have the checksum",
    "alone": "a named file alone:",
}


def _text(value: object) -> str:
    if isinstance(value, Recipe):
        return value.describe()
    if isinstance(value, WriteStyle):
        return f"{'stacked' if value.stack else 'not stacked'}, {value.recipe}"
    return {True: "yes", False: "no", None: "of the input"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]


def _differ(one: Part, other: Part, has: str, others: str) -> UsageError:
    return UsageError(
        f"{printable(one.path)} and {printable(other.path)} are of different runs: "
        f"{printable(has)}, against {printable(others)}",
        "make all parts by one command that differs in I of --shard I/N alone",
    )
