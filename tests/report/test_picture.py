"""Pictures as text: golden, in colour and without."""

import io

import numpy as np
import pytest

from gpool_cli.raster import Box
from gpool_cli.report.canvas import Canvas, canvas_on
from gpool_cli.report.picture import Picture, picture_of, print_pictures


class Terminal(io.StringIO):
    """A terminal of 80 columns, whose size can't be asked for."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return Terminal()


def drawn(stream, canvas, *maps, titles=("",)):
    box = canvas.box(canvas.divided(len(maps))[1])
    pictures = [picture_of(np.array(m), box, t) for m, t in zip(maps, titles, strict=True)]
    print_pictures(stream, pictures, canvas)
    return stream.getvalue().splitlines()


SMALL = Canvas(width=12, lines=2, coloured=False)


def test_shades_and_a_legend():
    assert drawn(io.StringIO(), SMALL, [[0.0, 1, 2], [3, 4, np.nan]]) == [
        "··░░▒▒",
        "▓▓██??",
        "0 ·░▒▓█ 4   ? NaN: 1 cell",
        "2x3 values",
    ]


def test_colours_two_cells_in_a_sign():
    canvas = Canvas(width=4, lines=2, coloured=True)
    lines = drawn(Terminal(), canvas, [[0.0, 1.0], [np.nan, 0.5], [1.0, 0.0]])
    purple, teal, yellow, pink = "68;1;84", "33;145;140", "253;231;37", "255;0;255"
    assert lines[:2] == [
        f"\x1b[38;2;{purple};48;2;{pink}m▀\x1b[0m\x1b[38;2;{yellow};48;2;{teal}m▀\x1b[0m",
        f"\x1b[38;2;{yellow}m▀\x1b[0m\x1b[38;2;{purple}m▀\x1b[0m",
    ]
    assert lines[2].startswith(f"0 \x1b[38;2;{purple};48;2;{purple}m▀")
    assert lines[2].endswith(f" 1   \x1b[38;2;{pink}m█\x1b[0m NaN: 1 cell")
    assert lines[3] == "\x1b[2m3x2 values\x1b[0m"


@pytest.fixture(autouse=True)
def _true_colours(terminal):
    """What the tests draw on has all colours, wherever they run."""


def test_a_small_map_is_enlarged_by_whole_cells():
    canvas = Canvas(width=80, lines=4, coloured=False)
    assert drawn(io.StringIO(), canvas, [[0.0, 4.0], [1.0, 2.0]])[:4] == [
        "····████",
        "····████",
        "░░░░▒▒▒▒",
        "░░░░▒▒▒▒",
    ]


def test_a_large_map_is_reduced_by_the_mean_and_the_legend_says_so():
    values = np.zeros((4, 12))
    values[:, 2:4] = [[1], [3], [0], [0]]
    assert drawn(io.StringIO(), SMALL, values) == [
        "··██········",
        "············",
        "0 ·░▒▓█ 2",
        "4x12 values",
        "each cell is the mean of 2x2",
    ]


def test_a_cell_with_nan_among_its_values_is_marked():
    values = np.ones((4, 12))
    values[0, 0] = np.nan
    assert drawn(io.StringIO(), SMALL, values)[0] == "??··········"


def test_a_long_map_says_what_a_cell_really_is_of():
    picture = picture_of(np.zeros((1, 1000)), Box(10, 10))
    assert picture.cells.shape == (1, 10)
    assert picture.notes == ("1x1000 values", "each cell is the mean of 1x100")


def test_several_stand_side_by_side_on_one_scale():
    canvas = Canvas(width=40, lines=4, coloured=False)
    maps = [[[0.0]], [[2.0]], [[4.0]]]
    lines = drawn(io.StringIO(), canvas, *maps, titles=("a", "b", "c"))
    assert lines[:2] == ["a                    b", "········             ▒▒▒▒▒▒▒▒"]
    assert lines[5:8] == ["", "c", "████████"]
    assert lines[-2:] == ["0 ·░▒▓█ 4", "1x1 value"]


@pytest.mark.parametrize(
    ("values", "legend"),
    [
        ([[3.5, 3.5]], ["all 3.5", "1x2 values"]),
        ([[np.nan, np.nan]], ["no finite value   ? NaN: 2 cells", "1x2 values"]),
        ([[np.inf, 1.0, -np.inf]], ["all 1", "1x3 values · 2 cells infinite"]),
    ],
)
def test_maps_without_a_scale(values, legend):
    wide = Canvas(width=80, lines=1, coloured=False)
    assert drawn(io.StringIO(), wide, values)[-2:] == legend


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (4096, 3), (3, 4096), (100, 300)])
def test_nothing_is_wider_than_the_canvas(columns, coloured, shape):
    from rich.text import Text

    canvas = Canvas(columns, columns // 4, coloured)
    stream = Terminal() if coloured else io.StringIO()
    maps = [np.random.default_rng(0).random(shape)] * 5
    for line in drawn(stream, canvas, *maps, titles=[f"c{i} -1.23456e-05" for i in range(5)]):
        assert Text.from_ansi(line).cell_len <= columns


def test_a_terminal_has_colours_and_a_pipe_has_none(terminal):
    assert canvas_on(terminal) == Canvas(80, 20, coloured=True)
    assert canvas_on(io.StringIO()) == Canvas(80, 20, coloured=False)


@pytest.mark.parametrize(
    ("name", "value", "colour", "coloured"),
    [
        ("NO_COLOR", "1", "truecolor", False),
        ("TERM", "dumb", "", False),
        ("TERM", "xterm", "", False),  # 16 colours are none of viridis
        ("TERM", "xterm-256color", "", True),
        ("TERM", "xterm", "truecolor", True),
    ],
)
def test_colours_follow_the_terminal(terminal, monkeypatch, name, value, colour, coloured):
    monkeypatch.setenv("COLORTERM", colour)
    monkeypatch.setenv(name, value)
    assert canvas_on(terminal).coloured is coloured


def test_a_stream_that_knows_few_signs_gets_those():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    canvas = canvas_on(stream)
    print_pictures(stream, [Picture(np.array([[0.0, 1.0]]), (1, 2))], canvas)
    stream.flush()
    lines = stream.buffer.getvalue().decode("ascii").splitlines()
    assert lines[0] == "." * 40 + "#" * 40
    assert lines[-2:] == ["0 .:+*# 1", "1x2 values"]
