"""``gpool formats``: what gpool reads, writes and computes, and what an extra would add."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from gpool_cli.cli.options import boundary_option
from gpool_cli.formats import TABLE as FORMATS
from gpool_cli.formats import Row
from gpool_cli.formats.extras import TABLE as EXTRAS
from gpool_cli.formats.extras import Extra, extra_of
from gpool_cli.poolings import COMMANDS as POOLINGS


@click.command("formats")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@boundary_option
def formats(as_json: bool) -> int:
    """What gpool reads, writes and computes, and what is installed of it."""
    if as_json:
        print(json.dumps(_as_json(), indent=1))
        return 0
    # Imported when it is run, so that help needs no rich.
    from gpool_cli.report.table import Column, print_table

    def show(columns: tuple[Column, ...], rows: list[dict[str, str]]) -> None:
        print_table(sys.stdout, columns, rows, alike=False)

    name, words = Column("format", 0, text=True), Column("suffixes", 1, text=True)
    read, write = Column("read", 2, text=True), Column("written", 3, text=True)
    show((name, words, read, write), [_format_cells(row) for row in FORMATS])
    print()
    columns = (Column("pooling", 0, text=True), Column("aliases", 2, text=True))
    show(
        (*columns, Column("what it is", 1, text=True)),
        [
            {"pooling": row.name, "aliases": " ".join(row.aliases), "what it is": row.help}
            for row in POOLINGS
        ],
    )
    print()
    columns = (Column("extra", 0, text=True), Column("adds", 1, text=True))
    show((*columns, Column("installed", 2, text=True)), [_extra_cells(one) for one in EXTRAS])
    missing = [one for one in EXTRAS if not one.installed]
    if missing:
        print(
            f"to add one: {missing[0].install}; those of all formats: pip install 'gpool[formats]'"
        )
    return 0


def _format_cells(row: Row) -> dict[str, str]:
    return {
        "format": row.name,
        "suffixes": " ".join(row.suffixes),
        "read": "yes" if row.reader else "no",
        "written": _written(row),
    }


def _written(row: Row) -> str:
    if not row.writer:
        return "no"
    if row.needs and not extra_of(row.needs).installed:
        return f"with {extra_of(row.needs).name}"
    return "yes"


def _extra_cells(extra: Extra) -> dict[str, str]:
    return {
        "extra": extra.name,
        "adds": extra.adds,
        "installed": "yes" if extra.installed else "no",
    }


def _as_json() -> dict[str, Any]:
    return {
        "formats": [
            {
                "name": row.name,
                "suffixes": list(row.suffixes),
                "read": bool(row.reader),
                "written": bool(row.writer),
                "needs": extra_of(row.needs).name if row.needs else None,
            }
            for row in FORMATS
        ],
        "poolings": [
            {"name": row.name, "aliases": list(row.aliases), "help": row.help} for row in POOLINGS
        ],
        "extras": [
            {
                "name": extra.name,
                "adds": extra.adds,
                "installed": extra.installed,
                "install": extra.install,
            }
            for extra in EXTRAS
        ],
    }
