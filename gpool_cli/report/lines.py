"""Errors and warnings: a line each, on standard error, as soon as they are known."""

from __future__ import annotations

import sys

from gpool_cli.errors import GpoolError
from gpool_cli.layout import shape_text
from gpool_cli.model import Failed, InputFile, Skipped, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import count_text


def place_text(file: InputFile, dataset: str) -> str:
    """A file and the dataset in it, as a user would name them, safe to show."""
    return printable(f"{file.path}:{dataset}" if dataset else file.path)


def print_error(error: GpoolError) -> None:
    """Print what ended a run."""
    _print_line("error", error.message, error.hint)


def print_note(note: str) -> None:
    """Print what a user should know of the whole run."""
    _print_line("warning", note, "")


def print_failure(failure: Failed) -> None:
    """Print what is wrong with one input."""
    place = place_text(failure.file, failure.dataset)
    _print_line("error", f"{place}: {printable(failure.message)}", printable(failure.hint))


def skip_text(skip: Skipped) -> str:
    """What was not pooled, and why."""
    shape = f" ({shape_text(skip.info.shape)})" if skip.info and skip.info.shape else ""
    return f"skipped {place_text(skip.file, skip.dataset)}{shape}: {printable(skip.reason)}"


def note_text(note: str, first: str, count: int) -> str:
    """How arrays were read, and which.

    Args:
        note: What there is to tell of them.
        first: The first of them, as `place_text` gives it.
        count: How many they are.
    """
    place = f"{count_text(count, 'map')}, first {first}" if count > 1 else first
    return f"note {place}: {printable(note)}"


class Warnings:
    """Warnings, grouped: how many of a kind, and the first of them in full."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], tuple[Warned, int]] = {}

    def add(self, warning: Warned) -> None:
        """Count one."""
        key = warning.kind, warning.message
        first, count = self._groups.get(key, (warning, 0))
        self._groups[key] = first, count + 1

    def print(self) -> None:
        """Print a line for every group."""
        for first, count in self._groups.values():
            place = place_text(first.file, first.dataset)
            if count > 1:
                place = f"{count_text(count, 'map')}, first {place}"
            _print_line("warning", f"{place}: {printable(first.message)}", "")


def _print_line(kind: str, message: str, hint: str) -> None:
    end = f" ({hint})" if hint else ""
    print(f"gpool: {kind}: {message}{end}", file=sys.stderr, flush=True)
