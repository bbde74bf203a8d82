"""The bytes of the page: small, bounded, and without what a file could put there."""

import json
import re

import numpy as np
import pytest

from gpool_cli.model import Failed, InputFile
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.report.records import page
from gpool_cli.report.records.interface import Ending
from gpool_cli.report.records.items import LISTS
from gpool_cli.report.records.page import PageForm
from gpool_cli.report.records.pagerows import COLUMNS
from gpool_cli.report.records.strip import level_colours, strip_of
from gpool_cli.sketch import Sketch
from gpool_cli.tally import Tally


def failed(name: str) -> Failed:
    return Failed(InputFile(name, name), "", name, name)


def page_of(events: list, **ending) -> tuple[str, dict, dict]:
    """A page, and what stands in its two blocks."""
    form = PageForm(Recipe((PoolingSpec("avg"),)))
    lists: dict[str, list[str]] = {name: [] for name in LISTS}
    for event in events:
        for name, item in form.items(event):
            lists[name].append(item)
    data = {name: [",".join(items).encode()] for name, items in lists.items()}
    how = Ending(**{"tally": Tally(), "exit_code": 0, **ending})
    text = b"".join(form.parts(how, data)).decode()
    blocks = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', text, re.DOTALL)
    facts, times = map(json.loads, blocks)
    return text, facts, times


def test_what_ends_a_script_in_a_name_ends_none():
    text, facts, _ = page_of([failed("</script><script>alert(1)</script><!--")])
    assert text.count("</script>") == 3
    assert text.count("<!--") == 0
    assert facts["rows"]["failures"][0][1] == "</script><script>alert(1)</script><!--"


def test_what_ended_the_run_is_no_markup_either():
    text, facts, _ = page_of([], exit_code=3, ended_by="can't write </script>\u202e")
    assert text.count("</script>") == 3
    assert facts["ended_by"] == r"can't write </script>\u202e"


def test_every_row_has_a_value_for_every_column():
    _, facts, _ = page_of([failed("a")])
    assert {name: len(columns) for name, columns in facts["columns"].items()} == {
        name: len(columns) for name, columns in COLUMNS.items()
    }
    assert [len(row) for row in facts["rows"]["failures"]] == [len(COLUMNS["failures"])]
    assert set(COLUMNS) == set(LISTS)


def test_more_rows_than_a_browser_bears_are_counted_only(monkeypatch):
    monkeypatch.setattr(page, "MOST_ROWS", 5)
    _, facts, _ = page_of([failed(f"{i}") for i in range(9)])
    assert [row[0] for row in facts["rows"]["failures"]] == list("01234")
    assert facts["counts"]["failures"] == 9


def test_a_long_name_is_cut_at_the_front():
    _, facts, _ = page_of([failed("x" * 100_000 + "end")])
    row = facts["rows"]["failures"][0]
    assert [len(text) for text in row] == [1000] * 3
    assert row[0].startswith("\u2026x")
    assert row[0].endswith("end")


def test_the_page_asks_for_nothing_from_anywhere():
    text, _, _ = page_of([])
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|src=|href=|@import|url\(", text) == []
    assert "default-src 'none'" in text
    assert "unsafe" not in text


def test_all_times_are_in_their_block():
    fast, _, _ = page_of([], tally=Tally(seconds=1.0, bytes_in=5))
    slow, _, times = page_of([], tally=Tally(seconds=99.0, bytes_in=5))
    assert times["totals"] == [["time", "1 min 39 s"], ["throughput", "0.0505 B/s"]]
    assert fast != slow
    assert fast.split('id="times"')[0] == slow.split('id="times"')[0]


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        ([0, 1, 2], [0, 127, 254]),
        ([5, 5], [0, 0]),
        ([np.nan, 0, 1, np.inf, -np.inf], [255, 0, 254, 254, 0]),
        ([np.nan], [255]),
    ],
)
def test_the_levels_of_a_strip(cells, levels):
    import base64

    _, _, text = strip_of(Sketch(np.array(cells, float), np.zeros(len(cells)), 1))
    assert list(base64.b64decode(text)) == levels


def test_the_colours_of_the_levels():
    colours = bytes.fromhex(level_colours())
    assert len(colours) == 3 * 256
    assert [tuple(colours[3 * i : 3 * i + 3]) for i in (0, 254, 255)] == [
        (68, 1, 84),
        (253, 231, 37),
        (255, 0, 255),
    ]


def test_the_assets_stay_short():
    from importlib.resources import files

    folder = files("gpool_cli.report.records").joinpath("assets")
    sizes = {one.name: len(one.read_text().splitlines()) for one in folder.iterdir()}
    assert len(sizes) >= 8
    assert {name: size for name, size in sizes.items() if size > 200} == {}
