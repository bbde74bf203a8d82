"""Tables that fit, whatever the width."""

import io

import pytest
from rich.cells import cell_len

from gpool_cli.report import table
from gpool_cli.report.table import Column, print_table, wrapped

COLUMNS = [
    Column("source", 0, text=True, least=12),
    Column("shape", 1),
    Column("kind", 2, text=True),
    Column("count", 3, dull="0"),
]


def row(source: str, shape: str = "7x7", kind: str = "k", count: str = "0") -> dict[str, str]:
    return {"source": source, "shape": shape, "kind": kind, "count": count}


@pytest.fixture
def draw(monkeypatch):
    """Draw a table in a width, and hand back its lines without what pads them."""

    def call(rows, width=80, columns=COLUMNS, **more) -> list[str]:
        from gpool_cli.report import width as width_module

        monkeypatch.setattr(width_module, "PLAIN_WIDTH", width)
        stream = io.StringIO()
        print_table(stream, columns, rows, **more)
        lines = [line.rstrip() for line in stream.getvalue().splitlines()]
        assert max(map(cell_len, lines)) <= width
        return lines

    return call


def test_words_stand_left_and_numbers_right(draw):
    assert draw([row("a", "7x7", "one"), row("bbb", "11x11", "three")]) == [
        "source  shape  kind",
        "────────────────────",
        "a         7x7  one",
        "bbb     11x11  three",
    ]


def test_what_is_the_same_everywhere_is_said_once(draw):
    assert draw([row("a", "1"), row("b", "2")])[-1] == "all: kind k"
    assert draw([row("a"), row("b")])[0].split() == ["source"]
    assert draw([row("a"), row("b")])[-1] == "all: shape 7x7 · kind k"


def test_a_lone_row_keeps_its_columns_and_names_are_never_a_caption(draw):
    assert draw([row("a")])[0].split() == ["source", "shape", "kind"]
    assert draw([row("a"), row("a")])[2:4] == ["a", "a"]


def test_what_is_dull_everywhere_is_left_out(draw):
    assert "count" not in draw([row("a"), row("b")])[-1]
    assert "count" in draw([row("a"), row("b", count="3")])[0]


def test_the_rows_that_stand_nowhere_are_counted(draw):
    lines = draw([row(str(i), str(i)) for i in range(4)], left_out=1234567, break_at=2)
    assert [line.split()[0] for line in lines[2:7]] == ["0", "1", "…", "2", "3"]
    assert lines[4] == "… 1,234,567 more"


def test_the_caption_speaks_of_all_rows_not_only_of_those_shown(draw):
    rows = [row(str(i), str(i)) for i in range(4)]
    assert draw(rows, left_out=5, break_at=2)[-1] == "all: kind k"
    assert draw(rows, left_out=5, break_at=2, varied={"kind"})[0].split()[-1] == "kind"


def test_the_less_important_columns_go_first_and_names_are_cropped_in_front(draw):
    rows = [row("maps/" + "x" * 30 + str(i), f"1024x102{i}", f"kind{i}", str(i)) for i in range(2)]
    assert draw(rows, 60)[0].split() == ["source", "shape", "kind", "count"]
    assert draw(rows, 30)[0].split() == ["source", "shape", "kind"]
    assert draw(rows, 24)[0].split() == ["source", "shape"]
    assert draw(rows, 24)[2].split()[0] == "…xxxxxxxxxxx0"


def test_two_columns_of_names_share_the_room(draw):
    columns = [*COLUMNS[:1], Column("shape", 1, text=True, least=12)]
    rows = [row("a" * 40 + str(i), "b" * 40 + str(i)) for i in range(2)]
    widths = [len(cell) for cell in draw(rows, 62, columns)[2].split()]
    assert widths == [30, 30]


def test_at_80_columns_there_are_at_most_six(draw):
    columns = [Column(name, rank, text=True) for rank, name in enumerate("abcdefgh")]
    rows = [dict.fromkeys("abcdefgh", text) for text in "xy"]
    assert draw(rows, 80, columns)[0].split() == list("abcdef")
    assert draw(rows, 81, columns)[0].split() == list("abcdefgh")


def test_wide_characters_count_twice(draw):
    rows = [row("日本語" * 10, str(i), str(i), str(i)) for i in range(2)]
    line = draw(rows, 40)[2]
    assert line.startswith("…")
    assert line.split()[1:] == ["0", "0", "0"]


def test_lines_break_between_their_parts():
    assert wrapped(["one", "two", "three"], 9) == ["one · two", "three"]
    assert wrapped(["one", "two", "three"], 17) == ["one · two · three"]
    assert wrapped(["one", "two", "three"], None) == ["one · two · three"]
    assert wrapped(["longer than that"], 3) == ["longer than that"]
    assert wrapped([], 80) == []


@pytest.mark.parametrize("width", range(1, 12))
def test_cropped_never_exceeds_its_width(width):
    for text in ("abcdefghijklmnop", "日本語のファイル", "a日b本c語"):
        cropped = table._cropped(text, width)
        assert cell_len(cropped) <= width
        assert text.endswith(cropped.removeprefix("…"))
