"""Lengths of axes as words on the command line."""

from __future__ import annotations

import re

from gpool_cli.errors import UsageError


def parse_lengths(text: str, count: int | None, what: str) -> tuple[int, ...]:
    """Lengths of axes as people write them: ``7x7x512``.

    Args:
        text: The lengths.
        count: How many there must be; None for two or more.
        what: What they are, for the error.

    Raises:
        UsageError: They are none.
    """
    plain = text.strip().lower().replace("\u00d7", "x")
    lengths = (
        tuple(map(int, plain.split("x"))) if re.fullmatch(r"\d{1,18}(x\d{1,18})+", plain) else ()
    )
    if not lengths or 0 in lengths or (count is not None and len(lengths) != count):
        raise UsageError(f"{text!r} is no {what}", f"write it as {'7x7' if count else '7x7x512'}")
    return lengths
