"""The record of a run, in the form that the suffix of its file says: the table of forms.

A form is one row here and one file beside this one. The rows hold import paths as strings, so
that nothing is imported before a record is wanted.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from gpool_cli.errors import UsageError
from gpool_cli.printable import printable

if TYPE_CHECKING:
    from gpool_cli.recipe import Recipe
    from gpool_cli.report.records.interface import Form

TABLE = {
    ".json": "gpool_cli.report.records.machine:MachineForm",
    ".html": "gpool_cli.report.records.page:PageForm",
}


def check_name(path: str) -> None:
    """Refuse a file that no form can be told of.

    Raises:
        UsageError: Its suffix is not in the table, or it is no file.
    """
    if not path:
        raise UsageError("the report has an empty name", "is a variable in --report not set?")
    if path == "-":
        raise UsageError("the report is written to a file", "name one with --report")
    if _suffix(path) not in TABLE:
        raise UsageError(
            f"the report {printable(path)} has no suffix that says its form",
            f"name it {' or '.join(f'NAME{suffix}' for suffix in TABLE)}",
        )


def make_form(path: str, recipe: Recipe) -> Form:
    """The form that a file has whose name was checked.

    Args:
        path: The file.
        recipe: What was asked for.
    """
    module, name = TABLE[_suffix(path)].split(":")
    made: Form = getattr(importlib.import_module(module), name)(recipe)
    return made


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
