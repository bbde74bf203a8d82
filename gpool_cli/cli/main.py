"""``gpool``: the table of commands, and the one boundary where errors become exit codes."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import click

from gpool_cli import __version__
from gpool_cli.cli.leaving import leave
from gpool_cli.cli.onepooling import pooling_command
from gpool_cli.errors import (
    GpoolError,
    HungUp,
    Interrupted,
    OutputError,
    ReaderLeft,
    Stopped,
    Terminated,
)
from gpool_cli.poolings import COMMANDS, find_row
from gpool_cli.printable import printable
from gpool_cli.stopping import asked, check, stop, wish

# signal → what a run is told
_REASONS = {"SIGINT": Interrupted, "SIGTERM": Terminated, "SIGHUP": HungUp}

# name → (where the command is, its line in the help)
TOOLS = {
    "pool": ("gpool_cli.cli.pool:pool", "Several poolings in one pass over the data."),
    "info": ("gpool_cli.cli.info:info", "What is in the files, and in their channels."),
    "classify": (
        "gpool_cli.cli.classify:classify",
        "The confidence of every class.",
    ),
    "cam": ("gpool_cli.cli.cam:cam", "Where in a map a class was seen."),
    "cost": ("gpool_cli.cli.cost:cost", "What a dense layer takes, and what pooling saves."),
    "show": ("gpool_cli.cli.show:show", "Look at a map, in the terminal or as PNG."),
    "formats": ("gpool_cli.cli.formats:formats", "What gpool reads and writes; what extras add."),
    "merge": ("gpool_cli.cli.merge:merge", "Join what --shard has written."),
}


class Commands(click.Group):
    """Commands from two tables, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [row.name for row in COMMANDS] + list(TOOLS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in TOOLS:
            module, name = TOOLS[cmd_name][0].split(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        row = find_row(cmd_name)
        return pooling_command(row) if row is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]  # Click may take them away.
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(word, self.list_commands(ctx), n=1)
            if word.startswith("-") or not near:
                raise
            said = f"{error.format_message()} Did you mean {near[0]}?"
            raise click.UsageError(said, ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        # Click would answer these itself, with exit code 1 and an empty line.
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeft("the reader of the pipe left before all was written") from error
        except KeyboardInterrupt as error:
            raise Interrupted from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Poolings"):
            formatter.write_dl([(row.name, row.help) for row in COMMANDS])
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

    Every channel becomes one number: H x W x D gives 1 x 1 x D. Reads .npy, .npz, HDF5 and what
    else gpool formats lists; one file, a tree, or a pipe.
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
        check()
    except click.ClickException as error:
        _say_usage(error)
        return error.exit_code
    except Stopped as stopped:
        _say("; ".join(filter(None, (stopped.word, stopped.kept))), stopped.hint)
        return stopped.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(Interrupted.word, "")
        return Interrupted.exit_code
    except BrokenPipeError:
        _silence()
        return ReaderLeft.exit_code
    except OSError as error:
        _show_where(arguments)
        what = printable(str(error.filename)) if error.filename else "standard output"
        _say(f"can't write {what}: {error.strerror or error}", "")
        _silence()
        return OutputError.exit_code
    except GpoolError as error:
        _show_where(arguments)
        if not isinstance(error, ReaderLeft):
            _say(error.message, error.hint)
        _silence()
        return error.exit_code
    except Exception as error:
        _show_where(arguments)
        if isinstance(reason := asked(), Stopped):
            # What the handler raised came up in a library, in an import, say, that made this of it.
            _say(reason.word, "")
            return reason.exit_code
        said = " ".join(f"{type(error).__name__}: {error}".split())
        _say(f"gpool has a bug: {printable(said)}", "see where with --traceback, and report it")
        return GpoolError.exit_code
    return int(code or 0)


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # The threads of numpy's BLAS, which nothing here uses, would spin on the cores at the start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_closed_streams()
    if isinstance(sys.stdout.buffer, io.RawIOBase):
        # PYTHONUNBUFFERED: a raw stream may take a part of what it is given, and say no word.
        sys.stdout = open(1, "w", closefd=False, encoding=sys.stdout.encoding)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.unraisablehook = _pass_over_stops
    try:
        _listen()
        leave(run(sys.argv[1:]))
    except Stopped as late:  # All was done, and said; or nothing yet.
        # No function is called before: we could be asked again in it.
        wish.held += 1
        leave(late.exit_code)


def _listen() -> None:
    """Have signals ask us to stop."""
    for name, reason in _REASONS.items():
        # What our parent had us ignore, as nohup does, stays ignored.
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), partial(_stop, reason))


def _pass_over_stops(unraisable: Any) -> None:
    """Say nothing of a signal that came in a finalizer, which can't raise: the run looks again."""
    if not issubclass(unraisable.exc_type, Stopped):
        sys.__unraisablehook__(unraisable)


def _stop(reason: type[Stopped], _: int, __: FrameType | None) -> None:
    stop(reason())


def _open_closed_streams() -> None:
    """Give every stream that we were started without one that is empty, or can't be written.

    Otherwise the next file that is opened would take its number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Nobody hears an error, but data for a closed standard output is an error.
            opened = os.open(os.devnull, os.O_RDWR if name == "stderr" else os.O_RDONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))


def _show_where(arguments: Sequence[str]) -> None:
    """Print where an error was raised, to whom it was promised."""
    if "--traceback" in arguments:
        import traceback

        traceback.print_exc()


def _say_usage(error: click.ClickException) -> None:
    """Say what click finds as we say it: in one line, with where to look."""
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "gpool"
    message = " ".join(error.format_message().split()).removesuffix(".")
    _say(printable(message), f"see {command} --help")


def _say(message: str, hint: str) -> None:
    end = f" ({hint})" if hint else ""
    # Where standard error can't be written there is nobody left to tell.
    with contextlib.suppress(OSError):
        print(f"gpool: error: {message}{end}", file=sys.stderr, flush=True)


def _silence() -> None:
    """What Python still holds for a broken stream must not fail again at the end."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)
