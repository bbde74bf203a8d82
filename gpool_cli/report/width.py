"""How wide a stream is, and a text on it; rich, which knows wide signs, is asked only for them."""

from __future__ import annotations

import os
from typing import TextIO

PLAIN_WIDTH = 80
_LEAST_WIDTH = 40

# Signs of our own that are one column wide, as plain letters are.
_NARROW = str.maketrans("\u2026\u00b7", "..")


def width_of(stream: TextIO) -> int:
    """The columns of a terminal; 80 where the stream is none."""
    if not stream.isatty():
        return PLAIN_WIDTH
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return max(_LEAST_WIDTH, columns or PLAIN_WIDTH)


def text_width(text: str) -> int:
    """The columns that a text takes."""
    if text.translate(_NARROW).isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
