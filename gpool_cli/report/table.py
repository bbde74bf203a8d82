"""Tables that fit: the columns that matter most, and what is the same everywhere said once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from gpool_cli.report.width import text_width, width_of

_GAP = 2
_NARROW = 80
_MOST_WHEN_NARROW = 6


@dataclass(frozen=True, eq=False)
class Column:
    """A column that a table may have.

    Attributes:
        name: The header and the key in the rows.
        rank: The smaller, the earlier it is given room.
        text: Words, which stand left; numbers stand right.
        dull: The column is left out when every row says this.
        least: The width down to which names may be cropped; None never crops.
    """

    name: str
    rank: int
    text: bool = False
    dull: str | None = None
    least: int | None = None


def print_table(
    stream: TextIO,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, str]],
    left_out: int = 0,
    break_at: int = 0,
    varied: Collection[str] = (),
    alike: bool = True,
) -> None:
    """Print rows as a table no wider than the stream.

    Args:
        stream: Where to.
        columns: In the order they stand.
        rows: Cells by column name.
        left_out: How many rows stand nowhere.
        break_at: Before which row they are missing.
        varied: Columns that are not the same in the rows that stand nowhere.
        alike: What is the same in every row is said once, below the table.
    """
    width = width_of(stream)
    wanted = [c for c in columns if any(row[c.name] != c.dull for row in rows)]
    same = [
        c
        for c in wanted
        if alike and len(rows) > 1 and c.rank and c.name not in varied and _one_value(rows, c)
    ]
    shown = list(rows)
    if left_out:
        gap = dict.fromkeys((c.name for c in columns), "")
        shown.insert(break_at, {**gap, columns[0].name: f"… {left_out:,} more"})
    chosen = _that_fit([c for c in wanted if c not in same], shown, width)
    widths = _widths(chosen, shown, width)
    cells = [[_cropped(row[c.name], widths[c.name]) for c in chosen] for row in shown]
    lines = [_line(chosen, widths, [c.name for c in chosen])]
    lines.append(_rule(stream) * (sum(widths.values()) + _GAP * (len(chosen) - 1)))
    lines += [_line(chosen, widths, row) for row in cells]
    caption = []
    if same:
        facts = [f"{c.name} {rows[0][c.name]}" for c in same if rows[0][c.name]]
        if facts:
            caption = wrapped([f"all: {facts[0]}", *facts[1:]], width)
    if stream.isatty():
        from gpool_cli.report.console import print_styled

        print_styled(stream, lines, caption)
    else:
        print(*lines, *caption, sep="\n", file=stream)


def _line(columns: Sequence[Column], widths: Mapping[str, int], cells: Sequence[str]) -> str:
    """A row: words stand left in their column, numbers right."""
    padded = []
    for column, cell in zip(columns, cells, strict=True):
        space = " " * (widths[column.name] - text_width(cell))
        padded.append(cell + space if column.text else space + cell)
    return (" " * _GAP).join(padded).rstrip()


def _rule(stream: TextIO) -> str:
    """The line under the header, as far as the stream can write one."""
    try:
        "\u2500".encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return "-"
    return "\u2500"


def wrapped(parts: Sequence[str], width: int | None) -> list[str]:
    """Parts of a sentence in lines that are broken between them; with no width, in one."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and (width is None or text_width(longer) <= width):
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _one_value(rows: Sequence[Mapping[str, str]], column: Column) -> bool:
    return len({row[column.name] for row in rows}) == 1


def _that_fit(
    columns: Sequence[Column], rows: Sequence[Mapping[str, str]], width: int
) -> list[Column]:
    """The columns of the lowest ranks that stand side by side in the width."""
    most = _MOST_WHEN_NARROW if width <= _NARROW else len(columns)
    chosen: list[Column] = []
    room = width + _GAP
    for column in sorted(columns, key=lambda column: column.rank):
        least = _natural_width(column, rows)
        if column.least is not None:
            least = min(least, column.least)
        if len(chosen) < most and least + _GAP <= room:
            chosen.append(column)
            room -= least + _GAP
    return [column for column in columns if column in chosen]


def _natural_width(column: Column, rows: Sequence[Mapping[str, str]]) -> int:
    return max(len(column.name), *(text_width(row[column.name]) for row in rows))


def _widths(
    chosen: Sequence[Column], rows: Sequence[Mapping[str, str]], width: int
) -> dict[str, int]:
    """Natural widths, but for the names, which share what is left."""
    widths = {column.name: _natural_width(column, rows) for column in chosen}
    names = {column.name: column.least for column in chosen if column.least is not None}
    excess = sum(widths.values()) + _GAP * (len(chosen) - 1) - width
    for _ in range(excess):
        roomiest = max(names, key=lambda name: widths[name] - names[name])
        widths[roomiest] -= 1
    return widths


def _cropped(text: str, width: int) -> str:
    """The end of a text that is too long: of a path it says more than the beginning."""
    if text_width(text) <= width:
        return text
    start, room = len(text), width - 1
    while start and (room := room - text_width(text[start - 1])) >= 0:
        start -= 1
    return "…" + text[start:]
