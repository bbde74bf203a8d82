"""A PNG as the output of a command: refused before any work, and whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gpool_cli.batch.destination import check_on_disk
from gpool_cli.batch.plan import check_inputs
from gpool_cli.errors import UsageError
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.model import InputFile
from gpool_cli.printable import printable
from gpool_cli.report.colours import Rgb
from gpool_cli.report.png import encode_png, pillow

STANDARD_OUTPUT = "-"


def check_png(path: str, files: Sequence[InputFile], overwrite: bool) -> None:
    """Refuse an output that can't become a PNG, or must not be replaced.

    Args:
        path: What ``-o`` names.
        files: The inputs.
        overwrite: It may be replaced.

    Raises:
        UsageError: It is so, or Pillow is not installed.
    """
    pillow()
    check_on_disk(path, "a PNG")
    if path == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise UsageError(
                "a PNG is binary, and standard output is a terminal",
                "pipe it into a program, or name a file with -o",
            )
        return
    if not path.lower().endswith(".png"):
        raise UsageError(f"the output {printable(path)!r} is no PNG", "name it NAME.png")
    if os.path.lexists(path):
        check_inputs([path], files)
        if not overwrite:
            raise UsageError(
                f"the output {printable(path)} is already there", "replace it with --overwrite"
            )


def write_png(path: str, pixels: Rgb) -> None:
    """Write pixels where `check_png` found nothing in the way.

    Args:
        path: What ``-o`` names.
        pixels: Shape (height, width, 3).

    Raises:
        OutputError: It can't be written.
        BrokenPipeError: The reader of standard output left.
    """
    data = encode_png(pixels)
    if path == STANDARD_OUTPUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    output = AtomicFile(path)
    try:
        with output_errors(path):
            output.file.write(data)
    except BaseException:
        output.discard()
        raise
    output.commit()
