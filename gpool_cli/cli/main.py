"""``gpool``: the table of commands, and the one boundary where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from gpool_cli import __version__
from gpool_cli.cli.pool import pooling_command
from gpool_cli.errors import GpoolError, OutputError, ReaderLeft, Terminated
from gpool_cli.poolings import TABLE, find_row

INTERRUPTED = 130

# name → (where the command is, its line in the help)
TOOLS = {
    "pool": ("gpool_cli.cli.pool:pool", "Several poolings in one pass over the data."),
    "info": ("gpool_cli.cli.info:info", "What is in the files; computes nothing."),
}


class Commands(click.Group):
    """Commands from two tables, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [row.name for row in TABLE] + list(TOOLS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in TOOLS:
            module, name = TOOLS[cmd_name][0].split(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        row = find_row(cmd_name)
        return pooling_command(row) if row is not None else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Poolings"):
            formatter.write_dl([(row.name, row.help) for row in TABLE])
        with formatter.section("Tools"):
            formatter.write_dl([(name, line) for name, (_, line) in TOOLS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: gpool avg maps/ -o pooled/. Each command has its own --help.",
)
@click.version_option(__version__, "-V", "--version", message="gpool %(version)s")
def gpool() -> None:
    """Turn saved CNN feature maps into descriptors by global pooling.

    Every channel becomes one number: H x W x D gives 1 x 1 x D. Reads .npy, .npz and HDF5; one
    file, a tree, or a pipe.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line in this process.

    Args:
        arguments: The words after ``gpool``.

    Returns:
        The exit code. Every error has become a line on standard error.
    """
    try:
        code = gpool.main(list(arguments), prog_name="gpool", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; what was finished is kept", "")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return ReaderLeft.exit_code
    except OSError as error:
        _silence_stdout()
        _say(f"standard output can't be written: {error.strerror or error}", "")
        return OutputError.exit_code
    except GpoolError as error:
        if "--traceback" in arguments:
            traceback.print_exc()
        if not isinstance(error, ReaderLeft):
            _say(error.message, error.hint)
        return error.exit_code
    return int(code or 0)


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


def _terminate(_: int, __: FrameType | None) -> None:
    raise Terminated("terminated; what was finished is kept")


def _say(message: str, hint: str) -> None:
    end = f" ({hint})" if hint else ""
    print(f"gpool: error: {message}{end}", file=sys.stderr)


def _silence_stdout() -> None:
    """What Python still holds for a broken standard output must not fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
