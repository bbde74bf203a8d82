"""What a form of the record is: items of JSON for what happens, and a frame for them at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gpool_cli.events import Event
from gpool_cli.recipe import Recipe
from gpool_cli.tally import Tally


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        tally: The totals.
        exit_code: The exit code.
        ended_by: What ended it before all was done; '' where nothing did.
    """

    tally: Tally
    exit_code: int
    ended_by: str = ""


class Form(ABC):
    """How the record of one run is written.

    The form makes the bytes; whoever uses it keeps the items until the end, and knows files.

    Args:
        recipe: What was asked for.
    """

    sketched: ClassVar[bool] = False
    """It wants to know what results look like."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @abstractmethod
    def items(self, event: Event) -> Iterator[tuple[str, str]]:
        """What is kept of something that happened.

        Returns:
            Names of lists of `gpool_cli.report.records.items.LISTS`, each with an item of JSON.
        """

    @abstractmethod
    def parts(self, ending: Ending, lists: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
        """The record from its first byte to its last.

        Args:
            ending: How the run ended.
            lists: The text between the brackets of every list: the items with commas and line
                breaks, in parts of any size.
        """
