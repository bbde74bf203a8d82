"""Outputs that the plan did not know of.

How many arrays follow one another in a file or a pipe is seen only when they are read.
"""

from __future__ import annotations

from gpool_cli.batch.destination import is_of_several
from gpool_cli.errors import InputError
from gpool_cli.model import Result
from gpool_cli.printable import printable


def may_be_unplanned(result: Result) -> bool:
    """Whether a result begins an output of its map alone, which may be in no plan."""
    return is_of_several(result) and bool(result.info.dataset) and result.start == 0


def already_there(path: str) -> InputError:
    """What is said where such an output would replace another."""
    return InputError(
        f"would be written to {printable(path)}, which is already there",
        "choose another -o, or one file for all results such as .h5 or .npz",
    )
