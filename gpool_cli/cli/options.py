"""The options that commands share, each said once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from gpool_cli.access import Access
from gpool_cli.errors import UsageError
from gpool_cli.formats import WRITABLE
from gpool_cli.layout import SHAPES, ShapeStyle, parse_layout
from gpool_cli.model import NAN_POLICIES, NanPolicy
from gpool_cli.quantities import parse_bytes

Function = TypeVar("Function", bound=Callable[..., Any])

_DTYPES = (
    *("float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
_SUMMARIES = ("full", "short", "none")


@dataclass(frozen=True)
class InputOptions:
    """Which files, and what in them."""

    inputs: tuple[str, ...]
    files_from: str | None
    nul: bool
    keys: tuple[str, ...]
    layout: str | None
    follow_external: bool
    no_lock: bool
    timeout: float

    @property
    def access(self) -> Access:
        """How files are opened."""
        return Access(follow=self.follow_external, lock=not self.no_lock)


@dataclass(frozen=True)
class RunOptions(InputOptions):
    """Everything that the pooling commands share."""

    output: str | None
    format: str | None
    base: str | None
    stack: bool
    overwrite: bool
    resume: bool
    copy_others: bool
    shape: ShapeStyle
    dtype: str | None
    nan: NanPolicy
    strict: bool
    jobs: int | None
    dry_run: bool
    summary: str
    quiet: bool
    report: str | None
    max_memory: int

    @property
    def access(self) -> Access:
        return replace(super().access, max_memory=self.max_memory)


def complete_path(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell, which knows files."""
    return [CompletionItem(incomplete, type="file")]


def _layout_callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return parse_layout(value) if value is not None else None


def _timeout_callback(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise UsageError("--timeout is a number of seconds", "leave it out for 10")
    return value


def _size_callback(_: click.Context, __: click.Parameter, value: str) -> int:
    return parse_bytes(value)


_INPUT = (
    click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=complete_path),
    click.option(
        "--files-from",
        metavar="LIST",
        shell_complete=complete_path,
        help="Read the names of inputs from a file, one a line; - is standard input.",
    ),
    click.option("-0", "--nul", is_flag=True, help="The names in LIST are separated by NUL."),
    click.option(
        "--key",
        "keys",
        multiple=True,
        metavar="PATTERN",
        help="Pool these datasets or members of HDF5 and npz files; repeatable. FILE.h5:PATTERN "
        "does it for one file. * stops at /, ** does not.",
    ),
    click.option(
        "--layout",
        metavar="AXES",
        callback=_layout_callback,
        envvar="GPOOL_LAYOUT",
        help="One letter per axis: N batch, C channels, the others (H W D L T X Y Z) are pooled; "
        "or channels_last, channels_first. Default: the file's own word, else HW, HWC, NHWC, "
        "NDHWC.",
    ),
    click.option(
        "--follow-external",
        is_flag=True,
        help="Follow HDF5 links to other files below the input's directory, and read datasets "
        "whose values lie there.",
    ),
    click.option(
        "--no-lock",
        is_flag=True,
        help="Read HDF5 files that another program has locked, or whose file system has no locks.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        callback=_timeout_callback,
        default=10,
        show_default=True,
        metavar="SECONDS",
        help="How long the HDF5 library may make no progress on a block before its file fails.",
    ),
)
_RUN = (
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        shell_complete=complete_path,
        help="A file (.npy .npz .h5 .csv .tsv .jsonl), a directory, s3:// for either, or - for "
        "standard output.",
    ),
    click.option(
        "-f",
        "--format",
        type=click.Choice(WRITABLE),
        help="The format in a directory or on standard output.",
    ),
    click.option(
        "--base",
        metavar="DIR",
        shell_complete=complete_path,
        help="Named files keep their paths below DIR in the output.",
    ),
    click.option("--stack", is_flag=True, help="One array for all maps, a row per map."),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on with a directory of outputs: what an earlier run finished is left alone.",
    ),
    click.option(
        "--copy-others",
        is_flag=True,
        help="Carry the datasets that were not pooled over to an HDF5 output.",
    ),
    click.option(
        "--shape",
        type=click.Choice(SHAPES),
        default="channels-last",
        show_default=True,
        help="1x1xD; the input's own axis order; or just D.",
    ),
    click.option("--dtype", type=click.Choice(_DTYPES), help="The dtype of the results."),
    click.option(
        "--nan",
        type=click.Choice(NAN_POLICIES),
        default="propagate",
        show_default=True,
        help="What NaN does: spread to its channel, be left out, or fail the map.",
    ),
    click.option("--strict", is_flag=True, help="Warnings are failures."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        envvar="GPOOL_JOBS",
        help="How many worker processes; default: the cores this process may use. Any number "
        "gives the same bytes.",
    ),
    click.option(
        "--max-memory",
        default="512MiB",
        show_default=True,
        metavar="SIZE",
        envvar="GPOOL_MAX_MEMORY",
        callback=_size_callback,
        help="The memory that blocks and channels may take together: 800M, 2GiB. It never "
        "changes the numbers.",
    ),
    click.option("--dry-run", is_flag=True, help="Print the plan, compute and write nothing."),
    click.option(
        "--summary",
        type=click.Choice(_SUMMARIES),
        default="full",
        show_default=True,
        envvar="GPOOL_SUMMARY",
        help="How much to say at the end.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No summary, progress or warnings."),
    click.option(
        "--report",
        metavar="FILE.json",
        shell_complete=complete_path,
        help="Write the run's record as JSON.",
    ),
)
_BOUNDARY = click.option(
    "--traceback", is_flag=True, expose_value=False, help="Show where an error was raised."
)


def input_options(function: Function) -> Function:
    """Add what `InputOptions` holds to a command."""
    return _apply(function, (*_INPUT, _BOUNDARY))


def run_options(function: Function) -> Function:
    """Add what `RunOptions` holds to a command."""
    return _apply(function, (*_INPUT, *_RUN, _BOUNDARY))


def _apply(function: Function, decorators: tuple[Callable[[Any], Any], ...]) -> Function:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


Options = TypeVar("Options", bound=InputOptions)


def collect(kind: type[Options], values: dict[str, Any]) -> Options:
    """The values that click gives a command, as one frozen object."""
    return kind(**{field.name: values[field.name] for field in fields(kind)})
