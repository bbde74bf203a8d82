"""What a file holds, said to somebody who asked for something else."""

from __future__ import annotations

from collections.abc import Sequence

from gpool_cli.formats.interface import NAMES_SHOWN
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable

# So many names show what the last parts are.
_MOST_COMPARED = 1000


def what_there_is(infos: Sequence[ArrayInfo], wanted: str = "") -> str:
    """The first arrays of a file by name, and what somebody may have meant.

    Args:
        infos: The arrays, or the first of them.
        wanted: The name or the pattern that fits none of them; "" for none.
    """
    if not infos:
        return "it holds nothing"
    shown = ", ".join(printable(info.dataset) for info in infos[:NAMES_SHOWN])
    more = ", …" if len(infos) > NAMES_SHOWN else ""
    near = _nearest(wanted, infos) if wanted else ""
    return f"{f'did you mean {printable(near)}? ' if near else ''}it holds {shown}{more}"


def _nearest(wanted: str, infos: Sequence[ArrayInfo]) -> str:
    """The same with the last part of a name that is there; '' where nothing is like it.

    The first names of a file show what the last parts are, but not what else is in the paths: a
    whole name that looks alike may be that of another layer, and would be pooled in its place.
    """
    # Only a mistake needs it, and every start of the program would pay for it.
    import difflib

    above, slash, last = wanted.rpartition("/")
    names = {info.dataset.rpartition("/")[2] for info in infos[:_MOST_COMPARED] if not info.refusal}
    usable = sorted(name for name in names - {last} if not set(name) & set("*?["))
    return next((above + slash + near for near in difflib.get_close_matches(last, usable, 1)), "")
