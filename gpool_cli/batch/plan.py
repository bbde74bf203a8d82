"""The plan of a run: which input gives which outputs, and what stands in the way."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from gpool_cli.access import Access
from gpool_cli.batch.destination import Destination, check_on_disk
from gpool_cli.batch.select import Selection, may_be_wanted, select
from gpool_cli.batch.workers import Scout
from gpool_cli.errors import UsageError
from gpool_cli.formats.naming import stem
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.model import STDIN, ArrayInfo, InputFile
from gpool_cli.printable import printable

_REPLACE = (
    "replace it with --overwrite, or choose another -o",
    "replace it with --overwrite, go on with --resume, or choose another -o",
)


@dataclass(frozen=True, eq=False)
class Planned:
    """One input of a plan.

    Attributes:
        file: The input.
        outputs: The paths it is written to; empty where all share one output.
    """

    file: InputFile
    outputs: tuple[str, ...]


def plan(
    files: Sequence[InputFile],
    destination: Destination,
    layout: str | None,
    access: Access,
    scout: Scout,
) -> Iterator[Planned]:
    """Say what every input gives. Only inputs whose outputs depend on their content are opened."""
    for file in files:
        if destination.kind != "directory":
            yield Planned(file, ())
            continue
        yield Planned(
            file,
            tuple(
                destination.outputs_in_directory(
                    file, _datasets(file, destination, layout, access, scout)
                )
            ),
        )


def _datasets(
    file: InputFile, destination: Destination, layout: str | None, access: Access, scout: Scout
) -> list[str]:
    """The maps of a file, where their names are part of the names of outputs."""
    if file.path == STDIN or destination.format_for(file).name != "npy":
        return [""]
    try:
        if not format_of(file.path).container:
            return [""]
        return [info.dataset for info, _ in look_into(file, layout, access, scout).maps] or [""]
    except Exception:
        return [""]  # What is wrong with the file is said when it is its turn.


def look_into(file: InputFile, layout: str | None, access: Access, scout: Scout) -> Selection:
    """What would be pooled from one file; its values are not read."""
    infos = scout.call(file, list_arrays, file, access)
    return select(infos, file.keys, layout, format_of(file.path).container, file.named)


def list_arrays(file: InputFile, access: Access) -> list[ArrayInfo]:
    """The arrays of a file; of those whose names nobody asked for, no more than that."""
    with open_reader(file.path, access) as reader:
        return list(reader.arrays_named(may_be_wanted(file.keys)))


def check_plan(planned: Sequence[Planned], destination: Destination) -> None:
    """Refuse a plan that would lose something, whatever is there.

    Raises:
        UsageError: Two inputs give one output.
    """
    _check_collisions(planned)
    if destination.keeps_names:
        _check_names([one.file for one in planned])


def check_existing(planned: Sequence[Planned], destination: Destination) -> None:
    """Refuse to replace what must not be replaced.

    Raises:
        UsageError: An output exists, or is an input.
    """
    if destination.part:
        outputs = [destination.part]
    elif destination.kind == "file":
        outputs = destination.outputs_of_file()
    elif destination.kind == "directory" and os.path.isdir(destination.path):
        outputs = [path for one in planned for path in one.outputs]
    else:
        return
    existing = [path for path in outputs if os.path.lexists(path)]
    if not existing:
        return
    check_inputs(existing, [one.file for one in planned])
    if not destination.may_replace:
        others = len(existing) - 1
        more = f", as {'is' if others == 1 else 'are'} {others:,} more" if others else ""
        raise UsageError(
            f"the output {printable(existing[0])} is already there{more}",
            _REPLACE[destination.kind == "directory" and not destination.part],
        )


def check_beside(
    planned: Sequence[Planned],
    destination: Destination,
    reports: Sequence[str],
    beside: Iterable[str],
) -> None:
    """Refuse to replace what is read beside the inputs: a mask, a weights map, or a part.

    Args:
        planned: The inputs and their outputs.
        destination: Where results go.
        reports: Where reports go.
        beside: The paths of what is read.

    Raises:
        UsageError: An output is one of them.
    """
    outputs = [path for one in planned for path in one.outputs]
    if destination.kind == "file":
        outputs += destination.outputs_of_file()
    outputs += reports
    existing = [path for path in outputs if os.path.lexists(path)]
    if existing:
        check_inputs(existing, [InputFile(path, path) for path in dict.fromkeys(beside)])


def check_reports(
    reports: Sequence[str], planned: Sequence[Planned], destination: Destination
) -> None:
    """Refuse reports that would replace what must not be replaced.

    Raises:
        UsageError: One is an input, an output, another report, a URL, or there already.
    """
    if not reports:
        return
    outputs = [path for one in planned for path in one.outputs]
    if destination.part:
        outputs.append(destination.part)
    if destination.kind == "file":
        outputs += destination.outputs_of_file()
    taken = set(map(os.path.abspath, outputs))
    for report in reports:
        check_on_disk(report, "a report")
        _check_report(report, taken, planned, destination)
    if len(set(map(os.path.abspath, reports))) < len(reports):
        raise UsageError("two reports have one name", "say each --report once")


def _check_report(
    report: str, taken: Collection[str], planned: Sequence[Planned], destination: Destination
) -> None:
    if os.path.abspath(report) in taken:
        raise UsageError(
            f"the report {printable(report)} is also an output", "choose another --report"
        )
    if os.path.lexists(report):
        check_inputs([report], [one.file for one in planned])
        if not destination.may_replace:
            raise UsageError(
                f"the report {printable(report)} is already there",
                "replace it with --overwrite, or choose another --report",
            )


def _check_collisions(planned: Sequence[Planned]) -> None:
    taken: dict[str, InputFile] = {}
    for one in planned:
        for path in one.outputs:
            other = taken.setdefault(path, one.file)
            if other is not one.file:
                raise UsageError(
                    f"{printable(other.path)} and {printable(one.file.path)} would both be "
                    f"written to {printable(path)}",
                    "keep their paths with --base, or write them to different places",
                )


def _check_names(files: Sequence[InputFile]) -> None:
    """No two inputs have one name in a container, and none is the group of another."""
    taken: dict[str, InputFile] = {}
    for file in files:
        other = taken.setdefault(stem(file.name), file)
        if other is not file:
            _refuse_names(other, file)
    for file in files:
        above = posixpath.dirname(stem(file.name))
        while above:
            if above in taken:
                _refuse_names(taken[above], file)
            above = posixpath.dirname(above)


def _refuse_names(one: InputFile, other: InputFile) -> NoReturn:
    raise UsageError(
        f"{printable(one.path)} and {printable(other.path)} would have one name in the output",
        "write them into a directory, or as rows (.npy, .csv, .jsonl)",
    )


def check_inputs(existing: Sequence[str], files: Sequence[InputFile]) -> None:
    """Refuse outputs that are inputs, by whatever name.

    Args:
        existing: Paths of outputs that are there.
        files: The inputs.

    Raises:
        UsageError: One is.
    """
    identities = {}
    for path in existing:
        status = os.stat(path) if os.path.exists(path) else os.lstat(path)
        identities[status.st_dev, status.st_ino] = path
    for file in files:
        if file.path == STDIN:
            continue
        try:
            status = os.stat(file.path)
        except (OSError, ValueError):
            continue
        output = identities.get((status.st_dev, status.st_ino))
        if output is not None:
            raise UsageError(
                f"the output {printable(output)} is the input {printable(file.path)}",
                "choose another -o",
            )
