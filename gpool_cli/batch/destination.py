"""Where results go: what the user's ``-o`` means, and which files that will be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gpool_cli.errors import UsageError
from gpool_cli.formats import TABLE, Row, row_named, row_of_suffix
from gpool_cli.formats.naming import stem
from gpool_cli.model import STDIN, InputFile, Result
from gpool_cli.printable import printable
from gpool_cli.remote import is_url, place_of, scheme_of

Kind = Literal["nowhere", "stdout", "file", "directory"]
_FORBIDDEN = '%/\0\\:*?"<>|' if os.name == "nt" else "%/\0"


@dataclass(frozen=True, eq=False)
class Destination:
    """Where the results of a run go.

    Attributes:
        kind: Nowhere (only the summary), standard output, one file, or a directory.
        path: The file or the directory.
        format: The format; None in a directory where every result takes its input's.
        stack: All maps become the rows of one array.
        poolings: The labels of the poolings.
        overwrite: Outputs that exist are replaced.
        resume: What an earlier run finished in the directory is not done again.
        part: What a shard of a run writes instead; '' where all of it is done.
    """

    kind: Kind
    path: str = ""
    format: Row | None = None
    stack: bool = False
    poolings: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = False
    part: str = ""

    @property
    def is_recorded(self) -> bool:
        """Whether there is a directory with a lock, a manifest and a journal."""
        return self.kind == "directory" and not is_url(self.path)

    @property
    def may_replace(self) -> bool:
        """Whether outputs that exist may be replaced."""
        return self.overwrite or self.resume

    @property
    def keeps_names(self) -> bool:
        """Whether results stand in one container under the names of their inputs."""
        shared = self.kind in ("file", "stdout") and not self.stack
        return shared and self.format is not None and self.format.container

    def format_for(self, file: InputFile) -> Row:
        """The format of what is written for one input in a directory."""
        if self.format is not None:
            return self.format
        row = row_of_suffix(file.name)
        return row if row is not None and row.writer else row_named("npy")

    def one_each(self, file: InputFile) -> bool:
        """Whether in a directory every result of an input has an output of its own."""
        return not _holds_many(self.format_for(file))

    def carries(self, file: InputFile) -> bool:
        """Whether the output takes over what an input has beside its maps."""
        if self.stack or self.kind == "nowhere":
            return False
        row = self.format_for(file) if self.kind == "directory" else self.format
        return row is not None and row.carries

    def results_of_file(self) -> list[str]:
        """The paths that a run into one file writes results to."""
        if len(self.poolings) > 1 and self.format is not None and not _holds_many(self.format):
            root, suffix = os.path.splitext(self.path)
            return [f"{root}.{_part(pooling)}{suffix}" for pooling in self.poolings]
        return [self.path]

    def outputs_of_file(self) -> list[str]:
        """Every path that a run into one file writes."""
        paths = self.results_of_file()
        if self.format is not None and self.format.name == "npy":
            paths.append(self.row_names_path())
        return paths

    def row_names_path(self) -> str:
        """Where the names of the rows of a stacked npy stand."""
        return f"{os.path.splitext(self.path)[0]}.sources.tsv"

    def outputs_in_directory(self, file: InputFile, datasets: Sequence[str]) -> list[str]:
        """Every path that one input gives in a directory.

        Args:
            file: The input.
            datasets: The names of its maps, where the format has one file per map.
        """
        row = self.format_for(file)
        base = os.path.join(self.path, *(_component(part) for part in stem(file.name).split("/")))
        suffix = row.suffixes[0]
        if _holds_many(row):
            kept = os.path.splitext(file.name)[1]
            return [base + (kept if row_of_suffix(file.name) is row else suffix)]
        return [
            ".".join([base, *filter(None, [_part(dataset), pooling])]) + suffix
            for dataset in (datasets if len(datasets) > 1 else [""])
            for pooling in (map(_part, self.poolings) if len(self.poolings) > 1 else [""])
        ]

    def output_of(self, result: Result) -> str:
        """The path that a result has in a directory."""
        # The name of a dataset is in the path only where another stands beside it.
        datasets = [result.info.dataset, ""] if is_of_several(result) else [""]
        paths = self.outputs_in_directory(result.file, datasets)
        place = self.poolings.index(result.pooling.label)
        return paths[place if len(paths) > 1 else 0]


def is_of_several(result: Result) -> bool:
    """Whether the input of a result may give results of other maps too."""
    return result.parts > 1 or result.file.path == STDIN


def _holds_many(row: Row) -> bool:
    """Whether one file of this format holds the results of several poolings and datasets."""
    return row.container or row.tabular


def _part(text: str) -> str:
    """A name as part of a file name, with what a file system can't take percent-encoded."""
    return "".join(_percent(c) if c in _FORBIDDEN or not _encodable(c) else c for c in text)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _encodable(character: str) -> bool:
    """Whether a file name can have it: half of a surrogate pair it can't."""
    try:
        os.fsencode(character)
    except UnicodeEncodeError:
        return False
    return True


def _component(part: str) -> str:
    return part.replace(".", "%2E") if part in (".", "..") else part


def parse_destination(
    output: str | None,
    format_name: str | None,
    stack: bool,
    poolings: Sequence[str],
    overwrite: bool,
    resume: bool = False,
) -> Destination:
    """What ``-o`` and the options beside it mean.

    Raises:
        UsageError: The suffix is unknown, or the options contradict each other.
    """
    destination = _parse(output, format_name, stack, poolings)
    _check_installed(destination.format)
    if is_url(destination.path):
        _check_url(destination.path, resume)
    if resume and destination.kind != "directory":
        raise UsageError("--resume goes on with a directory of outputs", "name one with -o DIR/")
    return replace(destination, overwrite=overwrite, resume=resume)


def _check_installed(row: Row | None) -> None:
    if row is None or not row.needs:
        return
    from gpool_cli.formats.extras import extra_of

    extra = extra_of(row.needs)
    if not extra.installed:
        raise UsageError(
            f"to write {row.name} needs {row.needs}, which is not installed",
            f"install it with: {extra.install}",
        )


def check_on_disk(path: str, what: str) -> None:
    """Refuse an output that only this machine can hold, where it is a URL.

    Args:
        path: The output.
        what: What it is.

    Raises:
        UsageError: It is a URL.
    """
    if is_url(path):
        raise UsageError(
            f"{printable(path)} is a URL, and {what} is written to a disk",
            "name a file of this machine, and copy that",
        )


def _check_url(url: str, resume: bool) -> None:
    if not scheme_of(url).keeps:
        raise UsageError(f"{printable(url)} is on a web server, which is only read", "choose s3://")
    if not place_of(url).partition("/")[2] and not url.endswith("/"):
        raise UsageError(f"{printable(url)} names a bucket alone", "end it with a / to mean all")
    if resume:
        raise UsageError(
            "--resume needs a lock and a record, which an object store can't hold for one run",
            "write to a directory and copy that, or start again with --overwrite",
        )


def _parse(
    output: str | None, format_name: str | None, stack: bool, poolings: Sequence[str]
) -> Destination:
    row = row_named(format_name) if format_name is not None else None
    labels = tuple(poolings)
    if output is None:
        if row is not None:
            raise UsageError("--format without -o writes nothing", "say where to with -o")
        return Destination("nowhere", poolings=labels, stack=stack)
    if not output:
        raise UsageError("the output has an empty name", "is a variable in -o not set?")
    if output == STDIN:
        return Destination("stdout", "", row or row_named("npy"), stack, labels)
    of_suffix = row_of_suffix(output)
    if output.endswith(("/", os.sep)) or os.path.isdir(output) or not os.path.splitext(output)[1]:
        if stack:
            raise UsageError("--stack makes one array, and a directory takes many", _NAME_A_FILE)
        if os.path.lexists(output) and not os.path.isdir(output):
            raise UsageError(
                f"{printable(output)} has no suffix, which means a directory, but is none",
                "choose another -o; -o - is standard output",
            )
        return Destination("directory", output, row, False, labels)
    if of_suffix is None or not of_suffix.writer:
        known = " ".join(suffix for known in TABLE if known.writer for suffix in known.suffixes)
        raise UsageError(
            f"the suffix of {printable(output)} means no format",
            f"the formats are {known}; a directory ends in /",
        )
    if row is not None and row is not of_suffix:
        raise UsageError(
            f"{printable(output)} is no name for the format {row.name}", "leave out --format"
        )
    stacked = stack or not of_suffix.mixed
    return Destination("file", output, of_suffix, stacked, labels)


_NAME_A_FILE = "name a file such as all.npy"
