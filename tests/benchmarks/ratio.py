"""How many times faster or slower: what was found, and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """What gpool should be beside a peer.

    Attributes:
        words: For the table.
        slower: They are about how much longer gpool takes, rather than how much faster it is.
    """

    words: str
    slower: bool = False


SAME_MEMORY = Wanted("memory ± 20 MB", slower=True)


def at_least(times: float) -> Wanted:
    """So many times faster than the peer, or more."""
    return Wanted(f"≥ {times:g} × faster")


def at_most(times: float) -> Wanted:
    """So many times the peer's time, or less."""
    return Wanted(f"≤ {times:g} × its time", slower=True)


def ratio_text(ours: float, theirs: float, wanted: Wanted | None) -> str:
    """The ratio, in the words in which it is wanted where they are true."""
    if ours > theirs or (wanted and wanted.slower):
        return f"{ours / theirs:.2f} × its time"
    return f"{theirs / ours:.2f} × faster"
