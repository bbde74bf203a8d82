"""What a file holds, said to somebody who asked for something else."""

from __future__ import annotations

from collections.abc import Sequence

from gpool_cli.formats.interface import NAMES_SHOWN
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable

# So many names are compared with the one that was asked for.
_MOST_COMPARED = 1000


def what_there_is(infos: Sequence[ArrayInfo], wanted: str = "") -> str:
    """The first arrays of a file by name, and the name that looks like the one asked for.

    Args:
        infos: The arrays.
        wanted: The name or the pattern that fits none of them; "" for none.
    """
    if not infos:
        return "it holds nothing"
    shown = ", ".join(printable(info.dataset) for info in infos[:NAMES_SHOWN])
    more = ", …" if len(infos) > NAMES_SHOWN else ""
    near = _nearest(wanted, infos[:_MOST_COMPARED]) if wanted else ""
    return f"{f'did you mean {printable(near)}? ' if near else ''}it holds {shown}{more}"


def _nearest(wanted: str, infos: Sequence[ArrayInfo]) -> str:
    """The name most like it; a word without a slash stands for the last part of names."""
    # Only a mistake needs it, and every start of the program would pay for it.
    import difflib

    names = [info.dataset for info in infos]
    if "/" not in wanted:
        names = [name.rpartition("/")[2] for name in names]
    return next(iter(difflib.get_close_matches(wanted, sorted(set(names)), n=1)), "")
