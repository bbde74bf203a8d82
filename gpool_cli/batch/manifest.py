"""The manifest of an output directory: which output came from what, by which parameters.

A line of JSON for the parameters, and one for every input that gave outputs. While a run lives, the
same lines stand in a journal in the order in which outputs were finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gpool_cli import __version__
from gpool_cli.access import Access
from gpool_cli.errors import UsageError
from gpool_cli.model import InputFile
from gpool_cli.printable import printable
from gpool_cli.recipe import Recipe

MANIFEST = ".gpool-manifest"
JOURNAL = ".gpool-journal"

Parameters = dict[str, Any]
Key = tuple[str, str]
Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class Output:
    """One file of a directory.

    Attributes:
        path: Its path below the directory.
        size: How many bytes it has.
        sha256: Their checksum in hexadecimal.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """What came of one input.

    Attributes:
        source: The input, as the user named it or a walk found it.
        name: What it is called in outputs.
        keys: The patterns that selected arrays in it.
        size: How many bytes it had when it was read; None for standard input.
        mtime_ns: When it had been changed by then, in nanoseconds; None for standard input.
        outputs: All that came of it.
        beside: The mask and the weights map that it was pooled with, as far as there were such:
            path, size, and time of change in nanoseconds.
    """

    source: str
    name: str
    keys: tuple[str, ...]
    size: int | None
    mtime_ns: int | None
    outputs: tuple[Output, ...]
    beside: tuple[Stamp, ...] = ()

    @property
    def key(self) -> Key:
        """What tells it from the other inputs of a directory."""
        return self.source, self.name


@dataclass
class Previous:
    """What earlier runs left in a directory.

    Attributes:
        parameters: Those of the last run; None where there was none.
        entries: What it finished, and what earlier runs did with the same parameters.
        journal_size: How many bytes of the journal are whole lines; 0 where there is none.
        unfinished: The last run was cut short, or is not done, and outputs of it are there.
    """

    parameters: Parameters | None = None
    entries: dict[Key, Entry] = field(default_factory=dict)
    journal_size: int = 0
    unfinished: bool = False


def parameters_of(
    recipe: Recipe, format_name: str | None, copy_others: bool, strict: bool, access: Access
) -> Parameters:
    """Everything beside the inputs that decides the outputs of a directory."""
    confidences = {"activation": recipe.activation, "head": recipe.head}
    return {
        "gpool": __version__,
        "poolings": [spec.label for spec in recipe.poolings],
        "layout": recipe.layout,
        "nan": recipe.nan,
        "dtype": recipe.dtype,
        "shape": recipe.shape,
        "batch axis": recipe.batched,
        "format": format_name,
        "copy others": copy_others,
        "strict": strict,
        "follow external": access.follow,
        **({"view": access.view} if access.view else {}),
        **(confidences if recipe.activation else {}),
        **_unusual(recipe),
    }


def _unusual(recipe: Recipe) -> Parameters:
    """The parameters that most runs have not."""
    asked: Parameters = {
        "mask": recipe.mask,
        "weights map": recipe.weights,
        "fill value": recipe.fill if recipe.fill != "missing" else None,
        "unpack": recipe.unpack or None,
        "normalize": recipe.normalize if recipe.normalize != "none" else None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def key_of(file: InputFile) -> Key:
    """The key of an input's entry."""
    return file.path, file.name


def line_of(said: Parameters | Entry) -> bytes:
    """A line of the manifest; the same for equal entries."""
    return json.dumps(asdict(said) if isinstance(said, Entry) else said).encode() + b"\n"


def read_previous(directory: str) -> Previous:
    """What earlier runs left in a directory. Lines that are damaged are as if they were not there.

    Raises:
        OSError: It is there and can't be read.
    """
    manifest = _read(os.path.join(directory, MANIFEST))
    journal = _read(os.path.join(directory, JOURNAL))
    if journal.parameters is None:
        return Previous(manifest.parameters, manifest.entries)
    outputs = (output for entry in journal.entries.values() for output in entry.outputs)
    journal.unfinished = any(os.path.lexists(os.path.join(directory, o.path)) for o in outputs)
    if manifest.parameters == journal.parameters:
        journal.entries = {**manifest.entries, **journal.entries}
    return journal


def _read(path: str) -> Previous:
    try:
        with open(path, "rb") as file:
            lines = _whole_lines(file.read())
    except FileNotFoundError:
        return Previous()
    first = next(lines, b"")
    parameters = _json(first)
    if "gpool" not in parameters:
        return Previous()
    previous = Previous(parameters, {}, len(first) + 1)
    for line in lines:
        previous.journal_size += len(line) + 1
        entry = _entry(_json(line))
        if entry is not None:
            previous.entries[entry.key] = entry
    return previous


def _whole_lines(text: bytes) -> Iterator[bytes]:
    """The lines that end; a run may have died within the last one."""
    return iter(text.split(b"\n")[:-1])


def _json(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _entry(said: dict[str, Any]) -> Entry | None:
    try:
        outputs = tuple(Output(**output) for output in said.pop("outputs"))
        beside = tuple((path, size, time) for path, size, time in said.pop("beside", ()))
        keys = tuple(said.pop("keys"))
        entry = Entry(**{**said, "keys": keys, "outputs": outputs, "beside": beside})
    except (KeyError, TypeError, ValueError):
        return None
    paths = (*(output.path for output in outputs), *(path for path, _, _ in beside))
    names = (entry.source, entry.name, *paths)
    return entry if all(isinstance(name, str) for name in names) else None


def check_parameters(directory: str, now: Parameters, before: Parameters | None) -> None:
    """Refuse to go on with other parameters than those of the outputs that are there.

    Raises:
        UsageError: They are others.
    """
    if before is None or before == now:
        return
    raise UsageError(
        f"the results in {printable(directory)} were made with {_difference(now, before)}",
        "resume with the options of that run, or choose another -o",
    )


def check_forgotten(directory: str, now: Parameters, previous: Previous) -> None:
    """Refuse to forget what an unfinished run with other parameters has done.

    Raises:
        UsageError: There is such a run.
    """
    before = previous.parameters
    if before is None or before == now or not previous.unfinished:
        return
    raise UsageError(
        f"a run into {printable(directory)} is not finished that had {_difference(now, before)}",
        "go on with it by its options and --resume, forget it with --overwrite, or choose "
        "another -o",
    )


def _difference(now: Parameters, before: Parameters) -> str:
    name = next(name for name in {**now, **before} if now.get(name) != before.get(name))
    return f"{name} {_said(before.get(name))}, and this run has {name} {_said(now.get(name))}"


def _said(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return printable(" ".join(map(str, value)))
    if isinstance(value, bool):
        return "on" if value else "off"
    return printable(str(value)) if value is not None else "by default"
