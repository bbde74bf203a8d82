"""The options that commands share, each said once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from gpool_cli.access import NARROW_FLOATS, Access
from gpool_cli.errors import UsageError
from gpool_cli.formats import WRITABLE
from gpool_cli.layout import SHAPES, ShapeStyle, parse_layout
from gpool_cli.quantities import parse_bytes
from gpool_cli.recipe import FILL_POLICIES, NAN_POLICIES, NORMS, FillPolicy, NanPolicy, NormName
from gpool_cli.report.records import check_name

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from gpool_cli.batch.shard import Shard

Function = TypeVar("Function", bound=Callable[..., Any])

_DTYPES = (
    *("float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
_SUMMARIES = ("full", "short", "none")


@dataclass(frozen=True, eq=False)
class ArrayOptions:
    """What in a file, and how it is read."""

    keys: tuple[str, ...]
    layout: str | None
    follow_external: bool
    no_lock: bool
    view: str | None
    timeout: float

    @property
    def access(self) -> Access:
        """How files are opened."""
        return Access(follow=self.follow_external, lock=not self.no_lock, view=self.view or "")


@dataclass(frozen=True, eq=False)
class InputOptions(ArrayOptions):
    """Which files, and what in them."""

    inputs: tuple[str, ...]
    files_from: str | None
    nul: bool


@dataclass(frozen=True, eq=False)
class SayOptions:
    """How much is said of a run."""

    summary: str
    quiet: bool
    reports: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RunOptions(InputOptions, SayOptions):
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
    mask: str | None
    weights_map: str | None
    count: bool
    fill_value: FillPolicy
    unpack: bool
    normalize: NormName
    strict: bool
    jobs: int | None
    scheduler: str | None
    shard: Shard | None
    dry_run: bool
    max_memory: int

    @property
    def access(self) -> Access:
        return replace(super().access, max_memory=self.max_memory)


def complete_path(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell, which knows files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _layout_callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return parse_layout(value) if value is not None else None


def _timeout_callback(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise UsageError("--timeout is a number of seconds", "leave it out for 10")
    return value


def _shard_callback(_: click.Context, __: click.Parameter, value: str | None) -> Shard | None:
    if value is None:
        return None
    from gpool_cli.batch.shard import parse_shard

    return parse_shard(value)


def _size_callback(_: click.Context, __: click.Parameter, value: str) -> int:
    return parse_bytes(value)


def _jobs_callback(ctx: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
    if value is None or not ctx.params.get("scheduler"):
        return value
    if ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
        raise UsageError(
            "--jobs counts workers of this machine, and --scheduler has others", "leave one out"
        )
    return None


def _reports_callback(
    _: click.Context, __: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    for path in value:
        check_name(path)
    return value


_INPUT = (
    click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=complete_path),
    click.option(
        "--files-from",
        metavar="LIST",
        shell_complete=complete_path,
        help="Read the names of inputs from a file, one a line; - is standard input.",
    ),
    click.option("-0", "--nul", is_flag=True, help="The names in LIST are separated by NUL."),
)
_ARRAY = (
    click.option(
        "--key",
        "keys",
        multiple=True,
        metavar="PATTERN",
        help="Pool these datasets or members of files that hold several; repeatable. "
        "FILE.h5:PATTERN does it for one file. * stops at /, ** does not.",
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
        "--view",
        type=click.Choice(NARROW_FLOATS),
        metavar="DTYPE",
        help="The values of npy and npz files are bfloat16, or a float8 such as float8_e4m3fn, "
        "whatever the files say.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        callback=_timeout_callback,
        default=10,
        show_default=True,
        metavar="SECONDS",
        help="How long a worker may make no progress on a block (of HDF5, zarr, .pt) before its "
        "file fails.",
    ),
)
OVERWRITE_OPTION = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
SAY_OPTIONS = (
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
        "reports",
        multiple=True,
        metavar="FILE",
        callback=_reports_callback,
        shell_complete=complete_path,
        help="Write the run's record: FILE.json for machines, FILE.html to look at; repeatable.",
    ),
)
_RUN = (
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        shell_complete=complete_path,
        help="A file (.npy .npz .h5 .csv .tsv .jsonl .json .parquet), a directory, s3:// for "
        "either, or - for "
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
    OVERWRITE_OPTION,
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
    click.option(
        "--mask",
        metavar="FILE[:DATASET]",
        shell_complete=complete_path,
        help="Only values where this is 1 count; it is H x W or N x H x W, of 0 and 1. {stem}, "
        "{name}, {dir} and {parent} stand for the parts of an input's path, so that each has its "
        "own: '{stem}_mask.npy'.",
    ),
    click.option(
        "--weights-map",
        metavar="FILE[:DATASET]",
        shell_complete=complete_path,
        help="How much each position counts in an average: as --mask, but of any numbers from 0.",
    ),
    click.option("--count", is_flag=True, help="Also give how many values of each channel count."),
    click.option(
        "--fill-value",
        type=click.Choice(FILL_POLICIES),
        default="missing",
        show_default=True,
        help="What the values of _FillValue and missing_value are in HDF5 and netCDF files: "
        "missing, or values as others.",
    ),
    click.option(
        "--unpack", is_flag=True, help="Apply scale_factor and add_offset of netCDF files first."
    ),
    click.option(
        "--normalize",
        type=click.Choice(NORMS),
        default="none",
        show_default=True,
        help="Divide each pooled vector by its length.",
    ),
    click.option("--strict", is_flag=True, help="Warnings are failures."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        callback=_jobs_callback,
        envvar="GPOOL_JOBS",
        help="How many worker processes; default: the cores this process may use. Any number "
        "gives the same bytes.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        is_eager=True,
        help="Have a Dask cluster do the work: tcp://HOST:PORT of its scheduler, or a scheduler "
        "file. Its workers open the inputs by their paths.",
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
    click.option(
        "--shard",
        metavar="I/N",
        callback=_shard_callback,
        help="Do the I-th of N parts of the inputs, and write OUT.I-of-N.shard instead of OUT; "
        "gpool merge joins the parts.",
    ),
    click.option("--dry-run", is_flag=True, help="Print the plan, compute and write nothing."),
    *SAY_OPTIONS,
)
boundary_option = click.option(
    "--traceback", is_flag=True, expose_value=False, help="Show where an error was raised."
)


def array_options(function: Function) -> Function:
    """Add what `ArrayOptions` holds to a command."""
    return apply_options(function, (*_ARRAY, boundary_option))


def input_options(function: Function) -> Function:
    """Add what `InputOptions` holds to a command."""
    return apply_options(function, (*_INPUT, *_ARRAY, boundary_option))


def run_options(function: Function) -> Function:
    """Add what `RunOptions` holds to a command."""
    return apply_options(function, (*_INPUT, *_ARRAY, *_RUN, boundary_option))


def apply_options(function: Function, decorators: tuple[Callable[[Any], Any], ...]) -> Function:
    """Add options to a command, in their order."""
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


Options = TypeVar("Options", bound=ArrayOptions | SayOptions)


def collect(kind: type[Options], values: dict[str, Any]) -> Options:
    """The values that click gives a command, as one frozen object."""
    return kind(**{field.name: values[field.name] for field in fields(kind)})
