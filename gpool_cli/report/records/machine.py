"""The record for machines: JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from gpool_cli import __version__
from gpool_cli.events import Event
from gpool_cli.printable import printable
from gpool_cli.report.records.interface import Ending, Form
from gpool_cli.report.records.items import item_of, recipe_facts, singles


class MachineForm(Form):
    """One object: what was asked for, the totals, and the lists."""

    def items(self, event: Event) -> Iterator[tuple[str, str]]:
        for name, item in filter(None, map(item_of, singles(event))):
            yield name, json.dumps(item, ensure_ascii=False, allow_nan=False)

    def parts(self, ending: Ending, lists: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
        head = {
            "gpool": __version__,
            "recipe": recipe_facts(self.recipe),
            "exit_code": ending.exit_code,
            "ended_by": printable(ending.ended_by) or None,
            "totals": vars(ending.tally),
        }
        yield json.dumps(head, indent=1)[:-2].encode()
        for name, items in lists.items():
            yield f',\n "{name}": ['.encode()
            yield from items
            yield b"]"
        yield b"\n}\n"
