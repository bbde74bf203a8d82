"""What a sink is: the place where the results of a run are put while it lives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from gpool_cli.model import Alike, Failed, InputFile, Result, Skipped, Warned

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class Sink(ABC):
    """Takes the results of a run, input by input, in order.

    Attributes:
        bytes_out: Bytes of finished outputs.
        drops_failed: Of an input in which anything failed, nothing is kept.
    """

    bytes_out = 0
    drops_failed = False

    def begin(self, file: InputFile) -> None:
        """Say that the results of this input come next.

        Raises:
            InputError: What else is taken over from the one before has no place in the output.
        """

    def surround(self, surroundings: Surroundings) -> None:
        """Say what else is taken over from the input that began last, or more of that.

        The results that it has a word about come after it.
        """

    def in_turns(self, file: InputFile) -> bool:
        """Whether the pieces of results of this input may come in turns, pooling by pooling.

        The map that they are of may then fail after some of them: `end` says so.
        """
        return False

    @abstractmethod
    def add(self, result: Result) -> str:
        """Take one result, and say where it goes.

        Raises:
            InputError: It can't stand beside the earlier ones.
            OutputError: It can't be written.
        """

    def add_together(self, alike: Alike) -> list[str] | None:
        """Take the results of files that are alike, and say where those of each pooling go.

        Returns:
            None where it took nothing, because each file must be taken by itself.

        Raises:
            OutputError: They can't be written.
        """
        return None

    def hear(self, said: Skipped | Warned | Failed) -> None:
        """Take what is said of the input beside its results."""

    def end(self, failed: bool) -> None:
        """Say that the input is done, and whether something in it failed."""

    def look_at_the_clock(self) -> None:
        """Say that time passes: finished outputs need not wait for the next one."""

    def finish(self, failed: bool) -> None:
        """Put everything in its place; with ``failed``, some input could not be answered."""

    def discard(self) -> None:
        """End early: keep what is finished, and leave nothing half written behind."""

    def close(self) -> None:
        """Let go of everything."""


class NoSink(Sink):
    """Results that only the summary shows."""

    def in_turns(self, file: InputFile) -> bool:
        return True

    def add(self, result: Result) -> str:
        return ""

    def add_together(self, alike: Alike) -> list[str] | None:
        return [""] * len(alike.results)
